-- Webhooks: how many calls a minute an endpoint takes, and which fields of the data it gets.
ALTER TABLE external_webhooks
  ADD COLUMN rate_per_minute integer CHECK (rate_per_minute BETWEEN 1 AND 6000), -- NULL: as many as it answers
  ADD COLUMN calls_kept double precision NOT NULL DEFAULT 6000, -- calls it could take at calls_kept_at; what it may keep at most bounds it
  ADD COLUMN calls_kept_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN fields text[] NOT NULL DEFAULT '{}' CHECK (cardinality(fields) <= 100); -- paths in data, such as record.name; none: all of it

-- How many calls an endpoint takes now. It keeps a tenth of a minute's calls at most, so that a burst is small, and gains
-- the others over the minute: in no 60 seconds are there more than its rate.
CREATE FUNCTION webhook_calls_left(rate integer, kept double precision, kept_at timestamptz, at timestamptz) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN rate IS NULL THEN double precision 'infinity' ELSE least(
  least(rate, greatest(1 + (rate >= 10)::integer, rate / 10)),
  kept + (rate - least(rate, greatest(1 + (rate >= 10)::integer, rate / 10)) + 1)
    * greatest(0, extract(epoch FROM at - kept_at)::double precision) / 60
) END;
