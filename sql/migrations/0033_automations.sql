-- Automations: when an event happens, and its record fits, then some steps; and what became of each run.
CREATE TABLE automations (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  site_id uuid, -- NULL: events of every site and of the agency itself
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  event_type text NOT NULL CHECK (length(event_type) BETWEEN 1 AND 120),
  conditions text NOT NULL DEFAULT '' CHECK (length(conditions) <= 4000), -- a line each: field operator value
  steps jsonb NOT NULL DEFAULT '[]',
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'member', 'viewer')), -- of who saved it: it may see and do as much
  active boolean NOT NULL DEFAULT false,
  off_reason text NOT NULL DEFAULT '' CHECK (off_reason IN ('', 'failing')),
  retries smallint NOT NULL DEFAULT 3 CHECK (retries BETWEEN 0 AND 5),
  off_after smallint NOT NULL DEFAULT 10 CHECK (off_after BETWEEN 1 AND 100), -- failed runs in a row
  failures smallint NOT NULL DEFAULT 0,
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX automations_site ON automations (agency_id, site_id);

-- One per event and automation, gone with its event after 30 days.
CREATE TABLE automation_runs (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  automation_id uuid NOT NULL,
  event_id uuid NOT NULL REFERENCES events ON DELETE CASCADE,
  event_type text NOT NULL,
  status text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'running', 'done', 'failed')),
  attempts smallint NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(), -- of one that is running: when it is taken for lost
  steps jsonb NOT NULL, -- as they were when it began, each with its outcome
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  UNIQUE (agency_id, id),
  UNIQUE (automation_id, event_id),
  FOREIGN KEY (agency_id, automation_id) REFERENCES automations (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX automation_runs_open ON automation_runs (due_at) WHERE status IN ('due', 'running');
CREATE INDEX automation_runs_log ON automation_runs (agency_id, automation_id, id DESC);
CREATE INDEX automation_runs_event ON automation_runs (event_id);

ALTER TABLE automations ENABLE ROW LEVEL SECURITY;
ALTER TABLE automations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON automations TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON automations TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE automation_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE automation_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON automation_runs TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON automation_runs TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON automations TO dramac_app;
GRANT SELECT, INSERT, UPDATE ON automation_runs TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON automations, automation_runs TO dramac_staff;
