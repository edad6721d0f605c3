-- Which site a line of the audit trail is about, also when what it names is a key or a webhook. A line that says a site is hashed
-- with it; those from before say none and keep the hash they have, so every chain stays whole.
ALTER TABLE audit_log ADD COLUMN site_id uuid;
-- Its walls stay as they are: a line is its agency's, whatever site it says.
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
DROP POLICY tenant ON audit_log;
CREATE POLICY tenant ON audit_log TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));

CREATE OR REPLACE FUNCTION audit_row_hash(a audit_log) RETURNS bytea LANGUAGE sql STABLE
  AS $$ SELECT sha256(convert_to(to_jsonb(ARRAY[
    a.id::text, a.agency_id::text, a.number::text, extract(epoch FROM a.at)::text, a.actor, a.actor_name, a.action, a.target,
    a.target_name, a.changes::text, host(a.ip), a.user_agent, a.request_id, encode(a.previous_hash, 'hex')]
    || CASE WHEN a.site_id IS NULL THEN '{}'::text[] ELSE ARRAY[a.site_id::text] END)::text, 'UTF8')) $$;

-- One person of the staff has one request or leave at a time for an agency. Of those there are the youngest stays. A leave whose time
-- ran out is marked as ended, by nobody, when the next one is asked for.
ALTER TABLE support_accesses NO FORCE ROW LEVEL SECURITY;
UPDATE support_accesses a
SET status = 'ended', ended_at = least(a.expires_at, now()), ended_by = CASE WHEN a.expires_at <= now() THEN '' ELSE 'A later request' END
WHERE status IN ('asked', 'active')
  AND EXISTS (SELECT FROM support_accesses b WHERE b.agency_id = a.agency_id AND b.staff_id = a.staff_id
              AND b.status IN ('asked', 'active') AND b.id > a.id);
ALTER TABLE support_accesses FORCE ROW LEVEL SECURITY;
CREATE UNIQUE INDEX support_accesses_one ON support_accesses (agency_id, staff_id) WHERE status IN ('asked', 'active');

-- A case bundle may be made for the publisher of the module: its people see this one while the link holds, and nothing else.
ALTER TABLE case_bundles ADD COLUMN for_agency_id uuid REFERENCES agencies ON DELETE CASCADE,
  ADD CONSTRAINT case_bundles_for_one CHECK (for_user_id IS NULL OR for_agency_id IS NULL);
CREATE INDEX case_bundles_publisher ON case_bundles (for_agency_id) WHERE for_agency_id IS NOT NULL;
DROP POLICY staff ON case_bundles;
DROP POLICY staff_open ON case_bundles;
CREATE POLICY staff ON case_bundles FOR SELECT TO dramac_staff
  USING ((for_user_id IS NULL AND for_agency_id IS NULL AND revoked_at IS NULL AND expires_at > now())
         OR expires_at < now() - interval '30 days');
CREATE POLICY staff_open ON case_bundles FOR UPDATE TO dramac_staff
  USING (for_user_id IS NULL AND for_agency_id IS NULL AND revoked_at IS NULL AND expires_at > now())
  WITH CHECK (for_user_id IS NULL AND for_agency_id IS NULL);
CREATE POLICY publisher ON case_bundles FOR SELECT TO dramac_app
  USING (for_agency_id = (SELECT current_agency_id()) AND revoked_at IS NULL AND expires_at > now());
CREATE POLICY publisher_open ON case_bundles FOR UPDATE TO dramac_app
  USING (for_agency_id = (SELECT current_agency_id()) AND revoked_at IS NULL AND expires_at > now())
  WITH CHECK (for_agency_id = (SELECT current_agency_id()));
