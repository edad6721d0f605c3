-- Runs of module functions.
SELECT started_at AS at, ('run:' || id::text) COLLATE "C" AS key, 'run' AS kind,
       CASE outcome WHEN 'ok' THEN 'ok' WHEN 'refused' THEN 'warn' ELSE 'error' END AS level,
       outcome, outcome AS outcomes, request_id,
       concat_ws(' ', function, nullif(concat_ws(' ', trigger, nullif(cause, '')), '')) AS title, site_id, install_id,
       '' AS about, concat_ws(' ', function, trigger, cause, error, version, logs::text) AS words,
       jsonb_build_object('function', function, 'version', version, 'trigger', trigger, 'cause', cause, 'error', error,
         'logs', logs, 'cpu_ms', round(cpu_ms::numeric, 2), 'host_calls', host_calls) AS detail, written
FROM module_function_runs WHERE agency_id = CAST(:agency AS uuid)
