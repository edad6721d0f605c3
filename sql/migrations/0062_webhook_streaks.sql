-- When the days of an endpoint's failing are counted from, and which version of its settings a form was filled from.
ALTER TABLE external_webhooks
  ADD version integer NOT NULL DEFAULT 1,
  ADD failed_at timestamptz[] NOT NULL DEFAULT '{}', -- of the last failures since the last success, three at most
  ADD counted_since timestamptz; -- several failures came within a day; the letters and the end count from here
UPDATE external_webhooks SET counted_since = failing_since WHERE failures >= 3;
