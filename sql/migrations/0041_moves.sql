-- Each time an install went, or was to go, to another version: what is kept for the way back, how it has been since.
CREATE TABLE install_moves (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('upgrade', 'rollback')),
  from_version_id uuid NOT NULL REFERENCES module_versions,
  to_version_id uuid NOT NULL REFERENCES module_versions,
  -- ordered: its job is not over · watching · settled · undone: gone back from · failed: nothing was changed
  state text NOT NULL DEFAULT 'ordered' CHECK (state IN ('ordered', 'watching', 'settled', 'undone', 'failed')),
  undoes_id uuid, -- of a rollback, the upgrade it takes back
  records text NOT NULL DEFAULT 'keep' CHECK (records IN ('keep', 'put_back')), -- of a rollback, what becomes of them
  by_itself boolean NOT NULL DEFAULT false, -- the watch did it
  ordered_by text NOT NULL DEFAULT '',
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  ordered_at timestamptz NOT NULL,
  moved_at timestamptz, -- from here on the other version serves
  ended_at timestamptz,
  watch_until timestamptz,
  figures jsonb NOT NULL DEFAULT '{}', -- {base, now, verdict}: what the watch has measured
  -- the copy of the records that the upgrade touches
  copied_at timestamptz,
  copied_tables text[] NOT NULL DEFAULT '{}', -- physical
  copied_rows bigint NOT NULL DEFAULT 0,
  -- of a rollback: the file of what was written since
  file_rows jsonb NOT NULL DEFAULT '{}', -- {created, changed, deleted, not_held}
  keep_until timestamptz, -- copy and file are deleted then
  UNIQUE (agency_id, id),
  CHECK ((kind = 'rollback') = (undoes_id IS NOT NULL)),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, undoes_id) REFERENCES install_moves (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX install_moves_install ON install_moves (agency_id, install_id, id DESC);
CREATE INDEX install_moves_watched ON install_moves (watch_until) WHERE state = 'watching';
CREATE INDEX install_moves_kept ON install_moves (keep_until) WHERE keep_until IS NOT NULL;

ALTER TABLE install_moves ENABLE ROW LEVEL SECURITY;
ALTER TABLE install_moves FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON install_moves TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON install_moves TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON install_moves TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON install_moves TO dramac_staff;

-- An agency sees the versions its installs have been at, as long as it may go back to them.
CREATE POLICY moved ON module_versions FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM install_moves m WHERE module_versions.id IN (m.from_version_id, m.to_version_id)));
