-- The API's door: keys, repeated writes, the request log.
CREATE TABLE api_keys (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid, -- NULL: every module of the site
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  kind text NOT NULL CHECK (kind IN ('secret', 'publishable')),
  shown text NOT NULL, -- the first characters, to recognise it by
  token_hash bytea NOT NULL UNIQUE,
  scopes text[] NOT NULL DEFAULT '{}', -- read, write, delete, events, functions
  origins text[] NOT NULL DEFAULT '{}', -- a publishable key needs at least one
  networks cidr[] NOT NULL DEFAULT '{}', -- empty: from anywhere
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  last_used_ip inet,
  UNIQUE (agency_id, id),
  CHECK ((kind = 'publishable') = (cardinality(origins) > 0)), -- a browser's key is bound to its pages, a server's has none
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);
CREATE INDEX api_keys_site ON api_keys (agency_id, site_id);
CREATE INDEX api_keys_install ON api_keys (site_id, install_id);
CREATE INDEX api_keys_origins ON api_keys USING gin (origins) WHERE revoked_at IS NULL;

-- Answers to repeatable writes, written in the transaction of the write itself: either both are there or neither.
CREATE TABLE idempotency_keys (
  site_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  credential_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  fingerprint bytea NOT NULL, -- sha256 of method, path and body
  status smallint NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}',
  body bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (credential_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_site ON idempotency_keys (site_id);

-- One row per request, written in batches; a partition per day, made ahead and dropped after 30 days by a job.
CREATE TABLE external_api_requests (
  at timestamptz NOT NULL,
  request_id text NOT NULL,
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid,
  credential text NOT NULL DEFAULT '',
  surface text NOT NULL DEFAULT 'api',
  method text NOT NULL,
  path text NOT NULL,
  status smallint NOT NULL,
  duration_us integer NOT NULL,
  bytes_out integer NOT NULL DEFAULT 0,
  ip inet,
  user_agent text NOT NULL DEFAULT '',
  origin text NOT NULL DEFAULT '',
  error_code text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);
CREATE INDEX external_api_requests_site ON external_api_requests (agency_id, site_id, at DESC);
CREATE INDEX external_api_requests_request ON external_api_requests (request_id);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON api_keys TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON api_keys FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup_used ON api_keys FOR UPDATE TO dramac_lookup USING (true);
CREATE POLICY lookup ON agencies FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY site ON idempotency_keys TO dramac_runtime
  USING (site_id = (SELECT current_site_id())) WITH CHECK (site_id = (SELECT current_site_id()));
CREATE POLICY staff ON idempotency_keys TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE external_api_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_api_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_api_requests FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
-- The log is written for many sites in one batch, so inserting is open to the runtime and reading is not.
CREATE POLICY append ON external_api_requests FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY staff ON external_api_requests TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON api_keys TO dramac_app;
GRANT SELECT ON api_keys, agencies TO dramac_lookup;
GRANT UPDATE (last_used_at, last_used_ip) ON api_keys TO dramac_lookup;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO dramac_runtime;
GRANT SELECT ON external_api_requests TO dramac_app;
GRANT INSERT ON external_api_requests TO dramac_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys, idempotency_keys, external_api_requests TO dramac_staff;

-- Who a key belongs to; the only way from a hash to a site. Revoked and expired keys come back too, to be told apart in logs.
CREATE FUNCTION api_key_by_hash(wanted bytea) RETURNS TABLE (
  id uuid, agency_id uuid, site_id uuid, install_id uuid, kind text, scopes text[], origins text[], networks cidr[],
  expires_at timestamptz, revoked_at timestamptz, site_archived boolean, agency_suspended boolean
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT k.id, k.agency_id, k.site_id, k.install_id, k.kind, k.scopes, k.origins, k.networks, k.expires_at, k.revoked_at,
         s.archived_at IS NOT NULL, a.suspended_at IS NOT NULL
  FROM api_keys k JOIN sites s ON s.id = k.site_id JOIN agencies a ON a.id = k.agency_id WHERE k.token_hash = wanted
$$;
-- A browser asks before it sends a key (CORS preflight): whether any live key may be used from that origin.
CREATE FUNCTION api_origin_known(wanted text) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM api_keys
                 WHERE origins @> ARRAY[wanted] AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))
$$;
CREATE FUNCTION api_keys_used(ids uuid[], moments timestamptz[], addresses inet[]) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, u.moment), last_used_ip = u.address
  FROM unnest(ids, moments, addresses) AS u (id, moment, address) WHERE k.id = u.id
$$;
-- Makes the partitions of today and the coming days, drops those older than the days kept. Returns how many it dropped.
CREATE FUNCTION request_log_partitions(ahead integer, keep integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  day date;
  name text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('request_log_partitions', 0));
  FOR day IN SELECT generate_series(current_date - 1, current_date + ahead, '1 day')::date LOOP
    name := 'external_api_requests_' || to_char(day, 'YYYYMMDD');
    IF to_regclass(name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF external_api_requests FOR VALUES FROM (%L) TO (%L)',
                     name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
      EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END IF;
  END LOOP;
  FOR name IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'external_api_requests'::regclass LOOP
    IF to_date(right(name, 8), 'YYYYMMDD') < current_date - keep THEN
      EXECUTE format('DROP TABLE %I', name);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION api_key_by_hash OWNER TO dramac_lookup;
ALTER FUNCTION api_origin_known OWNER TO dramac_lookup;
ALTER FUNCTION api_keys_used OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION api_key_by_hash, api_origin_known, api_keys_used, request_log_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_key_by_hash, api_origin_known, api_keys_used TO dramac_runtime;
GRANT EXECUTE ON FUNCTION request_log_partitions TO dramac_staff;
-- The first days are there from the start; the job gateway.partitions keeps it so.
SELECT request_log_partitions(7, 30);
