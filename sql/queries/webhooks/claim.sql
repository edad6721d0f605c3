-- Takes due deliveries of endpoints locked before, each endpoint's oldest first, as many as webhook_takes() says and no more than
-- its calls a minute; the room is shared among the endpoints. :held and :counts: what the caller has of each endpoint already.
WITH mine AS MATERIALIZED (
  SELECT w.id, w.url, w.headers_sealed, w.secret_sealed, w.previous_secret_sealed, w.previous_secret_until, w.fields,
         webhook_calls_left(w.rate_per_minute, w.calls_kept, w.calls_kept_at, :now) AS calls_left,
         webhook_at_once(w, :struggling) - (u.count - coalesce(h.count, 0)) AS allowed,
         webhook_takes(w, :struggling, coalesce(h.count, 0), u.count) AS takes
  FROM external_webhooks w
  LEFT JOIN unnest(CAST(:held AS uuid[]), CAST(:counts AS integer[])) AS h (id, count) ON h.id = w.id
  CROSS JOIN LATERAL (
    SELECT count(*) FROM external_webhook_deliveries u
    WHERE u.webhook_id = w.id AND u.status = 'sending' AND u.due_at > :now
  ) u
  WHERE w.id = ANY (:ids)
), picked AS MATERIALIZED (
  SELECT one.id, mine.id AS webhook_id FROM mine CROSS JOIN LATERAL (
    SELECT d.id FROM external_webhook_deliveries d
    WHERE d.webhook_id = mine.id AND d.status IN ('due', 'sending') AND d.due_at <= :now
    ORDER BY d.due_at, d.id
    LIMIT greatest(floor(least(mine.takes, mine.calls_left, greatest(:room / (SELECT count(*) FROM mine), 1)))::integer, 0)
    FOR UPDATE SKIP LOCKED
  ) one LIMIT :room
), served AS (
  UPDATE external_webhooks w
  SET served_at = :now, calls_kept_at = greatest(w.calls_kept_at, :now),
      calls_kept = CASE WHEN w.rate_per_minute IS NULL THEN w.calls_kept
        ELSE mine.calls_left - (SELECT count(*) FROM picked WHERE picked.webhook_id = w.id) END
  FROM mine WHERE w.id = mine.id
)
UPDATE external_webhook_deliveries d
SET status = 'sending', attempts = d.attempts + 1, due_at = :lease
FROM picked, mine, events e
WHERE d.id = picked.id AND mine.id = d.webhook_id AND e.id = d.event_id AND e.agency_id = d.agency_id
RETURNING d.id, d.webhook_id, d.attempts AS number, mine.url, mine.headers_sealed, mine.secret_sealed, mine.previous_secret_sealed,
  mine.previous_secret_until, mine.fields, e.id AS event_id, e.type, e.site_id, e.install_id, e.occurred_at, e.data, mine.allowed,
  CAST(:struggling AS boolean) AS struggling
