-- What agencies want: modules they keep for later, and modules that do not exist yet.
CREATE TABLE module_wishes (
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  module_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (agency_id, module_id)
);
CREATE TABLE module_requests (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  author text NOT NULL, -- the agency's name, as it was when it asked
  title text NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
  text text NOT NULL DEFAULT '' CHECK (length(text) <= 2000),
  category text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'planned', 'done', 'declined')),
  answer text NOT NULL DEFAULT '' CHECK (length(answer) <= 1000),
  votes integer NOT NULL DEFAULT 0, -- kept by a trigger
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id)
);
CREATE INDEX module_requests_votes ON module_requests (votes DESC, created_at DESC);
CREATE TABLE module_request_votes (
  request_id uuid NOT NULL REFERENCES module_requests ON DELETE CASCADE,
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  PRIMARY KEY (request_id, agency_id)
);
ALTER TABLE module_wishes ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_wishes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_wishes TO dramac_app USING (agency_id = (SELECT current_agency_id()))
  WITH CHECK (agency_id = (SELECT current_agency_id()) AND EXISTS (SELECT FROM marketplace_listings l WHERE l.module_id = module_wishes.module_id));
CREATE POLICY staff ON module_wishes TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE module_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON module_requests FOR SELECT TO dramac_app USING ((SELECT current_agency_id()) IS NOT NULL);
CREATE POLICY new ON module_requests FOR INSERT TO dramac_app WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_requests TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_requests TO dramac_lookup USING (true) WITH CHECK (true);
ALTER TABLE module_request_votes ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_request_votes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON module_request_votes TO dramac_app USING (agency_id = (SELECT current_agency_id()))
  WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_request_votes TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_request_votes FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT, DELETE ON module_wishes, module_request_votes TO dramac_app;
GRANT SELECT, INSERT (id, agency_id, author, title, text, category, created_at) ON module_requests TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_wishes, module_requests, module_request_votes TO dramac_staff;
GRANT SELECT, UPDATE ON module_requests TO dramac_lookup;
GRANT SELECT ON module_request_votes TO dramac_lookup;
CREATE FUNCTION module_request_voted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  wanted uuid := coalesce(NEW.request_id, OLD.request_id);
BEGIN
  UPDATE module_requests SET votes = (SELECT count(*) FROM module_request_votes WHERE request_id = wanted) WHERE id = wanted;
  RETURN NULL;
END $$;
CREATE TRIGGER voted AFTER INSERT OR DELETE ON module_request_votes FOR EACH ROW EXECUTE FUNCTION module_request_voted();
REVOKE ALL ON FUNCTION module_request_voted FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION module_request_voted OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
