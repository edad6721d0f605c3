-- Files that records hold: what they are and whose. Their bytes lie in the storage under the row's id (docs/adr/0016-files.md).
CREATE TABLE module_files (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  media_type text NOT NULL,
  family text NOT NULL CHECK (family IN ('image', 'pdf', 'document', 'audio', 'video')),
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  sent_bytes bigint NOT NULL CHECK (sent_bytes > 0), -- as it was sent; pictures are drawn anew
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  width integer, -- pixels, of images
  height integer,
  small boolean NOT NULL DEFAULT false, -- whether a small picture of it is kept as well
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'attached', 'released')),
  state_at timestamptz NOT NULL DEFAULT now(),
  from_public boolean NOT NULL DEFAULT false, -- sent by a visitor or a publishable key
  table_name text NOT NULL DEFAULT '', -- the physical table of the record that holds it
  record_id uuid,
  created_by text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id),
  UNIQUE (site_id, id),
  CHECK ((state = 'pending') = (record_id IS NULL)),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX module_files_used ON module_files (site_id) INCLUDE (size_bytes) WHERE state <> 'released';
CREATE INDEX module_files_install ON module_files (agency_id, install_id);
CREATE INDEX module_files_pending ON module_files (created_at) WHERE state = 'pending';

ALTER TABLE module_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_files FORCE ROW LEVEL SECURITY;
CREATE POLICY site ON module_files TO dramac_runtime USING (site_id = (SELECT current_site_id()))
  WITH CHECK (site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_files TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON module_files TO dramac_runtime;
GRANT UPDATE (state, state_at, table_name, record_id) ON module_files TO dramac_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_files TO dramac_staff;
