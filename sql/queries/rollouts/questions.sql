-- The last reads by programs of one install since a moment, the latest first, each with how often its path is among them.
SELECT path, query_sealed, request_id, credential, count(*) OVER (PARTITION BY path) AS times
FROM (
  SELECT at, path, query_sealed, request_id, credential FROM external_api_requests
  WHERE agency_id = CAST(:agency AS uuid) AND site_id = CAST(:site AS uuid) AND install_id = CAST(:install AS uuid)
    AND at >= CAST(:since AS timestamptz) AND method = 'GET' AND surface = 'api' AND status < 400
  ORDER BY at DESC LIMIT CAST(:most AS integer)
) q ORDER BY at DESC
