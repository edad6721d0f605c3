-- Each call of a webhook's endpoint. Of its address only the host: paths of receivers are often their passwords.
SELECT a.at, ('attempt:' || a.delivery_id::text || ':' || a.number) COLLATE "C" AS key, 'attempt' AS kind,
       CASE WHEN a.outcome = 'ok' THEN 'ok' WHEN d.status IN ('failed', 'missed') AND a.number = d.attempts THEN 'error' ELSE 'warn' END AS level,
       coalesce(a.response_status::text, a.outcome) AS outcome,
       coalesce(a.response_status / 100 || 'xx', a.outcome) AS outcomes, e.request_id, d.event_type || ' → ' || split_part(w.url, '/', 3) AS title,
       e.site_id, e.install_id, '' AS about, concat_ws(' ', d.event_type, split_part(w.url, '/', 3), a.outcome, a.response_excerpt) AS words,
       jsonb_build_object('event', d.event_type, 'host', split_part(w.url, '/', 3), 'attempt', a.number, 'outcome', a.outcome, 'status', a.response_status,
         'latency_ms', a.latency_ms, 'answer', a.response_excerpt, 'delivery', d.status, 'webhook', w.description) AS detail, a.written
FROM external_webhook_attempts a
JOIN external_webhook_deliveries d ON d.agency_id = a.agency_id AND d.id = a.delivery_id
JOIN external_webhooks w ON w.agency_id = d.agency_id AND w.id = d.webhook_id
JOIN events e ON e.id = d.event_id
WHERE a.agency_id = CAST(:agency AS uuid)
