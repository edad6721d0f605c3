-- What somebody needs to look into a fault of one install, as it was at a moment, for whom its link was made.
CREATE TABLE case_bundles (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  note text NOT NULL CHECK (length(note) BETWEEN 1 AND 500), -- what goes wrong, in words
  for_user_id uuid, -- a member of the agency; NULL: the platform's support
  created_by uuid NOT NULL,
  created_by_name text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  opened_at timestamptz, -- last
  content jsonb NOT NULL,
  UNIQUE (agency_id, id),
  CHECK (expires_at <= created_at + interval '30 days'),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, for_user_id) REFERENCES memberships (agency_id, user_id) ON DELETE CASCADE
);
CREATE INDEX case_bundles_install ON case_bundles (agency_id, install_id, id DESC);
CREATE INDEX case_bundles_age ON case_bundles (expires_at);

ALTER TABLE case_bundles ENABLE ROW LEVEL SECURITY;
ALTER TABLE case_bundles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON case_bundles TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
-- Support sees what was made for it, while the link holds; the sweep deletes what is over.
CREATE POLICY staff ON case_bundles FOR SELECT TO dramac_staff
  USING ((for_user_id IS NULL AND revoked_at IS NULL AND expires_at > now()) OR expires_at < now() - interval '30 days');
CREATE POLICY staff_open ON case_bundles FOR UPDATE TO dramac_staff
  USING (for_user_id IS NULL AND revoked_at IS NULL AND expires_at > now()) WITH CHECK (for_user_id IS NULL);
CREATE POLICY staff_forget ON case_bundles FOR DELETE TO dramac_staff USING (expires_at < now() - interval '30 days');
GRANT SELECT, INSERT, UPDATE (revoked_at, opened_at) ON case_bundles TO dramac_app;
GRANT SELECT, UPDATE (opened_at), DELETE ON case_bundles TO dramac_staff;
