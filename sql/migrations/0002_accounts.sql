-- Who someone is. People exist apart from agencies; one person may belong to several.
CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  email text NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  password_hash text,
  staff_role text CHECK (staff_role IN ('support', 'administrator')),
  time_zone text NOT NULL DEFAULT 'UTC',
  locale text NOT NULL DEFAULT 'en',
  created_at timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz,
  password_changed_at timestamptz
);

-- The cookie holds a random token, the table its SHA-256: a dump signs nobody in.
CREATE TABLE user_sessions (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  token_hash bytea NOT NULL UNIQUE,
  agency_id_chosen uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ip inet,
  user_agent text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 400)
);
CREATE INDEX user_sessions_user ON user_sessions (user_id, last_seen_at DESC);

CREATE TABLE password_resets (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  token_hash bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX password_resets_user ON password_resets (user_id);

-- Every attempt, also for addresses nobody has: throttling must not tell which exist.
CREATE TABLE sign_in_attempts (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  email_hash bytea NOT NULL,
  user_id uuid REFERENCES users ON DELETE CASCADE,
  ip inet,
  user_agent text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 400),
  outcome text NOT NULL CHECK (outcome IN ('signed_in', 'wrong', 'throttled', 'disabled')),
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_attempts_email ON sign_in_attempts (email_hash, at DESC);
CREATE INDEX sign_in_attempts_ip ON sign_in_attempts (ip, at DESC);
CREATE INDEX sign_in_attempts_at ON sign_in_attempts (at);

ALTER TABLE user_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON user_sessions TO dramac_app
  USING ((SELECT identifying()) OR user_id = (SELECT current_person_id()))
  WITH CHECK ((SELECT identifying()) OR user_id = (SELECT current_person_id()));
CREATE POLICY staff ON user_sessions TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE password_resets ENABLE ROW LEVEL SECURITY;
ALTER TABLE password_resets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON password_resets TO dramac_app
  USING ((SELECT identifying())) WITH CHECK ((SELECT identifying()));
CREATE POLICY staff ON password_resets TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE sign_in_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sign_in_attempts TO dramac_app
  USING ((SELECT identifying()) OR user_id = (SELECT current_person_id())) WITH CHECK ((SELECT identifying()));
CREATE POLICY staff ON sign_in_attempts TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON users TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_sessions, password_resets TO dramac_app;
GRANT SELECT, INSERT ON sign_in_attempts TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON users, user_sessions, password_resets, sign_in_attempts TO dramac_staff;
