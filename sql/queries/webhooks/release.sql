-- Gives back deliveries that were taken and not sent, unless others took them meanwhile; what belongs to an endpoint that was
-- switched off meanwhile is missed. Locks in the order of ids, as whoever writes results does.
WITH told AS MATERIALIZED (
  SELECT d.id, t.number FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS smallint[])) AS t (id, number)
  JOIN external_webhook_deliveries d ON d.id = t.id ORDER BY d.id FOR NO KEY UPDATE OF d
)
UPDATE external_webhook_deliveries d
SET status = CASE WHEN w.disabled_at IS NULL THEN 'due' ELSE 'missed' END,
    finished_at = CASE WHEN w.disabled_at IS NULL THEN NULL ELSE CAST(:now AS timestamptz) END,
    attempts = d.attempts - 1, given_back = least(d.given_back + 1, 32767),
    due_at = CASE WHEN d.attempts > 1 THEN CAST(:now AS timestamptz) ELSE d.created_at END -- as it was, so that it is not behind later ones
FROM told, external_webhooks w
WHERE d.id = told.id AND d.status = 'sending' AND d.attempts = told.number AND w.id = d.webhook_id
