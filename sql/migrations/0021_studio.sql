-- Modules being written: projects, every state of their files, and what was tried with them.
CREATE TABLE studio_projects (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  starter text NOT NULL, -- what it began from: a starter's name, 'import', or the version it was opened from
  revision integer NOT NULL DEFAULT 0, -- counts changes; a file's state carries the number of the change that made it
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  UNIQUE (agency_id, id)
);
CREATE INDEX studio_projects_agency ON studio_projects (agency_id, updated_at DESC) WHERE deleted_at IS NULL;

-- Rows are only added: the newest of a path is the file, all of them are its history.
CREATE TABLE studio_files (
  agency_id uuid NOT NULL,
  project_id uuid NOT NULL,
  path text NOT NULL CHECK (length(path) BETWEEN 1 AND 200),
  revision integer NOT NULL,
  content bytea, -- NULL: deleted with this change
  note text NOT NULL DEFAULT '',
  author_id uuid REFERENCES users ON DELETE SET NULL,
  author_name text NOT NULL DEFAULT '',
  at timestamptz NOT NULL,
  PRIMARY KEY (project_id, path, revision),
  FOREIGN KEY (agency_id, project_id) REFERENCES studio_projects (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX studio_files_history ON studio_files (agency_id, project_id, revision DESC);

-- A run of the tests, a preview of a page, a call of a function: asked for on a screen, done by a worker, gone after a day.
CREATE TABLE studio_trials (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  project_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('tests', 'preview', 'call')),
  revision integer NOT NULL, -- of the project when it was asked for
  asked jsonb NOT NULL,
  status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'done', 'failed')),
  result jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, project_id) REFERENCES studio_projects (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX studio_trials_project ON studio_trials (agency_id, project_id, created_at DESC);
CREATE INDEX studio_trials_age ON studio_trials (created_at);

ALTER TABLE studio_projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE studio_projects FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON studio_projects TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
ALTER TABLE studio_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE studio_files FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON studio_files TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
ALTER TABLE studio_trials ENABLE ROW LEVEL SECURITY;
ALTER TABLE studio_trials FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON studio_trials TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON studio_trials TO dramac_staff USING (true) WITH CHECK (true); -- old ones are swept

GRANT SELECT, INSERT, UPDATE ON studio_projects, studio_trials TO dramac_app;
GRANT SELECT, INSERT ON studio_files TO dramac_app;
GRANT SELECT, DELETE ON studio_trials TO dramac_staff;
