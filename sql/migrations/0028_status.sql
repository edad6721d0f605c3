-- How the parts of the platform were, measured every minute and kept by day. Nothing of any agency stands here.
CREATE TABLE status_days (
  part text NOT NULL CHECK (part IN ('web', 'runtime', 'queue', 'mail', 'webhooks')),
  day date NOT NULL, -- UTC
  checks integer NOT NULL,
  good integer NOT NULL CHECK (good BETWEEN 0 AND checks),
  worst real NOT NULL, -- ms of an answer, or seconds of waiting
  last_at timestamptz NOT NULL,
  last_good boolean NOT NULL,
  last_value real NOT NULL,
  PRIMARY KEY (part, day)
);
ALTER TABLE status_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE status_days FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON status_days FOR SELECT TO dramac_app USING ((SELECT identifying()));
CREATE POLICY staff ON status_days TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT ON status_days TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON status_days TO dramac_staff;
