-- Under an agency's own host the platform looks like the agency's: its name, its colour, its logo.
ALTER TABLE agencies ADD COLUMN logo text NOT NULL DEFAULT '' CHECK (logo ~ '^([0-9a-f]{64})?$'); -- sha256 of the picture; '': none
GRANT UPDATE (logo) ON agencies TO dramac_app;

SET LOCAL ROLE dramac_lookup;
DROP FUNCTION domain_at(text);
RESET ROLE;
CREATE FUNCTION domain_at(wanted text) RETURNS TABLE (
  domain_id uuid, agency_id uuid, agency_name text, agency_hue smallint, agency_logo text, site_id uuid, host text, www text,
  purposes text[], target_install_id uuid, target_page text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT d.id, d.agency_id, a.name, a.hue, a.logo, d.site_id, d.host, d.www, d.purposes, d.target_install_id, d.target_page
  FROM external_domains d JOIN agencies a ON a.id = d.agency_id LEFT JOIN sites s ON s.id = d.site_id
  WHERE d.state IN ('verified', 'failing') AND d.purposes && ARRAY['pages', 'platform']
    AND a.suspended_at IS NULL AND s.archived_at IS NULL
    AND (d.host = wanted OR (d.www <> 'none' AND 'www.' || d.host = wanted))
  ORDER BY d.host = wanted DESC LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION domain_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION domain_at TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION domain_at OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
