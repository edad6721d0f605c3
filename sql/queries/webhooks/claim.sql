-- Takes due deliveries of endpoints locked before, each endpoint's oldest first and no more than it may have under way:
-- one while it is in trouble or was never called.
WITH mine AS MATERIALIZED (
  SELECT w.id, w.url, w.headers_sealed, w.secret_sealed, w.previous_secret_sealed, w.previous_secret_until,
         CASE WHEN :struggling OR w.latency_ms IS NULL THEN 1 ELSE w.concurrency END - (
           SELECT count(*) FROM external_webhook_deliveries u
           WHERE u.webhook_id = w.id AND u.status = 'sending' AND u.due_at > :now) AS free
  FROM external_webhooks w WHERE w.id = ANY (:ids)
), picked AS MATERIALIZED (
  SELECT one.id FROM mine CROSS JOIN LATERAL (
    SELECT d.id FROM external_webhook_deliveries d
    WHERE d.webhook_id = mine.id AND d.status IN ('due', 'sending') AND d.due_at <= :now
    ORDER BY d.due_at, d.id LIMIT greatest(mine.free, 0) FOR UPDATE SKIP LOCKED
  ) one LIMIT :room
), served AS (
  UPDATE external_webhooks SET served_at = :now WHERE id = ANY (:ids)
)
UPDATE external_webhook_deliveries d
SET status = 'sending', attempts = d.attempts + 1, tries = d.tries + 1, due_at = :lease
FROM picked, mine, events e
WHERE d.id = picked.id AND mine.id = d.webhook_id AND e.id = d.event_id AND e.agency_id = d.agency_id
RETURNING d.id, d.webhook_id, d.attempts AS number, mine.url, mine.headers_sealed, mine.secret_sealed, mine.previous_secret_sealed,
  mine.previous_secret_until, e.id AS event_id, e.type, e.site_id, e.install_id, e.occurred_at, e.data
