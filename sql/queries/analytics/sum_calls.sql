-- The sums of one site's API calls and function runs on one day of its own time zone, from the logs of both. As sum_events.
-- A duration is kept as a step of a scale on which each step is a seventh longer than the one before: medians and percentiles can be
-- worked out for any stretch of time, at most a seventh too high.
-- :agency :site :zone :day, :since and :until
WITH raw AS MATERIALIZED (
  SELECT date_trunc('hour', at, :zone) AS hour, install_id, 'call' AS event, status >= 500 AS failed, duration_us AS took_us
  FROM external_api_requests
  WHERE agency_id = CAST(:agency AS uuid) AND site_id = CAST(:site AS uuid) AND install_id IS NOT NULL
    AND at >= CAST(:since AS timestamptz) AND at < CAST(:until AS timestamptz)
  UNION ALL
  SELECT date_trunc('hour', started_at, :zone), r.install_id, 'run', outcome NOT IN ('ok', 'refused'), (cpu_ms * 1000)::integer
  FROM module_function_runs r JOIN modules_v2 i ON i.id = r.install_id AND i.agency_id = r.agency_id
  WHERE r.agency_id = CAST(:agency AS uuid) AND i.site_id = CAST(:site AS uuid) AND trigger <> 'test'
    AND started_at >= CAST(:since AS timestamptz) AND started_at < CAST(:until AS timestamptz)
), parted AS (
  SELECT r.hour, r.install_id, e.event, d.dimension, d.value, r.took_us
  FROM raw r
  CROSS JOIN LATERAL (VALUES (r.event, true), (r.event || '_failed', r.failed)) AS e (event, wanted)
  CROSS JOIN LATERAL (VALUES ('', '', true),
    ('latency', ceil(ln(greatest(r.took_us, 1)) / ln(8 / 7.0))::text, e.event IN ('call', 'run'))) AS d (dimension, value, wanted)
  WHERE e.wanted AND d.wanted
), summed AS (
  SELECT CASE GROUPING(hour) WHEN 0 THEN 'hour' ELSE 'day' END AS grain, hour,
         CASE GROUPING(install_id) WHEN 1 THEN 'site' ELSE 'install' END AS level, install_id, event, dimension, value,
         count(*) AS count, sum(took_us)::bigint AS total
  FROM parted
  GROUP BY GROUPING SETS ((hour, install_id, event, dimension, value), (hour, event, dimension, value),
                          (install_id, event, dimension, value), (event, dimension, value))
), made AS MATERIALIZED (
  SELECT s.level, coalesce(s.install_id, CAST(:site AS uuid)) AS subject_id, i.module_id, s.grain,
         coalesce(s.hour, CAST(:since AS timestamptz)) AS bucket, s.event, s.dimension, s.value, s.count, s.total
  FROM summed s LEFT JOIN modules_v2 i ON i.id = s.install_id
), gone AS (
  DELETE FROM module_analytics_aggregates a
  WHERE a.site_id = CAST(:site AS uuid) AND a.day = CAST(:day AS date) AND a.event IN ('call', 'call_failed', 'run', 'run_failed')
    AND NOT EXISTS (SELECT FROM made m WHERE (m.grain, m.level, m.subject_id, m.event, m.dimension, m.value, m.bucket)
                    = (a.grain, a.level, a.subject_id, a.event, a.dimension, a.value, a.bucket))
)
INSERT INTO module_analytics_aggregates AS a (agency_id, site_id, level, subject_id, module_id, grain, day, bucket, event, dimension,
  value, count, visitors, repeats, total)
SELECT CAST(:agency AS uuid), CAST(:site AS uuid), level, subject_id, module_id, grain, CAST(:day AS date), bucket, event, dimension,
       value, count, 0, 0, total FROM made
ON CONFLICT (site_id, day, grain, level, subject_id, event, dimension, value, bucket) DO UPDATE
SET (count, total) = (EXCLUDED.count, EXCLUDED.total) WHERE (a.count, a.total) <> (EXCLUDED.count, EXCLUDED.total)
