-- Upgrades tried on a copy of an install's records; the copy never leaves its transaction, what it told stands here.
CREATE TABLE install_rehearsals (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  from_version_id uuid NOT NULL REFERENCES module_versions,
  to_version_id uuid NOT NULL REFERENCES module_versions,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
  steps jsonb NOT NULL DEFAULT '[]', -- [{key, label, state, at, detail}]
  result jsonb NOT NULL DEFAULT '{}',
  failure text NOT NULL DEFAULT '' CHECK (length(failure) <= 1000),
  attempts integer NOT NULL DEFAULT 0,
  ordered_by uuid REFERENCES users ON DELETE SET NULL,
  ordered_name text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);
CREATE INDEX install_rehearsals_install ON install_rehearsals (agency_id, install_id, id DESC);
CREATE INDEX install_rehearsals_running ON install_rehearsals (changed_at) WHERE status = 'running';
CREATE INDEX install_rehearsals_age ON install_rehearsals (created_at);

ALTER TABLE install_rehearsals ENABLE ROW LEVEL SECURITY;
ALTER TABLE install_rehearsals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON install_rehearsals TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON install_rehearsals TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON install_rehearsals TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON install_rehearsals TO dramac_staff;

-- What a read of records asked for: sealed, for asking it again and for nothing else; it goes with its day's partition.
ALTER TABLE external_api_requests ADD COLUMN query_sealed text NOT NULL DEFAULT '';
