-- Ratings: by agencies that have used a module, one for each major version, answered by its publisher, looked after by staff.
-- Days on which an agency had the module active on some site; counted by marketplace.survey.
CREATE TABLE module_active_days (
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  module_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  major integer NOT NULL,
  days integer NOT NULL DEFAULT 1,
  last_day date NOT NULL,
  PRIMARY KEY (agency_id, module_id, major)
);
CREATE TABLE module_ratings (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  module_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  major integer NOT NULL,
  user_id uuid REFERENCES users ON DELETE SET NULL,
  author text NOT NULL, -- the agency's name, as it was when it wrote
  stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
  text text NOT NULL DEFAULT '' CHECK (length(text) <= 4000),
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  answer text NOT NULL DEFAULT '' CHECK (length(answer) <= 4000),
  answered_at timestamptz,
  helpful integer NOT NULL DEFAULT 0, -- votes; kept by a trigger
  hidden_at timestamptz,
  hidden_by uuid REFERENCES users ON DELETE SET NULL,
  hidden_why text NOT NULL DEFAULT '',
  UNIQUE (agency_id, id),
  UNIQUE (agency_id, module_id, major)
);
CREATE INDEX module_ratings_module ON module_ratings (module_id, helpful DESC, created_at DESC);
CREATE TABLE module_rating_votes (
  rating_id uuid NOT NULL REFERENCES module_ratings ON DELETE CASCADE,
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  PRIMARY KEY (rating_id, agency_id)
);
CREATE TABLE module_rating_reports (
  rating_id uuid NOT NULL REFERENCES module_ratings ON DELETE CASCADE,
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  reason text NOT NULL CHECK (reason IN ('spam', 'abuse', 'personal', 'untrue')),
  at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz,
  PRIMARY KEY (rating_id, agency_id)
);
CREATE INDEX module_rating_reports_open ON module_rating_reports (at) WHERE settled_at IS NULL;

ALTER TABLE module_active_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_active_days FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_active_days FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_active_days TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE module_ratings ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_ratings FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON module_ratings TO dramac_app USING (agency_id = (SELECT current_agency_id()))
  WITH CHECK (agency_id = (SELECT current_agency_id()));
-- Whoever rates has used that version for a week, and rates nothing of its own.
CREATE POLICY used ON module_ratings AS RESTRICTIVE FOR INSERT TO dramac_app WITH CHECK (
  EXISTS (SELECT FROM module_active_days d
    WHERE (d.agency_id, d.module_id, d.major) = (module_ratings.agency_id, module_ratings.module_id, module_ratings.major) AND d.days >= 7)
  AND NOT EXISTS (SELECT FROM module_source m WHERE m.id = module_ratings.module_id AND m.agency_id = module_ratings.agency_id));
CREATE POLICY listed ON module_ratings FOR SELECT TO dramac_app
  USING (hidden_at IS NULL AND EXISTS (SELECT FROM marketplace_listings l WHERE l.module_id = module_ratings.module_id));
CREATE POLICY staff ON module_ratings TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_ratings TO dramac_lookup USING (true) WITH CHECK (true);
ALTER TABLE module_rating_votes ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_rating_votes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON module_rating_votes TO dramac_app USING (agency_id = (SELECT current_agency_id()))
  WITH CHECK (agency_id = (SELECT current_agency_id()) AND EXISTS (SELECT FROM module_ratings r WHERE r.id = rating_id));
CREATE POLICY staff ON module_rating_votes TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_rating_votes FOR SELECT TO dramac_lookup USING (true);
ALTER TABLE module_rating_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_rating_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON module_rating_reports TO dramac_app USING (agency_id = (SELECT current_agency_id()))
  WITH CHECK (agency_id = (SELECT current_agency_id()) AND EXISTS (SELECT FROM module_ratings r WHERE r.id = rating_id));
CREATE POLICY staff ON module_rating_reports TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT ON module_active_days, module_ratings TO dramac_app;
GRANT INSERT (id, agency_id, module_id, major, user_id, author, stars, text, created_at, changed_at), DELETE,
  UPDATE (user_id, author, stars, text, changed_at) ON module_ratings TO dramac_app;
GRANT SELECT, INSERT, DELETE ON module_rating_votes TO dramac_app;
GRANT SELECT, INSERT ON module_rating_reports TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_active_days, module_ratings, module_rating_votes, module_rating_reports TO dramac_staff;
GRANT SELECT, UPDATE ON module_ratings TO dramac_lookup;
GRANT SELECT ON module_rating_votes TO dramac_lookup;

-- The Bayesian average: as if five agencies had given 3.5 before, so that one voice alone says little.
CREATE FUNCTION module_ratings_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  wanted uuid := coalesce(NEW.module_id, OLD.module_id);
BEGIN
  UPDATE marketplace_listings SET ratings = r.n, rating = CASE WHEN r.n = 0 THEN 0 ELSE (3.5 * 5 + r.stars) / (5 + r.n) END
  FROM (SELECT count(*) AS n, coalesce(sum(stars), 0) AS stars FROM module_ratings WHERE module_id = wanted AND hidden_at IS NULL) r
  WHERE module_id = wanted;
  RETURN NULL;
END $$;
CREATE TRIGGER rated AFTER INSERT OR DELETE OR UPDATE OF stars, hidden_at ON module_ratings
  FOR EACH ROW EXECUTE FUNCTION module_ratings_changed();
CREATE FUNCTION module_rating_voted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  wanted uuid := coalesce(NEW.rating_id, OLD.rating_id);
BEGIN
  UPDATE module_ratings SET helpful = (SELECT count(*) FROM module_rating_votes WHERE rating_id = wanted) WHERE id = wanted;
  RETURN NULL;
END $$;
CREATE TRIGGER voted AFTER INSERT OR DELETE ON module_rating_votes FOR EACH ROW EXECUTE FUNCTION module_rating_voted();
-- The publisher's answer under somebody else's rating; '' takes it back. Whether it was the publisher's to answer.
CREATE FUNCTION module_rating_answer(wanted uuid, words text, at timestamptz) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE module_ratings r SET answer = words, answered_at = CASE WHEN words = '' THEN NULL ELSE at END
  FROM module_source m
  WHERE r.id = wanted AND m.id = r.module_id AND m.agency_id = current_agency_id() AND r.hidden_at IS NULL;
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION module_ratings_changed, module_rating_voted, module_rating_answer FROM PUBLIC;
GRANT EXECUTE ON FUNCTION module_rating_answer TO dramac_app;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION module_ratings_changed OWNER TO dramac_lookup;
ALTER FUNCTION module_rating_voted OWNER TO dramac_lookup;
ALTER FUNCTION module_rating_answer OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
