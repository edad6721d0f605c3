-- A verified domain may be for the API: pages there call it with the publishable keys of its site.

-- The hosts whose pages may call the API with a site's publishable keys.
CREATE FUNCTION domain_callers(site uuid) RETURNS SETOF text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT host FROM external_domains
  WHERE site_id = site AND state IN ('verified', 'failing') AND 'api' = ANY (purposes) ORDER BY host
$$;
-- Whether pages of a host may call the API of any site: what a preflight, which comes without a key, is answered by.
CREATE FUNCTION domain_calls(wanted text) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM external_domains
    WHERE host = wanted AND state IN ('verified', 'failing') AND 'api' = ANY (purposes))
$$;
REVOKE EXECUTE ON FUNCTION domain_callers, domain_calls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION domain_callers, domain_calls TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION domain_callers OWNER TO dramac_lookup;
ALTER FUNCTION domain_calls OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
