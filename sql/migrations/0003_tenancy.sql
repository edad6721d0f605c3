-- Whose it is: agencies, their people, their clients, their clients' sites.
CREATE TABLE agencies (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  hue smallint NOT NULL DEFAULT 1 CHECK (hue BETWEEN 1 AND 10),
  time_zone text NOT NULL DEFAULT 'UTC',
  currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz NOT NULL DEFAULT now(),
  suspended_at timestamptz
);

CREATE TABLE memberships (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'member', 'viewer')),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id),
  UNIQUE (agency_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE invitations (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  email text NOT NULL CHECK (email = lower(email)),
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'member', 'viewer')),
  token_hash bytea NOT NULL UNIQUE,
  invited_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz,
  UNIQUE (agency_id, id)
);
CREATE UNIQUE INDEX invitations_open ON invitations (agency_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL;

CREATE TABLE clients (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  contact_name text NOT NULL DEFAULT '',
  contact_email text NOT NULL DEFAULT '',
  notes text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  UNIQUE (agency_id, id),
  UNIQUE (agency_id, name)
);

CREATE TABLE sites (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  client_id uuid NOT NULL,
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  url text NOT NULL DEFAULT '',
  time_zone text NOT NULL DEFAULT 'UTC',
  locale text NOT NULL DEFAULT 'en',
  currency text NOT NULL DEFAULT 'EUR' CHECK (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, client_id) REFERENCES clients (agency_id, id)
);
CREATE INDEX sites_client ON sites (agency_id, client_id);

ALTER TABLE agencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE agencies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON agencies TO dramac_app
  USING (id = (SELECT current_agency_id())
         OR EXISTS (SELECT FROM memberships m WHERE m.agency_id = agencies.id AND m.user_id = (SELECT current_person_id())))
  WITH CHECK (id = (SELECT current_agency_id()));
CREATE POLICY identifying ON agencies FOR SELECT TO dramac_app USING ((SELECT identifying()));
CREATE POLICY staff ON agencies TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON memberships TO dramac_app
  USING (agency_id = (SELECT current_agency_id()) OR user_id = (SELECT current_person_id()))
  WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY identifying ON memberships FOR SELECT TO dramac_app USING ((SELECT identifying()));
CREATE POLICY staff ON memberships TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invitations TO dramac_app
  USING (agency_id = (SELECT current_agency_id()) OR (SELECT identifying()))
  WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON invitations TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE clients FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON clients TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON clients TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE sites ENABLE ROW LEVEL SECURITY;
ALTER TABLE sites FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sites TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON sites TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY site ON sites FOR SELECT TO dramac_runtime USING (id = (SELECT current_site_id()));
CREATE POLICY lookup ON sites FOR SELECT TO dramac_lookup USING (true);

-- People are seen by themselves, by the agencies they belong to, and while somebody is being identified.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY known ON users FOR SELECT TO dramac_app
  USING ((SELECT identifying()) OR id = (SELECT current_person_id())
         OR EXISTS (SELECT FROM memberships m WHERE m.user_id = users.id AND m.agency_id = (SELECT current_agency_id())));
CREATE POLICY own ON users FOR UPDATE TO dramac_app
  USING ((SELECT identifying()) OR id = (SELECT current_person_id()))
  WITH CHECK ((SELECT identifying()) OR id = (SELECT current_person_id()));
CREATE POLICY new ON users FOR INSERT TO dramac_app WITH CHECK ((SELECT identifying()));
CREATE POLICY staff ON users TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, UPDATE ON agencies TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships, invitations, clients, sites TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON agencies, memberships, invitations, clients, sites TO dramac_staff;
GRANT SELECT ON sites TO dramac_runtime, dramac_lookup;
