-- How one install has been since a moment: its calls, the runs of its functions, its jobs, letters and events. One row.
SELECT c.calls, c.failed AS calls_failed, c.refused AS calls_refused, c.median_ms, c.p95_ms,
       r.runs, r.failed AS runs_failed, r.cpu_p95_ms,
       (SELECT count(*) FROM job_runs WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid)
        AND started_at >= CAST(:since AS timestamptz) AND settled = ''
        AND (status = 'failed' OR (status = 'running' AND gives_up_at < now()))) AS jobs_failed,
       (SELECT count(*) FROM mails WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid)
        AND created_at >= CAST(:since AS timestamptz) AND status = 'given_up') AS mails_given_up,
       (SELECT count(*) FROM events e JOIN event_deliveries d ON d.event_id = e.id AND d.agency_id = e.agency_id
        WHERE e.agency_id = CAST(:agency AS uuid) AND e.install_id = CAST(:install AS uuid)
        AND e.occurred_at >= CAST(:since AS timestamptz) AND d.status = 'given_up') AS events_given_up
FROM (
  SELECT count(*) AS calls, count(*) FILTER (WHERE status >= 500) AS failed, count(*) FILTER (WHERE status BETWEEN 400 AND 499) AS refused,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_us) / 1000.0 AS median_ms,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_us) / 1000.0 AS p95_ms
  FROM external_api_requests
  WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid) AND at >= CAST(:since AS timestamptz)
) c, (
  SELECT count(*) AS runs, count(*) FILTER (WHERE outcome NOT IN ('ok', 'refused')) AS failed,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY cpu_ms) AS cpu_p95_ms
  FROM module_function_runs
  WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid) AND started_at >= CAST(:since AS timestamptz)
) r
