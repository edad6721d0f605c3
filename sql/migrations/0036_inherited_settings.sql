-- What an agency, or one of its clients, gives to all installs of a module: values, secrets, locks.
CREATE TABLE module_settings (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  client_id uuid, -- NULL: the agency's own level
  module_id uuid NOT NULL REFERENCES module_source,
  settings jsonb NOT NULL DEFAULT '{}', -- {setting name: value}; one that is not here is not given at this level
  secrets jsonb NOT NULL DEFAULT '{}', -- {setting name: sealed text}
  locks jsonb NOT NULL DEFAULT '{}', -- {setting name: {by, name, at, reason}}
  changed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (agency_id, module_id, client_id),
  FOREIGN KEY (agency_id, client_id) REFERENCES clients (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX module_settings_client ON module_settings (agency_id, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX module_settings_module ON module_settings (module_id);

ALTER TABLE module_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_settings TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_settings TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_settings FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT, UPDATE ON module_settings TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_settings TO dramac_staff;
GRANT SELECT ON module_settings TO dramac_lookup;

-- The levels above an install, the agency's first: [{kind, id, settings, secrets, locks}]. Beside runtime_install(), in one statement.
CREATE FUNCTION runtime_setting_levels(wanted uuid) RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'kind', CASE WHEN l.client_id IS NULL THEN 'agency' ELSE 'client' END,
           'id', l.id, 'settings', l.settings, 'secrets', l.secrets, 'locks', l.locks) ORDER BY l.client_id NULLS FIRST), '[]')
  FROM modules_v2 i
  JOIN sites s ON s.id = i.site_id
  JOIN module_settings l ON l.agency_id = i.agency_id AND l.module_id = i.module_id
                        AND (l.client_id IS NULL OR l.client_id = s.client_id)
  WHERE i.id = wanted
$$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION runtime_setting_levels OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION runtime_setting_levels FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runtime_setting_levels TO dramac_runtime, dramac_staff;

-- Until now an install kept every default as if somebody had chosen it, so nothing could be inherited. What is as the version
-- has it by itself, or empty, is no longer the site's own.
ALTER TABLE modules_v2 NO FORCE ROW LEVEL SECURITY; -- the owner of the tables is no superuser everywhere
ALTER TABLE module_versions NO FORCE ROW LEVEL SECURITY;
UPDATE modules_v2 i SET settings = coalesce((
  SELECT jsonb_object_agg(own.key, own.value)
  FROM jsonb_each(i.settings) own
  LEFT JOIN LATERAL (
    SELECT spec.value -> 'default' AS given
    FROM jsonb_path_query(v.manifest, '$.settings[*].fields') fields, jsonb_each(fields) spec
    WHERE spec.key = own.key
  ) standard ON true
  WHERE own.value IS DISTINCT FROM coalesce(standard.given, 'null'::jsonb)
), '{}')
FROM module_versions v WHERE v.id = i.version_id;
ALTER TABLE modules_v2 FORCE ROW LEVEL SECURITY;
ALTER TABLE module_versions FORCE ROW LEVEL SECURITY;
