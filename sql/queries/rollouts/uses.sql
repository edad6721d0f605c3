-- What an install has used since a moment: letters, functions, its own routes by path, connections. (kind, name, last_at, times)
SELECT 'mail' AS kind, '' AS name, max(created_at) AS last_at, count(*) AS times FROM mails
WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid) AND created_at >= CAST(:since AS timestamptz)
HAVING count(*) > 0
UNION ALL
SELECT 'run', function, max(started_at), count(*) FROM module_function_runs
WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid) AND started_at >= CAST(:since AS timestamptz)
GROUP BY function
UNION ALL
SELECT 'path', path, max(at), count(*) FROM external_api_requests
WHERE agency_id = CAST(:agency AS uuid) AND site_id = CAST(:site AS uuid) AND at >= CAST(:since AS timestamptz)
  AND install_id = CAST(:install AS uuid) AND path = ANY (CAST(:paths AS text[]))
GROUP BY path
UNION ALL
SELECT 'connection', name, connected_at, NULL FROM module_connections
WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid) AND connected_at IS NOT NULL
