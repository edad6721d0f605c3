-- The timeline of logs reads each of its sources newest first for a whole agency, or all that one request left behind.
CREATE INDEX external_api_requests_agency ON external_api_requests (agency_id, at DESC);
CREATE INDEX module_function_runs_agency ON module_function_runs (agency_id, started_at DESC);
CREATE INDEX module_function_runs_request ON module_function_runs (request_id) WHERE request_id <> '';
CREATE INDEX events_occurred ON events (agency_id, occurred_at DESC);
CREATE INDEX events_request ON events (request_id) WHERE request_id <> '';
CREATE INDEX audit_log_request ON audit_log (request_id) WHERE request_id <> '';
CREATE INDEX mails_age ON mails (created_at) WHERE status <> 'due'; -- what mail.forget_old takes away
