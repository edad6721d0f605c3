-- A module on a site: which version, with which settings and rights, in which state.
CREATE TABLE modules_v2 (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  site_id uuid NOT NULL,
  module_id uuid NOT NULL REFERENCES module_source,
  version_id uuid NOT NULL REFERENCES module_versions,
  previous_version_id uuid REFERENCES module_versions,
  status text NOT NULL CHECK (status IN ('provisioning', 'active', 'failed', 'paused', 'removing', 'removed')),
  -- what the last or current job is for
  task text NOT NULL DEFAULT 'install' CHECK (task IN ('install', 'upgrade', 'rollback', 'remove', 'restore')),
  settings jsonb NOT NULL DEFAULT '{}',
  secrets jsonb NOT NULL DEFAULT '{}', -- {setting name: sealed text}
  granted jsonb NOT NULL DEFAULT '{}', -- what the person consented to, as shown: scopes, tables, hosts, e-mail
  steps jsonb NOT NULL DEFAULT '[]', -- [{key, label, state, at, detail}] of the last job
  failure text NOT NULL DEFAULT '',
  installed_by uuid REFERENCES users ON DELETE SET NULL,
  installed_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  removed_at timestamptz,
  purge_after timestamptz, -- parked rows are dropped then
  UNIQUE (agency_id, id),
  UNIQUE (site_id, id),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id)
);
CREATE UNIQUE INDEX modules_v2_one_per_site ON modules_v2 (site_id, module_id) WHERE status <> 'removed';
CREATE INDEX modules_v2_agency ON modules_v2 (agency_id, status);
CREATE INDEX modules_v2_module ON modules_v2 (module_id);
CREATE INDEX modules_v2_unfinished ON modules_v2 (changed_at) WHERE status IN ('provisioning', 'removing');
CREATE INDEX modules_v2_parked ON modules_v2 (purge_after) WHERE status = 'removed';

-- The role a member has inside one installed module; without a row the agency role decides.
CREATE TABLE module_member_roles (
  agency_id uuid NOT NULL,
  install_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL CHECK (role ~ '^[a-z][a-z0-9_]{0,40}$'),
  PRIMARY KEY (install_id, user_id),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, user_id) REFERENCES memberships (agency_id, user_id) ON DELETE CASCADE
);

ALTER TABLE modules_v2 ENABLE ROW LEVEL SECURITY;
ALTER TABLE modules_v2 FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON modules_v2 TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON modules_v2 TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON modules_v2 FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE module_member_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_member_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_member_roles TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_member_roles TO dramac_staff USING (true) WITH CHECK (true);

-- An agency keeps seeing the versions it has installed, even after the module leaves the marketplace.
CREATE POLICY installed ON module_source FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM modules_v2 i WHERE i.module_id = module_source.id
                 AND (i.status <> 'removed' OR i.purge_after > now())));
CREATE POLICY installed ON module_versions FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM modules_v2 i WHERE module_versions.id IN (i.version_id, i.previous_version_id)));

GRANT SELECT, INSERT, UPDATE ON modules_v2 TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_member_roles TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON modules_v2, module_member_roles TO dramac_staff;
GRANT SELECT ON modules_v2 TO dramac_lookup;

-- Everything a runtime process needs to serve one install. Secrets come sealed; files come apart (runtime_files).
CREATE FUNCTION runtime_install(wanted uuid) RETURNS TABLE (
  install_id uuid, agency_id uuid, site_id uuid, module_id uuid, version_id uuid, status text, settings jsonb, secrets jsonb,
  granted jsonb, changed_at timestamptz, module_slug text, module_name text, short_id text, schema_name text, role_name text,
  version text, manifest jsonb, digest text, layout jsonb, site_slug text, site_name text, site_url text, time_zone text, locale text,
  currency text, site_archived boolean
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.id, i.agency_id, i.site_id, i.module_id, i.version_id, i.status, i.settings, i.secrets, i.granted, i.changed_at,
         m.slug, m.name, m.short_id, r.schema_name, r.role_name, v.version, v.manifest, v.digest, r.layout,
         s.slug, s.name, s.url, s.time_zone, s.locale, s.currency, s.archived_at IS NOT NULL
  FROM modules_v2 i
  JOIN module_source m ON m.id = i.module_id
  JOIN module_versions v ON v.id = i.version_id
  JOIN sites s ON s.id = i.site_id
  LEFT JOIN module_database_registry r ON r.module_id = i.module_id
  WHERE i.id = wanted
$$;
-- The install of a module on a site, by the module's uuid, short id or slug. NULL when there is none.
CREATE FUNCTION runtime_install_id(site uuid, module text) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.id FROM modules_v2 i JOIN module_source m ON m.id = i.module_id
  WHERE i.site_id = site AND i.status <> 'removed' AND (m.slug = module OR m.short_id = module OR m.id::text = module)
$$;
CREATE FUNCTION runtime_files(wanted uuid) RETURNS TABLE (path text, content bytea)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT f.path, b.content FROM module_version_files f JOIN module_blobs b USING (sha256) WHERE f.version_id = wanted
$$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION runtime_install OWNER TO dramac_lookup;
ALTER FUNCTION runtime_install_id OWNER TO dramac_lookup;
ALTER FUNCTION runtime_files OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION runtime_install, runtime_install_id, runtime_files FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runtime_install, runtime_install_id, runtime_files TO dramac_runtime, dramac_staff;
