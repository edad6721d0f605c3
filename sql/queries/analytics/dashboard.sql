-- Everything a dashboard shows of a stretch of time and the one before, as one JSON object. The source named `a` is put in by
-- app/analytics/queries.py: (whole, level, site_id, module_id, at, event, dimension, value, count, visitors, repeats, total), where
-- `whole` are the rows that stand for all of what is looked at, and `at` is a day, or an hour of UTC.
-- :earliest where the stretch before begins, :current where this one does, :latest where it ends
, cut AS NOT MATERIALIZED (SELECT * FROM a WHERE at >= :earliest AND at <= :latest)
, took AS (
  SELECT event, at, at >= :current AS now, value::integer AS step, sum(count) AS n
  FROM cut WHERE whole AND dimension = 'latency' GROUP BY 1, 2, 3, 4
), took_by AS ( -- of each hour or day, and (at '') of each stretch as a whole
  SELECT event, coalesce(at, '') AS at, now, step, sum(n) AS n FROM took GROUP BY GROUPING SETS ((event, now, at, step), (event, now, step))
), took_within AS (
  SELECT event, at, now, step, sum(n) OVER (PARTITION BY event, now, at ORDER BY step) AS within,
         sum(n) OVER (PARTITION BY event, now, at) AS all_of_them
  FROM took_by
)
SELECT jsonb_build_object(
  'series', (SELECT coalesce(jsonb_agg(s), '[]') FROM (
    SELECT at, event, sum(count)::bigint AS count, sum(visitors)::bigint AS visitors, sum(repeats)::bigint AS repeats,
           sum(total)::bigint AS total
    FROM cut WHERE whole AND dimension = '' GROUP BY at, event) s),
  'latency', (SELECT coalesce(jsonb_agg(l), '[]') FROM (
    SELECT event, at, now, max(all_of_them)::bigint AS count, min(step) FILTER (WHERE within >= all_of_them * 0.5) AS half,
           min(step) FILTER (WHERE within >= all_of_them * 0.95) AS most
    FROM took_within GROUP BY event, at, now) l),
  'tops', (SELECT coalesce(jsonb_agg(t ORDER BY t.count DESC, t.value), '[]') FROM (
    SELECT dimension, event, value, sum(count)::bigint AS count, sum(visitors)::bigint AS visitors,
           row_number() OVER (PARTITION BY dimension, event ORDER BY sum(count) DESC, value) AS place
    FROM cut WHERE whole AND at >= :current AND dimension NOT IN ('', 'page', 'latency')
      AND (event = 'view' OR dimension IN ('name', 'version'))
    GROUP BY dimension, event, value) t WHERE t.place <= 50),
  'pages', (SELECT coalesce(jsonb_agg(p ORDER BY p.count DESC, p.value), '[]') FROM (
    SELECT c.level, m.name AS module, c.value, sum(c.count) FILTER (WHERE event = 'view')::bigint AS count,
           sum(c.visitors) FILTER (WHERE event = 'view')::bigint AS visitors,
           coalesce(sum(c.count) FILTER (WHERE event = 'submit'), 0)::bigint AS sent,
           coalesce(sum(c.total) FILTER (WHERE event = 'time'), 0)::bigint AS time_ms
    FROM cut c LEFT JOIN module_source m ON m.id = c.module_id
    WHERE c.level <> 'site' AND c.at >= :current AND c.dimension = 'page' AND c.event IN ('view', 'submit', 'time')
    GROUP BY c.level, m.name, c.value HAVING sum(c.count) FILTER (WHERE event = 'view') > 0
    ORDER BY 4 DESC, c.value LIMIT 50) p),
  'parts', (SELECT coalesce(jsonb_agg(p ORDER BY p.count DESC, p.name), '[]') FROM (
    SELECT c.level, c.module_id, m.name, m.slug, sum(c.count) FILTER (WHERE event = 'view' AND at >= :current)::bigint AS count,
           coalesce(sum(c.count) FILTER (WHERE event = 'view' AND at < :current), 0)::bigint AS before,
           coalesce(sum(c.visitors) FILTER (WHERE event = 'view' AND at >= :current), 0)::bigint AS visitors,
           coalesce(sum(c.count) FILTER (WHERE event = 'submit' AND at >= :current), 0)::bigint AS sent,
           count(DISTINCT c.site_id) FILTER (WHERE at >= :current) AS sites
    FROM cut c LEFT JOIN module_source m ON m.id = c.module_id
    WHERE c.level <> 'site' AND c.dimension = '' AND c.event IN ('view', 'submit')
    GROUP BY c.level, c.module_id, m.name, m.slug HAVING sum(c.count) FILTER (WHERE event = 'view' AND at >= :current) > 0
    ORDER BY 5 DESC LIMIT 50) p),
  'sites', (SELECT coalesce(jsonb_agg(p ORDER BY p.count DESC, p.name), '[]') FROM (
    SELECT s.id AS site_id, s.name, s.url, sum(b.views) FILTER (WHERE b.at >= :current)::bigint AS count,
           coalesce(sum(b.views) FILTER (WHERE b.at < :current), 0)::bigint AS before,
           coalesce(sum(b.visitors) FILTER (WHERE b.at >= :current), 0)::bigint AS visitors,
           coalesce(sum(b.sent) FILTER (WHERE b.at >= :current), 0)::bigint AS sent,
           coalesce(sum(b.failed) FILTER (WHERE b.at >= :current), 0)::bigint AS failed,
           coalesce(jsonb_object_agg(b.at, b.views) FILTER (WHERE b.at >= :current), '{}') AS trend
    FROM (
      SELECT site_id, at, coalesce(sum(count) FILTER (WHERE event = 'view'), 0) AS views,
             coalesce(sum(visitors) FILTER (WHERE event = 'view'), 0) AS visitors,
             coalesce(sum(count) FILTER (WHERE event = 'submit'), 0) AS sent,
             coalesce(sum(count) FILTER (WHERE event IN ('error', 'call_failed', 'run_failed')), 0) AS failed
      FROM cut WHERE whole AND dimension = '' AND site_id IS NOT NULL GROUP BY site_id, at
    ) b JOIN sites s ON s.id = b.site_id GROUP BY s.id, s.name, s.url
    HAVING sum(b.views + b.failed) FILTER (WHERE b.at >= :current) > 0 ORDER BY 4 DESC LIMIT 50) p),
  'marks', (SELECT coalesce(jsonb_agg(k ORDER BY k.at), '[]') FROM (
    SELECT c.at, c.event, c.value AS version, m.name AS module, sum(c.count)::bigint AS count
    FROM cut c LEFT JOIN module_source m ON m.id = c.module_id
    WHERE c.level = 'install' AND c.at >= :current AND c.dimension = 'version'
      AND c.event IN ('installed', 'upgraded', 'rolled_back', 'removed')
    GROUP BY c.at, c.event, c.value, m.name ORDER BY c.at DESC LIMIT 40) k)
)
