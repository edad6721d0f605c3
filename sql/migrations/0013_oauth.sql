-- OAuth 2.0: programs that people let into a site of theirs.
CREATE TABLE external_oauth_clients (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE, -- the publisher; people of other agencies may use it
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  kind text NOT NULL CHECK (kind IN ('confidential', 'public')),
  redirect_uris text[] NOT NULL CHECK (cardinality(redirect_uris) <= 10),
  origins text[] NOT NULL, -- of the redirect addresses: where a browser may ask for tokens from
  grant_types text[] NOT NULL CHECK (cardinality(grant_types) > 0 AND grant_types <@ '{authorization_code,refresh_token,client_credentials}'),
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ '{read,write,delete,events,functions}'),
  secret_hash bytea, -- the newest secret
  secret_made_at timestamptz,
  earlier_secret_hash bytea, -- the one before, until it is ended
  earlier_secret_made_at timestamptz,
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  UNIQUE (agency_id, id),
  CHECK ((kind = 'confidential') = (secret_hash IS NOT NULL)),
  CHECK (kind = 'confidential' OR NOT 'client_credentials' = ANY (grant_types)),
  CHECK (('authorization_code' = ANY (grant_types)) = (cardinality(redirect_uris) > 0)),
  CHECK ('authorization_code' = ANY (grant_types) OR NOT 'refresh_token' = ANY (grant_types))
);
CREATE INDEX external_oauth_clients_agency ON external_oauth_clients (agency_id, created_at DESC);
CREATE INDEX external_oauth_clients_origins ON external_oauth_clients USING gin (origins) WHERE kind = 'public' AND deleted_at IS NULL;

-- One consent of one person for one site. Its tokens are one family: they live and end together. Without a person: what an
-- agency lets an application of its own do by itself (client credentials).
CREATE TABLE external_oauth_grants (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid, -- NULL: every module of the site
  client_id uuid NOT NULL REFERENCES external_oauth_clients ON DELETE CASCADE,
  own_client_id uuid GENERATED ALWAYS AS (CASE WHEN user_id IS NULL THEN client_id END) STORED, -- an agency's own alone needs nobody
  user_id uuid REFERENCES users ON DELETE CASCADE, -- NULL: nobody, the application acts for itself
  created_by uuid REFERENCES users ON DELETE SET NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz, -- NULL: no end, only without a person
  last_used_at timestamptz,
  revoked_at timestamptz,
  UNIQUE (agency_id, id),
  CHECK (user_id IS NULL OR expires_at IS NOT NULL),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, own_client_id) REFERENCES external_oauth_clients (agency_id, id) ON DELETE CASCADE
);
-- Which grant an application means when it names its site must be clear.
CREATE UNIQUE INDEX external_oauth_grants_own ON external_oauth_grants (client_id, site_id) WHERE user_id IS NULL AND revoked_at IS NULL;
CREATE INDEX external_oauth_grants_agency ON external_oauth_grants (agency_id, created_at DESC);
CREATE INDEX external_oauth_grants_client ON external_oauth_grants (client_id);
CREATE INDEX external_oauth_grants_user ON external_oauth_grants (user_id);

