-- Extends the lease of deliveries that are still with who took them; others have taken those that are not told. Locks in the order
-- of ids, as whoever writes results does.
WITH told AS MATERIALIZED (
  SELECT d.id, t.number FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS smallint[])) AS t (id, number)
  JOIN external_webhook_deliveries d ON d.id = t.id ORDER BY d.id FOR NO KEY UPDATE OF d
)
UPDATE external_webhook_deliveries d SET due_at = :lease
FROM told WHERE d.id = told.id AND d.status = 'sending' AND d.attempts = told.number
RETURNING d.id
