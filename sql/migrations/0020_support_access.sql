-- Platform staff inside an agency: only by the agency's leave, for a reason, for a time, only looking. The database decides at
-- each transaction whether the leave still holds; staff cannot give it to themselves.
CREATE TABLE support_switches (
  agency_id uuid PRIMARY KEY REFERENCES agencies ON DELETE CASCADE,
  mode text NOT NULL CHECK (mode IN ('allow', 'ask', 'refuse')), -- without a row: ask
  changed_at timestamptz NOT NULL
);
CREATE TABLE support_accesses (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  staff_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  staff_name text NOT NULL, -- the agency cannot read people of the platform
  reason text NOT NULL CHECK (length(reason) BETWEEN 10 AND 500),
  hours smallint NOT NULL CHECK (hours IN (1, 4, 24)),
  status text NOT NULL CHECK (status IN ('asked', 'active', 'refused', 'ended')),
  asked_at timestamptz NOT NULL DEFAULT now(),
  decided_at timestamptz,
  decided_by text NOT NULL DEFAULT '', -- a person's name; '' for the switch
  expires_at timestamptz,
  ended_at timestamptz,
  ended_by text NOT NULL DEFAULT '',
  UNIQUE (agency_id, id),
  CHECK (status <> 'active' OR (decided_at IS NOT NULL AND expires_at IS NOT NULL)),
  CHECK (expires_at <= decided_at + make_interval(hours => hours))
);
CREATE INDEX support_accesses_open ON support_accesses (agency_id, expires_at) WHERE status IN ('asked', 'active');
CREATE INDEX support_accesses_agency ON support_accesses (agency_id, id DESC);
CREATE INDEX support_accesses_staff ON support_accesses (staff_id, id DESC);

-- Which agency a browser of staff is looking at, by which leave.
ALTER TABLE user_sessions ADD COLUMN support_access_id uuid REFERENCES support_accesses ON DELETE SET NULL;

ALTER TABLE support_switches ENABLE ROW LEVEL SECURITY;
ALTER TABLE support_switches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON support_switches TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON support_switches FOR SELECT TO dramac_staff USING (true);
CREATE POLICY lookup ON support_switches FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE support_accesses ENABLE ROW LEVEL SECURITY;
ALTER TABLE support_accesses FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON support_accesses TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY identifying ON support_accesses FOR SELECT TO dramac_app USING ((SELECT identifying()));
CREATE POLICY staff ON support_accesses FOR SELECT TO dramac_staff USING (true);
-- Staff ask where the agency lets itself be asked, and begin at once where it allows that; they end, and that is all.
CREATE POLICY staff_ask ON support_accesses FOR INSERT TO dramac_staff
  WITH CHECK (coalesce((SELECT s.mode FROM support_switches s WHERE s.agency_id = support_accesses.agency_id), 'ask')
              = ANY (CASE status WHEN 'asked' THEN ARRAY['allow', 'ask'] WHEN 'active' THEN ARRAY['allow'] ELSE '{}'::text[] END));
CREATE POLICY staff_end ON support_accesses FOR UPDATE TO dramac_staff USING (true) WITH CHECK (status = 'ended');
CREATE POLICY lookup ON support_accesses FOR SELECT TO dramac_lookup USING (true);

GRANT SELECT, INSERT, UPDATE ON support_switches TO dramac_app;
GRANT SELECT ON support_switches TO dramac_staff, dramac_lookup;
GRANT SELECT ON support_accesses TO dramac_app;
GRANT UPDATE (status, decided_at, decided_by, expires_at, ended_at, ended_by) ON support_accesses TO dramac_app;
GRANT SELECT, INSERT, UPDATE (status, ended_at, ended_by) ON support_accesses TO dramac_staff;
GRANT SELECT ON support_accesses TO dramac_lookup;
GRANT SELECT (staff_role) ON users TO dramac_lookup;

-- The agency that a person of the platform's staff may look at now by this leave; NULL when it is over, not given, or not theirs.
CREATE FUNCTION support_agency(access uuid, person uuid) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT a.agency_id
  FROM support_accesses a JOIN users u ON u.id = a.staff_id LEFT JOIN support_switches s ON s.agency_id = a.agency_id
  WHERE a.id = access AND a.staff_id = person AND a.status = 'active' AND a.expires_at > clock_timestamp()
    AND u.staff_role IS NOT NULL AND u.disabled_at IS NULL AND coalesce(s.mode, 'ask') <> 'refuse'
$$;
REVOKE EXECUTE ON FUNCTION support_agency FROM PUBLIC;
GRANT EXECUTE ON FUNCTION support_agency TO dramac_app;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION support_agency OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
