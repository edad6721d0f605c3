-- Webhooks: the endpoints that are told of events, what goes to each, every attempt.
CREATE TABLE external_webhooks (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
  site_id uuid, -- NULL: events of every site and of the agency itself
  url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2048),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
  patterns text[] NOT NULL CHECK (cardinality(patterns) BETWEEN 1 AND 50), -- deal.won, deal.*, *
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'member', 'viewer')), -- of who chose the events: it gets what they may see
  headers_sealed text NOT NULL DEFAULT '', -- {name: value} as JSON
  secret_sealed text NOT NULL,
  previous_secret_sealed text NOT NULL DEFAULT '',
  previous_secret_until timestamptz,
  concurrency smallint NOT NULL DEFAULT 4 CHECK (concurrency BETWEEN 1 AND 16),
  created_by uuid REFERENCES users ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  paused_at timestamptz, -- what comes meanwhile waits
  disabled_at timestamptz, -- what comes meanwhile is written down as missed
  disabled_reason text NOT NULL DEFAULT '' CHECK (disabled_reason IN ('', 'gone', 'failing', 'person')),
  failing_since timestamptz, -- first of the failures in a row; any success clears it
  failures integer NOT NULL DEFAULT 0, -- attempts in a row that failed
  warned smallint NOT NULL DEFAULT 0, -- letters about these failures: 1 first one given up, 2 third day
  held_until timestamptz, -- the receiver asked for quiet
  latency_ms integer, -- of the last attempt; NULL: none was made
  served_at timestamptz NOT NULL DEFAULT now(), -- whose turn it is
  UNIQUE (agency_id, id),
  CHECK ((previous_secret_sealed = '') = (previous_secret_until IS NULL)),
  CHECK ((disabled_reason = '') = (disabled_at IS NULL)),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX external_webhooks_site ON external_webhooks (agency_id, site_id);

-- One row per event and endpoint; gone with its event after 30 days.
CREATE TABLE external_webhook_deliveries (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  webhook_id uuid NOT NULL,
  event_id uuid NOT NULL REFERENCES events ON DELETE CASCADE,
  event_type text NOT NULL,
  status text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'sending', 'delivered', 'failed', 'missed')),
  attempts smallint NOT NULL DEFAULT 0, -- in all
  tries smallint NOT NULL DEFAULT 0, -- since it was sent first or again
  due_at timestamptz NOT NULL DEFAULT now(), -- of one that is being sent: when it is taken for lost
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  outcome text NOT NULL DEFAULT '', -- of the last attempt
  response_status smallint,
  response_excerpt text NOT NULL DEFAULT '' CHECK (length(response_excerpt) <= 4096),
  latency_ms integer,
  UNIQUE (agency_id, id),
  UNIQUE (event_id, webhook_id),
  FOREIGN KEY (agency_id, webhook_id) REFERENCES external_webhooks (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX external_webhook_deliveries_open ON external_webhook_deliveries (webhook_id, due_at) WHERE status IN ('due', 'sending');
CREATE INDEX external_webhook_deliveries_log ON external_webhook_deliveries (agency_id, webhook_id, id DESC);

CREATE TABLE external_webhook_attempts (
  agency_id uuid NOT NULL,
  delivery_id uuid NOT NULL,
  number smallint NOT NULL,
  at timestamptz NOT NULL,
  outcome text NOT NULL,
  response_status smallint,
  response_excerpt text NOT NULL DEFAULT '' CHECK (length(response_excerpt) <= 4096),
  latency_ms integer NOT NULL,
  PRIMARY KEY (delivery_id, number),
  FOREIGN KEY (agency_id, delivery_id) REFERENCES external_webhook_deliveries (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX external_webhook_attempts_agency ON external_webhook_attempts (agency_id, delivery_id);

ALTER TABLE external_webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_webhooks TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON external_webhooks TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE external_webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_webhook_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_webhook_deliveries TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON external_webhook_deliveries TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE external_webhook_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_webhook_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON external_webhook_attempts FOR SELECT TO dramac_app
  USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON external_webhook_attempts TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON external_webhooks TO dramac_app;
GRANT SELECT, INSERT, UPDATE ON external_webhook_deliveries TO dramac_app;
GRANT SELECT ON external_webhook_attempts TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON external_webhooks, external_webhook_deliveries, external_webhook_attempts TO dramac_staff;
