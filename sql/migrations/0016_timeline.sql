-- What the timeline of logs lacked: runs of jobs, error pages, sign-ins of members, which request a letter came from;
-- and searches kept under a name.
ALTER TABLE mails ADD COLUMN request_id text NOT NULL DEFAULT '';
CREATE INDEX mails_request ON mails (request_id) WHERE request_id <> '';
ALTER TABLE sign_in_attempts ADD COLUMN request_id text NOT NULL DEFAULT '';
CREATE INDEX sign_in_attempts_user ON sign_in_attempts (user_id, at DESC);
CREATE INDEX external_webhook_attempts_at ON external_webhook_attempts (agency_id, at DESC);

-- A colleague's tries to sign in are seen by the agencies they belong to, from the day they joined.
CREATE POLICY member ON sign_in_attempts FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM memberships m WHERE m.user_id = sign_in_attempts.user_id
                 AND m.agency_id = (SELECT current_agency_id()) AND m.created_at <= sign_in_attempts.at));

-- Every run of a job that was ordered for somebody, and every failure of the others. The queue forgets, this does not.
CREATE TABLE job_runs (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid, -- NULL: the platform's own
  site_id uuid,
  install_id uuid,
  name text NOT NULL,
  given jsonb NOT NULL DEFAULT '{}',
  request_id text NOT NULL DEFAULT '',
  status text NOT NULL CHECK (status IN ('running', 'done', 'failed')),
  error text NOT NULL DEFAULT '' CHECK (length(error) <= 500),
  trace text NOT NULL DEFAULT '' CHECK (length(trace) <= 8000), -- for platform staff only
  started_at timestamptz NOT NULL,
  gives_up_at timestamptz NOT NULL, -- one that still "runs" after this was killed
  finished_at timestamptz
);
CREATE INDEX job_runs_agency ON job_runs (agency_id, started_at DESC);
CREATE INDEX job_runs_failed ON job_runs (started_at DESC) WHERE status = 'failed';
CREATE INDEX job_runs_age ON job_runs (started_at);
CREATE INDEX job_runs_request ON job_runs (request_id) WHERE request_id <> '';

-- Requests that ended on an error page and of which nothing else tells: the screens, and visitors' pages.
CREATE TABLE failed_requests (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  at timestamptz NOT NULL,
  request_id text NOT NULL,
  agency_id uuid, -- NULL: nobody's that is known
  site_id uuid,
  install_id uuid,
  actor text NOT NULL DEFAULT '',
  surface text NOT NULL CHECK (surface IN ('platform', 'runtime')),
  method text NOT NULL,
  path text NOT NULL CHECK (length(path) <= 500),
  status smallint NOT NULL,
  error text NOT NULL DEFAULT '' CHECK (length(error) <= 500),
  trace text NOT NULL DEFAULT '' CHECK (length(trace) <= 8000) -- for platform staff only
);
CREATE INDEX failed_requests_agency ON failed_requests (agency_id, at DESC);
CREATE INDEX failed_requests_at ON failed_requests (at DESC);
CREATE INDEX failed_requests_request ON failed_requests (request_id);

-- Filters of the logs under a name: a person's own, or for everybody of the agency who reads logs.
CREATE TABLE log_searches (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  user_id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
  query text NOT NULL CHECK (length(query) <= 2000), -- as in the address
  shared boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, user_id, name),
  FOREIGN KEY (agency_id, user_id) REFERENCES memberships (agency_id, user_id) ON DELETE CASCADE
);

ALTER TABLE job_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON job_runs FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON job_runs TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE failed_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE failed_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON failed_requests FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
-- Whatever scope the request had is gone when it fails; as with the log of calls, adding is open and reading is not.
CREATE POLICY append ON failed_requests FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY staff ON failed_requests TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE log_searches ENABLE ROW LEVEL SECURITY;
ALTER TABLE log_searches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON log_searches FOR SELECT TO dramac_app
  USING (agency_id = (SELECT current_agency_id()) AND (shared OR user_id = (SELECT current_person_id())));
CREATE POLICY own ON log_searches TO dramac_app
  USING (agency_id = (SELECT current_agency_id()) AND user_id = (SELECT current_person_id()))
  WITH CHECK (agency_id = (SELECT current_agency_id()) AND user_id = (SELECT current_person_id()));
CREATE POLICY staff ON log_searches TO dramac_staff USING (true) WITH CHECK (true);

-- What a trace tells is the platform's: an agency reads all columns but that one.
GRANT SELECT (id, agency_id, site_id, install_id, name, given, request_id, status, error, started_at, gives_up_at, finished_at)
  ON job_runs TO dramac_app;
GRANT SELECT (id, at, request_id, agency_id, site_id, install_id, actor, surface, method, path, status, error)
  ON failed_requests TO dramac_app;
GRANT INSERT ON failed_requests TO dramac_runtime;
GRANT SELECT, INSERT, DELETE ON log_searches TO dramac_app;
GRANT UPDATE (query, shared) ON log_searches TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON job_runs, failed_requests, log_searches TO dramac_staff;
