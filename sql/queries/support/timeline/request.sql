-- API calls.
SELECT at, ('request:' || request_id) COLLATE "C" AS key, 'request' AS kind,
       CASE WHEN status >= 500 THEN 'error' WHEN status >= 400 THEN 'warn' ELSE 'ok' END AS level,
       status::text AS outcome, status / 100 || 'xx' AS outcomes, request_id, method || ' ' || path AS title, site_id, install_id,
       '' AS about, concat_ws(' ', method, path, error_code, user_agent, origin, host(ip), credential) AS words,
       jsonb_build_object('method', method, 'path', path, 'status', status, 'duration_ms', round(duration_us / 1000.0, 2),
         'bytes_out', bytes_out, 'error_code', error_code, 'credential', credential, 'surface', surface, 'ip', host(ip),
         'user_agent', user_agent, 'origin', origin)
         || CASE WHEN EXISTS (SELECT FROM recorded_bodies b WHERE b.request_id = r.request_id) THEN '{"body_recorded": true}' ELSE '{}' END::jsonb AS detail, written
FROM external_api_requests r WHERE agency_id = CAST(:agency AS uuid)
