-- Messages of other services that were taken. Never their bodies: those stand on their own page, for who may set the module up.
SELECT received_at AS at, ('inbound:' || id::text) COLLATE "C" AS key, 'inbound' AS kind,
       CASE status WHEN 'done' THEN 'ok' WHEN 'failed' THEN 'error' ELSE CASE error WHEN '' THEN 'info' ELSE 'warn' END END AS level,
       status AS outcome, status AS outcomes, request_id, concat_ws(' ', name, nullif(message_id, '')) AS title, site_id, install_id,
       '' AS about, concat_ws(' ', name, message_id, error) AS words,
       jsonb_build_object('hook', name, 'message', message_id, 'bytes', size_bytes, 'attempts', attempts, 'run', run, 'came_again', repeats,
         'due_at', CASE status WHEN 'due' THEN due_at END, 'finished_at', finished_at, 'error', error) AS detail, written
FROM inbound_receipts WHERE agency_id = CAST(:agency AS uuid)
