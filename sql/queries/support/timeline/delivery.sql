-- Events on their way to each receiver.
SELECT e.occurred_at AS at, ('delivery:' || d.event_id::text || ':' || d.subscriber) COLLATE "C" AS key, 'delivery' AS kind,
       CASE d.status WHEN 'done' THEN 'ok' WHEN 'given_up' THEN 'error' ELSE CASE d.last_error WHEN '' THEN 'info' ELSE 'warn' END END AS level,
       d.status AS outcome, d.status AS outcomes, e.request_id, e.type || ' → ' || d.subscriber AS title, e.site_id, e.install_id,
       '' AS about, concat_ws(' ', e.type, e.subject, e.actor, d.subscriber, d.last_error) AS words,
       jsonb_build_object('event', e.type, 'subject', e.subject, 'actor', e.actor, 'receiver', d.subscriber, 'attempts', d.attempts,
         'due_at', CASE d.status WHEN 'due' THEN d.due_at END, 'finished_at', d.finished_at, 'error', d.last_error) AS detail, d.written
FROM event_deliveries d JOIN events e ON e.id = d.event_id
WHERE d.agency_id = CAST(:agency AS uuid) AND e.agency_id = CAST(:agency AS uuid)
