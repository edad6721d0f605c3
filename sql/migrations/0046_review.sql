-- Releases that risk something wait for the platform's staff; withdrawn ones say why, and what to go to instead.
ALTER TABLE module_publications DROP CONSTRAINT module_publications_status_check;
ALTER TABLE module_publications ADD CONSTRAINT module_publications_status_check
  CHECK (status IN ('running', 'held', 'published', 'failed', 'refused'));
ALTER TABLE module_publications
  ADD COLUMN risk jsonb NOT NULL DEFAULT '{}', -- {score, reasons: [[points, sentence]]}
  ADD COLUMN approved boolean NOT NULL DEFAULT false,
  ADD COLUMN decided_by uuid REFERENCES users ON DELETE SET NULL,
  ADD COLUMN decided_name text NOT NULL DEFAULT '',
  ADD COLUMN decided_at timestamptz,
  ADD COLUMN reason text NOT NULL DEFAULT ''; -- why it was refused
DROP INDEX module_publications_one_at_a_time;
CREATE UNIQUE INDEX module_publications_one_at_a_time ON module_publications (version_id) WHERE status IN ('running', 'held');
CREATE INDEX module_publications_held ON module_publications (changed_at) WHERE status = 'held';

ALTER TABLE module_versions
  ADD COLUMN cleared_at timestamptz, -- may be seen by others than its publisher: it risked little, or staff let it pass
  ADD COLUMN yank_reason text NOT NULL DEFAULT '',
  ADD COLUMN offered_version_id uuid REFERENCES module_versions; -- of a withdrawn one: what its sites may go to
ALTER TABLE module_versions NO FORCE ROW LEVEL SECURITY;
UPDATE module_versions SET cleared_at = published_at WHERE status <> 'draft'; -- what is out is out
ALTER TABLE module_versions FORCE ROW LEVEL SECURITY;

-- How many agencies and sites have a version: numbers alone, and to its publisher alone.
CREATE FUNCTION version_use(wanted uuid) RETURNS TABLE (agencies bigint, sites bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(DISTINCT i.agency_id), count(*) FROM modules_v2 i JOIN module_versions v ON v.id = i.version_id
  WHERE i.version_id = wanted AND i.status <> 'removed' AND v.agency_id = current_agency_id() AND i.agency_id <> v.agency_id $$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION version_use OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION version_use FROM PUBLIC;
GRANT EXECUTE ON FUNCTION version_use TO dramac_app, dramac_staff;
