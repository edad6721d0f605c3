-- The event stream of a whole site, and which installs may tell events there.
CREATE INDEX events_site ON events (site_id, transaction, sequence) WHERE site_id IS NOT NULL;

-- Installs of the site that is spoken for, those that were removed left out.
CREATE FUNCTION runtime_site_installs() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.id FROM modules_v2 i WHERE i.site_id = (SELECT current_site_id()) AND i.status <> 'removed' ORDER BY i.id
$$;
REVOKE EXECUTE ON FUNCTION runtime_site_installs FROM PUBLIC; -- before it has another owner, who alone could
GRANT EXECUTE ON FUNCTION runtime_site_installs TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION runtime_site_installs OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
