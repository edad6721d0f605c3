-- Error pages: of the screens and of visitors' pages.
SELECT at, ('page:' || id::text) COLLATE "C" AS key, 'page' AS kind, CASE WHEN status >= 500 THEN 'error' ELSE 'warn' END AS level,
       status::text AS outcome, status / 100 || 'xx' AS outcomes, request_id, method || ' ' || path AS title, site_id, install_id,
       '' AS about, concat_ws(' ', method, path, error, actor, surface) AS words,
       jsonb_build_object('method', method, 'path', path, 'status', status, 'surface', surface, 'actor', actor, 'error', error) AS detail, written
FROM failed_requests WHERE agency_id = CAST(:agency AS uuid)
