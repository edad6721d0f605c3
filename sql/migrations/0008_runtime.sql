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
  last_at timestamptz,
  last_outcome text NOT NULL DEFAULT '',
  PRIMARY KEY (install_id, name),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX module_schedules_next ON module_schedules (next_at);

ALTER TABLE module_function_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_function_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_function_runs FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY site ON module_function_runs FOR INSERT TO dramac_runtime
  WITH CHECK (site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_function_runs TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE module_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_schedules TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_schedules TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT ON module_function_runs TO dramac_app;
GRANT INSERT ON module_function_runs TO dramac_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_schedules TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_function_runs, module_schedules TO dramac_staff;
