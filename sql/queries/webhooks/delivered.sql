-- Writes down attempts that succeeded: their line in the log, their delivery's end, their endpoint's well-being. Locks endpoints,
-- then deliveries, each in the order of their ids, so that workers that finish at the same time never wait in a circle.
-- A delivery that others took meanwhile gets the line in the log alone; one that was deleted gets nothing.
WITH endpoints AS MATERIALIZED (
  SELECT w.id FROM external_webhooks w WHERE w.id = ANY (:endpoints) ORDER BY w.id FOR NO KEY UPDATE
), told AS MATERIALIZED (
  SELECT t.*, d.agency_id FROM unnest(
    CAST(:ids AS uuid[]), CAST(:numbers AS smallint[]), CAST(:ats AS timestamptz[]), CAST(:statuses AS smallint[]),
    CAST(:excerpts AS text[]), CAST(:latencies AS integer[])
  ) AS t (id, number, at, status, excerpt, latency_ms)
  JOIN external_webhook_deliveries d ON d.id = t.id
  WHERE (SELECT count(*) FROM endpoints) > 0
  ORDER BY d.id FOR NO KEY UPDATE OF d
), noted AS (
  INSERT INTO external_webhook_attempts (agency_id, delivery_id, number, at, outcome, response_status, response_excerpt, latency_ms)
  SELECT agency_id, id, number, at, 'ok', status, excerpt, latency_ms FROM told ON CONFLICT DO NOTHING
), well AS (
  UPDATE external_webhooks w
  SET latency_ms = l.latency_ms, failures = 0, failing_since = NULL, failed_at = '{}', counted_since = NULL, warned = 0, held_until = NULL
  FROM unnest(CAST(:endpoints AS uuid[]), CAST(:latest AS integer[])) AS l (id, latency_ms)
  WHERE w.id = l.id
)
UPDATE external_webhook_deliveries d
SET status = 'delivered', tries = d.tries + 1, finished_at = :now, outcome = 'ok', response_status = told.status, response_excerpt = told.excerpt,
    latency_ms = told.latency_ms
FROM told WHERE d.id = told.id AND d.status = 'sending' AND d.attempts = told.number
