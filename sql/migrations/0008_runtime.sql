-- Module code at work: every run of a function, the module's own schedules.
CREATE TABLE module_function_runs (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  version text NOT NULL,
  function text NOT NULL,
  trigger text NOT NULL CHECK (trigger IN ('route', 'hook', 'event', 'schedule', 'page', 'test', 'call')),
  cause text NOT NULL DEFAULT '', -- route path, table and event, event id, job name
  request_id text NOT NULL DEFAULT '',
  outcome text NOT NULL CHECK (outcome IN ('ok', 'refused', 'error', 'timeout', 'memory', 'budget')),
  error text NOT NULL DEFAULT '',
  logs jsonb NOT NULL DEFAULT '[]',
  cpu_ms real NOT NULL DEFAULT 0,
  host_calls integer NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX module_function_runs_install ON module_function_runs (agency_id, install_id, started_at DESC);
CREATE INDEX module_function_runs_age ON module_function_runs (started_at);

CREATE TABLE module_schedules (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  function text NOT NULL,
  cron text NOT NULL,
  time_zone text NOT NULL,
  next_at timestamptz NOT NULL,
  due_at timestamptz, -- the run that was ordered and is not over
  lease_until timestamptz, -- when it is ordered again
  last_at timestamptz,
  last_outcome text NOT NULL DEFAULT '',
  PRIMARY KEY (install_id, name),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX module_schedules_next ON module_schedules (next_at);

-- What a function has done, told in the transaction in which it did it: an event or a due run handed over twice works once.
CREATE TABLE module_done (
  install_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) <= 200), -- event:<event id>:<function>, job:<name>:<due>
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (install_id, key)
);
CREATE INDEX module_done_age ON module_done (at);

ALTER TABLE module_function_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_function_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_function_runs FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY site ON module_function_runs FOR INSERT TO dramac_runtime
  WITH CHECK (site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_function_runs TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE module_done ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_done FORCE ROW LEVEL SECURITY;
CREATE POLICY site ON module_done TO dramac_runtime USING (site_id = (SELECT current_site_id()))
  WITH CHECK (site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_done TO dramac_staff USING (true) WITH CHECK (true);

-- How many letters an install has posted today: no address, no subject.
CREATE POLICY site_count ON mails FOR SELECT TO dramac_runtime USING (site_id = (SELECT current_site_id()));
GRANT SELECT (agency_id, site_id, install_id, created_at) ON mails TO dramac_runtime;

ALTER TABLE module_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_schedules TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_schedules TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT ON module_function_runs TO dramac_app;
GRANT INSERT ON module_function_runs TO dramac_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_schedules TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_function_runs, module_schedules TO dramac_staff;
GRANT SELECT, INSERT ON module_done TO dramac_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_done TO dramac_staff;

-- Where a letter to a member of the site's agency goes; functions name people by id and never see the address.
CREATE POLICY lookup ON users FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON memberships FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT (id, email, disabled_at) ON users TO dramac_lookup;
GRANT SELECT (agency_id, user_id) ON memberships TO dramac_lookup;
CREATE FUNCTION runtime_member_email(site uuid, person uuid) RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.email FROM users u JOIN memberships m ON m.user_id = u.id JOIN sites s ON s.agency_id = m.agency_id
  WHERE s.id = site AND s.id = current_site_id() AND u.id = person AND u.disabled_at IS NULL
$$;
-- Whether a record may name this person: somebody of the agency that the site belongs to.
CREATE FUNCTION runtime_is_member(site uuid, person uuid) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM memberships m JOIN sites s ON s.agency_id = m.agency_id
                 WHERE s.id = site AND s.id = current_site_id() AND m.user_id = person)
$$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION runtime_is_member OWNER TO dramac_lookup;
ALTER FUNCTION runtime_member_email OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION runtime_is_member, runtime_member_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runtime_is_member, runtime_member_email TO dramac_runtime;
