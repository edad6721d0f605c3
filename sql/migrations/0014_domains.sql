-- Host names that belong to a site: who has proven to own them, and what they may do.
CREATE TABLE external_domains (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  site_id uuid, -- NULL: the platform's own screens under the agency's name
  host text NOT NULL CHECK (host ~ '^[][a-z0-9.:-]+$' AND length(host) <= 260), -- ASCII, as browsers send it; a port only on loopback
  purposes text[] NOT NULL CHECK (cardinality(purposes) BETWEEN 1 AND 3 AND purposes <@ ARRAY['embed', 'api', 'pages', 'platform']),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'verified', 'failing', 'lost')),
  token text NOT NULL CHECK (length(token) BETWEEN 22 AND 64), -- public: it stands in the zone or the page
  token_expires_at timestamptz NOT NULL, -- for the first proof; what is verified keeps its token
  method text NOT NULL DEFAULT '' CHECK (method IN ('', 'dns', 'meta', 'local')), -- of the last proof that held
  verified_at timestamptz,
  checking_at timestamptz, -- a check was ordered and has not answered yet
  checked_at timestamptz,
  next_check_at timestamptz, -- NULL: only when somebody asks
  failures smallint NOT NULL DEFAULT 0, -- checks in a row that found no proof
  found jsonb NOT NULL DEFAULT '{}', -- what the last check found
  www text NOT NULL DEFAULT 'none' CHECK (www IN ('none', 'to_host', 'to_www')), -- whether www.<host> is answered, and which is the main one
  target_install_id uuid, -- the module that stands at the domain
  target_page text NOT NULL DEFAULT '' CHECK (length(target_page) <= 80),
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id),
  UNIQUE NULLS NOT DISTINCT (agency_id, site_id, host),
  CHECK ((site_id IS NULL) = (purposes = ARRAY['platform'])),
  CHECK ((state = 'pending') = (verified_at IS NULL)),
  CHECK ((target_install_id IS NULL) = (target_page = '')),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, target_install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, target_install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);
-- One owner at a time, whichever agency; anybody may try.
CREATE UNIQUE INDEX external_domains_owner ON external_domains (host) WHERE state IN ('verified', 'failing');
CREATE INDEX external_domains_site ON external_domains (agency_id, site_id);
CREATE INDEX external_domains_origins ON external_domains (site_id) WHERE state IN ('verified', 'failing');
CREATE INDEX external_domains_due ON external_domains (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX external_domains_target ON external_domains (agency_id, target_install_id);

ALTER TABLE external_domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_domains FORCE ROW LEVEL SECURITY;
-- Requests add, change and remove; that a name is proven is only for the check to say, which works as dramac_staff.
CREATE POLICY tenant ON external_domains TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY unproven ON external_domains AS RESTRICTIVE FOR INSERT TO dramac_app WITH CHECK (state = 'pending');
CREATE POLICY staff ON external_domains TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON external_domains FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT, DELETE ON external_domains TO dramac_app;
GRANT UPDATE (purposes, token, token_expires_at, checking_at, www, target_install_id, target_page) ON external_domains TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON external_domains TO dramac_staff;
GRANT SELECT ON external_domains TO dramac_lookup;

-- The hosts whose pages may frame a site's modules.
CREATE FUNCTION domain_embedders(site uuid) RETURNS SETOF text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT host FROM external_domains
  WHERE site_id = site AND state IN ('verified', 'failing') AND 'embed' = ANY (purposes) ORDER BY host
$$;
-- What is served at a host. Nothing for one that is unproven, or whose site is archived or agency suspended.
CREATE FUNCTION domain_at(wanted text) RETURNS TABLE (
  domain_id uuid, agency_id uuid, site_id uuid, host text, www text, purposes text[], target_install_id uuid, target_page text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT d.id, d.agency_id, d.site_id, d.host, d.www, d.purposes, d.target_install_id, d.target_page
  FROM external_domains d JOIN agencies a ON a.id = d.agency_id LEFT JOIN sites s ON s.id = d.site_id
  WHERE d.state IN ('verified', 'failing') AND d.purposes && ARRAY['pages', 'platform']
    AND a.suspended_at IS NULL AND s.archived_at IS NULL
    AND (d.host = wanted OR (d.www <> 'none' AND 'www.' || d.host = wanted))
  ORDER BY d.host = wanted DESC LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION domain_embedders, domain_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION domain_embedders, domain_at TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION domain_embedders OWNER TO dramac_lookup;
ALTER FUNCTION domain_at OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
