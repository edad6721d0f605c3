-- Functions with their owner's rights have exactly the callers that are named for them. Some were handed to another owner before
-- everybody's right was taken away and theirs given, which then did neither.
DO $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT p.oid::regprocedure AS signature, r.rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
    WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE')
  LOOP
    EXECUTE format('SET LOCAL ROLE %I', one.rolname);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one.signature);
    RESET ROLE;
  END LOOP;
  FOR one IN
    SELECT p.oid::regprocedure AS signature, r.rolname, named.callers
    FROM (VALUES
      ('analytics_agencies', 'dramac_runtime'), ('publisher_analytics', 'dramac_app'),
      ('release_figures', 'dramac_app'), ('release_held_back', 'dramac_app'),
      ('release_log_page', 'dramac_app, dramac_staff'), ('release_log_end', 'dramac_app, dramac_staff'),
      ('publisher_key_known', 'dramac_app, dramac_staff'), ('version_use', 'dramac_app, dramac_staff'),
      ('runtime_trial', 'dramac_runtime, dramac_staff'), ('runtime_setting_levels', 'dramac_runtime, dramac_staff'),
      ('entitlement_of', 'dramac_app, dramac_runtime, dramac_staff'), ('entitlement_try', 'dramac_app')
    ) named (name, callers)
    JOIN pg_proc p ON p.proname = named.name AND p.pronamespace = 'public'::regnamespace
    JOIN pg_roles r ON r.oid = p.proowner
  LOOP
    EXECUTE format('SET LOCAL ROLE %I', one.rolname);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', one.signature, one.callers);
    RESET ROLE;
  END LOOP;
END $$;
