-- Embedding: which pages of an install open only with a token, and the tokens.
CREATE TABLE module_embed_pages (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  page text NOT NULL CHECK (length(page) BETWEEN 1 AND 60), -- one that is not here is open to everybody
  closed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (install_id, page),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);
CREATE INDEX module_embed_pages_site ON module_embed_pages (agency_id, site_id);

CREATE TABLE module_embed_tokens (
  id uuid PRIMARY KEY DEFAULT uuidv7(), -- the token's jti
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  shown text NOT NULL, -- its last characters, to recognise it by
  kid text NOT NULL, -- of the key that signed it
  token_hash bytea NOT NULL UNIQUE,
  origins text[] NOT NULL DEFAULT '{}' CHECK (cardinality(origins) <= 20), -- empty: every verified origin of the site
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  usage_count bigint NOT NULL DEFAULT 0, -- sessions made from it
  last_used_at timestamptz,
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);
CREATE INDEX module_embed_tokens_install ON module_embed_tokens (agency_id, install_id, id DESC);

ALTER TABLE module_embed_pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_embed_pages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_embed_pages TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_embed_pages TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_embed_pages FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE module_embed_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_embed_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_embed_tokens TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_embed_tokens TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_embed_tokens FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup_used ON module_embed_tokens FOR UPDATE TO dramac_lookup USING (true);

GRANT SELECT, INSERT, DELETE ON module_embed_pages TO dramac_app;
GRANT SELECT, INSERT ON module_embed_tokens TO dramac_app;
GRANT UPDATE (revoked_at) ON module_embed_tokens TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_embed_pages, module_embed_tokens TO dramac_staff;
GRANT SELECT ON module_embed_pages, module_embed_tokens TO dramac_lookup;
GRANT UPDATE (usage_count, last_used_at) ON module_embed_tokens TO dramac_lookup;

-- The pages of an install that need a token.
CREATE FUNCTION embed_closed_pages(install uuid) RETURNS SETOF text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT page FROM module_embed_pages WHERE install_id = install ORDER BY page
$$;
-- Counts one session of a token and says which it is; nothing for one that is unknown, revoked, expired or another install's.
CREATE FUNCTION embed_token_used(wanted bytea, install uuid, moment timestamptz) RETURNS TABLE (id uuid, origins text[])
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE module_embed_tokens t SET usage_count = t.usage_count + 1, last_used_at = moment
  WHERE t.token_hash = wanted AND t.install_id = install AND t.revoked_at IS NULL AND t.expires_at > moment
  RETURNING t.id, t.origins
$$;
CREATE FUNCTION embed_token_alive(token uuid, install uuid, moment timestamptz) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM module_embed_tokens
                 WHERE id = token AND install_id = install AND revoked_at IS NULL AND expires_at > moment)
$$;
REVOKE EXECUTE ON FUNCTION embed_closed_pages, embed_token_used, embed_token_alive FROM PUBLIC;
GRANT EXECUTE ON FUNCTION embed_closed_pages, embed_token_used, embed_token_alive TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION embed_closed_pages OWNER TO dramac_lookup;
ALTER FUNCTION embed_token_used OWNER TO dramac_lookup;
ALTER FUNCTION embed_token_alive OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
