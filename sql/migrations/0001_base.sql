-- Extensions and the functions through which every policy reads the current scope.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO dramac_app, dramac_runtime, dramac_staff, dramac_lookup, dramac_module;

-- nullif: after a transaction with SET LOCAL has ended the setting is '' instead of absent.
CREATE FUNCTION current_agency_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.agency_id', true), '')::uuid $$;
CREATE FUNCTION current_person_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;
CREATE FUNCTION current_site_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.site_id', true), '')::uuid $$;
-- True only while somebody is being identified: sign-in, reset, invitation, the account pages.
CREATE FUNCTION identifying() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT coalesce(current_setting('app.identifying', true), '') = 'on' $$;
