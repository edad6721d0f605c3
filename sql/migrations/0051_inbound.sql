-- Inbound webhooks: other services send signed messages to an install, a function gets each of them once.
CREATE TABLE inbound_hooks (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,40}$'), -- in the module's manifest
  secret_sealed text NOT NULL,
  set_by uuid REFERENCES users ON DELETE SET NULL,
  set_at timestamptz NOT NULL,
  previous_sealed text NOT NULL DEFAULT '',
  previous_until timestamptz,
  UNIQUE (agency_id, id),
  UNIQUE (install_id, name),
  CHECK ((previous_sealed = '') = (previous_until IS NULL)),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);

-- A message that was taken. Its body is kept sealed, to be run again.
CREATE TABLE inbound_receipts (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  message_id text NOT NULL CHECK (length(message_id) <= 200), -- the sender's; '' when it gives none
  request_id text NOT NULL DEFAULT '',
  content_type text NOT NULL DEFAULT '' CHECK (length(content_type) <= 200),
  headers jsonb NOT NULL DEFAULT '{}', -- those that the function may see
  body_sealed text NOT NULL,
  size_bytes integer NOT NULL,
  status text NOT NULL DEFAULT 'due' CHECK (status IN ('due', 'done', 'failed')),
  run integer NOT NULL DEFAULT 1, -- how often people had it run
  attempts integer NOT NULL DEFAULT 0, -- of this run
  due_at timestamptz NOT NULL,
  error text NOT NULL DEFAULT '' CHECK (length(error) <= 300),
  repeats integer NOT NULL DEFAULT 0, -- how often the same message came once more
  received_at timestamptz NOT NULL,
  finished_at timestamptz,
  UNIQUE (agency_id, id),
  CHECK ((status = 'due') = (finished_at IS NULL)),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, install_id) REFERENCES modules_v2 (site_id, id) ON DELETE CASCADE
);
CREATE INDEX inbound_receipts_due ON inbound_receipts (due_at) WHERE status = 'due';
CREATE INDEX inbound_receipts_install ON inbound_receipts (agency_id, install_id, id DESC);
CREATE INDEX inbound_receipts_agency ON inbound_receipts (agency_id, received_at);
CREATE INDEX inbound_receipts_age ON inbound_receipts (received_at);
CREATE INDEX inbound_receipts_request ON inbound_receipts (request_id) WHERE request_id <> '';

-- The messages of the last 24 hours: the primary key decides which of two alike came first.
CREATE TABLE inbound_seen (
  install_id uuid NOT NULL,
  name text NOT NULL,
  key bytea NOT NULL, -- hash of the sender's id, or of the body where there is none
  agency_id uuid NOT NULL,
  receipt_id uuid NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (install_id, name, key),
  -- deferred: which of two alike comes first is decided before there is a receipt
  FOREIGN KEY (agency_id, receipt_id) REFERENCES inbound_receipts (agency_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX inbound_seen_age ON inbound_seen (at);
CREATE INDEX inbound_seen_receipt ON inbound_seen (agency_id, receipt_id);

-- What was turned away, counted by the hour: no row for each, or strangers could fill the table.
CREATE TABLE inbound_refusals (
  install_id uuid NOT NULL,
  name text NOT NULL,
  hour timestamptz NOT NULL,
  reason text NOT NULL CHECK (reason IN ('no_secret', 'no_signature', 'signature', 'timestamp')),
  agency_id uuid NOT NULL,
  times integer NOT NULL DEFAULT 1,
  last_at timestamptz NOT NULL,
  last_ip inet,
  last_request_id text NOT NULL DEFAULT '',
  PRIMARY KEY (install_id, name, hour, reason),
  FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2 (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX inbound_refusals_age ON inbound_refusals (hour);

ALTER TABLE inbound_hooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbound_hooks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON inbound_hooks TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON inbound_hooks TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON inbound_hooks FOR SELECT TO dramac_lookup USING (true);
GRANT SELECT, INSERT, UPDATE ON inbound_hooks TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbound_hooks TO dramac_staff;
GRANT SELECT ON inbound_hooks TO dramac_lookup;

ALTER TABLE inbound_receipts ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbound_receipts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON inbound_receipts TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON inbound_receipts TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON inbound_receipts TO dramac_app;
GRANT SELECT, UPDATE, DELETE ON inbound_receipts TO dramac_staff;

ALTER TABLE inbound_seen ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbound_seen FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON inbound_seen TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON inbound_seen TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON inbound_seen TO dramac_app;
GRANT SELECT, DELETE ON inbound_seen TO dramac_staff;

ALTER TABLE inbound_refusals ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbound_refusals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON inbound_refusals TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON inbound_refusals TO dramac_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON inbound_refusals TO dramac_app;
GRANT SELECT, DELETE ON inbound_refusals TO dramac_staff;

-- Where a message goes and what must have signed it, by the address alone: whose it is is only known afterwards.
CREATE FUNCTION inbound_hook_at(wanted uuid, hook text) RETURNS TABLE (
  agency_id uuid, site_id uuid, module_slug text, status text, declared jsonb, hook_id uuid, secret_sealed text,
  previous_sealed text, previous_until timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.agency_id, i.site_id, m.slug, i.status, v.manifest -> 'inbound' -> hook, h.id, coalesce(h.secret_sealed, ''),
         coalesce(h.previous_sealed, ''), h.previous_until
  FROM modules_v2 i
  JOIN module_source m ON m.id = i.module_id
  JOIN module_versions v ON v.id = i.version_id
  LEFT JOIN inbound_hooks h ON h.install_id = i.id AND h.name = hook
  WHERE i.id = wanted AND v.manifest -> 'inbound' ? hook
$$;
REVOKE ALL ON FUNCTION inbound_hook_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inbound_hook_at TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION inbound_hook_at OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;

ALTER TABLE module_function_runs DROP CONSTRAINT module_function_runs_trigger_check;
ALTER TABLE module_function_runs ADD CONSTRAINT module_function_runs_trigger_check
  CHECK (trigger IN ('route', 'hook', 'event', 'schedule', 'page', 'test', 'call', 'inbound'));
