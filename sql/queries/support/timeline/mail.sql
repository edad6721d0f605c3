-- Letters; their words are sealed and not read.
SELECT created_at AS at, ('mail:' || id::text) COLLATE "C" AS key, 'mail' AS kind,
       CASE status WHEN 'due' THEN 'info' WHEN 'given_up' THEN 'error' ELSE 'ok' END AS level,
       status AS outcome, status AS outcomes, request_id, subject || ' → ' || recipient AS title, site_id, install_id,
       '' AS about, concat_ws(' ', kind, recipient, subject, last_error) AS words,
       jsonb_build_object('kind', kind, 'recipient', recipient, 'subject', subject, 'attempts', attempts, 'sent_at', sent_at,
         'error', last_error) AS detail, written
FROM mails WHERE agency_id = CAST(:agency AS uuid)
