-- How many of a module's installs are still there after a week, a month and a quarter, by the month they began in, over all
-- agencies: for its publisher alone, and no row for anybody else. `due` are those old enough to say, `kept` those of them that
-- were still there; an install that was removed and put back was there all the time.
CREATE FUNCTION publisher_retention(wanted uuid, since date, moment timestamptz) RETURNS TABLE (
  month date, installed bigint, days integer, due bigint, kept bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT date_trunc('month', i.installed_at AT TIME ZONE 'UTC')::date, count(*), d.days,
         count(*) FILTER (WHERE i.installed_at + make_interval(days => d.days) <= moment),
         count(*) FILTER (WHERE i.installed_at + make_interval(days => d.days) <= moment
                            AND (i.removed_at IS NULL OR i.removed_at >= i.installed_at + make_interval(days => d.days)))
  FROM modules_v2 i CROSS JOIN (VALUES (7), (30), (90)) AS d (days)
  WHERE i.module_id = wanted AND i.installed_at >= since::timestamp AT TIME ZONE 'UTC'
    AND NOT (i.task = 'install' AND i.status IN ('provisioning', 'failed')) -- never was one
    AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
  GROUP BY 1, d.days
$$;
REVOKE EXECUTE ON FUNCTION publisher_retention FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publisher_retention TO dramac_app;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION publisher_retention OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
