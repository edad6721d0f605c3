-- Connections: a module on a site acts for somebody at another service, over OAuth 2.0. We are the client here.
CREATE TABLE module_connections (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,40}$'), -- in the module's manifest
  state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'connected', 'broken')),
  client_id text NOT NULL DEFAULT '' CHECK (length(client_id) <= 500), -- of the agency's own registration there
  client_secret_sealed text NOT NULL DEFAULT '',
  -- an authorization on its way: in which browser session it began, and what the answer must fit
  asked_state bytea UNIQUE, -- hash
  asked_verifier_sealed text NOT NULL DEFAULT '',
  asked_session_id uuid,
  asked_at timestamptz,
  -- what it gave
  token_url text NOT NULL DEFAULT '', -- where it came from: another version may not take it elsewhere
  access_sealed text NOT NULL DEFAULT '',
  refresh_sealed text NOT NULL DEFAULT '',
  scopes text[] NOT NULL DEFAULT '{}',
  expires_at timestamptz, -- of the access token; NULL: the service did not say
  refresh_at timestamptz, -- NULL: nothing to do by itself
  failing_since timestamptz, -- first of the refreshes in a row that got no answer
  failure text NOT NULL DEFAULT '' CHECK (length(failure) <= 300),
  connected_by uuid REFERENCES users ON DELETE SET NULL,
  connected_at timestamptz,
  UNIQUE (agency_id, id),
  UNIQUE (install_id, name),
  CHECK ((state = 'connected') = (access_sealed <> '')),
  CHECK ((asked_state IS NULL) = (asked_at IS NULL)),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);
CREATE INDEX module_connections_due ON module_connections (refresh_at) WHERE refresh_at IS NOT NULL;
CREATE INDEX module_connections_agency ON module_connections (agency_id);

ALTER TABLE module_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_connections FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_connections TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_connections TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_connections FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT, UPDATE ON module_connections TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_connections TO dramac_staff;
GRANT SELECT ON module_connections TO dramac_lookup;

-- What functions of an install may act with, sealed.
CREATE FUNCTION runtime_connections(install uuid) RETURNS TABLE (
  id uuid, name text, token_url text, access_sealed text, scopes text[], expires_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id, name, token_url, access_sealed, scopes, expires_at FROM module_connections
  WHERE install_id = install AND state = 'connected'
$$;
REVOKE ALL ON FUNCTION runtime_connections FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runtime_connections TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION runtime_connections OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
