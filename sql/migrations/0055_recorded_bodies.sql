-- Bodies of writes of the API are recorded for an hour where somebody asks for it, to replay a write.
CREATE TABLE body_recordings (
  install_id uuid PRIMARY KEY,
  agency_id uuid NOT NULL,
  until timestamptz NOT NULL,
  started_by uuid REFERENCES users ON DELETE SET NULL,
  started_at timestamptz NOT NULL,
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE
);

-- Written in the batches of the request log, for many sites at once, so nothing is referred to; each goes after a day.
CREATE TABLE recorded_bodies (
  request_id text PRIMARY KEY,
  agency_id uuid NOT NULL,
  install_id uuid NOT NULL,
  at timestamptz NOT NULL,
  if_match text NOT NULL DEFAULT '' CHECK (length(if_match) <= 200),
  body_sealed text NOT NULL
);
CREATE INDEX recorded_bodies_age ON recorded_bodies (at);

ALTER TABLE body_recordings ENABLE ROW LEVEL SECURITY;
ALTER TABLE body_recordings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON body_recordings TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON body_recordings TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON body_recordings FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT, UPDATE ON body_recordings TO dramac_app;
GRANT SELECT, DELETE ON body_recordings TO dramac_staff;
GRANT SELECT ON body_recordings TO dramac_lookup;

ALTER TABLE recorded_bodies ENABLE ROW LEVEL SECURITY;
ALTER TABLE recorded_bodies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON recorded_bodies FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY append ON recorded_bodies FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY staff ON recorded_bodies TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT ON recorded_bodies TO dramac_app;
GRANT INSERT ON recorded_bodies TO dramac_runtime;
GRANT SELECT, DELETE ON recorded_bodies TO dramac_staff;

-- Until when the bodies of an install's writes are recorded; NULL where nobody asked for it.
CREATE FUNCTION recording_until(install uuid) RETURNS timestamptz
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT until FROM body_recordings WHERE install_id = install
$$;
REVOKE ALL ON FUNCTION recording_until FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recording_until TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION recording_until OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
