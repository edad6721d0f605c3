-- The publishing of a version as a job that can be watched: its checks one by one, and what became of it.
CREATE TABLE module_publications (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  version_id uuid NOT NULL REFERENCES module_versions ON DELETE CASCADE,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'published', 'failed')),
  tier text NOT NULL DEFAULT '' CHECK (tier IN ('', 'internal', 'beta', 'public')), -- the audience asked for
  steps jsonb NOT NULL DEFAULT '[]', -- [{key, label, state, at, detail}]
  tests jsonb NOT NULL DEFAULT '[]', -- [{file, name, failures: [sentence]}] of those that have run
  problems jsonb NOT NULL DEFAULT '[]', -- what to mend: [{path, message, line, column, code, severity, file}]
  attempts integer NOT NULL DEFAULT 0,
  ordered_by uuid REFERENCES users ON DELETE SET NULL,
  ordered_name text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id)
);
CREATE UNIQUE INDEX module_publications_one_at_a_time ON module_publications (version_id) WHERE status = 'running';
CREATE INDEX module_publications_version ON module_publications (agency_id, version_id, created_at DESC);
CREATE INDEX module_publications_stalled ON module_publications (changed_at) WHERE status = 'running';

ALTER TABLE module_publications ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_publications FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_publications TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_publications TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON module_publications TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_publications TO dramac_staff;
