-- Putting back what was written to an install between an upgrade and the way back from it: each time somebody does it.
CREATE TABLE install_put_backs (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  move_id uuid NOT NULL, -- the rollback whose file it is
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed', 'undone')),
  batch uuid NOT NULL, -- what the module's history files the changes under
  chosen integer[] NOT NULL, -- rows of the file, counted from 1
  over integer[] NOT NULL DEFAULT '{}', -- those of them that may be overwritten although they were changed since
  can_undo boolean NOT NULL DEFAULT false, -- the history has all of what was changed
  failure text NOT NULL DEFAULT '' CHECK (length(failure) <= 1000),
  attempts integer NOT NULL DEFAULT 0,
  ordered_by uuid REFERENCES users ON DELETE SET NULL,
  ordered_name text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, move_id) REFERENCES install_moves (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX install_put_backs_move ON install_put_backs (agency_id, move_id, id DESC);
CREATE UNIQUE INDEX install_put_backs_running ON install_put_backs (install_id) WHERE status = 'running';
CREATE INDEX install_put_backs_stalled ON install_put_backs (changed_at) WHERE status = 'running';
CREATE INDEX install_put_backs_age ON install_put_backs (created_at);

ALTER TABLE install_put_backs ENABLE ROW LEVEL SECURITY;
ALTER TABLE install_put_backs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON install_put_backs TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON install_put_backs TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON install_put_backs TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON install_put_backs TO dramac_staff;

-- What became of a row of the file. Written in the transaction that puts the row back, so a row is never put back twice,
-- and a job that was killed goes on behind the last one.
CREATE TABLE install_put_back_rows (
  move_id uuid NOT NULL,
  position integer NOT NULL CHECK (position > 0),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  record_id uuid NOT NULL,
  run_id uuid NOT NULL,
  tries integer NOT NULL DEFAULT 1,
  state text NOT NULL CHECK (state IN ('put_back', 'left', 'refused', 'undone')),
  why jsonb NOT NULL DEFAULT '[]', -- [{field, why}]
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (move_id, position),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, move_id) REFERENCES install_moves (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX install_put_back_rows_run ON install_put_back_rows (run_id, position);

ALTER TABLE install_put_back_rows ENABLE ROW LEVEL SECURITY;
ALTER TABLE install_put_back_rows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON install_put_back_rows FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY site ON install_put_back_rows TO dramac_runtime USING (site_id = (SELECT current_site_id()))
  WITH CHECK (site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON install_put_back_rows TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT ON install_put_back_rows TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON install_put_back_rows TO dramac_runtime, dramac_staff;
