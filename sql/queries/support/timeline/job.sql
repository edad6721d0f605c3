-- Runs of jobs. One that says nothing after its time was killed.
SELECT started_at AS at, ('job:' || id::text) COLLATE "C" AS key, 'job' AS kind,
       CASE WHEN status = 'done' THEN 'ok' WHEN status = 'failed' OR gives_up_at < now() THEN 'error' ELSE 'info' END AS level,
       CASE WHEN status = 'running' AND gives_up_at < now() THEN 'lost' ELSE status END AS outcome,
       CASE WHEN status = 'running' AND gives_up_at < now() THEN 'lost' ELSE status END AS outcomes,
       request_id, name AS title, site_id, install_id, '' AS about, concat_ws(' ', name, error, given::text) AS words,
       jsonb_build_object('job', name, 'given', given, 'finished_at', finished_at, 'error', error, 'settled', settled, 'settled_by', settled_by, 'duration_ms',
         round(extract(epoch FROM finished_at - started_at) * 1000, 1)) AS detail, written
FROM job_runs WHERE agency_id = CAST(:agency AS uuid)
