-- What a module is: its identity, its immutable versions, the schema that holds its tables.
CREATE TABLE module_source (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies,
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  short_id text NOT NULL UNIQUE CHECK (short_id ~ '^[0-9a-f]{8}$'),
  name text NOT NULL,
  summary text NOT NULL DEFAULT '',
  category text NOT NULL DEFAULT '',
  icon text NOT NULL DEFAULT 'package',
  type text NOT NULL CHECK (type IN ('widget', 'app', 'integration', 'system', 'custom')),
  tier text NOT NULL DEFAULT 'internal' CHECK (tier IN ('internal', 'beta', 'public')),
  latest_version_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id)
);
CREATE INDEX module_source_name ON module_source USING gin ((lower(name || ' ' || summary)) gin_trgm_ops);

CREATE TABLE module_versions (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  module_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  version text NOT NULL CHECK (length(version) <= 64),
  major integer NOT NULL,
  minor integer NOT NULL,
  patch integer NOT NULL,
  prerelease text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'published', 'yanked')),
  manifest jsonb NOT NULL,
  listing jsonb NOT NULL DEFAULT '{}',
  readme text NOT NULL DEFAULT '',
  changelog text NOT NULL DEFAULT '',
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  size_bytes integer NOT NULL,
  report jsonb NOT NULL DEFAULT '[]', -- warnings of the checks at upload
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  published_at timestamptz,
  yanked_at timestamptz,
  UNIQUE (agency_id, id),
  UNIQUE (module_id, version),
  FOREIGN KEY (agency_id, module_id) REFERENCES module_source (agency_id, id)
);
CREATE INDEX module_versions_order ON module_versions (module_id, major DESC, minor DESC, patch DESC);
ALTER TABLE module_source ADD FOREIGN KEY (latest_version_id) REFERENCES module_versions (id);

-- File contents once per digest, whoever uploaded them; reachable only through a version one may see.
CREATE TABLE module_blobs (
  sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  content bytea NOT NULL
);
CREATE TABLE module_version_files (
  version_id uuid NOT NULL REFERENCES module_versions ON DELETE CASCADE,
  agency_id uuid NOT NULL,
  path text NOT NULL,
  sha256 text NOT NULL REFERENCES module_blobs,
  size_bytes integer NOT NULL,
  PRIMARY KEY (version_id, path)
);

-- A published version never changes; only its listing text and its being withdrawn may.
CREATE FUNCTION version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status <> 'draft' AND (NEW.version, NEW.manifest, NEW.digest, NEW.module_id, NEW.size_bytes, NEW.published_at)
     IS DISTINCT FROM (OLD.version, OLD.manifest, OLD.digest, OLD.module_id, OLD.size_bytes, OLD.published_at) THEN
    RAISE EXCEPTION 'version % is published and cannot change', OLD.version USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'draft' AND NEW.status = 'draft' THEN
    RAISE EXCEPTION 'version % is published and cannot become a draft', OLD.version USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER version_stays BEFORE UPDATE ON module_versions FOR EACH ROW EXECUTE FUNCTION version_stays();

CREATE TABLE module_database_registry (
  module_id uuid PRIMARY KEY REFERENCES module_source,
  short_id text NOT NULL UNIQUE,
  schema_name text NOT NULL UNIQUE,
  role_name text NOT NULL UNIQUE,
  layout jsonb NOT NULL DEFAULT '{}', -- the physical tables as last applied: the union of what installed versions need
  layout_digest text NOT NULL DEFAULT '',
  provisioned_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE module_naming_conflicts (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  module_id uuid NOT NULL REFERENCES module_source,
  wanted_short_id text NOT NULL,
  given_short_id text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);

-- A module is seen by its publisher, and by everyone once it is public and has a published version.
ALTER TABLE module_source ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_source FORCE ROW LEVEL SECURITY;
CREATE POLICY publisher ON module_source TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY marketplace ON module_source FOR SELECT TO dramac_app
  USING (tier = 'public' AND latest_version_id IS NOT NULL AND (SELECT current_agency_id()) IS NOT NULL);
CREATE POLICY staff ON module_source TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY runtime ON module_source FOR SELECT TO dramac_runtime USING ((SELECT current_site_id()) IS NOT NULL);
CREATE POLICY lookup ON module_source FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE module_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY publisher ON module_versions TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY marketplace ON module_versions FOR SELECT TO dramac_app
  USING (status <> 'draft' AND EXISTS (SELECT FROM module_source m WHERE m.id = module_id AND m.tier = 'public'));
CREATE POLICY staff ON module_versions TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_versions FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE module_version_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_version_files FORCE ROW LEVEL SECURITY;
CREATE POLICY publisher ON module_version_files TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY marketplace ON module_version_files FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM module_versions v WHERE v.id = version_id AND v.status <> 'draft'));
CREATE POLICY staff ON module_version_files TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_version_files FOR SELECT TO dramac_lookup USING (true);

