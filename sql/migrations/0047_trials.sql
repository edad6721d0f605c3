-- Live sandboxes of modules: one version with its sample records in a schema of its own, gone within the hour (docs/adr).
-- A trial is no install: nothing that lists, counts, bills, tells or measures installs and sites can come to see it.
CREATE TABLE module_trials (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- random: its pages are open to whoever has the address
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  site_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- of no site: what its records are kept under
  module_id uuid NOT NULL REFERENCES module_source,
  version_id uuid NOT NULL REFERENCES module_versions,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE, -- who asked for it
  settings jsonb NOT NULL DEFAULT '{}',
  layout jsonb NOT NULL DEFAULT '{}', -- of its tables, in the schema try_<id>
  status text NOT NULL DEFAULT 'making' CHECK (status IN ('making', 'ready', 'failed', 'ending')),
  failure text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  ready_at timestamptz,
  ends_at timestamptz NOT NULL,
  UNIQUE (agency_id, id),
  FOREIGN KEY (module_id, version_id) REFERENCES module_versions (module_id, id)
);
CREATE INDEX module_trials_ends ON module_trials (ends_at);

ALTER TABLE module_trials ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_trials FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_trials TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY open_to_agency ON module_trials AS RESTRICTIVE FOR INSERT TO dramac_app
  WITH CHECK (version_open_to(version_id, agency_id));
CREATE POLICY staff ON module_trials TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_trials FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT, DELETE, UPDATE (layout, status, failure, ready_at, ends_at) ON module_trials TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_trials TO dramac_staff;
GRANT SELECT ON module_trials TO dramac_lookup;

-- What runtime_install() says of an install, of a trial; none once its time is over. Its site is the agency itself.
CREATE FUNCTION runtime_trial(wanted uuid) RETURNS TABLE (
  install_id uuid, agency_id uuid, site_id uuid, module_id uuid, version_id uuid, status text, settings jsonb, secrets jsonb,
  granted jsonb, module_slug text, module_name text, short_id text, schema_name text, role_name text, version text,
  manifest jsonb, digest text, layout jsonb, site_slug text, site_name text, site_url text, time_zone text, locale text,
  currency text, site_archived boolean, trial_until timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.id, t.agency_id, t.site_id, t.module_id, t.version_id,
         CASE t.status WHEN 'making' THEN 'provisioning' WHEN 'ready' THEN 'active' WHEN 'failed' THEN 'failed' ELSE 'removed' END,
         t.settings, '{}'::jsonb, '{}'::jsonb, m.slug, m.name, own.name, own.name, own.name, v.version, v.manifest, v.digest, t.layout,
         'trial', a.name, '', a.time_zone, 'en', a.currency, a.suspended_at IS NOT NULL, t.ends_at
  FROM module_trials t
  CROSS JOIN LATERAL (SELECT 'try_' || replace(t.id::text, '-', '') AS name) own
  JOIN module_source m ON m.id = t.module_id
  JOIN module_versions v ON v.id = t.version_id
  JOIN agencies a ON a.id = t.agency_id
  WHERE t.id = wanted AND t.ends_at > now()
$$;
REVOKE EXECUTE ON FUNCTION runtime_trial FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runtime_trial TO dramac_runtime, dramac_staff;

-- Records of a trial may name people of its agency, as those of a site may.
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION runtime_trial OWNER TO dramac_lookup;
SET LOCAL ROLE dramac_lookup;
CREATE OR REPLACE FUNCTION runtime_is_member(site uuid, person uuid) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM memberships m JOIN sites s ON s.agency_id = m.agency_id
                 WHERE s.id = site AND s.id = current_site_id() AND m.user_id = person)
      OR EXISTS (SELECT FROM memberships m JOIN module_trials t ON t.agency_id = m.agency_id
                 WHERE t.site_id = site AND t.site_id = current_site_id() AND m.user_id = person)
$$;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
