-- The hosts at which an agency's people see the platform, besides its usual one: what may frame the agency's previews.
-- One of the two ids is given.
CREATE FUNCTION domain_platforms(agency uuid, site uuid) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT CASE d.www WHEN 'to_www' THEN 'www.' || d.host ELSE d.host END
  FROM external_domains d
  WHERE d.agency_id = coalesce(agency, (SELECT s.agency_id FROM sites s WHERE s.id = site))
    AND d.state IN ('verified', 'failing') AND 'platform' = ANY (d.purposes)
  ORDER BY 1
$$;
REVOKE EXECUTE ON FUNCTION domain_platforms FROM PUBLIC;
GRANT EXECUTE ON FUNCTION domain_platforms TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION domain_platforms OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