CREATE TABLE external_oauth_codes (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid,
  client_id uuid NOT NULL REFERENCES external_oauth_clients ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  code_hash bytea NOT NULL UNIQUE,
  redirect_uri text NOT NULL,
  code_challenge text NOT NULL CHECK (length(code_challenge) = 43),
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  grant_id uuid, -- what it was redeemed for
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, grant_id) REFERENCES external_oauth_grants (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX external_oauth_codes_age ON external_oauth_codes (expires_at);

CREATE TABLE external_oauth_tokens (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL, -- the audience
  grant_id uuid NOT NULL,
  client_id uuid NOT NULL REFERENCES external_oauth_clients ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('access', 'refresh')),
  token_hash bytea NOT NULL UNIQUE,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz, -- a refresh token's only use
  revoked_at timestamptz,
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, grant_id) REFERENCES external_oauth_grants (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX external_oauth_tokens_grant ON external_oauth_tokens (agency_id, grant_id);
CREATE INDEX external_oauth_tokens_age ON external_oauth_tokens (expires_at);

ALTER TABLE external_oauth_clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_oauth_clients FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_oauth_clients TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON external_oauth_clients TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON external_oauth_clients FOR SELECT TO dramac_lookup USING (true);
ALTER TABLE external_oauth_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_oauth_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_oauth_grants TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON external_oauth_grants TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON external_oauth_grants FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup_used ON external_oauth_grants FOR UPDATE TO dramac_lookup USING (true);
ALTER TABLE external_oauth_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_oauth_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_oauth_codes TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON external_oauth_codes TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON external_oauth_codes FOR SELECT TO dramac_lookup USING (true);
ALTER TABLE external_oauth_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_oauth_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_oauth_tokens TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON external_oauth_tokens TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON external_oauth_tokens FOR SELECT TO dramac_lookup USING (true);

GRANT SELECT, INSERT, UPDATE ON external_oauth_clients, external_oauth_grants, external_oauth_codes, external_oauth_tokens TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON external_oauth_clients, external_oauth_grants, external_oauth_codes, external_oauth_tokens
  TO dramac_staff;
GRANT SELECT ON external_oauth_clients, external_oauth_grants, external_oauth_codes, external_oauth_tokens TO dramac_lookup;
GRANT UPDATE (last_used_at) ON external_oauth_grants TO dramac_lookup;
GRANT SELECT (password_changed_at) ON users TO dramac_lookup;
GRANT SELECT (role) ON memberships TO dramac_lookup;

-- An application whoever asks; the secrets' hashes are there because the token endpoint compares them.
CREATE FUNCTION oauth_client(wanted uuid) RETURNS TABLE (
  id uuid, agency_id uuid, name text, publisher text, kind text, redirect_uris text[], origins text[], grant_types text[], scopes text[],
  secret_hash bytea, earlier_secret_hash bytea
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.id, c.agency_id, c.name, a.name, c.kind, c.redirect_uris, c.origins, c.grant_types, c.scopes, c.secret_hash, c.earlier_secret_hash
  FROM external_oauth_clients c JOIN agencies a ON a.id = c.agency_id
  WHERE c.id = wanted AND c.deleted_at IS NULL AND a.suspended_at IS NULL
$$;
-- What a list of grants shows of an application, deleted ones too.
CREATE FUNCTION oauth_client_name(wanted uuid) RETURNS TABLE (name text, publisher text, gone boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.name, a.name, c.deleted_at IS NOT NULL FROM external_oauth_clients c JOIN agencies a ON a.id = c.agency_id WHERE c.id = wanted
$$;
-- The agency that a code or a token belongs to, by its hash.
CREATE FUNCTION oauth_agency_of(wanted bytea) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT agency_id FROM external_oauth_codes WHERE code_hash = wanted
  UNION ALL SELECT agency_id FROM external_oauth_tokens WHERE token_hash = wanted
$$;
-- What an access token opens right now. No row: unknown, or its person, membership or application is gone. role NULL: nobody's,
-- its scopes alone count.
CREATE FUNCTION oauth_access_by_hash(wanted bytea) RETURNS TABLE (
  grant_id uuid, agency_id uuid, site_id uuid, install_id uuid, origins text[], scopes text[], role text,
  expires_at timestamptz, revoked boolean, site_archived boolean, agency_suspended boolean
) LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE external_oauth_grants g SET last_used_at = now() FROM external_oauth_tokens t
  WHERE t.token_hash = wanted AND t.kind = 'access' AND g.id = t.grant_id AND g.revoked_at IS NULL AND t.revoked_at IS NULL
    AND t.expires_at > now() AND (g.last_used_at IS NULL OR g.last_used_at < now() - interval '1 minute');
  SELECT g.id, g.agency_id, g.site_id, g.install_id, CASE WHEN c.kind = 'public' THEN c.origins ELSE '{}' END, t.scopes, m.role,
         least(t.expires_at, g.expires_at), t.revoked_at IS NOT NULL OR g.revoked_at IS NOT NULL, s.archived_at IS NOT NULL,
         a.suspended_at IS NOT NULL
  FROM external_oauth_tokens t
  JOIN external_oauth_grants g ON g.id = t.grant_id
  JOIN external_oauth_clients c ON c.id = g.client_id AND c.deleted_at IS NULL
  JOIN agencies p ON p.id = c.agency_id AND p.suspended_at IS NULL
  LEFT JOIN users u ON u.id = g.user_id
  LEFT JOIN memberships m ON m.agency_id = g.agency_id AND m.user_id = g.user_id
  JOIN sites s ON s.id = g.site_id
  JOIN agencies a ON a.id = g.agency_id
  WHERE t.token_hash = wanted AND t.kind = 'access'
    AND (g.user_id IS NULL
         OR m.role IS NOT NULL AND u.disabled_at IS NULL AND (u.password_changed_at IS NULL OR u.password_changed_at <= g.created_at))
$$;
-- What a token is, for the application that has it: one question, so that every way of not being valid takes the same time.
CREATE FUNCTION oauth_introspect(wanted bytea, asker uuid) RETURNS TABLE (
  kind text, scopes text[], site_id uuid, install_id uuid, user_id uuid, created_at timestamptz, expires_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.kind, t.scopes, g.site_id, g.install_id, g.user_id, t.created_at, least(t.expires_at, g.expires_at)
  FROM external_oauth_tokens t
  JOIN external_oauth_grants g ON g.id = t.grant_id
  JOIN agencies a ON a.id = g.agency_id
  JOIN sites s ON s.id = g.site_id
  LEFT JOIN users u ON u.id = g.user_id
  LEFT JOIN memberships m ON m.agency_id = g.agency_id AND m.user_id = g.user_id
  WHERE t.token_hash = wanted AND t.client_id = asker AND t.revoked_at IS NULL AND t.used_at IS NULL AND g.revoked_at IS NULL
    AND least(t.expires_at, g.expires_at) > now() AND a.suspended_at IS NULL AND s.archived_at IS NULL
    AND (g.user_id IS NULL
         OR m.role IS NOT NULL AND u.disabled_at IS NULL AND (u.password_changed_at IS NULL OR u.password_changed_at <= g.created_at))
$$;
-- Whether a browser's origin is one that an application without a secret runs at.
CREATE FUNCTION oauth_origin_known(origin text) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM external_oauth_clients WHERE kind = 'public' AND deleted_at IS NULL AND origins @> ARRAY[origin])
$$;
REVOKE ALL ON FUNCTION oauth_client, oauth_client_name, oauth_agency_of, oauth_access_by_hash, oauth_introspect, oauth_origin_known
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oauth_client, oauth_agency_of, oauth_access_by_hash, oauth_introspect, oauth_origin_known TO dramac_runtime;
GRANT EXECUTE ON FUNCTION oauth_client_name TO dramac_app;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION oauth_client OWNER TO dramac_lookup;
ALTER FUNCTION oauth_client_name OWNER TO dramac_lookup;
ALTER FUNCTION oauth_agency_of OWNER TO dramac_lookup;
ALTER FUNCTION oauth_access_by_hash OWNER TO dramac_lookup;
ALTER FUNCTION oauth_introspect OWNER TO dramac_lookup;
ALTER FUNCTION oauth_origin_known OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
