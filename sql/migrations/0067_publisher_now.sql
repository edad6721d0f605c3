-- How many people look at a publisher's module right now, over all agencies: a number, and nothing of whose visitors they are.
-- Events come in order of their time, so that the last minutes lie together: this index is a few pages, whatever a day holds.
CREATE INDEX module_analytics_events_at ON module_analytics_events USING brin (at) WITH (autosummarize = on, pages_per_range = 32);

CREATE FUNCTION publisher_here_now(wanted uuid, since timestamptz) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(DISTINCT (site_id, visitor)) FROM module_analytics_events
  WHERE at > greatest(since, now() - interval '1 hour') AND module_id = wanted AND visitor IS NOT NULL
    AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
$$;
REVOKE EXECUTE ON FUNCTION publisher_here_now FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publisher_here_now TO dramac_app;
CREATE POLICY lookup ON module_analytics_events FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT (at, site_id, module_id, visitor) ON module_analytics_events TO dramac_lookup;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION publisher_here_now OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
