-- What happened: the outbox of events, who gets each, the audit trail, the outbox of mail.
CREATE TABLE events (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  -- The order of the stream that is pulled: numbers are given before commit, so a reader that went by them alone would
  -- pass over an event whose transaction ends later. It reads up to the oldest transaction that still runs.
  transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
  agency_id uuid NOT NULL,
  site_id uuid,
  install_id uuid,
  type text NOT NULL CHECK (type ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$'),
  subject text NOT NULL DEFAULT '',
  data jsonb NOT NULL DEFAULT '{}',
  actor text NOT NULL DEFAULT '',
  request_id text NOT NULL DEFAULT '',
  depth smallint NOT NULL DEFAULT 0, -- 0: caused by a person or a call, n: by a hook of an event of depth n - 1
  occurred_at timestamptz NOT NULL DEFAULT now(),
  dispatched_at timestamptz
);
CREATE INDEX events_undispatched ON events (sequence) WHERE dispatched_at IS NULL;
CREATE INDEX events_agency ON events (agency_id, sequence DESC);
CREATE INDEX events_install ON events (site_id, install_id, transaction, sequence) WHERE install_id IS NOT NULL;

-- One row per event and receiver, made when the event is dispatched; retried until it is done or given up.
CREATE TABLE event_deliveries (
  event_id uuid NOT NULL REFERENCES events ON DELETE CASCADE,
  subscriber text NOT NULL,
  agency_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'done', 'given_up')),
  attempts smallint NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  last_error text NOT NULL DEFAULT '',
  PRIMARY KEY (event_id, subscriber)
);
CREATE INDEX event_deliveries_due ON event_deliveries (due_at) WHERE status = 'due';
CREATE INDEX event_deliveries_agency ON event_deliveries (agency_id);

CREATE TABLE audit_log (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  number bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  actor_name text NOT NULL DEFAULT '',
  action text NOT NULL,
  target text NOT NULL DEFAULT '',
  target_name text NOT NULL DEFAULT '',
  changes jsonb NOT NULL DEFAULT '{}',
  ip inet,
  user_agent text NOT NULL DEFAULT '',
  request_id text NOT NULL DEFAULT '',
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  UNIQUE (agency_id, number)
);
CREATE INDEX audit_log_at ON audit_log (agency_id, at DESC);

-- Each row carries the hash of the row before it, per agency: a row changed or taken out later breaks the chain.
CREATE FUNCTION audit_row_hash(a audit_log) RETURNS bytea LANGUAGE sql IMMUTABLE
  AS $$ SELECT sha256(convert_to(concat_ws(E'\x1f', a.agency_id, a.number, extract(epoch FROM a.at), a.actor,
                                           a.action, a.target, a.changes, encode(a.previous_hash, 'hex')), 'UTF8')) $$;
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(NEW.agency_id::text, 7));
  SELECT number, hash INTO last FROM audit_log WHERE agency_id = NEW.agency_id ORDER BY number DESC LIMIT 1;
  NEW.number := coalesce(last.number, 0) + 1;
  NEW.previous_hash := coalesce(last.hash, '\x00');
  NEW.hash := audit_row_hash(NEW);
  RETURN NEW;
END $$;
CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();

-- Letters wait here in the transaction that caused them. The body is sealed and wiped once sent.
CREATE TABLE mails (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid,
  site_id uuid,
  install_id uuid,
  kind text NOT NULL,
  recipient text NOT NULL,
  reply_to text NOT NULL DEFAULT '',
  subject text NOT NULL,
  body_sealed text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'sent', 'mailbox', 'given_up')),
  attempts smallint NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz,
  last_error text NOT NULL DEFAULT ''
);
CREATE INDEX mails_due ON mails (due_at) WHERE status = 'due';
CREATE INDEX mails_agency ON mails (agency_id, created_at DESC);

ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON events TO dramac_staff USING (true) WITH CHECK (true);
-- A module writes events of its own site only, and reads them back through the gateway, not here.
CREATE POLICY site ON events FOR INSERT TO dramac_module, dramac_runtime
  WITH CHECK (site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));
CREATE POLICY site_read ON events FOR SELECT TO dramac_runtime USING (site_id = (SELECT current_site_id()));

ALTER TABLE event_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON event_deliveries TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON event_deliveries TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_log TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON audit_log TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE mails ENABLE ROW LEVEL SECURITY;
ALTER TABLE mails FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mails FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY tenant_new ON mails FOR INSERT TO dramac_app
  WITH CHECK (agency_id = (SELECT current_agency_id()) OR (agency_id IS NULL AND ((SELECT identifying()) OR (SELECT current_person_id()) IS NOT NULL)));
CREATE POLICY staff ON mails TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY site ON mails FOR INSERT TO dramac_runtime
  WITH CHECK (site_id = (SELECT current_site_id()) AND agency_id = (SELECT current_agency_id()));

GRANT SELECT, INSERT ON events TO dramac_app;
GRANT INSERT ON events TO dramac_module, dramac_runtime;
GRANT SELECT ON events TO dramac_runtime;
GRANT SELECT, INSERT ON event_deliveries, audit_log, mails TO dramac_app;
GRANT INSERT ON mails TO dramac_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON events, event_deliveries, mails TO dramac_staff;
GRANT SELECT, INSERT, DELETE ON audit_log TO dramac_staff;
