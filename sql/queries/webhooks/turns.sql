-- Locks the endpoints whose turn it is: those with something due, longest waiting first. One probe of the index per endpoint.
-- :struggling asks for those that fail or are slow; they may use only a part of the senders. :held and :counts: what the caller
-- has of each endpoint already.
WITH RECURSIVE waiting AS (
  (SELECT webhook_id FROM external_webhook_deliveries
   WHERE status IN ('due', 'sending') AND due_at <= :now ORDER BY webhook_id LIMIT 1)
  UNION ALL
  SELECT (SELECT d.webhook_id FROM external_webhook_deliveries d
          WHERE d.status IN ('due', 'sending') AND d.due_at <= :now AND d.webhook_id > w.webhook_id
          ORDER BY d.webhook_id LIMIT 1)
  FROM waiting w WHERE w.webhook_id IS NOT NULL
)
SELECT w.id FROM external_webhooks w
LEFT JOIN unnest(CAST(:held AS uuid[]), CAST(:counts AS integer[])) AS h (id, count) ON h.id = w.id
WHERE w.id IN (SELECT webhook_id FROM waiting) AND w.disabled_at IS NULL AND w.paused_at IS NULL
  AND (w.held_until IS NULL OR w.held_until <= :now)
  AND (w.failures > 0 OR coalesce(w.latency_ms, 0) > 5000) = :struggling
  -- those that have all they may have under way would take the turn of others for nothing
  AND webhook_takes(w, :struggling, coalesce(h.count, 0), (
    SELECT count(*) FROM external_webhook_deliveries u WHERE u.webhook_id = w.id AND u.status = 'sending' AND u.due_at > :now
  )) > 0
  AND webhook_calls_left(w.rate_per_minute, w.calls_kept, w.calls_kept_at, :now) >= 1
ORDER BY w.served_at, w.id LIMIT :most FOR UPDATE OF w SKIP LOCKED
