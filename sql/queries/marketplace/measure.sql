-- What was measured of every listed module, over all agencies.
WITH calls AS (
  SELECT i.module_id, count(*) AS n, count(*) FILTER (WHERE r.status >= 500) AS errors,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY r.duration_us) / 1000 AS p95
  FROM external_api_requests r JOIN modules_v2 i ON i.id = r.install_id WHERE r.at > :now - interval '30 days' GROUP BY 1
), runs AS (
  SELECT i.module_id, count(*) AS n, count(*) FILTER (WHERE r.outcome NOT IN ('ok', 'refused')) AS errors,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY r.cpu_ms) AS p95
  FROM module_function_runs r JOIN modules_v2 i ON i.id = r.install_id
  WHERE r.started_at > :now - interval '30 days' AND r.trigger <> 'test' GROUP BY 1
), upgrades AS (
  -- those whose end is known: one that was taken back, or does worse and could not be, did not go well
  SELECT i.module_id, count(*) AS n, count(*) FILTER (WHERE m.state <> 'settled') AS failures
  FROM install_moves m JOIN modules_v2 i ON i.id = m.install_id
  WHERE m.kind = 'upgrade' AND m.state IN ('settled', 'unhealthy', 'undone', 'failed') AND m.ordered_at > :now - interval '30 days'
  GROUP BY 1
), leaving AS (
  SELECT module_id, count(*) AS n, count(*) FILTER (WHERE removed_at < installed_at + interval '7 days') AS soon
  FROM modules_v2 WHERE installed_at BETWEEN :now - interval '90 days' AND :now - interval '7 days' AND status <> 'failed' GROUP BY 1
)
INSERT INTO marketplace_measures (module_id, calls, call_errors, call_p95_ms, runs, run_errors, run_p95_ms, upgrades, upgrade_failures,
  tried, left_soon, measured_at)
SELECT l.module_id, coalesce(c.n, 0), coalesce(c.errors, 0), c.p95, coalesce(r.n, 0), coalesce(r.errors, 0), r.p95, coalesce(u.n, 0),
  coalesce(u.failures, 0), coalesce(g.n, 0), coalesce(g.soon, 0), :now
FROM marketplace_listings l
LEFT JOIN calls c USING (module_id) LEFT JOIN runs r USING (module_id) LEFT JOIN upgrades u USING (module_id)
LEFT JOIN leaving g USING (module_id)
ON CONFLICT (module_id) DO UPDATE SET (calls, call_errors, call_p95_ms, runs, run_errors, run_p95_ms, upgrades, upgrade_failures, tried,
    left_soon, measured_at)
  = (EXCLUDED.calls, EXCLUDED.call_errors, EXCLUDED.call_p95_ms, EXCLUDED.runs, EXCLUDED.run_errors, EXCLUDED.run_p95_ms,
     EXCLUDED.upgrades, EXCLUDED.upgrade_failures, EXCLUDED.tried, EXCLUDED.left_soon, EXCLUDED.measured_at)
