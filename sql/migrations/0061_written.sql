-- Lines of the logs carry the moment they began, and are written when they ended: who watches live has to know which ones are
-- new. The number of the transaction that wrote a line says it exactly, whatever the clocks say and however long it took:
-- pg_visible_in_snapshot tells what an earlier look could not have seen. Lines from before have none and are never new.
ALTER TABLE external_api_requests ADD COLUMN written xid8;
ALTER TABLE failed_requests ADD COLUMN written xid8;
ALTER TABLE module_function_runs ADD COLUMN written xid8;
ALTER TABLE job_runs ADD COLUMN written xid8;
ALTER TABLE mails ADD COLUMN written xid8;
ALTER TABLE event_deliveries ADD COLUMN written xid8;
ALTER TABLE inbound_receipts ADD COLUMN written xid8;
ALTER TABLE external_webhook_attempts ADD COLUMN written xid8;
ALTER TABLE sign_in_attempts ADD COLUMN written xid8;
ALTER TABLE audit_log ADD COLUMN written xid8;
ALTER TABLE external_api_requests ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE failed_requests ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE module_function_runs ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE job_runs ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE mails ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE event_deliveries ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE inbound_receipts ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE external_webhook_attempts ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE sign_in_attempts ALTER COLUMN written SET DEFAULT pg_current_xact_id();
ALTER TABLE audit_log ALTER COLUMN written SET DEFAULT pg_current_xact_id();
GRANT SELECT (written) ON failed_requests, job_runs TO dramac_app;
