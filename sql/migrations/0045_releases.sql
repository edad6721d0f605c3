-- Releases are signed by their publisher and countersigned by the platform, and stand in a log that only grows.

-- The keys an agency signs its releases with: the private one sealed, made at the first release, another after a rotation.
CREATE TABLE publisher_keys (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  public_key bytea NOT NULL CHECK (length(public_key) = 32),
  sealed text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz, -- signs nothing any more; what it signed stays signed
  UNIQUE (agency_id, id)
);
CREATE UNIQUE INDEX publisher_keys_in_use ON publisher_keys (agency_id) WHERE retired_at IS NULL;
ALTER TABLE publisher_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE publisher_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON publisher_keys TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON publisher_keys TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON publisher_keys FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT ON publisher_keys TO dramac_app, dramac_staff;
GRANT UPDATE (retired_at) ON publisher_keys TO dramac_app, dramac_staff;
GRANT SELECT ON publisher_keys TO dramac_lookup;

-- One row per release and withdrawal, of every agency, in one chain. No foreign keys: an entry outlives what it is about.
CREATE TABLE release_log (
  number bigint PRIMARY KEY,
  agency_id uuid NOT NULL, -- the publisher
  module_id uuid NOT NULL,
  version_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('release', 'yank')),
  statement text NOT NULL, -- canonical JSON: what both signatures say
  publisher_key bytea NOT NULL,
  publisher_signature bytea NOT NULL,
  platform_key bytea NOT NULL,
  platform_signature bytea NOT NULL,
  previous_hash bytea NOT NULL DEFAULT '\x00',
  hash bytea NOT NULL DEFAULT '\x00',
  at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX release_log_version ON release_log (version_id, kind);
-- Where the chain ends, kept apart from it; what the last check found.
CREATE TABLE release_log_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  number bigint NOT NULL,
  hash bytea NOT NULL,
  checked_at timestamptz,
  fault text NOT NULL DEFAULT ''
);
INSERT INTO release_log_head (number, hash) VALUES (0, '\x00');

-- The lines that are hashed are what anybody can make from the public page: the statement only by its own hash.
CREATE FUNCTION release_log_hash(e release_log) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(convert_to(concat_ws(E'\n', 'dramac release log 1', e.number::text, e.kind,
    encode(sha256(convert_to(e.statement, 'UTF8')), 'hex'), encode(e.publisher_key, 'hex'), encode(e.publisher_signature, 'hex'),
    encode(e.platform_key, 'hex'), encode(e.platform_signature, 'hex'), encode(e.previous_hash, 'hex')), 'UTF8')) $$;
CREATE FUNCTION release_log_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  head release_log_head;
BEGIN
  SELECT * INTO head FROM release_log_head FOR UPDATE;
  NEW.number := head.number + 1;
  NEW.previous_hash := head.hash;
  NEW.hash := release_log_hash(NEW);
  UPDATE release_log_head SET number = NEW.number, hash = NEW.hash;
  RETURN NEW;
END $$;
CREATE TRIGGER release_log_chain BEFORE INSERT ON release_log FOR EACH ROW EXECUTE FUNCTION release_log_chain();
CREATE FUNCTION release_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the release log only grows' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER release_log_only_grows BEFORE UPDATE OR DELETE ON release_log FOR EACH ROW EXECUTE FUNCTION release_log_only_grows();
-- loses data: no, this refuses it
CREATE TRIGGER release_log_never_emptied BEFORE TRUNCATE ON release_log EXECUTE FUNCTION release_log_only_grows();

ALTER TABLE release_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE release_log FORCE ROW LEVEL SECURITY;
ALTER TABLE release_log_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE release_log_head FORCE ROW LEVEL SECURITY;
CREATE POLICY publisher ON release_log FOR INSERT TO dramac_app WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY visible ON release_log FOR SELECT TO dramac_app -- an entry is read by whoever sees its version
  USING (agency_id = (SELECT current_agency_id()) OR EXISTS (SELECT FROM module_versions v WHERE v.id = version_id));
CREATE POLICY staff ON release_log TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON release_log FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY staff ON release_log_head TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON release_log_head TO dramac_lookup USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON release_log TO dramac_app, dramac_staff;
GRANT SELECT ON release_log TO dramac_lookup;
GRANT SELECT, UPDATE (number, hash) ON release_log_head TO dramac_lookup;
GRANT SELECT, UPDATE (checked_at, fault) ON release_log_head TO dramac_staff;

-- What anybody may read: every entry, and what it says where the module is everybody's.
CREATE FUNCTION release_log_page(before bigint, most integer) RETURNS TABLE (
  number bigint, at timestamptz, kind text, statement text, statement_sha256 text, publisher text, publisher_key bytea,
  publisher_signature bytea, platform_key bytea, platform_signature bytea, previous_hash bytea, hash bytea)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT e.number, e.at, e.kind, CASE WHEN m.tier = 'public' THEN e.statement END,
    encode(sha256(convert_to(e.statement, 'UTF8')), 'hex'), CASE WHEN m.tier = 'public' THEN a.name END,
    e.publisher_key, e.publisher_signature, e.platform_key, e.platform_signature, e.previous_hash, e.hash
  FROM release_log e LEFT JOIN module_source m ON m.id = e.module_id LEFT JOIN agencies a ON a.id = e.agency_id
  WHERE e.number < before ORDER BY e.number DESC LIMIT most $$;
CREATE FUNCTION release_log_end() RETURNS TABLE (number bigint, hash bytea, checked_at timestamptz, fault text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT number, hash, checked_at, fault FROM release_log_head $$;
CREATE FUNCTION publisher_key_known(agency uuid, wanted bytea) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM publisher_keys WHERE agency_id = agency AND public_key = wanted) $$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
GRANT SELECT (checked_at, fault) ON release_log_head TO dramac_lookup;
ALTER FUNCTION release_log_chain OWNER TO dramac_lookup;
ALTER FUNCTION release_log_page OWNER TO dramac_lookup;
ALTER FUNCTION release_log_end OWNER TO dramac_lookup;
ALTER FUNCTION publisher_key_known OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION release_log_chain, release_log_page, release_log_end, publisher_key_known FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_log_page, release_log_end, publisher_key_known TO dramac_app, dramac_staff;
