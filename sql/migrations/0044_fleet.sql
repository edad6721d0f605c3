-- Many installs at once: runs that people start, and releases that roll out by themselves, ring by ring.
CREATE TABLE fleet_runs (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('upgrade', 'pause', 'resume', 'undo')),
  undoes_id uuid, -- of an undo, the run it takes back
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'paused', 'stopped', 'done', 'cancelled')),
  stop_at_first boolean NOT NULL DEFAULT true, -- at the first install that is not well afterwards
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000), -- why it stopped
  ordered_by uuid REFERENCES users ON DELETE SET NULL,
  ordered_name text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(), -- the last sign of life of its job
  ended_at timestamptz,
  UNIQUE (agency_id, id),
  CHECK ((kind = 'undo') = (undoes_id IS NOT NULL)),
  FOREIGN KEY (agency_id, undoes_id) REFERENCES fleet_runs (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX fleet_runs_agency ON fleet_runs (agency_id, id DESC);
CREATE INDEX fleet_runs_unfinished ON fleet_runs (changed_at) WHERE status = 'running';

CREATE TABLE fleet_run_items (
  agency_id uuid NOT NULL,
  run_id uuid NOT NULL,
  install_id uuid NOT NULL,
  position integer NOT NULL,
  from_version_id uuid REFERENCES module_versions,
  to_version_id uuid REFERENCES module_versions,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'skipped')),
  agreed boolean NOT NULL DEFAULT false, -- a person has agreed to what the version asks beyond the one before
  detail text NOT NULL DEFAULT '' CHECK (length(detail) <= 1000), -- why it failed or was left out
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, install_id),
  FOREIGN KEY (agency_id, run_id) REFERENCES fleet_runs (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX fleet_run_items_order ON fleet_run_items (run_id, position);
CREATE INDEX fleet_run_items_install ON fleet_run_items (agency_id, install_id);

-- Which versions a site takes by itself. site_id NULL: the agency's choice, for sites that have none.
CREATE TABLE fleet_policies (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  site_id uuid,
  mode text CHECK (mode IN ('off', 'patch', 'minor')), -- NULL: as the agency says
  internal boolean NOT NULL DEFAULT false, -- among the first to get a release
  UNIQUE NULLS NOT DISTINCT (agency_id, site_id),
  CHECK (site_id IS NOT NULL OR (mode IS NOT NULL AND NOT internal)),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE
);

CREATE TABLE fleet_rollouts (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  module_id uuid NOT NULL REFERENCES module_source,
  version_id uuid NOT NULL REFERENCES module_versions,
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'stopped', 'done', 'cancelled')),
  ring text NOT NULL DEFAULT 'internal' CHECK (ring IN ('internal', 'part', 'all')),
  reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000), -- why it stopped or was called off
  started_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  ended_at timestamptz,
  UNIQUE (agency_id, id),
  UNIQUE (agency_id, version_id)
);
CREATE INDEX fleet_rollouts_version ON fleet_rollouts (version_id);
CREATE INDEX fleet_rollouts_module ON fleet_rollouts (module_id);
CREATE INDEX fleet_rollouts_running ON fleet_rollouts (agency_id) WHERE status = 'running';

CREATE TABLE fleet_rollout_sites (
  agency_id uuid NOT NULL,
  rollout_id uuid NOT NULL,
  install_id uuid NOT NULL,
  ring text NOT NULL CHECK (ring IN ('internal', 'part', 'all')),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'moving', 'watching', 'healthy', 'unhealthy', 'skipped')),
  detail text NOT NULL DEFAULT '' CHECK (length(detail) <= 1000),
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (rollout_id, install_id),
  FOREIGN KEY (agency_id, rollout_id) REFERENCES fleet_rollouts (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX fleet_rollout_sites_install ON fleet_rollout_sites (agency_id, install_id);

ALTER TABLE fleet_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON fleet_runs TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON fleet_runs TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE fleet_run_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet_run_items FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON fleet_run_items TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON fleet_run_items TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE fleet_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet_policies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON fleet_policies TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON fleet_policies TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE fleet_rollouts ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet_rollouts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON fleet_rollouts TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON fleet_rollouts TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON fleet_rollouts FOR SELECT TO dramac_lookup USING (true);
ALTER TABLE fleet_rollout_sites ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet_rollout_sites FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON fleet_rollout_sites TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON fleet_rollout_sites TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON fleet_rollout_sites FOR SELECT TO dramac_lookup USING (true);

GRANT SELECT, INSERT, UPDATE ON fleet_runs, fleet_run_items, fleet_rollouts, fleet_rollout_sites TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON fleet_policies TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON fleet_runs, fleet_run_items, fleet_policies, fleet_rollouts, fleet_rollout_sites TO dramac_staff;
GRANT SELECT ON fleet_rollouts, fleet_rollout_sites TO dramac_lookup;

-- How a release rolls out, in figures for its publisher: of all agencies together, and of no agency by itself.
CREATE FUNCTION release_figures(wanted uuid) RETURNS TABLE (ring text, state text, sites bigint, agencies bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.ring, s.state, count(*), count(DISTINCT s.agency_id)
  FROM fleet_rollouts r
  JOIN module_source m ON m.id = r.module_id
  JOIN fleet_rollout_sites s ON s.rollout_id = r.id
  WHERE r.version_id = wanted AND m.agency_id = current_agency_id()
  GROUP BY s.ring, s.state
$$;
-- Whether a release still has to prove itself on its publisher's own sites before others take it by themselves.
CREATE FUNCTION release_held_back(wanted uuid) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM fleet_rollouts r JOIN module_source m ON m.id = r.module_id AND m.agency_id = r.agency_id
                 WHERE r.version_id = wanted AND r.status IN ('running', 'stopped'))
$$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION release_figures OWNER TO dramac_lookup;
ALTER FUNCTION release_held_back OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION release_figures, release_held_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_figures, release_held_back TO dramac_app;
