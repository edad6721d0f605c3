-- What the walls between tenants lacked: rights on functions, pairs of ids that belong together, ways to change a row's owner.

-- Whoever gives a function away can no longer say who may call it: until here every role could call these.
-- Said by their owner, and again for whatever the default gives to everybody.
SET LOCAL ROLE dramac_lookup;
REVOKE EXECUTE ON FUNCTION publisher_names, short_id_taken, module_slug_taken, blob_known, runtime_install, runtime_install_id,
  runtime_files, api_key_by_hash, api_origin_known, api_keys_used, runtime_is_member, runtime_member_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publisher_names, short_id_taken, module_slug_taken, blob_known TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION runtime_install, runtime_install_id, runtime_files TO dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION api_key_by_hash, api_origin_known, api_keys_used, runtime_is_member, runtime_member_email TO dramac_runtime;
RESET ROLE;

-- Whether an install is the site's, and for a module's role whether it is that module's: no module speaks for another.
CREATE FUNCTION runtime_speaks_for(install uuid, site uuid, agency uuid, speaker name) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM modules_v2 i LEFT JOIN module_database_registry r ON r.module_id = i.module_id
    WHERE i.id = install AND i.site_id = site AND i.agency_id = agency AND speaker IN (r.role_name, 'dramac_runtime'))
$$;
-- Whether an agency may have a version: its own modules, and what everybody may install.
CREATE FUNCTION version_open_to(wanted uuid, agency uuid) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM module_versions v JOIN module_source m ON m.id = v.module_id
    WHERE v.id = wanted AND (m.agency_id = agency OR (m.tier = 'public' AND v.status <> 'draft')))
$$;
REVOKE EXECUTE ON FUNCTION runtime_speaks_for, version_open_to FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runtime_speaks_for TO dramac_runtime, dramac_module;
GRANT EXECUTE ON FUNCTION version_open_to TO dramac_app;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION runtime_speaks_for OWNER TO dramac_lookup;
ALTER FUNCTION version_open_to OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;

ALTER POLICY site ON events WITH CHECK (
  site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id())
  AND runtime_speaks_for(install_id, site_id, agency_id, current_user));
ALTER POLICY site ON mails WITH CHECK (
  site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id())
  AND runtime_speaks_for(install_id, site_id, agency_id, current_user));
ALTER POLICY site ON module_function_runs WITH CHECK (
  site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id())
  AND runtime_speaks_for(install_id, site_id, agency_id, current_user));
ALTER POLICY site ON module_done WITH CHECK (
  site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id())
  AND runtime_speaks_for(install_id, site_id, agency_id, current_user));
ALTER POLICY site ON idempotency_keys WITH CHECK (
  site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));

-- An install is of a version of its module, and an agency installs only what it may see: else a guessed id would open a
-- stranger's unpublished module.
ALTER TABLE module_versions ADD UNIQUE (module_id, id);
ALTER TABLE modules_v2 ADD FOREIGN KEY (module_id, version_id) REFERENCES module_versions (module_id, id);
ALTER TABLE modules_v2 ADD FOREIGN KEY (module_id, previous_version_id) REFERENCES module_versions (module_id, id);
ALTER TABLE module_source ADD FOREIGN KEY (id, latest_version_id) REFERENCES module_versions (module_id, id);
CREATE POLICY open_to_agency ON modules_v2 AS RESTRICTIVE FOR INSERT TO dramac_app
  WITH CHECK (version_open_to(version_id, agency_id));

-- A file belongs to a version of the same agency, and no file is added to what was published.
ALTER TABLE module_version_files
  ADD FOREIGN KEY (agency_id, version_id) REFERENCES module_versions (agency_id, id) ON DELETE CASCADE;
CREATE FUNCTION only_drafts_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM module_versions WHERE id = NEW.version_id AND status <> 'draft') THEN
    RAISE EXCEPTION 'a published version takes no more files' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_drafts_grow BEFORE INSERT OR UPDATE ON module_version_files FOR EACH ROW EXECUTE FUNCTION only_drafts_grow();

-- People see which agencies they belong to from within any of them; they change memberships only where they are.
DROP POLICY tenant ON memberships;
CREATE POLICY tenant ON memberships TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY own ON memberships FOR SELECT TO dramac_app USING (user_id = (SELECT current_person_id()));
DROP POLICY tenant ON agencies;
CREATE POLICY tenant ON agencies TO dramac_app
  USING (id = (SELECT current_agency_id())) WITH CHECK (id = (SELECT current_agency_id()));
CREATE POLICY own ON agencies FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM memberships m WHERE m.agency_id = agencies.id AND m.user_id = (SELECT current_person_id())));
DROP POLICY tenant ON invitations;
CREATE POLICY tenant ON invitations TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY identifying ON invitations FOR SELECT TO dramac_app USING ((SELECT identifying()));

-- Requests make nobody staff, enable nobody and lift no suspension.
REVOKE UPDATE ON users, agencies FROM dramac_app;
GRANT UPDATE (email, name, password_hash, time_zone, locale, password_changed_at) ON users TO dramac_app;
GRANT UPDATE (name, hue, time_zone, currency) ON agencies TO dramac_app;
ALTER POLICY new ON users WITH CHECK ((SELECT identifying()) AND staff_role IS NULL AND disabled_at IS NULL);
