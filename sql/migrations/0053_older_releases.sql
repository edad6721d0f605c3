-- When what was released before there was a log was entered into it: once, by the migration run that first finds the log.
ALTER TABLE release_log_head ADD COLUMN older_entered_at timestamptz;
GRANT UPDATE (older_entered_at) ON release_log_head TO dramac_staff;
