-- A failed run of a job is ordered again or given up by a person, once.
ALTER TABLE job_runs ADD COLUMN scoped boolean NOT NULL DEFAULT true; -- ordered in the agency's scope
ALTER TABLE job_runs ADD COLUMN settled text NOT NULL DEFAULT '' CHECK (settled IN ('', 'retried', 'discarded'));
ALTER TABLE job_runs ADD COLUMN settled_at timestamptz;
ALTER TABLE job_runs ADD COLUMN settled_by text NOT NULL DEFAULT '';
CREATE INDEX job_runs_unsettled ON job_runs (id DESC) WHERE status <> 'done' AND settled = '';
DROP INDEX job_runs_failed;
CREATE POLICY tenant_settle ON job_runs FOR UPDATE TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
GRANT SELECT (scoped, settled, settled_at, settled_by), UPDATE (settled, settled_at, settled_by) ON job_runs TO dramac_app;
