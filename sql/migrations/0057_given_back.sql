-- How often a delivery was taken and given back unsent, by a worker that ended or whose endpoint was left alone: why it came later.
ALTER TABLE external_webhook_deliveries ADD given_back smallint NOT NULL DEFAULT 0;