-- Content is asked for by digest only, and a digest is learnt only from a version one may see.
ALTER TABLE module_blobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_blobs FORCE ROW LEVEL SECURITY;
CREATE POLICY reachable ON module_blobs FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM module_version_files f WHERE f.sha256 = module_blobs.sha256));
CREATE POLICY new ON module_blobs FOR INSERT TO dramac_app WITH CHECK (true);
CREATE POLICY staff ON module_blobs TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_blobs FOR SELECT TO dramac_lookup USING (true);
CREATE INDEX module_version_files_sha256 ON module_version_files (sha256);

ALTER TABLE module_database_registry ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_database_registry FORCE ROW LEVEL SECURITY;
CREATE POLICY visible ON module_database_registry FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM module_source m WHERE m.id = module_id));
CREATE POLICY staff ON module_database_registry TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_database_registry FOR SELECT TO dramac_lookup USING (true);
-- Provisioning, which runs as the owner, writes here what it made in the same transaction.
CREATE POLICY provisioning ON module_database_registry TO CURRENT_USER USING (true) WITH CHECK (true);

ALTER TABLE module_naming_conflicts ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_naming_conflicts FORCE ROW LEVEL SECURITY;
CREATE POLICY visible ON module_naming_conflicts TO dramac_app
  USING (EXISTS (SELECT FROM module_source m WHERE m.id = module_id))
  WITH CHECK (EXISTS (SELECT FROM module_source m WHERE m.id = module_id));
CREATE POLICY staff ON module_naming_conflicts TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON module_source, module_versions TO dramac_app;
GRANT DELETE ON module_versions TO dramac_app; -- drafts; published ones are held by installs and by the trigger below
GRANT SELECT, INSERT ON module_version_files, module_blobs, module_naming_conflicts TO dramac_app;
GRANT SELECT ON module_database_registry TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_source, module_versions, module_version_files, module_blobs,
  module_database_registry, module_naming_conflicts TO dramac_staff;
GRANT SELECT ON module_source, module_versions, module_version_files, module_blobs, module_database_registry TO dramac_lookup;

CREATE FUNCTION only_drafts_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status <> 'draft' THEN
    RAISE EXCEPTION 'version % is published and cannot be deleted', OLD.version USING ERRCODE = 'check_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER only_drafts_go BEFORE DELETE ON module_versions FOR EACH ROW EXECUTE FUNCTION only_drafts_go();

-- Short ids and slugs are unique over all publishers: whoever asks learns only whether one is free.
CREATE FUNCTION short_id_taken(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT EXISTS (SELECT FROM module_source WHERE short_id = wanted) $$;
CREATE FUNCTION module_slug_taken(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT EXISTS (SELECT FROM module_source WHERE slug = wanted) $$;
CREATE FUNCTION blob_known(digests text[]) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT sha256 FROM module_blobs WHERE sha256 = ANY (digests) $$;
-- The name of an agency is public as far as it publishes.
CREATE FUNCTION publisher_names(wanted uuid[]) RETURNS TABLE (id uuid, name text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT a.id, a.name FROM agencies a
  WHERE a.id = ANY (wanted) AND EXISTS (SELECT FROM module_source m WHERE m.agency_id = a.id AND m.latest_version_id IS NOT NULL)
$$;
CREATE POLICY lookup_publisher ON agencies FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT ON agencies TO dramac_lookup;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION publisher_names OWNER TO dramac_lookup;
ALTER FUNCTION short_id_taken OWNER TO dramac_lookup;
ALTER FUNCTION module_slug_taken OWNER TO dramac_lookup;
ALTER FUNCTION blob_known OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION publisher_names, short_id_taken, module_slug_taken, blob_known FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publisher_names, short_id_taken, module_slug_taken, blob_known TO dramac_app, dramac_staff;
