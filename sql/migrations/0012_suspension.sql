-- What an agency has installed rests while the agency is suspended: pages, functions, schedules and their letters, as on an
-- archived site. Keys and people were refused already. (The last column says both.)
GRANT CREATE ON SCHEMA public TO dramac_lookup;
SET LOCAL ROLE dramac_lookup;
CREATE OR REPLACE FUNCTION runtime_install(wanted uuid) RETURNS TABLE (
  install_id uuid, agency_id uuid, site_id uuid, module_id uuid, version_id uuid, status text, settings jsonb, secrets jsonb,
  granted jsonb, changed_at timestamptz, module_slug text, module_name text, short_id text, schema_name text, role_name text,
  version text, manifest jsonb, digest text, layout jsonb, site_slug text, site_name text, site_url text, time_zone text, locale text,
  currency text, site_archived boolean
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.id, i.agency_id, i.site_id, i.module_id, i.version_id, i.status, i.settings, i.secrets, i.granted, i.changed_at,
         m.slug, m.name, m.short_id, r.schema_name, r.role_name, v.version, v.manifest, v.digest, r.layout,
         s.slug, s.name, s.url, s.time_zone, s.locale, s.currency, s.archived_at IS NOT NULL OR a.suspended_at IS NOT NULL
  FROM modules_v2 i
  JOIN module_source m ON m.id = i.module_id
  JOIN module_versions v ON v.id = i.version_id
  JOIN sites s ON s.id = i.site_id
  JOIN agencies a ON a.id = i.agency_id
  LEFT JOIN module_database_registry r ON r.module_id = i.module_id
  WHERE i.id = wanted
$$;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
