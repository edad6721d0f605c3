-- What an agency may use of modules that have a price: a trial that begins with the first install, or leave given by platform staff.
CREATE TABLE module_entitlements (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  module_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('trial', 'grant')),
  starts_at timestamptz NOT NULL DEFAULT now(),
  ends_at timestamptz, -- NULL: a grant for good
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 200),
  granted_by uuid REFERENCES users ON DELETE SET NULL,
  revoked_at timestamptz,
  warned_at timestamptz, -- when the letter before the end was written
  told_at timestamptz, -- when the letter at the end was
  UNIQUE (agency_id, id),
  CHECK (kind = 'grant' OR ends_at IS NOT NULL),
  CHECK (ends_at > starts_at)
);
-- One trial of a module for an agency, ever: another site, or removing it and installing it again, begins no second one.
CREATE UNIQUE INDEX module_entitlements_trial ON module_entitlements (agency_id, module_id) WHERE kind = 'trial';
CREATE INDEX module_entitlements_module ON module_entitlements (agency_id, module_id);
CREATE INDEX module_entitlements_ends ON module_entitlements (ends_at) WHERE told_at IS NULL AND revoked_at IS NULL;

ALTER TABLE module_entitlements ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_entitlements FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_entitlements FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_entitlements TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_entitlements TO dramac_lookup USING (true) WITH CHECK (true);
GRANT SELECT ON module_entitlements TO dramac_app; -- an agency gives itself nothing
GRANT SELECT, INSERT, UPDATE, DELETE ON module_entitlements TO dramac_staff;
GRANT SELECT, INSERT ON module_entitlements TO dramac_lookup;

-- The cheapest plan of a manifest, as the marketplace lists it: what it costs in minor units (0: free) and how long it may be tried.
CREATE FUNCTION cheapest_plan(manifest jsonb) RETURNS TABLE (amount integer, trial_days integer) LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(p.amount, 0), coalesce(p.trial_days, 0) FROM (SELECT) one LEFT JOIN LATERAL (
    SELECT (p ->> 'amount')::integer AS amount, (p ->> 'trial_days')::integer AS trial_days
    FROM jsonb_array_elements(manifest -> 'pricing') p
    ORDER BY (p ->> 'amount')::integer / CASE p ->> 'per' WHEN 'year' THEN 12 ELSE 1 END, (p ->> 'amount')::integer LIMIT 1) p ON true
$$;
-- What an agency has of a version, {"kind", "until", "trial_days"}; app.installs.entitlement.rules judges it. kind: own, free, grant,
-- trial (until may be over), none.
CREATE FUNCTION entitlement_of(agency uuid, wanted uuid) RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT jsonb_build_object(
    'kind', CASE WHEN v.agency_id = agency THEN 'own' WHEN plan.amount = 0 THEN 'free' ELSE coalesce(e.kind, 'none') END,
    'until', CASE WHEN v.agency_id <> agency AND plan.amount > 0 THEN e.ends_at END, 'trial_days', plan.trial_days)
  FROM module_versions v CROSS JOIN LATERAL cheapest_plan(v.manifest) plan
  LEFT JOIN LATERAL (
    SELECT kind, ends_at FROM module_entitlements e
    WHERE e.agency_id = agency AND e.module_id = v.module_id AND e.revoked_at IS NULL ORDER BY ends_at DESC NULLS FIRST LIMIT 1) e ON true
  WHERE v.id = wanted
$$;
-- Begin the current agency's trial of a module, as long as the version's cheapest plan says; nothing when it had one, or there is none.
CREATE FUNCTION entitlement_try(wanted uuid, at timestamptz) RETURNS timestamptz
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO module_entitlements (agency_id, module_id, kind, starts_at, ends_at)
  SELECT current_agency_id(), v.module_id, 'trial', at, at + make_interval(days => plan.trial_days)
  FROM module_versions v CROSS JOIN LATERAL cheapest_plan(v.manifest) plan
  WHERE v.id = wanted AND plan.amount > 0 AND plan.trial_days > 0 AND version_open_to(v.id, current_agency_id())
    AND at BETWEEN now() - interval '1 hour' AND now() + interval '1 minute'
  ON CONFLICT (agency_id, module_id) WHERE kind = 'trial' DO NOTHING
  RETURNING ends_at
$$;
REVOKE EXECUTE ON FUNCTION entitlement_of, entitlement_try FROM PUBLIC;
GRANT EXECUTE ON FUNCTION entitlement_of TO dramac_app, dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION entitlement_try TO dramac_app;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION entitlement_of OWNER TO dramac_lookup;
ALTER FUNCTION entitlement_try OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
