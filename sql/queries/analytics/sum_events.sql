-- The sums of one site's events on one day of its own time zone, by hour and by day, from nothing but the raw events. What is there
-- already and right stays untouched, so that doing it again changes nothing.
-- :agency :site :zone :day, :since and :until (where the day begins and ends), :most names of a kind of event, :other for the rest
WITH raw AS MATERIALIZED (
  SELECT date_trunc('hour', at, :zone) AS hour, install_id, module_id, event, visitor, value AS amount, name, version, page, surface,
         place, referrer, language, country, device, browser, system
  FROM module_analytics_events
  WHERE agency_id = CAST(:agency AS uuid) AND site_id = CAST(:site AS uuid)
    AND at >= CAST(:since AS timestamptz) AND at < CAST(:until AS timestamptz)
), named AS (
  -- names are whatever scripts say: those used least, beyond the most kept of a day, are one
  SELECT event, name, row_number() OVER (PARTITION BY event ORDER BY count(*) DESC, name) > CAST(:most AS integer) AS beyond
  FROM raw WHERE name <> '' GROUP BY event, name
), parted AS (
  SELECT r.hour, r.install_id, r.module_id, r.event, r.visitor, r.amount, d.dimension, d.value
  FROM raw r LEFT JOIN named n ON n.event = r.event AND n.name = r.name CROSS JOIN LATERAL (VALUES
    ('', '', true), ('page', r.page, true), ('version', r.version, true), ('name', CASE WHEN n.beyond THEN CAST(:other AS text) ELSE r.name END, true),
    ('surface', r.surface, r.event = 'view'), ('place', r.place, r.event = 'view'), ('referrer', r.referrer, r.event = 'view'),
    ('language', r.language, r.event = 'view'), ('country', r.country, r.event = 'view'), ('device', r.device, r.event = 'view'),
    ('browser', r.browser, r.event = 'view'), ('system', r.system, r.event = 'view')
  ) AS d (dimension, value, wanted)
  WHERE d.wanted AND (d.dimension = '' OR d.value <> '')
), by_visitor AS (
  SELECT CASE GROUPING(hour) WHEN 0 THEN 'hour' ELSE 'day' END AS grain, hour,
         CASE WHEN GROUPING(install_id) = 1 THEN 'site' WHEN install_id IS NULL THEN 'pages' ELSE 'install' END AS level,
         install_id, module_id, event, dimension, value, visitor, count(*) AS n, sum(amount) AS amount
  FROM parted
  GROUP BY GROUPING SETS (
    (hour, install_id, module_id, event, dimension, value, visitor), (hour, event, dimension, value, visitor),
    (install_id, module_id, event, dimension, value, visitor), (event, dimension, value, visitor)
  )
), made AS MATERIALIZED (
  SELECT level, coalesce(install_id, CAST(:site AS uuid)) AS subject_id, module_id, grain,
         coalesce(hour, CAST(:since AS timestamptz)) AS bucket, event, dimension, value, sum(n)::bigint AS count,
         count(visitor) AS visitors, count(*) FILTER (WHERE n > 1 AND visitor IS NOT NULL) AS repeats, sum(amount)::bigint AS total
  FROM by_visitor GROUP BY level, install_id, module_id, grain, hour, event, dimension, value
), gone AS (
  DELETE FROM module_analytics_aggregates a
  WHERE a.site_id = CAST(:site AS uuid) AND a.day = CAST(:day AS date) AND a.event NOT IN ('call', 'call_failed', 'run', 'run_failed')
    AND NOT EXISTS (SELECT FROM made m WHERE (m.grain, m.level, m.subject_id, m.event, m.dimension, m.value, m.bucket)
                    = (a.grain, a.level, a.subject_id, a.event, a.dimension, a.value, a.bucket))
)
INSERT INTO module_analytics_aggregates AS a (agency_id, site_id, level, subject_id, module_id, grain, day, bucket, event, dimension,
  value, count, visitors, repeats, total)
SELECT CAST(:agency AS uuid), CAST(:site AS uuid), level, subject_id, module_id, grain, CAST(:day AS date), bucket, event, dimension,
       value, count, visitors, repeats, total FROM made
ON CONFLICT (site_id, day, grain, level, subject_id, event, dimension, value, bucket) DO UPDATE
SET (count, visitors, repeats, total) = (EXCLUDED.count, EXCLUDED.visitors, EXCLUDED.repeats, EXCLUDED.total)
WHERE (a.count, a.visitors, a.repeats, a.total) <> (EXCLUDED.count, EXCLUDED.visitors, EXCLUDED.repeats, EXCLUDED.total)
