-- What is used, how often and by how many: raw events by day, their sums by hour and day. Nothing in here says who anybody is.

-- One row per thing that happened. A partition per day (UTC), made ahead and dropped after the days kept, by a job.
CREATE TABLE module_analytics_events (
  at timestamptz NOT NULL,
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid, -- NULL: a page of the site's own
  module_id uuid,
  event text NOT NULL CHECK (event IN ('view', 'mount', 'error', 'start', 'submit', 'click', 'time', 'custom',
                                       'installed', 'upgraded', 'rolled_back', 'removed')),
  name text NOT NULL DEFAULT '', -- of a click or custom event; what an error said
  version text NOT NULL DEFAULT '', -- of the module
  page text NOT NULL DEFAULT '', -- of the module by its name, or the path of a page of the site's own
  page_id uuid, -- of the site's own
  visitor bigint, -- a keyed hash whose key is destroyed when its day (UTC) is over; NULL: nobody's doing
  value bigint NOT NULL DEFAULT 0, -- time: milliseconds; custom: what the module's script says
  surface text NOT NULL DEFAULT '', -- frame, site or direct
  place text NOT NULL DEFAULT '', -- host of the page around a frame, or that the page itself stands on
  referrer text NOT NULL DEFAULT '', -- host that led here
  language text NOT NULL DEFAULT '',
  country text NOT NULL DEFAULT '',
  device text NOT NULL DEFAULT '',
  browser text NOT NULL DEFAULT '',
  system text NOT NULL DEFAULT '',
  told_id uuid -- the event of the outbox that says so: told twice it counts once
) PARTITION BY RANGE (at);
CREATE INDEX module_analytics_events_site ON module_analytics_events (agency_id, site_id, at);
CREATE UNIQUE INDEX module_analytics_events_told ON module_analytics_events (told_id, at) WHERE told_id IS NOT NULL;

-- Where there are events that no sum knows of yet: written with the events, taken with the sums, each in one transaction.
CREATE TABLE module_analytics_marks (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  at timestamptz NOT NULL -- to the quarter of an hour, which no time zone divides
);
CREATE INDEX module_analytics_marks_site ON module_analytics_marks (agency_id, site_id, at);

-- Sums by hour and by day of the site's own time zone. dimension '': of all; else of those events whose dimension has the value.
CREATE TABLE module_analytics_aggregates (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  level text NOT NULL CHECK (level IN ('site', 'pages', 'install')), -- all of a site, its own pages, one module on it
  subject_id uuid NOT NULL, -- the install, or the site
  module_id uuid,
  grain text NOT NULL CHECK (grain IN ('hour', 'day')),
  day date NOT NULL,
  bucket timestamptz NOT NULL, -- when the hour or day begins
  event text NOT NULL,
  dimension text NOT NULL,
  value text NOT NULL,
  count bigint NOT NULL,
  visitors bigint NOT NULL, -- different ones, exactly
  repeats bigint NOT NULL, -- those of them with more than one
  total bigint NOT NULL, -- sum of the events' values
  PRIMARY KEY (site_id, day, grain, level, subject_id, event, dimension, value, bucket),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX module_analytics_aggregates_agency ON module_analytics_aggregates (agency_id, level, grain, dimension, day);
CREATE INDEX module_analytics_aggregates_module ON module_analytics_aggregates (module_id, grain, dimension, day) WHERE level = 'install';

-- How far the logs of calls and runs have been summed.
CREATE TABLE module_analytics_progress (source text PRIMARY KEY, until timestamptz NOT NULL);

ALTER TABLE module_analytics_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_analytics_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_analytics_events TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
-- Written for many sites in one batch, so inserting is open to the runtime and reading is not.
CREATE POLICY append ON module_analytics_events FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY staff ON module_analytics_events TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE module_analytics_marks ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_analytics_marks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_analytics_marks FOR INSERT TO dramac_app WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY append ON module_analytics_marks FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY staff ON module_analytics_marks TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE module_analytics_aggregates ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_analytics_aggregates FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON module_analytics_aggregates FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_analytics_aggregates TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_analytics_aggregates FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE module_analytics_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_analytics_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON module_analytics_progress TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT ON module_analytics_events TO dramac_app;
GRANT INSERT ON module_analytics_events, module_analytics_marks TO dramac_runtime;
GRANT INSERT ON module_analytics_marks TO dramac_app;
GRANT SELECT ON module_analytics_aggregates TO dramac_app, dramac_lookup;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_analytics_events, module_analytics_marks, module_analytics_aggregates,
  module_analytics_progress TO dramac_staff;

-- Makes the partitions from so many days back to so many ahead, drops those older than the days kept. Returns how many it dropped.
CREATE FUNCTION analytics_partitions(back integer, ahead integer, keep integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  day date;
  name text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('analytics_partitions', 0));
  FOR day IN SELECT generate_series(today - least(back, keep), today + ahead, '1 day')::date LOOP
    name := 'module_analytics_events_' || to_char(day, 'YYYYMMDD');
    IF to_regclass(name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF module_analytics_events FOR VALUES FROM (%L) TO (%L)',
                     name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
      EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END IF;
  END LOOP;
  FOR name IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'module_analytics_events'::regclass LOOP
    IF to_date(right(name, 8), 'YYYYMMDD') < today - keep THEN
      EXECUTE format('DROP TABLE %I', name);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $$;
-- The agencies of sites: whoever counts a view of a site's own page knows the site alone.
CREATE FUNCTION analytics_agencies(wanted uuid[]) RETURNS TABLE (site_id uuid, agency_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.id, s.agency_id FROM sites s WHERE s.id = ANY (wanted)
$$;
-- What a publisher learns of a module over all agencies that use it: sums, and nothing of whose they are. No row for anybody else.
-- Where it stands, who links there and what its people name are the agencies' own: those dimensions stay out.
CREATE FUNCTION publisher_analytics(wanted uuid, since date, until date, wanted_grain text) RETURNS TABLE (
  day date, bucket timestamptz, event text, dimension text, value text, count bigint, visitors bigint, repeats bigint, total bigint,
  installs bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT a.day, CASE wanted_grain WHEN 'hour' THEN a.bucket END, a.event, a.dimension, a.value, sum(a.count)::bigint,
         sum(a.visitors)::bigint, sum(a.repeats)::bigint, sum(a.total)::bigint, count(DISTINCT a.subject_id)
  FROM module_analytics_aggregates a
  WHERE a.module_id = wanted AND a.level = 'install' AND a.grain = wanted_grain AND a.day BETWEEN since AND until
    AND a.dimension IN ('', 'page', 'version', 'language', 'country', 'device', 'browser', 'system', 'latency')
    AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
  GROUP BY 1, 2, 3, 4, 5
$$;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION analytics_agencies OWNER TO dramac_lookup;
ALTER FUNCTION publisher_analytics OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
REVOKE EXECUTE ON FUNCTION analytics_partitions, analytics_agencies, publisher_analytics FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analytics_partitions TO dramac_staff;
GRANT EXECUTE ON FUNCTION analytics_agencies TO dramac_runtime;
GRANT EXECUTE ON FUNCTION publisher_analytics TO dramac_app;
-- The first days are there from the start; the job analytics.partitions keeps it so.
SELECT analytics_partitions(1, 7, 90);
