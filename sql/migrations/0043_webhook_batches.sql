-- Webhooks: how much of an endpoint's work one worker may take.
-- Calls at once: one while it is in trouble or was never called.
CREATE FUNCTION webhook_at_once(w external_webhooks, struggling boolean) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN struggling OR w.latency_ms IS NULL THEN 1 ELSE w.concurrency END;

-- Deliveries a worker may take that has `held` of the `sent` ones that are under way: none while others have as many as it takes
-- at once; else as many as it takes at once, and of one that answers quickly about a second's work, at most sixteen times that,
-- eight while it is in trouble. What is sent later than it is taken would be counted wrongly against calls a minute, so with
-- these none are taken ahead.
CREATE FUNCTION webhook_takes(w external_webhooks, struggling boolean, held bigint, sent bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
  WHEN webhook_at_once(w, struggling) <= sent - held THEN 0
  WHEN w.latency_ms IS NULL OR w.rate_per_minute IS NOT NULL THEN webhook_at_once(w, struggling) - sent
  ELSE (webhook_at_once(w, struggling) - (sent - held))
    * least(CASE WHEN struggling THEN 8 ELSE 16 END, greatest(1, 1000 / greatest(w.latency_ms, 1))) - held
END;
