-- Upgrades that are watched, each with the figures of its install: since the upgrade, or with :base of the 7 days before it.
SELECT m.id, m.agency_id, m.install_id, m.moved_at, m.watch_until, m.figures, i.status,
       r.calls, r.calls_failed, r.p95_ms, f.runs, f.runs_failed, p.pages_failed
FROM install_moves m JOIN modules_v2 i ON i.id = m.install_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN CAST(:base AS boolean) THEN m.ordered_at - interval '7 days' ELSE m.moved_at END AS since,
         CASE WHEN CAST(:base AS boolean) THEN m.ordered_at ELSE CAST(:now AS timestamptz) END AS until
) w
CROSS JOIN LATERAL (
  SELECT count(*) AS calls, count(*) FILTER (WHERE status >= 500) AS calls_failed,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_us) / 1000.0 AS p95_ms
  FROM external_api_requests WHERE agency_id = m.agency_id AND site_id = m.site_id AND install_id = m.install_id
    AND at >= w.since AND at < w.until
) r
CROSS JOIN LATERAL (
  SELECT count(*) AS runs, count(*) FILTER (WHERE outcome NOT IN ('ok', 'refused')) AS runs_failed
  FROM module_function_runs WHERE agency_id = m.agency_id AND install_id = m.install_id
    AND started_at >= w.since AND started_at < w.until AND trigger <> 'test'
) f
CROSS JOIN LATERAL (
  SELECT count(*) AS pages_failed FROM failed_requests WHERE agency_id = m.agency_id AND install_id = m.install_id
    AND at >= w.since AND at < w.until AND surface = 'runtime' AND status >= 500
) p
WHERE m.state = 'watching' AND (NOT CAST(:base AS boolean) OR NOT m.figures ? 'base')
ORDER BY m.id
