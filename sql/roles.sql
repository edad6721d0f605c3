-- The roles Dramac works as. Run by the owner before every migration; safe to repeat.
-- Passwords are set by app/db/migrate.py, derived from SECRET_KEY, and never stand in a file.
--   owner           whoever DATABASE_URL names: migrations and provisioning, never a request
--   dramac_app      requests and jobs of one agency
--   dramac_runtime  gateway, pages and functions of one site; enters a module's role with SET LOCAL ROLE
--   dramac_staff    sweeps over all agencies and platform staff, always with a reason
--   dramac_lookup   owns the few functions that find a tenant before one is known; nobody signs in as it
--   dramac_module   what every module role may do outside its own schema
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['dramac_app', 'dramac_runtime', 'dramac_staff'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT NOCREATEDB NOCREATEROLE', name);
    END IF;
  END LOOP;
  FOREACH name IN ARRAY ARRAY['dramac_lookup', 'dramac_module'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT NOCREATEDB NOCREATEROLE', name);
    END IF;
  END LOOP;
  -- The owner hands functions to dramac_lookup, and tries packages out as the runtime would (in transactions it rolls
  -- back); that it may grant these roles on comes with having made them.
  EXECUTE format('GRANT dramac_lookup, dramac_runtime, dramac_staff TO %I WITH INHERIT FALSE, SET TRUE', current_user);
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN
    NULL; -- another process made them at the same moment
END $$;

ALTER ROLE dramac_app SET statement_timeout = '15s';
ALTER ROLE dramac_app SET lock_timeout = '5s';
ALTER ROLE dramac_app SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE dramac_runtime SET statement_timeout = '5s';
ALTER ROLE dramac_runtime SET lock_timeout = '1s';
ALTER ROLE dramac_runtime SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE dramac_staff SET statement_timeout = '60s';
ALTER ROLE dramac_staff SET lock_timeout = '5s';
