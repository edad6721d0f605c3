-- Generated from a migrated database by `python -m tests.support.schema`; a test compares. Do not edit.
CREATE TABLE agencies (
  id uuid NOT NULL DEFAULT uuidv7(),
  slug text NOT NULL,
  name text NOT NULL,
  hue smallint NOT NULL DEFAULT 1,
  time_zone text NOT NULL DEFAULT 'UTC'::text,
  currency text NOT NULL DEFAULT 'EUR'::text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  suspended_at timestamp with time zone,
  logo text NOT NULL DEFAULT ''::text
);
CREATE TABLE api_keys (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid,
  name text NOT NULL,
  kind text NOT NULL,
  shown text NOT NULL,
  token_hash bytea NOT NULL,
  scopes text[] NOT NULL DEFAULT '{}'::text[],
  origins text[] NOT NULL DEFAULT '{}'::text[],
  networks cidr[] NOT NULL DEFAULT '{}'::cidr[],
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  last_used_ip inet
);
CREATE TABLE audit_heads (
  agency_id uuid NOT NULL,
  number bigint NOT NULL,
  hash bytea NOT NULL,
  checked_at timestamp with time zone,
  fault text NOT NULL DEFAULT ''::text,
  first_number bigint NOT NULL DEFAULT 0,
  first_hash bytea NOT NULL DEFAULT '\x00'::bytea
);
CREATE TABLE audit_log (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  number bigint NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now(),
  actor text NOT NULL,
  actor_name text NOT NULL DEFAULT ''::text,
  action text NOT NULL,
  target text NOT NULL DEFAULT ''::text,
  target_name text NOT NULL DEFAULT ''::text,
  changes jsonb NOT NULL DEFAULT '{}'::jsonb,
  ip inet,
  user_agent text NOT NULL DEFAULT ''::text,
  request_id text NOT NULL DEFAULT ''::text,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  written xid8 DEFAULT pg_current_xact_id(),
  site_id uuid
);
CREATE TABLE automation_runs (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  automation_id uuid NOT NULL,
  event_id uuid NOT NULL,
  event_type text NOT NULL,
  status text NOT NULL DEFAULT 'due'::text,
  attempts smallint NOT NULL DEFAULT 0,
  due_at timestamp with time zone NOT NULL DEFAULT now(),
  steps jsonb NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  finished_at timestamp with time zone
);
CREATE TABLE automation_states (
  agency_id uuid NOT NULL,
  automation_id uuid NOT NULL,
  revision bigint NOT NULL,
  said text NOT NULL,
  state jsonb NOT NULL,
  at timestamp with time zone NOT NULL
);
CREATE TABLE automations (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid,
  name text NOT NULL,
  event_type text NOT NULL,
  conditions text NOT NULL DEFAULT ''::text,
  steps jsonb NOT NULL DEFAULT '[]'::jsonb,
  role text NOT NULL,
  active boolean NOT NULL DEFAULT false,
  off_reason text NOT NULL DEFAULT ''::text,
  retries smallint NOT NULL DEFAULT 3,
  off_after smallint NOT NULL DEFAULT 10,
  failures smallint NOT NULL DEFAULT 0,
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  revision bigint NOT NULL DEFAULT 1
);
CREATE TABLE body_recordings (
  install_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  until timestamp with time zone NOT NULL,
  started_by uuid,
  started_at timestamp with time zone NOT NULL
);
CREATE TABLE case_bundles (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  note text NOT NULL,
  for_user_id uuid,
  created_by uuid NOT NULL,
  created_by_name text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone,
  opened_at timestamp with time zone,
  content jsonb NOT NULL,
  for_agency_id uuid
);
CREATE TABLE clients (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  name text NOT NULL,
  contact_name text NOT NULL DEFAULT ''::text,
  contact_email text NOT NULL DEFAULT ''::text,
  notes text NOT NULL DEFAULT ''::text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  archived_at timestamp with time zone
);
CREATE TABLE event_deliveries (
  event_id uuid NOT NULL,
  subscriber text NOT NULL,
  agency_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'due'::text,
  attempts smallint NOT NULL DEFAULT 0,
  due_at timestamp with time zone NOT NULL DEFAULT now(),
  finished_at timestamp with time zone,
  last_error text NOT NULL DEFAULT ''::text,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE events (
  id uuid NOT NULL DEFAULT uuidv7(),
  sequence bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
  agency_id uuid NOT NULL,
  site_id uuid,
  install_id uuid,
  type text NOT NULL,
  subject text NOT NULL DEFAULT ''::text,
  data jsonb NOT NULL DEFAULT '{}'::jsonb,
  actor text NOT NULL DEFAULT ''::text,
  request_id text NOT NULL DEFAULT ''::text,
  depth smallint NOT NULL DEFAULT 0,
  occurred_at timestamp with time zone NOT NULL DEFAULT now(),
  dispatched_at timestamp with time zone
);
CREATE TABLE external_api_requests (
  at timestamp with time zone NOT NULL,
  request_id text NOT NULL,
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid,
  credential text NOT NULL DEFAULT ''::text,
  surface text NOT NULL DEFAULT 'api'::text,
  method text NOT NULL,
  path text NOT NULL,
  status smallint NOT NULL,
  duration_us integer NOT NULL,
  bytes_out integer NOT NULL DEFAULT 0,
  ip inet,
  user_agent text NOT NULL DEFAULT ''::text,
  origin text NOT NULL DEFAULT ''::text,
  error_code text NOT NULL DEFAULT ''::text,
  query_sealed text NOT NULL DEFAULT ''::text,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE external_domains (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid,
  host text NOT NULL,
  purposes text[] NOT NULL,
  state text NOT NULL DEFAULT 'pending'::text,
  token text NOT NULL,
  token_expires_at timestamp with time zone NOT NULL,
  method text NOT NULL DEFAULT ''::text,
  verified_at timestamp with time zone,
  checking_at timestamp with time zone,
  checked_at timestamp with time zone,
  next_check_at timestamp with time zone,
  failures smallint NOT NULL DEFAULT 0,
  found jsonb NOT NULL DEFAULT '{}'::jsonb,
  www text NOT NULL DEFAULT 'none'::text,
  target_install_id uuid,
  target_page text NOT NULL DEFAULT ''::text,
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE external_oauth_clients (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  redirect_uris text[] NOT NULL,
  origins text[] NOT NULL,
  grant_types text[] NOT NULL,
  scopes text[] NOT NULL,
  secret_hash bytea,
  secret_made_at timestamp with time zone,
  earlier_secret_hash bytea,
  earlier_secret_made_at timestamp with time zone,
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  deleted_at timestamp with time zone
);
CREATE TABLE external_oauth_codes (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid,
  client_id uuid NOT NULL,
  user_id uuid NOT NULL,
  code_hash bytea NOT NULL,
  redirect_uri text NOT NULL,
  code_challenge text NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone,
  grant_id uuid
);
CREATE TABLE external_oauth_grants (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid,
  client_id uuid NOT NULL,
  own_client_id uuid DEFAULT 
CASE
    WHEN (user_id IS NULL) THEN client_id
    ELSE NULL::uuid
END,
  user_id uuid,
  created_by uuid,
  scopes text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone
);
CREATE TABLE external_oauth_tokens (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  grant_id uuid NOT NULL,
  client_id uuid NOT NULL,
  kind text NOT NULL,
  token_hash bytea NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone,
  revoked_at timestamp with time zone
);
CREATE TABLE external_webhook_attempts (
  agency_id uuid NOT NULL,
  delivery_id uuid NOT NULL,
  number smallint NOT NULL,
  at timestamp with time zone NOT NULL,
  outcome text NOT NULL,
  response_status smallint,
  response_excerpt text NOT NULL DEFAULT ''::text,
  latency_ms integer NOT NULL,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE external_webhook_deliveries (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  webhook_id uuid NOT NULL,
  event_id uuid NOT NULL,
  event_type text NOT NULL,
  status text NOT NULL DEFAULT 'due'::text,
  attempts smallint NOT NULL DEFAULT 0,
  tries smallint NOT NULL DEFAULT 0,
  due_at timestamp with time zone NOT NULL DEFAULT now(),
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  finished_at timestamp with time zone,
  outcome text NOT NULL DEFAULT ''::text,
  response_status smallint,
  response_excerpt text NOT NULL DEFAULT ''::text,
  latency_ms integer,
  given_back smallint NOT NULL DEFAULT 0
);
CREATE TABLE external_webhooks (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid,
  url text NOT NULL,
  description text NOT NULL DEFAULT ''::text,
  patterns text[] NOT NULL,
  role text NOT NULL,
  headers_sealed text NOT NULL DEFAULT ''::text,
  secret_sealed text NOT NULL,
  previous_secret_sealed text NOT NULL DEFAULT ''::text,
  previous_secret_until timestamp with time zone,
  concurrency smallint NOT NULL DEFAULT 4,
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  paused_at timestamp with time zone,
  disabled_at timestamp with time zone,
  disabled_reason text NOT NULL DEFAULT ''::text,
  failing_since timestamp with time zone,
  failures integer NOT NULL DEFAULT 0,
  warned smallint NOT NULL DEFAULT 0,
  held_until timestamp with time zone,
  latency_ms integer,
  served_at timestamp with time zone NOT NULL DEFAULT now(),
  rate_per_minute integer,
  calls_kept double precision NOT NULL DEFAULT 6000,
  calls_kept_at timestamp with time zone NOT NULL DEFAULT now(),
  fields text[] NOT NULL DEFAULT '{}'::text[],
  version integer NOT NULL DEFAULT 1,
  failed_at timestamp with time zone[] NOT NULL DEFAULT '{}'::timestamp with time zone[],
  counted_since timestamp with time zone
);
CREATE TABLE failed_requests (
  id uuid NOT NULL DEFAULT uuidv7(),
  at timestamp with time zone NOT NULL,
  request_id text NOT NULL,
  agency_id uuid,
  site_id uuid,
  install_id uuid,
  actor text NOT NULL DEFAULT ''::text,
  surface text NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  status smallint NOT NULL,
  error text NOT NULL DEFAULT ''::text,
  trace text NOT NULL DEFAULT ''::text,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE fleet_policies (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid,
  mode text,
  internal boolean NOT NULL DEFAULT false
);
CREATE TABLE fleet_rollout_sites (
  agency_id uuid NOT NULL,
  rollout_id uuid NOT NULL,
  install_id uuid NOT NULL,
  ring text NOT NULL,
  state text NOT NULL DEFAULT 'waiting'::text,
  detail text NOT NULL DEFAULT ''::text,
  changed_at timestamp with time zone NOT NULL
);
CREATE TABLE fleet_rollouts (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  module_id uuid NOT NULL,
  version_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'running'::text,
  ring text NOT NULL DEFAULT 'internal'::text,
  reason text NOT NULL DEFAULT ''::text,
  started_at timestamp with time zone NOT NULL,
  changed_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone
);
CREATE TABLE fleet_run_items (
  agency_id uuid NOT NULL,
  run_id uuid NOT NULL,
  install_id uuid NOT NULL,
  position integer NOT NULL,
  from_version_id uuid,
  to_version_id uuid,
  state text NOT NULL DEFAULT 'waiting'::text,
  agreed boolean NOT NULL DEFAULT false,
  detail text NOT NULL DEFAULT ''::text,
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  moved jsonb
);
CREATE TABLE fleet_runs (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  kind text NOT NULL,
  undoes_id uuid,
  status text NOT NULL DEFAULT 'running'::text,
  stop_at_first boolean NOT NULL DEFAULT true,
  reason text NOT NULL DEFAULT ''::text,
  ordered_by uuid,
  ordered_name text NOT NULL DEFAULT ''::text,
  started_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  ended_at timestamp with time zone,
  change jsonb
);
CREATE TABLE idempotency_keys (
  site_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  credential_id uuid NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  status smallint NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}'::jsonb,
  body bytea NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE inbound_hooks (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  secret_sealed text NOT NULL,
  set_by uuid,
  set_at timestamp with time zone NOT NULL,
  previous_sealed text NOT NULL DEFAULT ''::text,
  previous_until timestamp with time zone
);
CREATE TABLE inbound_receipts (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  message_id text NOT NULL,
  request_id text NOT NULL DEFAULT ''::text,
  content_type text NOT NULL DEFAULT ''::text,
  headers jsonb NOT NULL DEFAULT '{}'::jsonb,
  body_sealed text NOT NULL,
  size_bytes integer NOT NULL,
  status text NOT NULL DEFAULT 'due'::text,
  run integer NOT NULL DEFAULT 1,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamp with time zone NOT NULL,
  error text NOT NULL DEFAULT ''::text,
  repeats integer NOT NULL DEFAULT 0,
  received_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE inbound_refusals (
  install_id uuid NOT NULL,
  name text NOT NULL,
  hour timestamp with time zone NOT NULL,
  reason text NOT NULL,
  agency_id uuid NOT NULL,
  times integer NOT NULL DEFAULT 1,
  last_at timestamp with time zone NOT NULL,
  last_ip inet,
  last_request_id text NOT NULL DEFAULT ''::text
);
CREATE TABLE inbound_seen (
  install_id uuid NOT NULL,
  name text NOT NULL,
  key bytea NOT NULL,
  agency_id uuid NOT NULL,
  receipt_id uuid NOT NULL,
  at timestamp with time zone NOT NULL
);
CREATE TABLE install_moves (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  kind text NOT NULL,
  from_version_id uuid NOT NULL,
  to_version_id uuid NOT NULL,
  state text NOT NULL DEFAULT 'ordered'::text,
  undoes_id uuid,
  records text NOT NULL DEFAULT 'keep'::text,
  by_itself boolean NOT NULL DEFAULT false,
  ordered_by text NOT NULL DEFAULT ''::text,
  reason text NOT NULL DEFAULT ''::text,
  ordered_at timestamp with time zone NOT NULL,
  moved_at timestamp with time zone,
  ended_at timestamp with time zone,
  watch_until timestamp with time zone,
  figures jsonb NOT NULL DEFAULT '{}'::jsonb,
  copied_at timestamp with time zone,
  copied_tables text[] NOT NULL DEFAULT '{}'::text[],
  copied_rows bigint NOT NULL DEFAULT 0,
  file_rows jsonb NOT NULL DEFAULT '{}'::jsonb,
  keep_until timestamp with time zone,
  own_before jsonb,
  own_after jsonb
);
CREATE TABLE install_put_back_rows (
  move_id uuid NOT NULL,
  position integer NOT NULL,
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  record_id uuid NOT NULL,
  run_id uuid NOT NULL,
  tries integer NOT NULL DEFAULT 1,
  state text NOT NULL,
  why jsonb NOT NULL DEFAULT '[]'::jsonb,
  at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE install_put_backs (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  move_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'running'::text,
  batch uuid NOT NULL,
  chosen integer[] NOT NULL,
  over integer[] NOT NULL DEFAULT '{}'::integer[],
  can_undo boolean NOT NULL DEFAULT false,
  failure text NOT NULL DEFAULT ''::text,
  attempts integer NOT NULL DEFAULT 0,
  ordered_by uuid,
  ordered_name text NOT NULL DEFAULT ''::text,
  created_at timestamp with time zone NOT NULL,
  changed_at timestamp with time zone NOT NULL
);
CREATE TABLE install_rehearsals (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  from_version_id uuid NOT NULL,
  to_version_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'running'::text,
  steps jsonb NOT NULL DEFAULT '[]'::jsonb,
  result jsonb NOT NULL DEFAULT '{}'::jsonb,
  failure text NOT NULL DEFAULT ''::text,
  attempts integer NOT NULL DEFAULT 0,
  ordered_by uuid,
  ordered_name text NOT NULL DEFAULT ''::text,
  created_at timestamp with time zone NOT NULL,
  changed_at timestamp with time zone NOT NULL
);
CREATE TABLE invitations (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  email text NOT NULL,
  role text NOT NULL,
  token_hash bytea NOT NULL,
  invited_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone NOT NULL,
  accepted_at timestamp with time zone,
  revoked_at timestamp with time zone
);
CREATE TABLE job_runs (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid,
  site_id uuid,
  install_id uuid,
  name text NOT NULL,
  given jsonb NOT NULL DEFAULT '{}'::jsonb,
  request_id text NOT NULL DEFAULT ''::text,
  status text NOT NULL,
  error text NOT NULL DEFAULT ''::text,
  trace text NOT NULL DEFAULT ''::text,
  started_at timestamp with time zone NOT NULL,
  gives_up_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  scoped boolean NOT NULL DEFAULT true,
  settled text NOT NULL DEFAULT ''::text,
  settled_at timestamp with time zone,
  settled_by text NOT NULL DEFAULT ''::text,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE log_searches (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  user_id uuid NOT NULL,
  name text NOT NULL,
  query text NOT NULL,
  shared boolean NOT NULL DEFAULT false,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE mails (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid,
  site_id uuid,
  install_id uuid,
  kind text NOT NULL,
  recipient text NOT NULL,
  reply_to text NOT NULL DEFAULT ''::text,
  subject text NOT NULL,
  body_sealed text NOT NULL DEFAULT ''::text,
  status text NOT NULL DEFAULT 'due'::text,
  attempts smallint NOT NULL DEFAULT 0,
  due_at timestamp with time zone NOT NULL DEFAULT now(),
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  sent_at timestamp with time zone,
  last_error text NOT NULL DEFAULT ''::text,
  request_id text NOT NULL DEFAULT ''::text,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE marketplace_bits (
  facet text NOT NULL,
  value text NOT NULL,
  bits bit varying NOT NULL
);
CREATE TABLE marketplace_gone (
  ordinal integer NOT NULL
);
CREATE TABLE marketplace_listings (
  module_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  ordinal integer NOT NULL GENERATED ALWAYS AS IDENTITY,
  fresh boolean NOT NULL DEFAULT true,
  slug text NOT NULL,
  name text NOT NULL,
  plain_name text NOT NULL,
  summary text NOT NULL,
  category text NOT NULL,
  type text NOT NULL,
  icon text NOT NULL,
  tier text NOT NULL,
  publisher text NOT NULL,
  verified boolean NOT NULL,
  version text NOT NULL,
  published_at timestamp with time zone NOT NULL,
  capabilities text[] NOT NULL,
  price text NOT NULL,
  amount integer NOT NULL,
  currency text NOT NULL,
  per text NOT NULL,
  trial_days integer NOT NULL,
  monthly integer NOT NULL,
  rating numeric(3,2) NOT NULL DEFAULT 0,
  ratings integer NOT NULL DEFAULT 0,
  installs integer NOT NULL DEFAULT 0,
  head tsvector NOT NULL,
  document tsvector NOT NULL
);
CREATE TABLE marketplace_measures (
  module_id uuid NOT NULL,
  calls bigint NOT NULL DEFAULT 0,
  call_errors bigint NOT NULL DEFAULT 0,
  call_p95_ms real,
  runs bigint NOT NULL DEFAULT 0,
  run_errors bigint NOT NULL DEFAULT 0,
  run_p95_ms real,
  upgrades bigint NOT NULL DEFAULT 0,
  upgrade_failures bigint NOT NULL DEFAULT 0,
  tried bigint NOT NULL DEFAULT 0,
  left_soon bigint NOT NULL DEFAULT 0,
  measured_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE marketplace_postings (
  part text NOT NULL,
  lexeme text NOT NULL,
  docs integer NOT NULL,
  ordinals integer[],
  bits bit varying
);
CREATE TABLE marketplace_publishers (
  agency_id uuid NOT NULL,
  verified_at timestamp with time zone NOT NULL,
  verified_by uuid
);
CREATE TABLE marketplace_related (
  module_id uuid NOT NULL,
  other_id uuid NOT NULL,
  sites integer NOT NULL
);
CREATE TABLE marketplace_words (
  word text NOT NULL
);
CREATE TABLE memberships (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_active_days (
  agency_id uuid NOT NULL,
  module_id uuid NOT NULL,
  major integer NOT NULL,
  days integer NOT NULL DEFAULT 1,
  last_day date NOT NULL
);
CREATE TABLE module_analytics_aggregates (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  level text NOT NULL,
  subject_id uuid NOT NULL,
  module_id uuid,
  grain text NOT NULL,
  day date NOT NULL,
  bucket timestamp with time zone NOT NULL,
  event text NOT NULL,
  dimension text NOT NULL,
  value text NOT NULL,
  count bigint NOT NULL,
  visitors bigint NOT NULL,
  repeats bigint NOT NULL,
  total bigint NOT NULL
);
CREATE TABLE module_analytics_events (
  at timestamp with time zone NOT NULL,
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid,
  module_id uuid,
  event text NOT NULL,
  name text NOT NULL DEFAULT ''::text,
  version text NOT NULL DEFAULT ''::text,
  page text NOT NULL DEFAULT ''::text,
  page_id uuid,
  visitor bigint,
  value bigint NOT NULL DEFAULT 0,
  surface text NOT NULL DEFAULT ''::text,
  place text NOT NULL DEFAULT ''::text,
  referrer text NOT NULL DEFAULT ''::text,
  language text NOT NULL DEFAULT ''::text,
  country text NOT NULL DEFAULT ''::text,
  device text NOT NULL DEFAULT ''::text,
  browser text NOT NULL DEFAULT ''::text,
  system text NOT NULL DEFAULT ''::text,
  told_id uuid
);
CREATE TABLE module_analytics_marks (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  at timestamp with time zone NOT NULL
);
CREATE TABLE module_analytics_progress (
  source text NOT NULL,
  until timestamp with time zone NOT NULL
);
CREATE TABLE module_blobs (
  sha256 text NOT NULL,
  content bytea NOT NULL
);
CREATE TABLE module_collection_items (
  collection_id uuid NOT NULL,
  module_id uuid NOT NULL,
  place integer NOT NULL
);
CREATE TABLE module_collections (
  id uuid NOT NULL DEFAULT uuidv7(),
  slug text NOT NULL,
  name text NOT NULL,
  summary text NOT NULL DEFAULT ''::text,
  kind text NOT NULL,
  place integer NOT NULL,
  shown boolean NOT NULL DEFAULT false,
  starts_at timestamp with time zone,
  ends_at timestamp with time zone,
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_by uuid
);
CREATE TABLE module_connections (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  state text NOT NULL DEFAULT 'new'::text,
  client_id text NOT NULL DEFAULT ''::text,
  client_secret_sealed text NOT NULL DEFAULT ''::text,
  asked_state bytea,
  asked_verifier_sealed text NOT NULL DEFAULT ''::text,
  asked_session_id uuid,
  asked_at timestamp with time zone,
  token_url text NOT NULL DEFAULT ''::text,
  access_sealed text NOT NULL DEFAULT ''::text,
  refresh_sealed text NOT NULL DEFAULT ''::text,
  scopes text[] NOT NULL DEFAULT '{}'::text[],
  expires_at timestamp with time zone,
  refresh_at timestamp with time zone,
  failing_since timestamp with time zone,
  failure text NOT NULL DEFAULT ''::text,
  connected_by uuid,
  connected_at timestamp with time zone
);
CREATE TABLE module_database_registry (
  module_id uuid NOT NULL,
  short_id text NOT NULL,
  schema_name text NOT NULL,
  role_name text NOT NULL,
  layout jsonb NOT NULL DEFAULT '{}'::jsonb,
  layout_digest text NOT NULL DEFAULT ''::text,
  provisioned_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_done (
  install_id uuid NOT NULL,
  key text NOT NULL,
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_embed_pages (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  page text NOT NULL,
  closed_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_embed_tokens (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  shown text NOT NULL,
  kid text NOT NULL,
  token_hash bytea NOT NULL,
  origins text[] NOT NULL DEFAULT '{}'::text[],
  expires_at timestamp with time zone NOT NULL,
  revoked_at timestamp with time zone,
  usage_count bigint NOT NULL DEFAULT 0,
  last_used_at timestamp with time zone,
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_enrolments (
  agency_id uuid NOT NULL,
  module_id uuid NOT NULL,
  level text NOT NULL,
  agency_name text NOT NULL,
  enrolled_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_entitlements (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  module_id uuid NOT NULL,
  kind text NOT NULL,
  starts_at timestamp with time zone NOT NULL DEFAULT now(),
  ends_at timestamp with time zone,
  note text NOT NULL DEFAULT ''::text,
  granted_by uuid,
  revoked_at timestamp with time zone,
  warned_at timestamp with time zone,
  told_at timestamp with time zone
);
CREATE TABLE module_files (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  media_type text NOT NULL,
  family text NOT NULL,
  size_bytes bigint NOT NULL,
  sent_bytes bigint NOT NULL,
  sha256 text NOT NULL,
  width integer,
  height integer,
  small boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'pending'::text,
  state_at timestamp with time zone NOT NULL DEFAULT now(),
  from_public boolean NOT NULL DEFAULT false,
  table_name text NOT NULL DEFAULT ''::text,
  record_id uuid,
  created_by text NOT NULL DEFAULT ''::text,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_function_runs (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  version text NOT NULL,
  function text NOT NULL,
  trigger text NOT NULL,
  cause text NOT NULL DEFAULT ''::text,
  request_id text NOT NULL DEFAULT ''::text,
  outcome text NOT NULL,
  error text NOT NULL DEFAULT ''::text,
  logs jsonb NOT NULL DEFAULT '[]'::jsonb,
  cpu_ms real NOT NULL DEFAULT 0,
  host_calls integer NOT NULL DEFAULT 0,
  started_at timestamp with time zone NOT NULL DEFAULT now(),
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE module_member_roles (
  agency_id uuid NOT NULL,
  install_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL
);
CREATE TABLE module_naming_conflicts (
  id uuid NOT NULL DEFAULT uuidv7(),
  module_id uuid NOT NULL,
  wanted_short_id text NOT NULL,
  given_short_id text NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_publications (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  version_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'running'::text,
  tier text NOT NULL DEFAULT ''::text,
  steps jsonb NOT NULL DEFAULT '[]'::jsonb,
  tests jsonb NOT NULL DEFAULT '[]'::jsonb,
  problems jsonb NOT NULL DEFAULT '[]'::jsonb,
  attempts integer NOT NULL DEFAULT 0,
  ordered_by uuid,
  ordered_name text NOT NULL DEFAULT ''::text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  risk jsonb NOT NULL DEFAULT '{}'::jsonb,
  approved boolean NOT NULL DEFAULT false,
  decided_by uuid,
  decided_name text NOT NULL DEFAULT ''::text,
  decided_at timestamp with time zone,
  reason text NOT NULL DEFAULT ''::text
);
CREATE TABLE module_rating_reports (
  rating_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  reason text NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now(),
  settled_at timestamp with time zone
);
CREATE TABLE module_rating_votes (
  rating_id uuid NOT NULL,
  agency_id uuid NOT NULL
);
CREATE TABLE module_ratings (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  module_id uuid NOT NULL,
  major integer NOT NULL,
  user_id uuid,
  author text NOT NULL,
  stars smallint NOT NULL,
  text text NOT NULL DEFAULT ''::text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  answer text NOT NULL DEFAULT ''::text,
  answered_at timestamp with time zone,
  helpful integer NOT NULL DEFAULT 0,
  hidden_at timestamp with time zone,
  hidden_by uuid,
  hidden_why text NOT NULL DEFAULT ''::text
);
CREATE TABLE module_request_votes (
  request_id uuid NOT NULL,
  agency_id uuid NOT NULL
);
CREATE TABLE module_requests (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  author text NOT NULL,
  title text NOT NULL,
  text text NOT NULL DEFAULT ''::text,
  category text NOT NULL,
  state text NOT NULL DEFAULT 'open'::text,
  answer text NOT NULL DEFAULT ''::text,
  votes integer NOT NULL DEFAULT 0,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_schedules (
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  install_id uuid NOT NULL,
  name text NOT NULL,
  function text NOT NULL,
  cron text NOT NULL,
  time_zone text NOT NULL,
  next_at timestamp with time zone NOT NULL,
  due_at timestamp with time zone,
  lease_until timestamp with time zone,
  last_at timestamp with time zone,
  last_outcome text NOT NULL DEFAULT ''::text
);
CREATE TABLE module_settings (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  client_id uuid,
  module_id uuid NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}'::jsonb,
  secrets jsonb NOT NULL DEFAULT '{}'::jsonb,
  locks jsonb NOT NULL DEFAULT '{}'::jsonb,
  changed_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_source (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  slug text NOT NULL,
  short_id text NOT NULL,
  name text NOT NULL,
  summary text NOT NULL DEFAULT ''::text,
  category text NOT NULL DEFAULT ''::text,
  icon text NOT NULL DEFAULT 'package'::text,
  type text NOT NULL,
  tier text NOT NULL DEFAULT 'internal'::text,
  latest_version_id uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  updated_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE module_trials (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL DEFAULT gen_random_uuid(),
  module_id uuid NOT NULL,
  version_id uuid NOT NULL,
  user_id uuid NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}'::jsonb,
  layout jsonb NOT NULL DEFAULT '{}'::jsonb,
  status text NOT NULL DEFAULT 'making'::text,
  failure text NOT NULL DEFAULT ''::text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  ready_at timestamp with time zone,
  ends_at timestamp with time zone NOT NULL
);
CREATE TABLE module_version_files (
  version_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  path text NOT NULL,
  sha256 text NOT NULL,
  size_bytes integer NOT NULL
);
CREATE TABLE module_versions (
  id uuid NOT NULL DEFAULT uuidv7(),
  module_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  version text NOT NULL,
  major integer NOT NULL,
  minor integer NOT NULL,
  patch integer NOT NULL,
  prerelease text NOT NULL DEFAULT ''::text,
  status text NOT NULL DEFAULT 'draft'::text,
  manifest jsonb NOT NULL,
  listing jsonb NOT NULL DEFAULT '{}'::jsonb,
  readme text NOT NULL DEFAULT ''::text,
  changelog text NOT NULL DEFAULT ''::text,
  digest text NOT NULL,
  size_bytes integer NOT NULL,
  report jsonb NOT NULL DEFAULT '[]'::jsonb,
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  published_at timestamp with time zone,
  yanked_at timestamp with time zone,
  capabilities text[] NOT NULL DEFAULT '{}'::text[],
  cleared_at timestamp with time zone,
  yank_reason text NOT NULL DEFAULT ''::text,
  offered_version_id uuid
);
CREATE TABLE module_wishes (
  agency_id uuid NOT NULL,
  module_id uuid NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE modules_v2 (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  module_id uuid NOT NULL,
  version_id uuid NOT NULL,
  previous_version_id uuid,
  status text NOT NULL,
  task text NOT NULL DEFAULT 'install'::text,
  settings jsonb NOT NULL DEFAULT '{}'::jsonb,
  secrets jsonb NOT NULL DEFAULT '{}'::jsonb,
  granted jsonb NOT NULL DEFAULT '{}'::jsonb,
  steps jsonb NOT NULL DEFAULT '[]'::jsonb,
  failure text NOT NULL DEFAULT ''::text,
  installed_by uuid,
  installed_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  removed_at timestamp with time zone,
  purge_after timestamp with time zone,
  parked_until timestamp with time zone
);
CREATE TABLE password_resets (
  id uuid NOT NULL DEFAULT uuidv7(),
  user_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone
);
CREATE TABLE publisher_keys (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  public_key bytea NOT NULL,
  sealed text NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  retired_at timestamp with time zone
);
CREATE TABLE recorded_bodies (
  request_id text NOT NULL,
  agency_id uuid NOT NULL,
  install_id uuid NOT NULL,
  at timestamp with time zone NOT NULL,
  if_match text NOT NULL DEFAULT ''::text,
  body_sealed text NOT NULL,
  content_type text NOT NULL DEFAULT ''::text
);
CREATE TABLE release_log (
  number bigint NOT NULL,
  agency_id uuid NOT NULL,
  module_id uuid NOT NULL,
  version_id uuid NOT NULL,
  kind text NOT NULL,
  statement text NOT NULL,
  publisher_key bytea NOT NULL,
  publisher_signature bytea NOT NULL,
  platform_key bytea NOT NULL,
  platform_signature bytea NOT NULL,
  previous_hash bytea NOT NULL DEFAULT '\x00'::bytea,
  hash bytea NOT NULL DEFAULT '\x00'::bytea,
  at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE release_log_head (
  one boolean NOT NULL DEFAULT true,
  number bigint NOT NULL,
  hash bytea NOT NULL,
  checked_at timestamp with time zone,
  fault text NOT NULL DEFAULT ''::text,
  older_entered_at timestamp with time zone
);
CREATE TABLE schema_migrations (
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE sign_in_attempts (
  id uuid NOT NULL DEFAULT uuidv7(),
  email_hash bytea NOT NULL,
  user_id uuid,
  ip inet,
  user_agent text NOT NULL DEFAULT ''::text,
  outcome text NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT now(),
  request_id text NOT NULL DEFAULT ''::text,
  written xid8 DEFAULT pg_current_xact_id()
);
CREATE TABLE site_images (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  name text NOT NULL DEFAULT ''::text,
  width integer NOT NULL,
  height integer NOT NULL,
  size_bytes integer NOT NULL,
  small boolean NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE site_looks (
  site_id uuid NOT NULL,
  agency_id uuid NOT NULL,
  accent text NOT NULL DEFAULT '#3b46c8'::text,
  font text NOT NULL DEFAULT 'modern'::text,
  theme text NOT NULL DEFAULT 'auto'::text,
  tagline text NOT NULL DEFAULT ''::text,
  footer text NOT NULL DEFAULT ''::text,
  listed boolean NOT NULL DEFAULT true,
  lost_title text NOT NULL DEFAULT ''::text,
  lost_text text NOT NULL DEFAULT ''::text,
  generation bigint NOT NULL DEFAULT 1
);
CREATE TABLE site_page_steps (
  agency_id uuid NOT NULL,
  page_id uuid NOT NULL,
  revision bigint NOT NULL,
  said text NOT NULL,
  content jsonb NOT NULL,
  at timestamp with time zone NOT NULL
);
CREATE TABLE site_page_versions (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  page_id uuid NOT NULL,
  number integer NOT NULL,
  reason text NOT NULL,
  content jsonb NOT NULL,
  made_at timestamp with time zone NOT NULL DEFAULT now(),
  made_by uuid,
  made_by_name text NOT NULL DEFAULT ''::text
);
CREATE TABLE site_page_views (
  agency_id uuid NOT NULL,
  page_id uuid NOT NULL,
  day date NOT NULL,
  views bigint NOT NULL
);
CREATE TABLE site_pages (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  parent_id uuid,
  path text NOT NULL,
  in_menu boolean NOT NULL DEFAULT true,
  menu_label text NOT NULL DEFAULT ''::text,
  menu_order integer NOT NULL DEFAULT 0,
  draft jsonb NOT NULL,
  revision bigint NOT NULL DEFAULT 1,
  changed_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_by_name text NOT NULL DEFAULT ''::text,
  live_version_id uuid,
  published_at timestamp with time zone,
  planned_version_id uuid,
  publish_at timestamp with time zone,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  deleted_at timestamp with time zone
);
CREATE TABLE site_redirects (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  source text NOT NULL,
  target text NOT NULL,
  automatic boolean NOT NULL DEFAULT false,
  created_at timestamp with time zone NOT NULL DEFAULT now()
);
CREATE TABLE sites (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  client_id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  url text NOT NULL DEFAULT ''::text,
  time_zone text NOT NULL DEFAULT 'UTC'::text,
  locale text NOT NULL DEFAULT 'en'::text,
  currency text NOT NULL DEFAULT 'EUR'::text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  archived_at timestamp with time zone
);
CREATE TABLE status_days (
  part text NOT NULL,
  day date NOT NULL,
  checks integer NOT NULL,
  good integer NOT NULL,
  worst real NOT NULL,
  last_at timestamp with time zone NOT NULL,
  last_good boolean NOT NULL,
  last_value real NOT NULL
);
CREATE TABLE studio_files (
  agency_id uuid NOT NULL,
  project_id uuid NOT NULL,
  path text NOT NULL,
  revision integer NOT NULL,
  content bytea,
  note text NOT NULL DEFAULT ''::text,
  author_id uuid,
  author_name text NOT NULL DEFAULT ''::text,
  at timestamp with time zone NOT NULL
);
CREATE TABLE studio_projects (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  name text NOT NULL,
  starter text NOT NULL,
  revision integer NOT NULL DEFAULT 0,
  created_by uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  updated_at timestamp with time zone NOT NULL DEFAULT now(),
  deleted_at timestamp with time zone
);
CREATE TABLE studio_trials (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  project_id uuid NOT NULL,
  kind text NOT NULL,
  revision integer NOT NULL,
  asked jsonb NOT NULL,
  status text NOT NULL DEFAULT 'waiting'::text,
  result jsonb NOT NULL DEFAULT '{}'::jsonb,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  finished_at timestamp with time zone
);
CREATE TABLE support_accesses (
  id uuid NOT NULL DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  staff_id uuid NOT NULL,
  staff_name text NOT NULL,
  reason text NOT NULL,
  hours smallint NOT NULL,
  status text NOT NULL,
  asked_at timestamp with time zone NOT NULL DEFAULT now(),
  decided_at timestamp with time zone,
  decided_by text NOT NULL DEFAULT ''::text,
  expires_at timestamp with time zone,
  ended_at timestamp with time zone,
  ended_by text NOT NULL DEFAULT ''::text
);
CREATE TABLE support_switches (
  agency_id uuid NOT NULL,
  mode text NOT NULL,
  changed_at timestamp with time zone NOT NULL
);
CREATE TABLE user_sessions (
  id uuid NOT NULL DEFAULT uuidv7(),
  user_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  agency_id_chosen uuid,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  last_seen_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone NOT NULL,
  ip inet,
  user_agent text NOT NULL DEFAULT ''::text,
  support_access_id uuid
);
CREATE TABLE users (
  id uuid NOT NULL DEFAULT uuidv7(),
  email text NOT NULL,
  name text NOT NULL,
  password_hash text,
  staff_role text,
  time_zone text NOT NULL DEFAULT 'UTC'::text,
  locale text NOT NULL DEFAULT 'en'::text,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  disabled_at timestamp with time zone,
  password_changed_at timestamp with time zone
);
-- constraints
ALTER TABLE agencies ADD CONSTRAINT agencies_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
ALTER TABLE agencies ADD CONSTRAINT agencies_hue_check CHECK (((hue >= 1) AND (hue <= 10)));
ALTER TABLE agencies ADD CONSTRAINT agencies_logo_check CHECK ((logo ~ '^([0-9a-f]{64})?$'::text));
ALTER TABLE agencies ADD CONSTRAINT agencies_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120)));
ALTER TABLE agencies ADD CONSTRAINT agencies_pkey PRIMARY KEY (id);
ALTER TABLE agencies ADD CONSTRAINT agencies_slug_check CHECK ((slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'::text));
ALTER TABLE agencies ADD CONSTRAINT agencies_slug_key UNIQUE (slug);
ALTER TABLE api_keys ADD CONSTRAINT api_keys_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE api_keys ADD CONSTRAINT api_keys_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_check CHECK (((kind = 'publishable'::text) = (cardinality(origins) > 0)));
ALTER TABLE api_keys ADD CONSTRAINT api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_kind_check CHECK ((kind = ANY (ARRAY['secret'::text, 'publishable'::text])));
ALTER TABLE api_keys ADD CONSTRAINT api_keys_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120)));
ALTER TABLE api_keys ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);
ALTER TABLE api_keys ADD CONSTRAINT api_keys_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_token_hash_key UNIQUE (token_hash);
ALTER TABLE audit_heads ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (agency_id);
ALTER TABLE audit_log ADD CONSTRAINT audit_log_agency_id_number_key UNIQUE (agency_id, number);
ALTER TABLE audit_log ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);
ALTER TABLE automation_runs ADD CONSTRAINT automation_runs_agency_id_automation_id_fkey FOREIGN KEY (agency_id, automation_id) REFERENCES automations(agency_id, id) ON DELETE CASCADE;
ALTER TABLE automation_runs ADD CONSTRAINT automation_runs_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE automation_runs ADD CONSTRAINT automation_runs_automation_id_event_id_key UNIQUE (automation_id, event_id);
ALTER TABLE automation_runs ADD CONSTRAINT automation_runs_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id) ON DELETE CASCADE;
ALTER TABLE automation_runs ADD CONSTRAINT automation_runs_pkey PRIMARY KEY (id);
ALTER TABLE automation_runs ADD CONSTRAINT automation_runs_status_check CHECK ((status = ANY (ARRAY['due'::text, 'running'::text, 'done'::text, 'failed'::text])));
ALTER TABLE automation_states ADD CONSTRAINT automation_states_agency_id_automation_id_fkey FOREIGN KEY (agency_id, automation_id) REFERENCES automations(agency_id, id) ON DELETE CASCADE;
ALTER TABLE automation_states ADD CONSTRAINT automation_states_pkey PRIMARY KEY (automation_id, revision);
ALTER TABLE automations ADD CONSTRAINT automations_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE automations ADD CONSTRAINT automations_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE automations ADD CONSTRAINT automations_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE automations ADD CONSTRAINT automations_conditions_check CHECK ((length(conditions) <= 4000));
ALTER TABLE automations ADD CONSTRAINT automations_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE automations ADD CONSTRAINT automations_event_type_check CHECK (((length(event_type) >= 1) AND (length(event_type) <= 120)));
ALTER TABLE automations ADD CONSTRAINT automations_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120)));
ALTER TABLE automations ADD CONSTRAINT automations_off_after_check CHECK (((off_after >= 1) AND (off_after <= 100)));
ALTER TABLE automations ADD CONSTRAINT automations_off_reason_check CHECK ((off_reason = ANY (ARRAY[''::text, 'failing'::text])));
ALTER TABLE automations ADD CONSTRAINT automations_pkey PRIMARY KEY (id);
ALTER TABLE automations ADD CONSTRAINT automations_retries_check CHECK (((retries >= 0) AND (retries <= 5)));
ALTER TABLE automations ADD CONSTRAINT automations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'member'::text, 'viewer'::text])));
ALTER TABLE body_recordings ADD CONSTRAINT body_recordings_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE body_recordings ADD CONSTRAINT body_recordings_pkey PRIMARY KEY (install_id);
ALTER TABLE body_recordings ADD CONSTRAINT body_recordings_started_by_fkey FOREIGN KEY (started_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_agency_id_for_user_id_fkey FOREIGN KEY (agency_id, for_user_id) REFERENCES memberships(agency_id, user_id) ON DELETE CASCADE;
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_check CHECK ((expires_at <= (created_at + '30 days'::interval)));
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_for_agency_id_fkey FOREIGN KEY (for_agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_for_one CHECK (((for_user_id IS NULL) OR (for_agency_id IS NULL)));
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_note_check CHECK (((length(note) >= 1) AND (length(note) <= 500)));
ALTER TABLE case_bundles ADD CONSTRAINT case_bundles_pkey PRIMARY KEY (id);
ALTER TABLE clients ADD CONSTRAINT clients_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE clients ADD CONSTRAINT clients_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE clients ADD CONSTRAINT clients_agency_id_name_key UNIQUE (agency_id, name);
ALTER TABLE clients ADD CONSTRAINT clients_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120)));
ALTER TABLE clients ADD CONSTRAINT clients_pkey PRIMARY KEY (id);
ALTER TABLE event_deliveries ADD CONSTRAINT event_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id) ON DELETE CASCADE;
ALTER TABLE event_deliveries ADD CONSTRAINT event_deliveries_pkey PRIMARY KEY (event_id, subscriber);
ALTER TABLE event_deliveries ADD CONSTRAINT event_deliveries_status_check CHECK ((status = ANY (ARRAY['due'::text, 'done'::text, 'given_up'::text])));
ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE events ADD CONSTRAINT events_sequence_key UNIQUE (sequence);
ALTER TABLE events ADD CONSTRAINT events_type_check CHECK ((type ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$'::text));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE external_domains ADD CONSTRAINT external_domains_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE external_domains ADD CONSTRAINT external_domains_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_domains ADD CONSTRAINT external_domains_agency_id_site_id_host_key UNIQUE NULLS NOT DISTINCT (agency_id, site_id, host);
ALTER TABLE external_domains ADD CONSTRAINT external_domains_agency_id_target_install_id_fkey FOREIGN KEY (agency_id, target_install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_domains ADD CONSTRAINT external_domains_check CHECK (((site_id IS NULL) = (purposes = ARRAY['platform'::text])));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_check1 CHECK (((state = 'pending'::text) = (verified_at IS NULL)));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_check2 CHECK (((target_install_id IS NULL) = (target_page = ''::text)));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE external_domains ADD CONSTRAINT external_domains_host_check CHECK (((host ~ '^[][a-z0-9.:-]+$'::text) AND (length(host) <= 260)));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_method_check CHECK ((method = ANY (ARRAY[''::text, 'dns'::text, 'meta'::text, 'local'::text])));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_pkey PRIMARY KEY (id);
ALTER TABLE external_domains ADD CONSTRAINT external_domains_purposes_check CHECK ((((cardinality(purposes) >= 1) AND (cardinality(purposes) <= 3)) AND (purposes <@ ARRAY['embed'::text, 'api'::text, 'pages'::text, 'platform'::text])));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_site_id_target_install_id_fkey FOREIGN KEY (site_id, target_install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE external_domains ADD CONSTRAINT external_domains_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'verified'::text, 'failing'::text, 'lost'::text])));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_target_page_check CHECK ((length(target_page) <= 80));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_token_check CHECK (((length(token) >= 22) AND (length(token) <= 64)));
ALTER TABLE external_domains ADD CONSTRAINT external_domains_www_check CHECK ((www = ANY (ARRAY['none'::text, 'to_host'::text, 'to_www'::text])));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_check CHECK (((kind = 'confidential'::text) = (secret_hash IS NOT NULL)));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_check1 CHECK (((kind = 'confidential'::text) OR (NOT ('client_credentials'::text = ANY (grant_types)))));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_check2 CHECK ((('authorization_code'::text = ANY (grant_types)) = (cardinality(redirect_uris) > 0)));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_grant_types_check CHECK (((cardinality(grant_types) > 0) AND (grant_types <@ '{authorization_code,refresh_token,client_credentials}'::text[])));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_grant_types_check1 CHECK ((('authorization_code'::text = ANY (grant_types)) OR (NOT ('refresh_token'::text = ANY (grant_types)))));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_kind_check CHECK ((kind = ANY (ARRAY['confidential'::text, 'public'::text])));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80)));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_pkey PRIMARY KEY (id);
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_redirect_uris_check CHECK ((cardinality(redirect_uris) <= 10));
ALTER TABLE external_oauth_clients ADD CONSTRAINT external_oauth_clients_scopes_check CHECK (((cardinality(scopes) > 0) AND (scopes <@ '{read,write,delete,events,functions}'::text[])));
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_agency_id_grant_id_fkey FOREIGN KEY (agency_id, grant_id) REFERENCES external_oauth_grants(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_client_id_fkey FOREIGN KEY (client_id) REFERENCES external_oauth_clients(id) ON DELETE CASCADE;
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_code_challenge_check CHECK ((length(code_challenge) = 43));
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_code_hash_key UNIQUE (code_hash);
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_pkey PRIMARY KEY (id);
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_codes ADD CONSTRAINT external_oauth_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_agency_id_own_client_id_fkey FOREIGN KEY (agency_id, own_client_id) REFERENCES external_oauth_clients(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_check CHECK (((user_id IS NULL) OR (expires_at IS NOT NULL)));
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_client_id_fkey FOREIGN KEY (client_id) REFERENCES external_oauth_clients(id) ON DELETE CASCADE;
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_pkey PRIMARY KEY (id);
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_grants ADD CONSTRAINT external_oauth_grants_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE external_oauth_tokens ADD CONSTRAINT external_oauth_tokens_agency_id_grant_id_fkey FOREIGN KEY (agency_id, grant_id) REFERENCES external_oauth_grants(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_tokens ADD CONSTRAINT external_oauth_tokens_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE external_oauth_tokens ADD CONSTRAINT external_oauth_tokens_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_oauth_tokens ADD CONSTRAINT external_oauth_tokens_client_id_fkey FOREIGN KEY (client_id) REFERENCES external_oauth_clients(id) ON DELETE CASCADE;
ALTER TABLE external_oauth_tokens ADD CONSTRAINT external_oauth_tokens_kind_check CHECK ((kind = ANY (ARRAY['access'::text, 'refresh'::text])));
ALTER TABLE external_oauth_tokens ADD CONSTRAINT external_oauth_tokens_pkey PRIMARY KEY (id);
ALTER TABLE external_oauth_tokens ADD CONSTRAINT external_oauth_tokens_token_hash_key UNIQUE (token_hash);
ALTER TABLE external_webhook_attempts ADD CONSTRAINT external_webhook_attempts_agency_id_delivery_id_fkey FOREIGN KEY (agency_id, delivery_id) REFERENCES external_webhook_deliveries(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_webhook_attempts ADD CONSTRAINT external_webhook_attempts_pkey PRIMARY KEY (delivery_id, number);
ALTER TABLE external_webhook_attempts ADD CONSTRAINT external_webhook_attempts_response_excerpt_check CHECK ((length(response_excerpt) <= 4096));
ALTER TABLE external_webhook_deliveries ADD CONSTRAINT external_webhook_deliveries_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE external_webhook_deliveries ADD CONSTRAINT external_webhook_deliveries_agency_id_webhook_id_fkey FOREIGN KEY (agency_id, webhook_id) REFERENCES external_webhooks(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_webhook_deliveries ADD CONSTRAINT external_webhook_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id) ON DELETE CASCADE;
ALTER TABLE external_webhook_deliveries ADD CONSTRAINT external_webhook_deliveries_event_id_webhook_id_key UNIQUE (event_id, webhook_id);
ALTER TABLE external_webhook_deliveries ADD CONSTRAINT external_webhook_deliveries_pkey PRIMARY KEY (id);
ALTER TABLE external_webhook_deliveries ADD CONSTRAINT external_webhook_deliveries_response_excerpt_check CHECK ((length(response_excerpt) <= 4096));
ALTER TABLE external_webhook_deliveries ADD CONSTRAINT external_webhook_deliveries_status_check CHECK ((status = ANY (ARRAY['due'::text, 'sending'::text, 'delivered'::text, 'failed'::text, 'missed'::text])));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_check CHECK (((previous_secret_sealed = ''::text) = (previous_secret_until IS NULL)));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_check1 CHECK (((disabled_reason = ''::text) = (disabled_at IS NULL)));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_concurrency_check CHECK (((concurrency >= 1) AND (concurrency <= 16)));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_description_check CHECK ((length(description) <= 200));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY[''::text, 'gone'::text, 'failing'::text, 'person'::text])));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_fields_check CHECK ((cardinality(fields) <= 100));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_patterns_check CHECK (((cardinality(patterns) >= 1) AND (cardinality(patterns) <= 50)));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_pkey PRIMARY KEY (id);
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_rate_per_minute_check CHECK (((rate_per_minute >= 1) AND (rate_per_minute <= 6000)));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'member'::text, 'viewer'::text])));
ALTER TABLE external_webhooks ADD CONSTRAINT external_webhooks_url_check CHECK (((length(url) >= 1) AND (length(url) <= 2048)));
ALTER TABLE failed_requests ADD CONSTRAINT failed_requests_error_check CHECK ((length(error) <= 500));
ALTER TABLE failed_requests ADD CONSTRAINT failed_requests_path_check CHECK ((length(path) <= 500));
ALTER TABLE failed_requests ADD CONSTRAINT failed_requests_pkey PRIMARY KEY (id);
ALTER TABLE failed_requests ADD CONSTRAINT failed_requests_surface_check CHECK ((surface = ANY (ARRAY['platform'::text, 'runtime'::text])));
ALTER TABLE failed_requests ADD CONSTRAINT failed_requests_trace_check CHECK ((length(trace) <= 8000));
ALTER TABLE fleet_policies ADD CONSTRAINT fleet_policies_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE fleet_policies ADD CONSTRAINT fleet_policies_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE fleet_policies ADD CONSTRAINT fleet_policies_agency_id_site_id_key UNIQUE NULLS NOT DISTINCT (agency_id, site_id);
ALTER TABLE fleet_policies ADD CONSTRAINT fleet_policies_check CHECK (((site_id IS NOT NULL) OR ((mode IS NOT NULL) AND (NOT internal))));
ALTER TABLE fleet_policies ADD CONSTRAINT fleet_policies_mode_check CHECK ((mode = ANY (ARRAY['off'::text, 'patch'::text, 'minor'::text])));
ALTER TABLE fleet_policies ADD CONSTRAINT fleet_policies_pkey PRIMARY KEY (id);
ALTER TABLE fleet_rollout_sites ADD CONSTRAINT fleet_rollout_sites_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE fleet_rollout_sites ADD CONSTRAINT fleet_rollout_sites_agency_id_rollout_id_fkey FOREIGN KEY (agency_id, rollout_id) REFERENCES fleet_rollouts(agency_id, id) ON DELETE CASCADE;
ALTER TABLE fleet_rollout_sites ADD CONSTRAINT fleet_rollout_sites_detail_check CHECK ((length(detail) <= 1000));
ALTER TABLE fleet_rollout_sites ADD CONSTRAINT fleet_rollout_sites_pkey PRIMARY KEY (rollout_id, install_id);
ALTER TABLE fleet_rollout_sites ADD CONSTRAINT fleet_rollout_sites_ring_check CHECK ((ring = ANY (ARRAY['internal'::text, 'part'::text, 'all'::text])));
ALTER TABLE fleet_rollout_sites ADD CONSTRAINT fleet_rollout_sites_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'moving'::text, 'watching'::text, 'healthy'::text, 'unhealthy'::text, 'skipped'::text])));
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_agency_id_version_id_key UNIQUE (agency_id, version_id);
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id);
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_pkey PRIMARY KEY (id);
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_reason_check CHECK ((length(reason) <= 1000));
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_ring_check CHECK ((ring = ANY (ARRAY['internal'::text, 'part'::text, 'all'::text])));
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_status_check CHECK ((status = ANY (ARRAY['running'::text, 'stopped'::text, 'done'::text, 'cancelled'::text])));
ALTER TABLE fleet_rollouts ADD CONSTRAINT fleet_rollouts_version_id_fkey FOREIGN KEY (version_id) REFERENCES module_versions(id);
ALTER TABLE fleet_run_items ADD CONSTRAINT fleet_run_items_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE fleet_run_items ADD CONSTRAINT fleet_run_items_agency_id_run_id_fkey FOREIGN KEY (agency_id, run_id) REFERENCES fleet_runs(agency_id, id) ON DELETE CASCADE;
ALTER TABLE fleet_run_items ADD CONSTRAINT fleet_run_items_detail_check CHECK ((length(detail) <= 1000));
ALTER TABLE fleet_run_items ADD CONSTRAINT fleet_run_items_from_version_id_fkey FOREIGN KEY (from_version_id) REFERENCES module_versions(id);
ALTER TABLE fleet_run_items ADD CONSTRAINT fleet_run_items_pkey PRIMARY KEY (run_id, install_id);
ALTER TABLE fleet_run_items ADD CONSTRAINT fleet_run_items_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'failed'::text, 'skipped'::text])));
ALTER TABLE fleet_run_items ADD CONSTRAINT fleet_run_items_to_version_id_fkey FOREIGN KEY (to_version_id) REFERENCES module_versions(id);
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_agency_id_undoes_id_fkey FOREIGN KEY (agency_id, undoes_id) REFERENCES fleet_runs(agency_id, id) ON DELETE CASCADE;
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_change_check CHECK (((kind = 'undo'::text) OR ((kind = 'settings'::text) = (change IS NOT NULL))));
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_check CHECK (((kind = 'undo'::text) = (undoes_id IS NOT NULL)));
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_kind_check CHECK ((kind = ANY (ARRAY['upgrade'::text, 'pause'::text, 'resume'::text, 'settings'::text, 'undo'::text])));
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_ordered_by_fkey FOREIGN KEY (ordered_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_pkey PRIMARY KEY (id);
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_reason_check CHECK ((length(reason) <= 1000));
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'paused'::text, 'stopped'::text, 'done'::text, 'cancelled'::text])));
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)));
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (credential_id, key);
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_check CHECK (((previous_sealed = ''::text) = (previous_until IS NULL)));
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_install_id_name_key UNIQUE (install_id, name);
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,40}$'::text));
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_pkey PRIMARY KEY (id);
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_set_by_fkey FOREIGN KEY (set_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE inbound_hooks ADD CONSTRAINT inbound_hooks_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_check CHECK (((status = 'due'::text) = (finished_at IS NULL)));
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_content_type_check CHECK ((length(content_type) <= 200));
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_error_check CHECK ((length(error) <= 300));
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_message_id_check CHECK ((length(message_id) <= 200));
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_pkey PRIMARY KEY (id);
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE inbound_receipts ADD CONSTRAINT inbound_receipts_status_check CHECK ((status = ANY (ARRAY['due'::text, 'done'::text, 'failed'::text])));
ALTER TABLE inbound_refusals ADD CONSTRAINT inbound_refusals_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE inbound_refusals ADD CONSTRAINT inbound_refusals_pkey PRIMARY KEY (install_id, name, hour, reason);
ALTER TABLE inbound_refusals ADD CONSTRAINT inbound_refusals_reason_check CHECK ((reason = ANY (ARRAY['no_secret'::text, 'no_signature'::text, 'signature'::text, 'timestamp'::text])));
ALTER TABLE inbound_seen ADD CONSTRAINT inbound_seen_agency_id_receipt_id_fkey FOREIGN KEY (agency_id, receipt_id) REFERENCES inbound_receipts(agency_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE inbound_seen ADD CONSTRAINT inbound_seen_pkey PRIMARY KEY (install_id, name, key);
ALTER TABLE install_moves ADD CONSTRAINT install_moves_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE install_moves ADD CONSTRAINT install_moves_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE install_moves ADD CONSTRAINT install_moves_agency_id_undoes_id_fkey FOREIGN KEY (agency_id, undoes_id) REFERENCES install_moves(agency_id, id) ON DELETE CASCADE;
ALTER TABLE install_moves ADD CONSTRAINT install_moves_check CHECK (((kind = 'rollback'::text) = (undoes_id IS NOT NULL)));
ALTER TABLE install_moves ADD CONSTRAINT install_moves_from_version_id_fkey FOREIGN KEY (from_version_id) REFERENCES module_versions(id);
ALTER TABLE install_moves ADD CONSTRAINT install_moves_kind_check CHECK ((kind = ANY (ARRAY['upgrade'::text, 'rollback'::text])));
ALTER TABLE install_moves ADD CONSTRAINT install_moves_pkey PRIMARY KEY (id);
ALTER TABLE install_moves ADD CONSTRAINT install_moves_reason_check CHECK ((length(reason) <= 1000));
ALTER TABLE install_moves ADD CONSTRAINT install_moves_records_check CHECK ((records = ANY (ARRAY['keep'::text, 'put_back'::text])));
ALTER TABLE install_moves ADD CONSTRAINT install_moves_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE install_moves ADD CONSTRAINT install_moves_state_check CHECK ((state = ANY (ARRAY['ordered'::text, 'watching'::text, 'settled'::text, 'unhealthy'::text, 'undone'::text, 'failed'::text])));
ALTER TABLE install_moves ADD CONSTRAINT install_moves_to_version_id_fkey FOREIGN KEY (to_version_id) REFERENCES module_versions(id);
ALTER TABLE install_put_back_rows ADD CONSTRAINT install_put_back_rows_agency_id_move_id_fkey FOREIGN KEY (agency_id, move_id) REFERENCES install_moves(agency_id, id) ON DELETE CASCADE;
ALTER TABLE install_put_back_rows ADD CONSTRAINT install_put_back_rows_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE install_put_back_rows ADD CONSTRAINT install_put_back_rows_pkey PRIMARY KEY (move_id, "position");
ALTER TABLE install_put_back_rows ADD CONSTRAINT install_put_back_rows_position_check CHECK (("position" > 0));
ALTER TABLE install_put_back_rows ADD CONSTRAINT install_put_back_rows_state_check CHECK ((state = ANY (ARRAY['put_back'::text, 'left'::text, 'refused'::text, 'undone'::text])));
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_agency_id_move_id_fkey FOREIGN KEY (agency_id, move_id) REFERENCES install_moves(agency_id, id) ON DELETE CASCADE;
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_failure_check CHECK ((length(failure) <= 1000));
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_ordered_by_fkey FOREIGN KEY (ordered_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_pkey PRIMARY KEY (id);
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE install_put_backs ADD CONSTRAINT install_put_backs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text, 'undone'::text])));
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_failure_check CHECK ((length(failure) <= 1000));
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_from_version_id_fkey FOREIGN KEY (from_version_id) REFERENCES module_versions(id);
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_ordered_by_fkey FOREIGN KEY (ordered_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_pkey PRIMARY KEY (id);
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_status_check CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])));
ALTER TABLE install_rehearsals ADD CONSTRAINT install_rehearsals_to_version_id_fkey FOREIGN KEY (to_version_id) REFERENCES module_versions(id);
ALTER TABLE invitations ADD CONSTRAINT invitations_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE invitations ADD CONSTRAINT invitations_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE invitations ADD CONSTRAINT invitations_email_check CHECK ((email = lower(email)));
ALTER TABLE invitations ADD CONSTRAINT invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE invitations ADD CONSTRAINT invitations_pkey PRIMARY KEY (id);
ALTER TABLE invitations ADD CONSTRAINT invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'member'::text, 'viewer'::text])));
ALTER TABLE invitations ADD CONSTRAINT invitations_token_hash_key UNIQUE (token_hash);
ALTER TABLE job_runs ADD CONSTRAINT job_runs_error_check CHECK ((length(error) <= 500));
ALTER TABLE job_runs ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);
ALTER TABLE job_runs ADD CONSTRAINT job_runs_settled_check CHECK ((settled = ANY (ARRAY[''::text, 'retried'::text, 'discarded'::text])));
ALTER TABLE job_runs ADD CONSTRAINT job_runs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])));
ALTER TABLE job_runs ADD CONSTRAINT job_runs_trace_check CHECK ((length(trace) <= 8000));
ALTER TABLE log_searches ADD CONSTRAINT log_searches_agency_id_user_id_fkey FOREIGN KEY (agency_id, user_id) REFERENCES memberships(agency_id, user_id) ON DELETE CASCADE;
ALTER TABLE log_searches ADD CONSTRAINT log_searches_agency_id_user_id_name_key UNIQUE (agency_id, user_id, name);
ALTER TABLE log_searches ADD CONSTRAINT log_searches_name_check CHECK (((length(name) >= 1) AND (length(name) <= 60)));
ALTER TABLE log_searches ADD CONSTRAINT log_searches_pkey PRIMARY KEY (id);
ALTER TABLE log_searches ADD CONSTRAINT log_searches_query_check CHECK ((length(query) <= 2000));
ALTER TABLE mails ADD CONSTRAINT mails_pkey PRIMARY KEY (id);
ALTER TABLE mails ADD CONSTRAINT mails_status_check CHECK ((status = ANY (ARRAY['due'::text, 'sent'::text, 'mailbox'::text, 'given_up'::text])));
ALTER TABLE marketplace_bits ADD CONSTRAINT marketplace_bits_pkey PRIMARY KEY (facet, value);
ALTER TABLE marketplace_gone ADD CONSTRAINT marketplace_gone_pkey PRIMARY KEY (ordinal);
ALTER TABLE marketplace_listings ADD CONSTRAINT marketplace_listings_agency_id_module_id_fkey FOREIGN KEY (agency_id, module_id) REFERENCES module_source(agency_id, id) ON DELETE CASCADE;
ALTER TABLE marketplace_listings ADD CONSTRAINT marketplace_listings_agency_id_module_id_key UNIQUE (agency_id, module_id);
ALTER TABLE marketplace_listings ADD CONSTRAINT marketplace_listings_pkey PRIMARY KEY (module_id);
ALTER TABLE marketplace_listings ADD CONSTRAINT marketplace_listings_price_check CHECK ((price = ANY (ARRAY['free'::text, 'trial'::text, 'paid'::text])));
ALTER TABLE marketplace_measures ADD CONSTRAINT marketplace_measures_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE marketplace_measures ADD CONSTRAINT marketplace_measures_pkey PRIMARY KEY (module_id);
ALTER TABLE marketplace_postings ADD CONSTRAINT marketplace_postings_check CHECK ((num_nulls(ordinals, bits) = 1));
ALTER TABLE marketplace_postings ADD CONSTRAINT marketplace_postings_part_check CHECK ((part = ANY (ARRAY['name'::text, 'any'::text])));
ALTER TABLE marketplace_postings ADD CONSTRAINT marketplace_postings_pkey PRIMARY KEY (part, lexeme);
ALTER TABLE marketplace_publishers ADD CONSTRAINT marketplace_publishers_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE marketplace_publishers ADD CONSTRAINT marketplace_publishers_pkey PRIMARY KEY (agency_id);
ALTER TABLE marketplace_publishers ADD CONSTRAINT marketplace_publishers_verified_by_fkey FOREIGN KEY (verified_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE marketplace_related ADD CONSTRAINT marketplace_related_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE marketplace_related ADD CONSTRAINT marketplace_related_other_id_fkey FOREIGN KEY (other_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE marketplace_related ADD CONSTRAINT marketplace_related_pkey PRIMARY KEY (module_id, other_id);
ALTER TABLE marketplace_words ADD CONSTRAINT marketplace_words_pkey PRIMARY KEY (word);
ALTER TABLE memberships ADD CONSTRAINT memberships_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE memberships ADD CONSTRAINT memberships_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE memberships ADD CONSTRAINT memberships_agency_id_user_id_key UNIQUE (agency_id, user_id);
ALTER TABLE memberships ADD CONSTRAINT memberships_pkey PRIMARY KEY (id);
ALTER TABLE memberships ADD CONSTRAINT memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'member'::text, 'viewer'::text])));
ALTER TABLE memberships ADD CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE module_active_days ADD CONSTRAINT module_active_days_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_active_days ADD CONSTRAINT module_active_days_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE module_active_days ADD CONSTRAINT module_active_days_pkey PRIMARY KEY (agency_id, module_id, major);
ALTER TABLE module_analytics_aggregates ADD CONSTRAINT module_analytics_aggregates_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_analytics_aggregates ADD CONSTRAINT module_analytics_aggregates_grain_check CHECK ((grain = ANY (ARRAY['hour'::text, 'day'::text])));
ALTER TABLE module_analytics_aggregates ADD CONSTRAINT module_analytics_aggregates_level_check CHECK ((level = ANY (ARRAY['site'::text, 'pages'::text, 'install'::text])));
ALTER TABLE module_analytics_aggregates ADD CONSTRAINT module_analytics_aggregates_pkey PRIMARY KEY (site_id, day, grain, level, subject_id, event, dimension, value, bucket);
ALTER TABLE module_analytics_events ADD CONSTRAINT module_analytics_events_event_check CHECK ((event = ANY (ARRAY['view'::text, 'mount'::text, 'error'::text, 'start'::text, 'submit'::text, 'click'::text, 'time'::text, 'custom'::text, 'installed'::text, 'upgraded'::text, 'rolled_back'::text, 'removed'::text])));
ALTER TABLE module_analytics_progress ADD CONSTRAINT module_analytics_progress_pkey PRIMARY KEY (source);
ALTER TABLE module_blobs ADD CONSTRAINT module_blobs_pkey PRIMARY KEY (sha256);
ALTER TABLE module_blobs ADD CONSTRAINT module_blobs_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text));
ALTER TABLE module_collection_items ADD CONSTRAINT module_collection_items_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES module_collections(id) ON DELETE CASCADE;
ALTER TABLE module_collection_items ADD CONSTRAINT module_collection_items_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE module_collection_items ADD CONSTRAINT module_collection_items_pkey PRIMARY KEY (collection_id, module_id);
ALTER TABLE module_collections ADD CONSTRAINT module_collections_changed_by_fkey FOREIGN KEY (changed_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_collections ADD CONSTRAINT module_collections_check CHECK ((ends_at > starts_at));
ALTER TABLE module_collections ADD CONSTRAINT module_collections_kind_check CHECK ((kind = ANY (ARRAY['curated'::text, 'popular'::text, 'new'::text, 'top_rated'::text, 'free'::text])));
ALTER TABLE module_collections ADD CONSTRAINT module_collections_name_check CHECK (((length(name) >= 1) AND (length(name) <= 60)));
ALTER TABLE module_collections ADD CONSTRAINT module_collections_pkey PRIMARY KEY (id);
ALTER TABLE module_collections ADD CONSTRAINT module_collections_slug_check CHECK ((slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'::text));
ALTER TABLE module_collections ADD CONSTRAINT module_collections_slug_key UNIQUE (slug);
ALTER TABLE module_collections ADD CONSTRAINT module_collections_summary_check CHECK ((length(summary) <= 200));
ALTER TABLE module_connections ADD CONSTRAINT module_connections_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_connections ADD CONSTRAINT module_connections_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_connections ADD CONSTRAINT module_connections_asked_state_key UNIQUE (asked_state);
ALTER TABLE module_connections ADD CONSTRAINT module_connections_check CHECK (((state = 'connected'::text) = (access_sealed <> ''::text)));
ALTER TABLE module_connections ADD CONSTRAINT module_connections_check1 CHECK (((asked_state IS NULL) = (asked_at IS NULL)));
ALTER TABLE module_connections ADD CONSTRAINT module_connections_client_id_check CHECK ((length(client_id) <= 500));
ALTER TABLE module_connections ADD CONSTRAINT module_connections_connected_by_fkey FOREIGN KEY (connected_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_connections ADD CONSTRAINT module_connections_failure_check CHECK ((length(failure) <= 300));
ALTER TABLE module_connections ADD CONSTRAINT module_connections_install_id_name_key UNIQUE (install_id, name);
ALTER TABLE module_connections ADD CONSTRAINT module_connections_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,40}$'::text));
ALTER TABLE module_connections ADD CONSTRAINT module_connections_pkey PRIMARY KEY (id);
ALTER TABLE module_connections ADD CONSTRAINT module_connections_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE module_connections ADD CONSTRAINT module_connections_state_check CHECK ((state = ANY (ARRAY['new'::text, 'connected'::text, 'broken'::text])));
ALTER TABLE module_database_registry ADD CONSTRAINT module_database_registry_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id);
ALTER TABLE module_database_registry ADD CONSTRAINT module_database_registry_pkey PRIMARY KEY (module_id);
ALTER TABLE module_database_registry ADD CONSTRAINT module_database_registry_role_name_key UNIQUE (role_name);
ALTER TABLE module_database_registry ADD CONSTRAINT module_database_registry_schema_name_key UNIQUE (schema_name);
ALTER TABLE module_database_registry ADD CONSTRAINT module_database_registry_short_id_key UNIQUE (short_id);
ALTER TABLE module_done ADD CONSTRAINT module_done_key_check CHECK ((length(key) <= 200));
ALTER TABLE module_done ADD CONSTRAINT module_done_pkey PRIMARY KEY (install_id, key);
ALTER TABLE module_embed_pages ADD CONSTRAINT module_embed_pages_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_embed_pages ADD CONSTRAINT module_embed_pages_page_check CHECK (((length(page) >= 1) AND (length(page) <= 60)));
ALTER TABLE module_embed_pages ADD CONSTRAINT module_embed_pages_pkey PRIMARY KEY (install_id, page);
ALTER TABLE module_embed_pages ADD CONSTRAINT module_embed_pages_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120)));
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_origins_check CHECK ((cardinality(origins) <= 20));
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_pkey PRIMARY KEY (id);
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_site_id_install_id_fkey FOREIGN KEY (site_id, install_id) REFERENCES modules_v2(site_id, id) ON DELETE CASCADE;
ALTER TABLE module_embed_tokens ADD CONSTRAINT module_embed_tokens_token_hash_key UNIQUE (token_hash);
ALTER TABLE module_enrolments ADD CONSTRAINT module_enrolments_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_enrolments ADD CONSTRAINT module_enrolments_level_check CHECK ((level = ANY (ARRAY['alpha'::text, 'beta'::text])));
ALTER TABLE module_enrolments ADD CONSTRAINT module_enrolments_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE module_enrolments ADD CONSTRAINT module_enrolments_pkey PRIMARY KEY (module_id, agency_id);
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_check CHECK (((kind = 'grant'::text) OR (ends_at IS NOT NULL)));
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_check1 CHECK ((ends_at > starts_at));
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_granted_by_fkey FOREIGN KEY (granted_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_kind_check CHECK ((kind = ANY (ARRAY['trial'::text, 'grant'::text])));
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_note_check CHECK ((length(note) <= 200));
ALTER TABLE module_entitlements ADD CONSTRAINT module_entitlements_pkey PRIMARY KEY (id);
ALTER TABLE module_files ADD CONSTRAINT module_files_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_files ADD CONSTRAINT module_files_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_files ADD CONSTRAINT module_files_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_files ADD CONSTRAINT module_files_check CHECK (((state = 'pending'::text) = (record_id IS NULL)));
ALTER TABLE module_files ADD CONSTRAINT module_files_family_check CHECK ((family = ANY (ARRAY['image'::text, 'pdf'::text, 'document'::text, 'audio'::text, 'video'::text])));
ALTER TABLE module_files ADD CONSTRAINT module_files_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200)));
ALTER TABLE module_files ADD CONSTRAINT module_files_pkey PRIMARY KEY (id);
ALTER TABLE module_files ADD CONSTRAINT module_files_sent_bytes_check CHECK ((sent_bytes > 0));
ALTER TABLE module_files ADD CONSTRAINT module_files_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text));
ALTER TABLE module_files ADD CONSTRAINT module_files_site_id_id_key UNIQUE (site_id, id);
ALTER TABLE module_files ADD CONSTRAINT module_files_size_bytes_check CHECK ((size_bytes > 0));
ALTER TABLE module_files ADD CONSTRAINT module_files_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'attached'::text, 'released'::text])));
ALTER TABLE module_function_runs ADD CONSTRAINT module_function_runs_outcome_check CHECK ((outcome = ANY (ARRAY['ok'::text, 'refused'::text, 'error'::text, 'timeout'::text, 'memory'::text, 'budget'::text])));
ALTER TABLE module_function_runs ADD CONSTRAINT module_function_runs_pkey PRIMARY KEY (id);
ALTER TABLE module_function_runs ADD CONSTRAINT module_function_runs_trigger_check CHECK ((trigger = ANY (ARRAY['route'::text, 'hook'::text, 'event'::text, 'schedule'::text, 'page'::text, 'test'::text, 'call'::text, 'inbound'::text])));
ALTER TABLE module_member_roles ADD CONSTRAINT module_member_roles_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_member_roles ADD CONSTRAINT module_member_roles_agency_id_user_id_fkey FOREIGN KEY (agency_id, user_id) REFERENCES memberships(agency_id, user_id) ON DELETE CASCADE;
ALTER TABLE module_member_roles ADD CONSTRAINT module_member_roles_pkey PRIMARY KEY (install_id, user_id);
ALTER TABLE module_member_roles ADD CONSTRAINT module_member_roles_role_check CHECK ((role ~ '^[a-z][a-z0-9_]{0,40}$'::text));
ALTER TABLE module_naming_conflicts ADD CONSTRAINT module_naming_conflicts_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id);
ALTER TABLE module_naming_conflicts ADD CONSTRAINT module_naming_conflicts_pkey PRIMARY KEY (id);
ALTER TABLE module_publications ADD CONSTRAINT module_publications_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_publications ADD CONSTRAINT module_publications_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_publications ADD CONSTRAINT module_publications_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_publications ADD CONSTRAINT module_publications_ordered_by_fkey FOREIGN KEY (ordered_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_publications ADD CONSTRAINT module_publications_pkey PRIMARY KEY (id);
ALTER TABLE module_publications ADD CONSTRAINT module_publications_status_check CHECK ((status = ANY (ARRAY['running'::text, 'held'::text, 'published'::text, 'failed'::text, 'refused'::text])));
ALTER TABLE module_publications ADD CONSTRAINT module_publications_tier_check CHECK ((tier = ANY (ARRAY[''::text, 'internal'::text, 'beta'::text, 'public'::text])));
ALTER TABLE module_publications ADD CONSTRAINT module_publications_version_id_fkey FOREIGN KEY (version_id) REFERENCES module_versions(id) ON DELETE CASCADE;
ALTER TABLE module_rating_reports ADD CONSTRAINT module_rating_reports_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_rating_reports ADD CONSTRAINT module_rating_reports_pkey PRIMARY KEY (rating_id, agency_id);
ALTER TABLE module_rating_reports ADD CONSTRAINT module_rating_reports_rating_id_fkey FOREIGN KEY (rating_id) REFERENCES module_ratings(id) ON DELETE CASCADE;
ALTER TABLE module_rating_reports ADD CONSTRAINT module_rating_reports_reason_check CHECK ((reason = ANY (ARRAY['spam'::text, 'abuse'::text, 'personal'::text, 'untrue'::text])));
ALTER TABLE module_rating_votes ADD CONSTRAINT module_rating_votes_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_rating_votes ADD CONSTRAINT module_rating_votes_pkey PRIMARY KEY (rating_id, agency_id);
ALTER TABLE module_rating_votes ADD CONSTRAINT module_rating_votes_rating_id_fkey FOREIGN KEY (rating_id) REFERENCES module_ratings(id) ON DELETE CASCADE;
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_agency_id_module_id_major_key UNIQUE (agency_id, module_id, major);
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_answer_check CHECK ((length(answer) <= 4000));
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_hidden_by_fkey FOREIGN KEY (hidden_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_pkey PRIMARY KEY (id);
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_stars_check CHECK (((stars >= 1) AND (stars <= 5)));
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_text_check CHECK ((length(text) <= 4000));
ALTER TABLE module_ratings ADD CONSTRAINT module_ratings_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_request_votes ADD CONSTRAINT module_request_votes_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_request_votes ADD CONSTRAINT module_request_votes_pkey PRIMARY KEY (request_id, agency_id);
ALTER TABLE module_request_votes ADD CONSTRAINT module_request_votes_request_id_fkey FOREIGN KEY (request_id) REFERENCES module_requests(id) ON DELETE CASCADE;
ALTER TABLE module_requests ADD CONSTRAINT module_requests_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_requests ADD CONSTRAINT module_requests_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_requests ADD CONSTRAINT module_requests_answer_check CHECK ((length(answer) <= 1000));
ALTER TABLE module_requests ADD CONSTRAINT module_requests_pkey PRIMARY KEY (id);
ALTER TABLE module_requests ADD CONSTRAINT module_requests_state_check CHECK ((state = ANY (ARRAY['open'::text, 'planned'::text, 'done'::text, 'declined'::text])));
ALTER TABLE module_requests ADD CONSTRAINT module_requests_text_check CHECK ((length(text) <= 2000));
ALTER TABLE module_requests ADD CONSTRAINT module_requests_title_check CHECK (((length(title) >= 1) AND (length(title) <= 100)));
ALTER TABLE module_schedules ADD CONSTRAINT module_schedules_agency_id_install_id_fkey FOREIGN KEY (agency_id, install_id) REFERENCES modules_v2(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_schedules ADD CONSTRAINT module_schedules_pkey PRIMARY KEY (install_id, name);
ALTER TABLE module_settings ADD CONSTRAINT module_settings_agency_id_client_id_fkey FOREIGN KEY (agency_id, client_id) REFERENCES clients(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_settings ADD CONSTRAINT module_settings_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_settings ADD CONSTRAINT module_settings_agency_id_module_id_client_id_key UNIQUE NULLS NOT DISTINCT (agency_id, module_id, client_id);
ALTER TABLE module_settings ADD CONSTRAINT module_settings_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id);
ALTER TABLE module_settings ADD CONSTRAINT module_settings_pkey PRIMARY KEY (id);
ALTER TABLE module_source ADD CONSTRAINT module_source_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id);
ALTER TABLE module_source ADD CONSTRAINT module_source_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_source ADD CONSTRAINT module_source_id_latest_version_id_fkey FOREIGN KEY (id, latest_version_id) REFERENCES module_versions(module_id, id);
ALTER TABLE module_source ADD CONSTRAINT module_source_latest_version_id_fkey FOREIGN KEY (latest_version_id) REFERENCES module_versions(id);
ALTER TABLE module_source ADD CONSTRAINT module_source_pkey PRIMARY KEY (id);
ALTER TABLE module_source ADD CONSTRAINT module_source_short_id_check CHECK ((short_id ~ '^[0-9a-f]{8}$'::text));
ALTER TABLE module_source ADD CONSTRAINT module_source_short_id_key UNIQUE (short_id);
ALTER TABLE module_source ADD CONSTRAINT module_source_slug_check CHECK ((slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'::text));
ALTER TABLE module_source ADD CONSTRAINT module_source_slug_key UNIQUE (slug);
ALTER TABLE module_source ADD CONSTRAINT module_source_tier_check CHECK ((tier = ANY (ARRAY['internal'::text, 'alpha'::text, 'beta'::text, 'public'::text])));
ALTER TABLE module_source ADD CONSTRAINT module_source_type_check CHECK ((type = ANY (ARRAY['widget'::text, 'app'::text, 'integration'::text, 'system'::text, 'custom'::text])));
ALTER TABLE module_trials ADD CONSTRAINT module_trials_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_trials ADD CONSTRAINT module_trials_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_trials ADD CONSTRAINT module_trials_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id);
ALTER TABLE module_trials ADD CONSTRAINT module_trials_module_id_version_id_fkey FOREIGN KEY (module_id, version_id) REFERENCES module_versions(module_id, id);
ALTER TABLE module_trials ADD CONSTRAINT module_trials_pkey PRIMARY KEY (id);
ALTER TABLE module_trials ADD CONSTRAINT module_trials_site_id_key UNIQUE (site_id);
ALTER TABLE module_trials ADD CONSTRAINT module_trials_status_check CHECK ((status = ANY (ARRAY['making'::text, 'ready'::text, 'failed'::text, 'ending'::text])));
ALTER TABLE module_trials ADD CONSTRAINT module_trials_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE module_trials ADD CONSTRAINT module_trials_version_id_fkey FOREIGN KEY (version_id) REFERENCES module_versions(id);
ALTER TABLE module_version_files ADD CONSTRAINT module_version_files_agency_id_version_id_fkey FOREIGN KEY (agency_id, version_id) REFERENCES module_versions(agency_id, id) ON DELETE CASCADE;
ALTER TABLE module_version_files ADD CONSTRAINT module_version_files_pkey PRIMARY KEY (version_id, path);
ALTER TABLE module_version_files ADD CONSTRAINT module_version_files_sha256_fkey FOREIGN KEY (sha256) REFERENCES module_blobs(sha256);
ALTER TABLE module_version_files ADD CONSTRAINT module_version_files_version_id_fkey FOREIGN KEY (version_id) REFERENCES module_versions(id) ON DELETE CASCADE;
ALTER TABLE module_versions ADD CONSTRAINT module_versions_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE module_versions ADD CONSTRAINT module_versions_agency_id_module_id_fkey FOREIGN KEY (agency_id, module_id) REFERENCES module_source(agency_id, id);
ALTER TABLE module_versions ADD CONSTRAINT module_versions_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE module_versions ADD CONSTRAINT module_versions_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text));
ALTER TABLE module_versions ADD CONSTRAINT module_versions_module_id_id_key UNIQUE (module_id, id);
ALTER TABLE module_versions ADD CONSTRAINT module_versions_module_id_version_key UNIQUE (module_id, version);
ALTER TABLE module_versions ADD CONSTRAINT module_versions_offered_version_id_fkey FOREIGN KEY (offered_version_id) REFERENCES module_versions(id);
ALTER TABLE module_versions ADD CONSTRAINT module_versions_pkey PRIMARY KEY (id);
ALTER TABLE module_versions ADD CONSTRAINT module_versions_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'published'::text, 'yanked'::text])));
ALTER TABLE module_versions ADD CONSTRAINT module_versions_version_check CHECK ((length(version) <= 64));
ALTER TABLE module_wishes ADD CONSTRAINT module_wishes_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE module_wishes ADD CONSTRAINT module_wishes_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id) ON DELETE CASCADE;
ALTER TABLE module_wishes ADD CONSTRAINT module_wishes_pkey PRIMARY KEY (agency_id, module_id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_installed_by_fkey FOREIGN KEY (installed_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_module_id_fkey FOREIGN KEY (module_id) REFERENCES module_source(id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_module_id_previous_version_id_fkey FOREIGN KEY (module_id, previous_version_id) REFERENCES module_versions(module_id, id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_module_id_version_id_fkey FOREIGN KEY (module_id, version_id) REFERENCES module_versions(module_id, id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_pkey PRIMARY KEY (id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_previous_version_id_fkey FOREIGN KEY (previous_version_id) REFERENCES module_versions(id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_site_id_id_key UNIQUE (site_id, id);
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_status_check CHECK ((status = ANY (ARRAY['provisioning'::text, 'active'::text, 'failed'::text, 'paused'::text, 'removing'::text, 'removed'::text])));
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_task_check CHECK ((task = ANY (ARRAY['install'::text, 'upgrade'::text, 'rollback'::text, 'remove'::text, 'restore'::text])));
ALTER TABLE modules_v2 ADD CONSTRAINT modules_v2_version_id_fkey FOREIGN KEY (version_id) REFERENCES module_versions(id);
ALTER TABLE password_resets ADD CONSTRAINT password_resets_pkey PRIMARY KEY (id);
ALTER TABLE password_resets ADD CONSTRAINT password_resets_token_hash_key UNIQUE (token_hash);
ALTER TABLE password_resets ADD CONSTRAINT password_resets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE publisher_keys ADD CONSTRAINT publisher_keys_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE publisher_keys ADD CONSTRAINT publisher_keys_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE publisher_keys ADD CONSTRAINT publisher_keys_pkey PRIMARY KEY (id);
ALTER TABLE publisher_keys ADD CONSTRAINT publisher_keys_public_key_check CHECK ((length(public_key) = 32));
ALTER TABLE recorded_bodies ADD CONSTRAINT recorded_bodies_content_type_check CHECK ((length(content_type) <= 200));
ALTER TABLE recorded_bodies ADD CONSTRAINT recorded_bodies_if_match_check CHECK ((length(if_match) <= 200));
ALTER TABLE recorded_bodies ADD CONSTRAINT recorded_bodies_pkey PRIMARY KEY (request_id);
ALTER TABLE release_log ADD CONSTRAINT release_log_kind_check CHECK ((kind = ANY (ARRAY['release'::text, 'yank'::text])));
ALTER TABLE release_log ADD CONSTRAINT release_log_pkey PRIMARY KEY (number);
ALTER TABLE release_log_head ADD CONSTRAINT release_log_head_one_check CHECK (one);
ALTER TABLE release_log_head ADD CONSTRAINT release_log_head_pkey PRIMARY KEY (one);
ALTER TABLE schema_migrations ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);
ALTER TABLE sign_in_attempts ADD CONSTRAINT sign_in_attempts_outcome_check CHECK ((outcome = ANY (ARRAY['signed_in'::text, 'wrong'::text, 'throttled'::text, 'disabled'::text])));
ALTER TABLE sign_in_attempts ADD CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (id);
ALTER TABLE sign_in_attempts ADD CONSTRAINT sign_in_attempts_user_agent_check CHECK ((length(user_agent) <= 400));
ALTER TABLE sign_in_attempts ADD CONSTRAINT sign_in_attempts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE site_images ADD CONSTRAINT site_images_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE site_images ADD CONSTRAINT site_images_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE site_images ADD CONSTRAINT site_images_height_check CHECK ((height > 0));
ALTER TABLE site_images ADD CONSTRAINT site_images_name_check CHECK ((length(name) <= 200));
ALTER TABLE site_images ADD CONSTRAINT site_images_pkey PRIMARY KEY (id);
ALTER TABLE site_images ADD CONSTRAINT site_images_size_bytes_check CHECK ((size_bytes > 0));
ALTER TABLE site_images ADD CONSTRAINT site_images_width_check CHECK ((width > 0));
ALTER TABLE site_looks ADD CONSTRAINT site_looks_accent_check CHECK ((accent ~ '^#[0-9a-f]{6}$'::text));
ALTER TABLE site_looks ADD CONSTRAINT site_looks_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE site_looks ADD CONSTRAINT site_looks_agency_id_site_id_key UNIQUE (agency_id, site_id);
ALTER TABLE site_looks ADD CONSTRAINT site_looks_font_check CHECK ((font = ANY (ARRAY['modern'::text, 'system'::text, 'classic'::text, 'friendly'::text])));
ALTER TABLE site_looks ADD CONSTRAINT site_looks_footer_check CHECK ((length(footer) <= 2000));
ALTER TABLE site_looks ADD CONSTRAINT site_looks_lost_text_check CHECK ((length(lost_text) <= 2000));
ALTER TABLE site_looks ADD CONSTRAINT site_looks_lost_title_check CHECK ((length(lost_title) <= 120));
ALTER TABLE site_looks ADD CONSTRAINT site_looks_pkey PRIMARY KEY (site_id);
ALTER TABLE site_looks ADD CONSTRAINT site_looks_tagline_check CHECK ((length(tagline) <= 120));
ALTER TABLE site_looks ADD CONSTRAINT site_looks_theme_check CHECK ((theme = ANY (ARRAY['auto'::text, 'light'::text, 'dark'::text])));
ALTER TABLE site_page_steps ADD CONSTRAINT site_page_steps_agency_id_page_id_fkey FOREIGN KEY (agency_id, page_id) REFERENCES site_pages(agency_id, id) ON DELETE CASCADE;
ALTER TABLE site_page_steps ADD CONSTRAINT site_page_steps_pkey PRIMARY KEY (page_id, revision);
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_agency_id_page_id_fkey FOREIGN KEY (agency_id, page_id) REFERENCES site_pages(agency_id, id) ON DELETE CASCADE;
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_made_by_fkey FOREIGN KEY (made_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_number_check CHECK ((number > 0));
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_page_id_id_key UNIQUE (page_id, id);
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_page_id_number_key UNIQUE (page_id, number);
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_pkey PRIMARY KEY (id);
ALTER TABLE site_page_versions ADD CONSTRAINT site_page_versions_reason_check CHECK ((reason = ANY (ARRAY['published'::text, 'planned'::text, 'kept'::text])));
ALTER TABLE site_page_views ADD CONSTRAINT site_page_views_agency_id_page_id_fkey FOREIGN KEY (agency_id, page_id) REFERENCES site_pages(agency_id, id) ON DELETE CASCADE;
ALTER TABLE site_page_views ADD CONSTRAINT site_page_views_pkey PRIMARY KEY (page_id, day);
ALTER TABLE site_page_views ADD CONSTRAINT site_page_views_views_check CHECK ((views > 0));
ALTER TABLE site_pages ADD CONSTRAINT site_pages_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE site_pages ADD CONSTRAINT site_pages_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE site_pages ADD CONSTRAINT site_pages_check CHECK (((live_version_id IS NULL) = (published_at IS NULL)));
ALTER TABLE site_pages ADD CONSTRAINT site_pages_check1 CHECK (((planned_version_id IS NULL) = (publish_at IS NULL)));
ALTER TABLE site_pages ADD CONSTRAINT site_pages_id_live_version_id_fkey FOREIGN KEY (id, live_version_id) REFERENCES site_page_versions(page_id, id);
ALTER TABLE site_pages ADD CONSTRAINT site_pages_id_planned_version_id_fkey FOREIGN KEY (id, planned_version_id) REFERENCES site_page_versions(page_id, id);
ALTER TABLE site_pages ADD CONSTRAINT site_pages_menu_label_check CHECK ((length(menu_label) <= 60));
ALTER TABLE site_pages ADD CONSTRAINT site_pages_path_check CHECK (((length(path) <= 200) AND (path ~ '^(/|(/[a-z0-9]+(-[a-z0-9]+)*)+)$'::text)));
ALTER TABLE site_pages ADD CONSTRAINT site_pages_pkey PRIMARY KEY (id);
ALTER TABLE site_pages ADD CONSTRAINT site_pages_site_id_id_key UNIQUE (site_id, id);
ALTER TABLE site_pages ADD CONSTRAINT site_pages_site_id_parent_id_fkey FOREIGN KEY (site_id, parent_id) REFERENCES site_pages(site_id, id) ON DELETE SET NULL (parent_id);
ALTER TABLE site_redirects ADD CONSTRAINT site_redirects_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE site_redirects ADD CONSTRAINT site_redirects_agency_id_site_id_fkey FOREIGN KEY (agency_id, site_id) REFERENCES sites(agency_id, id) ON DELETE CASCADE;
ALTER TABLE site_redirects ADD CONSTRAINT site_redirects_pkey PRIMARY KEY (id);
ALTER TABLE site_redirects ADD CONSTRAINT site_redirects_site_id_source_key UNIQUE (site_id, source);
ALTER TABLE site_redirects ADD CONSTRAINT site_redirects_source_check CHECK (((length(source) <= 500) AND (source ~~ '/%'::text)));
ALTER TABLE site_redirects ADD CONSTRAINT site_redirects_target_check CHECK ((length(target) <= 2000));
ALTER TABLE sites ADD CONSTRAINT sites_agency_id_client_id_fkey FOREIGN KEY (agency_id, client_id) REFERENCES clients(agency_id, id);
ALTER TABLE sites ADD CONSTRAINT sites_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE sites ADD CONSTRAINT sites_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE sites ADD CONSTRAINT sites_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
ALTER TABLE sites ADD CONSTRAINT sites_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120)));
ALTER TABLE sites ADD CONSTRAINT sites_pkey PRIMARY KEY (id);
ALTER TABLE sites ADD CONSTRAINT sites_slug_check CHECK ((slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'::text));
ALTER TABLE sites ADD CONSTRAINT sites_slug_key UNIQUE (slug);
ALTER TABLE status_days ADD CONSTRAINT status_days_check CHECK (((good >= 0) AND (good <= checks)));
ALTER TABLE status_days ADD CONSTRAINT status_days_part_check CHECK ((part = ANY (ARRAY['web'::text, 'runtime'::text, 'queue'::text, 'mail'::text, 'webhooks'::text])));
ALTER TABLE status_days ADD CONSTRAINT status_days_pkey PRIMARY KEY (part, day);
ALTER TABLE studio_files ADD CONSTRAINT studio_files_agency_id_project_id_fkey FOREIGN KEY (agency_id, project_id) REFERENCES studio_projects(agency_id, id) ON DELETE CASCADE;
ALTER TABLE studio_files ADD CONSTRAINT studio_files_author_id_fkey FOREIGN KEY (author_id) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE studio_files ADD CONSTRAINT studio_files_path_check CHECK (((length(path) >= 1) AND (length(path) <= 200)));
ALTER TABLE studio_files ADD CONSTRAINT studio_files_pkey PRIMARY KEY (project_id, path, revision);
ALTER TABLE studio_projects ADD CONSTRAINT studio_projects_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE studio_projects ADD CONSTRAINT studio_projects_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE studio_projects ADD CONSTRAINT studio_projects_created_by_fkey FOREIGN KEY (created_by) REFERENCES users(id) ON DELETE SET NULL;
ALTER TABLE studio_projects ADD CONSTRAINT studio_projects_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80)));
ALTER TABLE studio_projects ADD CONSTRAINT studio_projects_pkey PRIMARY KEY (id);
ALTER TABLE studio_trials ADD CONSTRAINT studio_trials_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE studio_trials ADD CONSTRAINT studio_trials_agency_id_project_id_fkey FOREIGN KEY (agency_id, project_id) REFERENCES studio_projects(agency_id, id) ON DELETE CASCADE;
ALTER TABLE studio_trials ADD CONSTRAINT studio_trials_kind_check CHECK ((kind = ANY (ARRAY['tests'::text, 'preview'::text, 'call'::text])));
ALTER TABLE studio_trials ADD CONSTRAINT studio_trials_pkey PRIMARY KEY (id);
ALTER TABLE studio_trials ADD CONSTRAINT studio_trials_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'done'::text, 'failed'::text])));
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_agency_id_id_key UNIQUE (agency_id, id);
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_check CHECK (((status <> 'active'::text) OR ((decided_at IS NOT NULL) AND (expires_at IS NOT NULL))));
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_check1 CHECK ((expires_at <= (decided_at + make_interval(hours => (hours)::integer))));
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_hours_check CHECK ((hours = ANY (ARRAY[1, 4, 24])));
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_pkey PRIMARY KEY (id);
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_reason_check CHECK (((length(reason) >= 10) AND (length(reason) <= 500)));
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE support_accesses ADD CONSTRAINT support_accesses_status_check CHECK ((status = ANY (ARRAY['asked'::text, 'active'::text, 'refused'::text, 'ended'::text])));
ALTER TABLE support_switches ADD CONSTRAINT support_switches_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agencies(id) ON DELETE CASCADE;
ALTER TABLE support_switches ADD CONSTRAINT support_switches_mode_check CHECK ((mode = ANY (ARRAY['allow'::text, 'ask'::text, 'refuse'::text])));
ALTER TABLE support_switches ADD CONSTRAINT support_switches_pkey PRIMARY KEY (agency_id);
ALTER TABLE user_sessions ADD CONSTRAINT user_sessions_pkey PRIMARY KEY (id);
ALTER TABLE user_sessions ADD CONSTRAINT user_sessions_support_access_id_fkey FOREIGN KEY (support_access_id) REFERENCES support_accesses(id) ON DELETE SET NULL;
ALTER TABLE user_sessions ADD CONSTRAINT user_sessions_token_hash_key UNIQUE (token_hash);
ALTER TABLE user_sessions ADD CONSTRAINT user_sessions_user_agent_check CHECK ((length(user_agent) <= 400));
ALTER TABLE user_sessions ADD CONSTRAINT user_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE users ADD CONSTRAINT users_email_check CHECK (((email = lower(email)) AND ((length(email) >= 3) AND (length(email) <= 254))));
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE users ADD CONSTRAINT users_name_check CHECK (((length(name) >= 1) AND (length(name) <= 120)));
ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE users ADD CONSTRAINT users_staff_role_check CHECK ((staff_role = ANY (ARRAY['support'::text, 'administrator'::text])));
-- indexes
CREATE INDEX api_keys_install ON public.api_keys USING btree (site_id, install_id);
CREATE INDEX api_keys_origins ON public.api_keys USING gin (origins) WHERE (revoked_at IS NULL);
CREATE INDEX api_keys_site ON public.api_keys USING btree (agency_id, site_id);
CREATE INDEX audit_log_at ON public.audit_log USING btree (agency_id, at DESC);
CREATE INDEX audit_log_request ON public.audit_log USING btree (request_id) WHERE (request_id <> ''::text);
CREATE INDEX automation_runs_event ON public.automation_runs USING btree (event_id);
CREATE INDEX automation_runs_log ON public.automation_runs USING btree (agency_id, automation_id, id DESC);
CREATE INDEX automation_runs_open ON public.automation_runs USING btree (due_at) WHERE (status = ANY (ARRAY['due'::text, 'running'::text]));
CREATE INDEX automation_states_automation ON public.automation_states USING btree (agency_id, automation_id);
CREATE INDEX automations_site ON public.automations USING btree (agency_id, site_id);
CREATE INDEX case_bundles_age ON public.case_bundles USING btree (expires_at);
CREATE INDEX case_bundles_install ON public.case_bundles USING btree (agency_id, install_id, id DESC);
CREATE INDEX case_bundles_publisher ON public.case_bundles USING btree (for_agency_id) WHERE (for_agency_id IS NOT NULL);
CREATE INDEX event_deliveries_agency ON public.event_deliveries USING btree (agency_id);
CREATE INDEX event_deliveries_due ON public.event_deliveries USING btree (due_at) WHERE (status = 'due'::text);
CREATE INDEX events_agency ON public.events USING btree (agency_id, sequence DESC);
CREATE INDEX events_install ON public.events USING btree (site_id, install_id, transaction, sequence) WHERE (install_id IS NOT NULL);
CREATE INDEX events_occurred ON public.events USING btree (agency_id, occurred_at DESC);
CREATE INDEX events_request ON public.events USING btree (request_id) WHERE (request_id <> ''::text);
CREATE INDEX events_site ON public.events USING btree (site_id, transaction, sequence) WHERE (site_id IS NOT NULL);
CREATE INDEX events_undispatched ON public.events USING btree (sequence) WHERE (dispatched_at IS NULL);
CREATE INDEX external_api_requests_agency ON ONLY public.external_api_requests USING btree (agency_id, at DESC);
CREATE INDEX external_api_requests_request ON ONLY public.external_api_requests USING btree (request_id);
CREATE INDEX external_api_requests_site ON ONLY public.external_api_requests USING btree (agency_id, site_id, at DESC);
CREATE INDEX external_domains_due ON public.external_domains USING btree (next_check_at) WHERE (next_check_at IS NOT NULL);
CREATE INDEX external_domains_origins ON public.external_domains USING btree (site_id) WHERE (state = ANY (ARRAY['verified'::text, 'failing'::text]));
CREATE INDEX external_domains_site ON public.external_domains USING btree (agency_id, site_id);
CREATE INDEX external_domains_target ON public.external_domains USING btree (agency_id, target_install_id);
CREATE INDEX external_oauth_clients_agency ON public.external_oauth_clients USING btree (agency_id, created_at DESC);
CREATE INDEX external_oauth_clients_origins ON public.external_oauth_clients USING gin (origins) WHERE ((kind = 'public'::text) AND (deleted_at IS NULL));
CREATE INDEX external_oauth_codes_age ON public.external_oauth_codes USING btree (expires_at);
CREATE INDEX external_oauth_grants_agency ON public.external_oauth_grants USING btree (agency_id, created_at DESC);
CREATE INDEX external_oauth_grants_client ON public.external_oauth_grants USING btree (client_id);
CREATE INDEX external_oauth_grants_user ON public.external_oauth_grants USING btree (user_id);
CREATE INDEX external_oauth_tokens_age ON public.external_oauth_tokens USING btree (expires_at);
CREATE INDEX external_oauth_tokens_grant ON public.external_oauth_tokens USING btree (agency_id, grant_id);
CREATE INDEX external_webhook_attempts_agency ON public.external_webhook_attempts USING btree (agency_id, delivery_id);
CREATE INDEX external_webhook_attempts_at ON public.external_webhook_attempts USING btree (agency_id, at DESC);
CREATE INDEX external_webhook_deliveries_log ON public.external_webhook_deliveries USING btree (agency_id, webhook_id, id DESC);
CREATE INDEX external_webhook_deliveries_open ON public.external_webhook_deliveries USING btree (webhook_id, due_at) WHERE (status = ANY (ARRAY['due'::text, 'sending'::text]));
CREATE INDEX external_webhooks_site ON public.external_webhooks USING btree (agency_id, site_id);
CREATE INDEX failed_requests_agency ON public.failed_requests USING btree (agency_id, at DESC);
CREATE INDEX failed_requests_at ON public.failed_requests USING btree (at DESC);
CREATE INDEX failed_requests_request ON public.failed_requests USING btree (request_id);
CREATE INDEX fleet_rollout_sites_install ON public.fleet_rollout_sites USING btree (agency_id, install_id);
CREATE INDEX fleet_rollouts_module ON public.fleet_rollouts USING btree (module_id);
CREATE INDEX fleet_rollouts_running ON public.fleet_rollouts USING btree (agency_id) WHERE (status = 'running'::text);
CREATE INDEX fleet_rollouts_version ON public.fleet_rollouts USING btree (version_id);
CREATE INDEX fleet_run_items_install ON public.fleet_run_items USING btree (agency_id, install_id);
CREATE INDEX fleet_run_items_order ON public.fleet_run_items USING btree (run_id, "position");
CREATE INDEX fleet_runs_agency ON public.fleet_runs USING btree (agency_id, id DESC);
CREATE INDEX fleet_runs_unfinished ON public.fleet_runs USING btree (changed_at) WHERE (status = 'running'::text);
CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);
CREATE INDEX idempotency_keys_site ON public.idempotency_keys USING btree (site_id);
CREATE INDEX inbound_receipts_age ON public.inbound_receipts USING btree (received_at);
CREATE INDEX inbound_receipts_agency ON public.inbound_receipts USING btree (agency_id, received_at);
CREATE INDEX inbound_receipts_due ON public.inbound_receipts USING btree (due_at) WHERE (status = 'due'::text);
CREATE INDEX inbound_receipts_install ON public.inbound_receipts USING btree (agency_id, install_id, id DESC);
CREATE INDEX inbound_receipts_request ON public.inbound_receipts USING btree (request_id) WHERE (request_id <> ''::text);
CREATE INDEX inbound_refusals_age ON public.inbound_refusals USING btree (hour);
CREATE INDEX inbound_seen_age ON public.inbound_seen USING btree (at);
CREATE INDEX inbound_seen_receipt ON public.inbound_seen USING btree (agency_id, receipt_id);
CREATE INDEX install_moves_install ON public.install_moves USING btree (agency_id, install_id, id DESC);
CREATE INDEX install_moves_kept ON public.install_moves USING btree (keep_until) WHERE (keep_until IS NOT NULL);
CREATE INDEX install_moves_unhealthy ON public.install_moves USING btree (agency_id, install_id) WHERE (state = 'unhealthy'::text);
CREATE INDEX install_moves_watched ON public.install_moves USING btree (watch_until) WHERE (state = 'watching'::text);
CREATE INDEX install_put_back_rows_run ON public.install_put_back_rows USING btree (run_id, "position");
CREATE INDEX install_put_backs_age ON public.install_put_backs USING btree (created_at);
CREATE INDEX install_put_backs_move ON public.install_put_backs USING btree (agency_id, move_id, id DESC);
CREATE INDEX install_put_backs_stalled ON public.install_put_backs USING btree (changed_at) WHERE (status = 'running'::text);
CREATE INDEX install_rehearsals_age ON public.install_rehearsals USING btree (created_at);
CREATE INDEX install_rehearsals_install ON public.install_rehearsals USING btree (agency_id, install_id, id DESC);
CREATE INDEX install_rehearsals_running ON public.install_rehearsals USING btree (changed_at) WHERE (status = 'running'::text);
CREATE INDEX job_runs_age ON public.job_runs USING btree (started_at);
CREATE INDEX job_runs_agency ON public.job_runs USING btree (agency_id, started_at DESC);
CREATE INDEX job_runs_request ON public.job_runs USING btree (request_id) WHERE (request_id <> ''::text);
CREATE INDEX job_runs_unsettled ON public.job_runs USING btree (id DESC) WHERE ((status <> 'done'::text) AND (settled = ''::text));
CREATE INDEX mails_age ON public.mails USING btree (created_at) WHERE (status <> 'due'::text);
CREATE INDEX mails_agency ON public.mails USING btree (agency_id, created_at DESC);
CREATE INDEX mails_due ON public.mails USING btree (due_at) WHERE (status = 'due'::text);
CREATE INDEX mails_request ON public.mails USING btree (request_id) WHERE (request_id <> ''::text);
CREATE INDEX marketplace_listings_document ON public.marketplace_listings USING gin (document);
CREATE INDEX marketplace_listings_few ON public.marketplace_listings USING btree (agency_id) WHERE (tier <> 'public'::text);
CREATE INDEX marketplace_listings_fresh ON public.marketplace_listings USING btree (module_id) WHERE fresh;
CREATE INDEX marketplace_listings_installs ON public.marketplace_listings USING btree (installs, module_id) INCLUDE (ordinal, fresh);
CREATE INDEX marketplace_listings_monthly ON public.marketplace_listings USING btree (monthly, module_id);
CREATE INDEX marketplace_listings_name ON public.marketplace_listings USING btree (plain_name);
CREATE INDEX marketplace_listings_published ON public.marketplace_listings USING btree (published_at, module_id);
CREATE INDEX marketplace_listings_rating ON public.marketplace_listings USING btree (rating, ratings, module_id);
CREATE INDEX marketplace_words_like ON public.marketplace_words USING gin (word gin_trgm_ops);
CREATE INDEX memberships_user ON public.memberships USING btree (user_id);
CREATE INDEX module_analytics_aggregates_agency ON public.module_analytics_aggregates USING btree (agency_id, level, grain, dimension, day);
CREATE INDEX module_analytics_aggregates_module ON public.module_analytics_aggregates USING btree (module_id, grain, dimension, day) WHERE (level = 'install'::text);
CREATE INDEX module_analytics_events_at ON ONLY public.module_analytics_events USING brin (at) WITH (autosummarize='on', pages_per_range='32');
CREATE INDEX module_analytics_events_site ON ONLY public.module_analytics_events USING btree (agency_id, site_id, at);
CREATE INDEX module_analytics_marks_site ON public.module_analytics_marks USING btree (agency_id, site_id, at);
CREATE INDEX module_collection_items_module ON public.module_collection_items USING btree (module_id);
CREATE INDEX module_connections_agency ON public.module_connections USING btree (agency_id);
CREATE INDEX module_connections_due ON public.module_connections USING btree (refresh_at) WHERE (refresh_at IS NOT NULL);
CREATE INDEX module_done_age ON public.module_done USING btree (at);
CREATE INDEX module_embed_pages_site ON public.module_embed_pages USING btree (agency_id, site_id);
CREATE INDEX module_embed_tokens_install ON public.module_embed_tokens USING btree (agency_id, install_id, id DESC);
CREATE INDEX module_enrolments_agency ON public.module_enrolments USING btree (agency_id);
CREATE INDEX module_entitlements_ends ON public.module_entitlements USING btree (ends_at) WHERE ((told_at IS NULL) AND (revoked_at IS NULL));
CREATE INDEX module_entitlements_module ON public.module_entitlements USING btree (agency_id, module_id);
CREATE INDEX module_files_install ON public.module_files USING btree (agency_id, install_id);
CREATE INDEX module_files_pending ON public.module_files USING btree (created_at) WHERE (state = 'pending'::text);
CREATE INDEX module_files_used ON public.module_files USING btree (site_id) INCLUDE (size_bytes) WHERE (state <> 'released'::text);
CREATE INDEX module_function_runs_age ON public.module_function_runs USING btree (started_at);
CREATE INDEX module_function_runs_agency ON public.module_function_runs USING btree (agency_id, started_at DESC);
CREATE INDEX module_function_runs_install ON public.module_function_runs USING btree (agency_id, install_id, started_at DESC);
CREATE INDEX module_function_runs_request ON public.module_function_runs USING btree (request_id) WHERE (request_id <> ''::text);
CREATE INDEX module_publications_held ON public.module_publications USING btree (changed_at) WHERE (status = 'held'::text);
CREATE INDEX module_publications_stalled ON public.module_publications USING btree (changed_at) WHERE (status = 'running'::text);
CREATE INDEX module_publications_version ON public.module_publications USING btree (agency_id, version_id, created_at DESC);
CREATE INDEX module_rating_reports_open ON public.module_rating_reports USING btree (at) WHERE (settled_at IS NULL);
CREATE INDEX module_ratings_module ON public.module_ratings USING btree (module_id, helpful DESC, created_at DESC);
CREATE INDEX module_requests_votes ON public.module_requests USING btree (votes DESC, created_at DESC);
CREATE INDEX module_schedules_next ON public.module_schedules USING btree (next_at);
CREATE INDEX module_settings_client ON public.module_settings USING btree (agency_id, client_id) WHERE (client_id IS NOT NULL);
CREATE INDEX module_settings_module ON public.module_settings USING btree (module_id);
CREATE INDEX module_source_name ON public.module_source USING gin (lower(((name || ' '::text) || summary)) gin_trgm_ops);
CREATE INDEX module_trials_ends ON public.module_trials USING btree (ends_at);
CREATE INDEX module_version_files_sha256 ON public.module_version_files USING btree (sha256);
CREATE INDEX module_versions_order ON public.module_versions USING btree (module_id, major DESC, minor DESC, patch DESC);
CREATE INDEX modules_v2_agency ON public.modules_v2 USING btree (agency_id, status);
CREATE INDEX modules_v2_hidden ON public.modules_v2 USING btree (parked_until) WHERE (parked_until IS NOT NULL);
CREATE INDEX modules_v2_module ON public.modules_v2 USING btree (module_id);
CREATE INDEX modules_v2_parked ON public.modules_v2 USING btree (purge_after) WHERE (status = 'removed'::text);
CREATE INDEX modules_v2_unfinished ON public.modules_v2 USING btree (changed_at) WHERE (status = ANY (ARRAY['provisioning'::text, 'removing'::text]));
CREATE INDEX password_resets_user ON public.password_resets USING btree (user_id);
CREATE INDEX recorded_bodies_age ON public.recorded_bodies USING btree (at);
CREATE INDEX sign_in_attempts_at ON public.sign_in_attempts USING btree (at);
CREATE INDEX sign_in_attempts_email ON public.sign_in_attempts USING btree (email_hash, at DESC);
CREATE INDEX sign_in_attempts_ip ON public.sign_in_attempts USING btree (ip, at DESC);
CREATE INDEX sign_in_attempts_user ON public.sign_in_attempts USING btree (user_id, at DESC);
CREATE INDEX site_images_site ON public.site_images USING btree (agency_id, site_id);
CREATE INDEX site_page_steps_page ON public.site_page_steps USING btree (agency_id, page_id);
CREATE INDEX site_page_versions_page ON public.site_page_versions USING btree (agency_id, page_id);
CREATE INDEX site_page_views_page ON public.site_page_views USING btree (agency_id, page_id);
CREATE INDEX site_pages_due ON public.site_pages USING btree (publish_at) WHERE (publish_at IS NOT NULL);
CREATE INDEX site_pages_parent ON public.site_pages USING btree (site_id, parent_id);
CREATE INDEX site_pages_site ON public.site_pages USING btree (agency_id, site_id);
CREATE INDEX site_redirects_site ON public.site_redirects USING btree (agency_id, site_id);
CREATE INDEX sites_client ON public.sites USING btree (agency_id, client_id);
CREATE INDEX studio_files_history ON public.studio_files USING btree (agency_id, project_id, revision DESC);
CREATE INDEX studio_projects_agency ON public.studio_projects USING btree (agency_id, updated_at DESC) WHERE (deleted_at IS NULL);
CREATE INDEX studio_trials_age ON public.studio_trials USING btree (created_at);
CREATE INDEX studio_trials_project ON public.studio_trials USING btree (agency_id, project_id, created_at DESC);
CREATE INDEX support_accesses_agency ON public.support_accesses USING btree (agency_id, id DESC);
CREATE INDEX support_accesses_open ON public.support_accesses USING btree (agency_id, expires_at) WHERE (status = ANY (ARRAY['asked'::text, 'active'::text]));
CREATE INDEX support_accesses_staff ON public.support_accesses USING btree (staff_id, id DESC);
CREATE INDEX user_sessions_user ON public.user_sessions USING btree (user_id, last_seen_at DESC);
CREATE UNIQUE INDEX agencies_pkey ON public.agencies USING btree (id);
CREATE UNIQUE INDEX agencies_slug_key ON public.agencies USING btree (slug);
CREATE UNIQUE INDEX api_keys_agency_id_id_key ON public.api_keys USING btree (agency_id, id);
CREATE UNIQUE INDEX api_keys_pkey ON public.api_keys USING btree (id);
CREATE UNIQUE INDEX api_keys_token_hash_key ON public.api_keys USING btree (token_hash);
CREATE UNIQUE INDEX audit_heads_pkey ON public.audit_heads USING btree (agency_id);
CREATE UNIQUE INDEX audit_log_agency_id_number_key ON public.audit_log USING btree (agency_id, number);
CREATE UNIQUE INDEX audit_log_pkey ON public.audit_log USING btree (id);
CREATE UNIQUE INDEX automation_runs_agency_id_id_key ON public.automation_runs USING btree (agency_id, id);
CREATE UNIQUE INDEX automation_runs_automation_id_event_id_key ON public.automation_runs USING btree (automation_id, event_id);
CREATE UNIQUE INDEX automation_runs_pkey ON public.automation_runs USING btree (id);
CREATE UNIQUE INDEX automation_states_pkey ON public.automation_states USING btree (automation_id, revision);
CREATE UNIQUE INDEX automations_agency_id_id_key ON public.automations USING btree (agency_id, id);
CREATE UNIQUE INDEX automations_pkey ON public.automations USING btree (id);
CREATE UNIQUE INDEX body_recordings_pkey ON public.body_recordings USING btree (install_id);
CREATE UNIQUE INDEX case_bundles_agency_id_id_key ON public.case_bundles USING btree (agency_id, id);
CREATE UNIQUE INDEX case_bundles_pkey ON public.case_bundles USING btree (id);
CREATE UNIQUE INDEX clients_agency_id_id_key ON public.clients USING btree (agency_id, id);
CREATE UNIQUE INDEX clients_agency_id_name_key ON public.clients USING btree (agency_id, name);
CREATE UNIQUE INDEX clients_pkey ON public.clients USING btree (id);
CREATE UNIQUE INDEX event_deliveries_pkey ON public.event_deliveries USING btree (event_id, subscriber);
CREATE UNIQUE INDEX events_pkey ON public.events USING btree (id);
CREATE UNIQUE INDEX events_sequence_key ON public.events USING btree (sequence);
CREATE UNIQUE INDEX external_domains_agency_id_id_key ON public.external_domains USING btree (agency_id, id);
CREATE UNIQUE INDEX external_domains_agency_id_site_id_host_key ON public.external_domains USING btree (agency_id, site_id, host) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX external_domains_owner ON public.external_domains USING btree (host) WHERE (state = ANY (ARRAY['verified'::text, 'failing'::text]));
CREATE UNIQUE INDEX external_domains_pkey ON public.external_domains USING btree (id);
CREATE UNIQUE INDEX external_oauth_clients_agency_id_id_key ON public.external_oauth_clients USING btree (agency_id, id);
CREATE UNIQUE INDEX external_oauth_clients_pkey ON public.external_oauth_clients USING btree (id);
CREATE UNIQUE INDEX external_oauth_codes_agency_id_id_key ON public.external_oauth_codes USING btree (agency_id, id);
CREATE UNIQUE INDEX external_oauth_codes_code_hash_key ON public.external_oauth_codes USING btree (code_hash);
CREATE UNIQUE INDEX external_oauth_codes_pkey ON public.external_oauth_codes USING btree (id);
CREATE UNIQUE INDEX external_oauth_grants_agency_id_id_key ON public.external_oauth_grants USING btree (agency_id, id);
CREATE UNIQUE INDEX external_oauth_grants_own ON public.external_oauth_grants USING btree (client_id, site_id) WHERE ((user_id IS NULL) AND (revoked_at IS NULL));
CREATE UNIQUE INDEX external_oauth_grants_pkey ON public.external_oauth_grants USING btree (id);
CREATE UNIQUE INDEX external_oauth_tokens_agency_id_id_key ON public.external_oauth_tokens USING btree (agency_id, id);
CREATE UNIQUE INDEX external_oauth_tokens_pkey ON public.external_oauth_tokens USING btree (id);
CREATE UNIQUE INDEX external_oauth_tokens_token_hash_key ON public.external_oauth_tokens USING btree (token_hash);
CREATE UNIQUE INDEX external_webhook_attempts_pkey ON public.external_webhook_attempts USING btree (delivery_id, number);
CREATE UNIQUE INDEX external_webhook_deliveries_agency_id_id_key ON public.external_webhook_deliveries USING btree (agency_id, id);
CREATE UNIQUE INDEX external_webhook_deliveries_event_id_webhook_id_key ON public.external_webhook_deliveries USING btree (event_id, webhook_id);
CREATE UNIQUE INDEX external_webhook_deliveries_pkey ON public.external_webhook_deliveries USING btree (id);
CREATE UNIQUE INDEX external_webhooks_agency_id_id_key ON public.external_webhooks USING btree (agency_id, id);
CREATE UNIQUE INDEX external_webhooks_pkey ON public.external_webhooks USING btree (id);
CREATE UNIQUE INDEX failed_requests_pkey ON public.failed_requests USING btree (id);
CREATE UNIQUE INDEX fleet_policies_agency_id_site_id_key ON public.fleet_policies USING btree (agency_id, site_id) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX fleet_policies_pkey ON public.fleet_policies USING btree (id);
CREATE UNIQUE INDEX fleet_rollout_sites_pkey ON public.fleet_rollout_sites USING btree (rollout_id, install_id);
CREATE UNIQUE INDEX fleet_rollouts_agency_id_id_key ON public.fleet_rollouts USING btree (agency_id, id);
CREATE UNIQUE INDEX fleet_rollouts_agency_id_version_id_key ON public.fleet_rollouts USING btree (agency_id, version_id);
CREATE UNIQUE INDEX fleet_rollouts_pkey ON public.fleet_rollouts USING btree (id);
CREATE UNIQUE INDEX fleet_run_items_pkey ON public.fleet_run_items USING btree (run_id, install_id);
CREATE UNIQUE INDEX fleet_runs_agency_id_id_key ON public.fleet_runs USING btree (agency_id, id);
CREATE UNIQUE INDEX fleet_runs_pkey ON public.fleet_runs USING btree (id);
CREATE UNIQUE INDEX idempotency_keys_pkey ON public.idempotency_keys USING btree (credential_id, key);
CREATE UNIQUE INDEX inbound_hooks_agency_id_id_key ON public.inbound_hooks USING btree (agency_id, id);
CREATE UNIQUE INDEX inbound_hooks_install_id_name_key ON public.inbound_hooks USING btree (install_id, name);
CREATE UNIQUE INDEX inbound_hooks_pkey ON public.inbound_hooks USING btree (id);
CREATE UNIQUE INDEX inbound_receipts_agency_id_id_key ON public.inbound_receipts USING btree (agency_id, id);
CREATE UNIQUE INDEX inbound_receipts_pkey ON public.inbound_receipts USING btree (id);
CREATE UNIQUE INDEX inbound_refusals_pkey ON public.inbound_refusals USING btree (install_id, name, hour, reason);
CREATE UNIQUE INDEX inbound_seen_pkey ON public.inbound_seen USING btree (install_id, name, key);
CREATE UNIQUE INDEX install_moves_agency_id_id_key ON public.install_moves USING btree (agency_id, id);
CREATE UNIQUE INDEX install_moves_pkey ON public.install_moves USING btree (id);
CREATE UNIQUE INDEX install_put_back_rows_pkey ON public.install_put_back_rows USING btree (move_id, "position");
CREATE UNIQUE INDEX install_put_backs_agency_id_id_key ON public.install_put_backs USING btree (agency_id, id);
CREATE UNIQUE INDEX install_put_backs_pkey ON public.install_put_backs USING btree (id);
CREATE UNIQUE INDEX install_put_backs_running ON public.install_put_backs USING btree (install_id) WHERE (status = 'running'::text);
CREATE UNIQUE INDEX install_rehearsals_agency_id_id_key ON public.install_rehearsals USING btree (agency_id, id);
CREATE UNIQUE INDEX install_rehearsals_pkey ON public.install_rehearsals USING btree (id);
CREATE UNIQUE INDEX invitations_agency_id_id_key ON public.invitations USING btree (agency_id, id);
CREATE UNIQUE INDEX invitations_open ON public.invitations USING btree (agency_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));
CREATE UNIQUE INDEX invitations_pkey ON public.invitations USING btree (id);
CREATE UNIQUE INDEX invitations_token_hash_key ON public.invitations USING btree (token_hash);
CREATE UNIQUE INDEX job_runs_pkey ON public.job_runs USING btree (id);
CREATE UNIQUE INDEX log_searches_agency_id_user_id_name_key ON public.log_searches USING btree (agency_id, user_id, name);
CREATE UNIQUE INDEX log_searches_pkey ON public.log_searches USING btree (id);
CREATE UNIQUE INDEX mails_pkey ON public.mails USING btree (id);
CREATE UNIQUE INDEX marketplace_bits_pkey ON public.marketplace_bits USING btree (facet, value);
CREATE UNIQUE INDEX marketplace_gone_pkey ON public.marketplace_gone USING btree (ordinal);
CREATE UNIQUE INDEX marketplace_listings_agency_id_module_id_key ON public.marketplace_listings USING btree (agency_id, module_id);
CREATE UNIQUE INDEX marketplace_listings_ordinal ON public.marketplace_listings USING btree (ordinal);
CREATE UNIQUE INDEX marketplace_listings_pkey ON public.marketplace_listings USING btree (module_id);
CREATE UNIQUE INDEX marketplace_measures_pkey ON public.marketplace_measures USING btree (module_id);
CREATE UNIQUE INDEX marketplace_postings_pkey ON public.marketplace_postings USING btree (part, lexeme);
CREATE UNIQUE INDEX marketplace_publishers_pkey ON public.marketplace_publishers USING btree (agency_id);
CREATE UNIQUE INDEX marketplace_related_pkey ON public.marketplace_related USING btree (module_id, other_id);
CREATE UNIQUE INDEX marketplace_words_pkey ON public.marketplace_words USING btree (word);
CREATE UNIQUE INDEX memberships_agency_id_id_key ON public.memberships USING btree (agency_id, id);
CREATE UNIQUE INDEX memberships_agency_id_user_id_key ON public.memberships USING btree (agency_id, user_id);
CREATE UNIQUE INDEX memberships_pkey ON public.memberships USING btree (id);
CREATE UNIQUE INDEX module_active_days_pkey ON public.module_active_days USING btree (agency_id, module_id, major);
CREATE UNIQUE INDEX module_analytics_aggregates_pkey ON public.module_analytics_aggregates USING btree (site_id, day, grain, level, subject_id, event, dimension, value, bucket);
CREATE UNIQUE INDEX module_analytics_events_told ON ONLY public.module_analytics_events USING btree (told_id, at) WHERE (told_id IS NOT NULL);
CREATE UNIQUE INDEX module_analytics_progress_pkey ON public.module_analytics_progress USING btree (source);
CREATE UNIQUE INDEX module_blobs_pkey ON public.module_blobs USING btree (sha256);
CREATE UNIQUE INDEX module_collection_items_pkey ON public.module_collection_items USING btree (collection_id, module_id);
CREATE UNIQUE INDEX module_collections_pkey ON public.module_collections USING btree (id);
CREATE UNIQUE INDEX module_collections_slug_key ON public.module_collections USING btree (slug);
CREATE UNIQUE INDEX module_connections_agency_id_id_key ON public.module_connections USING btree (agency_id, id);
CREATE UNIQUE INDEX module_connections_asked_state_key ON public.module_connections USING btree (asked_state);
CREATE UNIQUE INDEX module_connections_install_id_name_key ON public.module_connections USING btree (install_id, name);
CREATE UNIQUE INDEX module_connections_pkey ON public.module_connections USING btree (id);
CREATE UNIQUE INDEX module_database_registry_pkey ON public.module_database_registry USING btree (module_id);
CREATE UNIQUE INDEX module_database_registry_role_name_key ON public.module_database_registry USING btree (role_name);
CREATE UNIQUE INDEX module_database_registry_schema_name_key ON public.module_database_registry USING btree (schema_name);
CREATE UNIQUE INDEX module_database_registry_short_id_key ON public.module_database_registry USING btree (short_id);
CREATE UNIQUE INDEX module_done_pkey ON public.module_done USING btree (install_id, key);
CREATE UNIQUE INDEX module_embed_pages_pkey ON public.module_embed_pages USING btree (install_id, page);
CREATE UNIQUE INDEX module_embed_tokens_agency_id_id_key ON public.module_embed_tokens USING btree (agency_id, id);
CREATE UNIQUE INDEX module_embed_tokens_pkey ON public.module_embed_tokens USING btree (id);
CREATE UNIQUE INDEX module_embed_tokens_token_hash_key ON public.module_embed_tokens USING btree (token_hash);
CREATE UNIQUE INDEX module_enrolments_pkey ON public.module_enrolments USING btree (module_id, agency_id);
CREATE UNIQUE INDEX module_entitlements_agency_id_id_key ON public.module_entitlements USING btree (agency_id, id);
CREATE UNIQUE INDEX module_entitlements_pkey ON public.module_entitlements USING btree (id);
CREATE UNIQUE INDEX module_entitlements_trial ON public.module_entitlements USING btree (agency_id, module_id) WHERE (kind = 'trial'::text);
CREATE UNIQUE INDEX module_files_agency_id_id_key ON public.module_files USING btree (agency_id, id);
CREATE UNIQUE INDEX module_files_pkey ON public.module_files USING btree (id);
CREATE UNIQUE INDEX module_files_site_id_id_key ON public.module_files USING btree (site_id, id);
CREATE UNIQUE INDEX module_function_runs_pkey ON public.module_function_runs USING btree (id);
CREATE UNIQUE INDEX module_member_roles_pkey ON public.module_member_roles USING btree (install_id, user_id);
CREATE UNIQUE INDEX module_naming_conflicts_pkey ON public.module_naming_conflicts USING btree (id);
CREATE UNIQUE INDEX module_publications_agency_id_id_key ON public.module_publications USING btree (agency_id, id);
CREATE UNIQUE INDEX module_publications_one_at_a_time ON public.module_publications USING btree (version_id) WHERE (status = ANY (ARRAY['running'::text, 'held'::text]));
CREATE UNIQUE INDEX module_publications_pkey ON public.module_publications USING btree (id);
CREATE UNIQUE INDEX module_rating_reports_pkey ON public.module_rating_reports USING btree (rating_id, agency_id);
CREATE UNIQUE INDEX module_rating_votes_pkey ON public.module_rating_votes USING btree (rating_id, agency_id);
CREATE UNIQUE INDEX module_ratings_agency_id_id_key ON public.module_ratings USING btree (agency_id, id);
CREATE UNIQUE INDEX module_ratings_agency_id_module_id_major_key ON public.module_ratings USING btree (agency_id, module_id, major);
CREATE UNIQUE INDEX module_ratings_pkey ON public.module_ratings USING btree (id);
CREATE UNIQUE INDEX module_request_votes_pkey ON public.module_request_votes USING btree (request_id, agency_id);
CREATE UNIQUE INDEX module_requests_agency_id_id_key ON public.module_requests USING btree (agency_id, id);
CREATE UNIQUE INDEX module_requests_pkey ON public.module_requests USING btree (id);
CREATE UNIQUE INDEX module_schedules_pkey ON public.module_schedules USING btree (install_id, name);
CREATE UNIQUE INDEX module_settings_agency_id_module_id_client_id_key ON public.module_settings USING btree (agency_id, module_id, client_id) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX module_settings_pkey ON public.module_settings USING btree (id);
CREATE UNIQUE INDEX module_source_agency_id_id_key ON public.module_source USING btree (agency_id, id);
CREATE UNIQUE INDEX module_source_pkey ON public.module_source USING btree (id);
CREATE UNIQUE INDEX module_source_short_id_key ON public.module_source USING btree (short_id);
CREATE UNIQUE INDEX module_source_slug_key ON public.module_source USING btree (slug);
CREATE UNIQUE INDEX module_trials_agency_id_id_key ON public.module_trials USING btree (agency_id, id);
CREATE UNIQUE INDEX module_trials_pkey ON public.module_trials USING btree (id);
CREATE UNIQUE INDEX module_trials_site_id_key ON public.module_trials USING btree (site_id);
CREATE UNIQUE INDEX module_version_files_pkey ON public.module_version_files USING btree (version_id, path);
CREATE UNIQUE INDEX module_versions_agency_id_id_key ON public.module_versions USING btree (agency_id, id);
CREATE UNIQUE INDEX module_versions_module_id_id_key ON public.module_versions USING btree (module_id, id);
CREATE UNIQUE INDEX module_versions_module_id_version_key ON public.module_versions USING btree (module_id, version);
CREATE UNIQUE INDEX module_versions_pkey ON public.module_versions USING btree (id);
CREATE UNIQUE INDEX module_wishes_pkey ON public.module_wishes USING btree (agency_id, module_id);
CREATE UNIQUE INDEX modules_v2_agency_id_id_key ON public.modules_v2 USING btree (agency_id, id);
CREATE UNIQUE INDEX modules_v2_one_per_site ON public.modules_v2 USING btree (site_id, module_id) WHERE (status <> 'removed'::text);
CREATE UNIQUE INDEX modules_v2_pkey ON public.modules_v2 USING btree (id);
CREATE UNIQUE INDEX modules_v2_site_id_id_key ON public.modules_v2 USING btree (site_id, id);
CREATE UNIQUE INDEX password_resets_pkey ON public.password_resets USING btree (id);
CREATE UNIQUE INDEX password_resets_token_hash_key ON public.password_resets USING btree (token_hash);
CREATE UNIQUE INDEX publisher_keys_agency_id_id_key ON public.publisher_keys USING btree (agency_id, id);
CREATE UNIQUE INDEX publisher_keys_in_use ON public.publisher_keys USING btree (agency_id) WHERE (retired_at IS NULL);
CREATE UNIQUE INDEX publisher_keys_pkey ON public.publisher_keys USING btree (id);
CREATE UNIQUE INDEX recorded_bodies_pkey ON public.recorded_bodies USING btree (request_id);
CREATE UNIQUE INDEX release_log_head_pkey ON public.release_log_head USING btree (one);
CREATE UNIQUE INDEX release_log_pkey ON public.release_log USING btree (number);
CREATE UNIQUE INDEX release_log_version ON public.release_log USING btree (version_id, kind);
CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (name);
CREATE UNIQUE INDEX sign_in_attempts_pkey ON public.sign_in_attempts USING btree (id);
CREATE UNIQUE INDEX site_images_agency_id_id_key ON public.site_images USING btree (agency_id, id);
CREATE UNIQUE INDEX site_images_pkey ON public.site_images USING btree (id);
CREATE UNIQUE INDEX site_looks_agency_id_site_id_key ON public.site_looks USING btree (agency_id, site_id);
CREATE UNIQUE INDEX site_looks_pkey ON public.site_looks USING btree (site_id);
CREATE UNIQUE INDEX site_page_steps_pkey ON public.site_page_steps USING btree (page_id, revision);
CREATE UNIQUE INDEX site_page_versions_agency_id_id_key ON public.site_page_versions USING btree (agency_id, id);
CREATE UNIQUE INDEX site_page_versions_page_id_id_key ON public.site_page_versions USING btree (page_id, id);
CREATE UNIQUE INDEX site_page_versions_page_id_number_key ON public.site_page_versions USING btree (page_id, number);
CREATE UNIQUE INDEX site_page_versions_pkey ON public.site_page_versions USING btree (id);
CREATE UNIQUE INDEX site_page_views_pkey ON public.site_page_views USING btree (page_id, day);
CREATE UNIQUE INDEX site_pages_agency_id_id_key ON public.site_pages USING btree (agency_id, id);
CREATE UNIQUE INDEX site_pages_path ON public.site_pages USING btree (site_id, path) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX site_pages_pkey ON public.site_pages USING btree (id);
CREATE UNIQUE INDEX site_pages_site_id_id_key ON public.site_pages USING btree (site_id, id);
CREATE UNIQUE INDEX site_redirects_agency_id_id_key ON public.site_redirects USING btree (agency_id, id);
CREATE UNIQUE INDEX site_redirects_pkey ON public.site_redirects USING btree (id);
CREATE UNIQUE INDEX site_redirects_site_id_source_key ON public.site_redirects USING btree (site_id, source);
CREATE UNIQUE INDEX sites_agency_id_id_key ON public.sites USING btree (agency_id, id);
CREATE UNIQUE INDEX sites_pkey ON public.sites USING btree (id);
CREATE UNIQUE INDEX sites_slug_key ON public.sites USING btree (slug);
CREATE UNIQUE INDEX status_days_pkey ON public.status_days USING btree (part, day);
CREATE UNIQUE INDEX studio_files_pkey ON public.studio_files USING btree (project_id, path, revision);
CREATE UNIQUE INDEX studio_projects_agency_id_id_key ON public.studio_projects USING btree (agency_id, id);
CREATE UNIQUE INDEX studio_projects_pkey ON public.studio_projects USING btree (id);
CREATE UNIQUE INDEX studio_trials_agency_id_id_key ON public.studio_trials USING btree (agency_id, id);
CREATE UNIQUE INDEX studio_trials_pkey ON public.studio_trials USING btree (id);
CREATE UNIQUE INDEX support_accesses_agency_id_id_key ON public.support_accesses USING btree (agency_id, id);
CREATE UNIQUE INDEX support_accesses_one ON public.support_accesses USING btree (agency_id, staff_id) WHERE (status = ANY (ARRAY['asked'::text, 'active'::text]));
CREATE UNIQUE INDEX support_accesses_pkey ON public.support_accesses USING btree (id);
CREATE UNIQUE INDEX support_switches_pkey ON public.support_switches USING btree (agency_id);
CREATE UNIQUE INDEX user_sessions_pkey ON public.user_sessions USING btree (id);
CREATE UNIQUE INDEX user_sessions_token_hash_key ON public.user_sessions USING btree (token_hash);
CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email);
CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id);
-- policies
CREATE POLICY append ON external_api_requests FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY append ON failed_requests FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY append ON module_analytics_events FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY append ON module_analytics_marks FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY append ON recorded_bodies FOR INSERT TO dramac_runtime WITH CHECK (true);
CREATE POLICY everybody ON module_requests FOR SELECT TO dramac_app USING ((( SELECT current_agency_id() AS current_agency_id) IS NOT NULL));
CREATE POLICY everybody ON status_days FOR SELECT TO dramac_app USING (( SELECT identifying() AS identifying));
CREATE POLICY identifying ON agencies FOR SELECT TO dramac_app USING (( SELECT identifying() AS identifying));
CREATE POLICY identifying ON invitations FOR SELECT TO dramac_app USING (( SELECT identifying() AS identifying));
CREATE POLICY identifying ON memberships FOR SELECT TO dramac_app USING (( SELECT identifying() AS identifying));
CREATE POLICY identifying ON support_accesses FOR SELECT TO dramac_app USING (( SELECT identifying() AS identifying));
CREATE POLICY installed ON module_source FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM modules_v2 i
  WHERE ((i.module_id = module_source.id) AND ((i.status <> 'removed'::text) OR (i.purge_after > now()))))));
CREATE POLICY installed ON module_versions FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM modules_v2 i
  WHERE ((module_versions.id = i.version_id) OR (module_versions.id = i.previous_version_id)))));
CREATE POLICY known ON users FOR SELECT TO dramac_app USING ((( SELECT identifying() AS identifying) OR (id = ( SELECT current_person_id() AS current_person_id)) OR (EXISTS ( SELECT
   FROM memberships m
  WHERE ((m.user_id = users.id) AND (m.agency_id = ( SELECT current_agency_id() AS current_agency_id)))))));
CREATE POLICY listed ON marketplace_measures FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM marketplace_listings l
  WHERE (l.module_id = marketplace_measures.module_id))));
CREATE POLICY listed ON marketplace_related FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM marketplace_listings l
  WHERE (l.module_id = marketplace_related.module_id))));
CREATE POLICY listed ON module_ratings FOR SELECT TO dramac_app USING (((hidden_at IS NULL) AND (EXISTS ( SELECT
   FROM marketplace_listings l
  WHERE (l.module_id = module_ratings.module_id)))));
CREATE POLICY lookup ON agencies FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON api_keys FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON audit_heads FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON audit_log FOR ALL TO dramac_lookup USING (true);
CREATE POLICY lookup ON body_recordings FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON external_domains FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON external_oauth_clients FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON external_oauth_codes FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON external_oauth_grants FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON external_oauth_tokens FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON fleet_rollout_sites FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON fleet_rollouts FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON inbound_hooks FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON marketplace_bits FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON marketplace_gone FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON marketplace_listings FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON marketplace_postings FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON marketplace_publishers FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON marketplace_words FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON memberships FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_analytics_aggregates FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_analytics_events FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_blobs FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_connections FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_database_registry FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_embed_pages FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_embed_tokens FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_enrolments FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_entitlements FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_rating_votes FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_ratings FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_request_votes FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_requests FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_settings FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_source FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_trials FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_version_files FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON module_versions FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON modules_v2 FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON publisher_keys FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON release_log FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON release_log_head FOR ALL TO dramac_lookup USING (true) WITH CHECK (true);
CREATE POLICY lookup ON site_looks FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON site_page_versions FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON site_pages FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON site_redirects FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON sites FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON support_accesses FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON support_switches FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup ON users FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup_publisher ON agencies FOR SELECT TO dramac_lookup USING (true);
CREATE POLICY lookup_used ON api_keys FOR UPDATE TO dramac_lookup USING (true);
CREATE POLICY lookup_used ON external_oauth_grants FOR UPDATE TO dramac_lookup USING (true);
CREATE POLICY lookup_used ON module_embed_tokens FOR UPDATE TO dramac_lookup USING (true);
CREATE POLICY marketplace ON module_source FOR SELECT TO dramac_app USING (((latest_version_id IS NOT NULL) AND audience_open_to(tier, agency_id, ( SELECT current_agency_id() AS current_agency_id), enrolled_level(id, ( SELECT current_agency_id() AS current_agency_id)))));
CREATE POLICY marketplace ON module_version_files FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM module_versions v
  WHERE ((v.id = module_version_files.version_id) AND (v.status <> 'draft'::text)))));
CREATE POLICY marketplace ON module_versions FOR SELECT TO dramac_app USING (((status <> 'draft'::text) AND (EXISTS ( SELECT
   FROM module_source m
  WHERE ((m.id = module_versions.module_id) AND audience_open_to(version_audience(m.tier, module_versions.prerelease), m.agency_id, ( SELECT current_agency_id() AS current_agency_id), enrolled_level(m.id, ( SELECT current_agency_id() AS current_agency_id))))))));
CREATE POLICY member ON sign_in_attempts FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM memberships m
  WHERE ((m.user_id = sign_in_attempts.user_id) AND (m.agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (m.created_at <= sign_in_attempts.at)))));
CREATE POLICY moved ON module_versions FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM install_moves m
  WHERE ((module_versions.id = m.from_version_id) OR (module_versions.id = m.to_version_id)))));
CREATE POLICY new ON module_blobs FOR INSERT TO dramac_app WITH CHECK (true);
CREATE POLICY new ON module_requests FOR INSERT TO dramac_app WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY new ON users FOR INSERT TO dramac_app WITH CHECK ((( SELECT identifying() AS identifying) AND (staff_role IS NULL) AND (disabled_at IS NULL)));
CREATE POLICY open_to_agency ON marketplace_listings FOR SELECT TO dramac_app USING (listing_open_to(tier, agency_id, module_id, ( SELECT current_agency_id() AS current_agency_id), ( SELECT enrolled_listings(current_agency_id()) AS enrolled_listings)));
CREATE POLICY open_to_agency ON module_trials FOR INSERT TO dramac_app WITH CHECK (version_open_to(version_id, agency_id));
CREATE POLICY open_to_agency ON modules_v2 FOR INSERT TO dramac_app WITH CHECK (version_open_to(version_id, agency_id));
CREATE POLICY own ON agencies FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM memberships m
  WHERE ((m.agency_id = agencies.id) AND (m.user_id = ( SELECT current_person_id() AS current_person_id))))));
CREATE POLICY own ON log_searches FOR ALL TO dramac_app USING (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (user_id = ( SELECT current_person_id() AS current_person_id)))) WITH CHECK (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (user_id = ( SELECT current_person_id() AS current_person_id))));
CREATE POLICY own ON memberships FOR SELECT TO dramac_app USING ((user_id = ( SELECT current_person_id() AS current_person_id)));
CREATE POLICY own ON module_enrolments FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY own ON module_rating_reports FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (EXISTS ( SELECT
   FROM module_ratings r
  WHERE (r.id = module_rating_reports.rating_id)))));
CREATE POLICY own ON module_rating_votes FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (EXISTS ( SELECT
   FROM module_ratings r
  WHERE (r.id = module_rating_votes.rating_id)))));
CREATE POLICY own ON module_ratings FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY own ON module_request_votes FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY own ON password_resets FOR ALL TO dramac_app USING (( SELECT identifying() AS identifying)) WITH CHECK (( SELECT identifying() AS identifying));
CREATE POLICY own ON sign_in_attempts FOR ALL TO dramac_app USING ((( SELECT identifying() AS identifying) OR (user_id = ( SELECT current_person_id() AS current_person_id)))) WITH CHECK (( SELECT identifying() AS identifying));
CREATE POLICY own ON user_sessions FOR ALL TO dramac_app USING ((( SELECT identifying() AS identifying) OR (user_id = ( SELECT current_person_id() AS current_person_id)))) WITH CHECK ((( SELECT identifying() AS identifying) OR (user_id = ( SELECT current_person_id() AS current_person_id))));
CREATE POLICY own ON users FOR UPDATE TO dramac_app USING ((( SELECT identifying() AS identifying) OR (id = ( SELECT current_person_id() AS current_person_id)))) WITH CHECK ((( SELECT identifying() AS identifying) OR (id = ( SELECT current_person_id() AS current_person_id))));
CREATE POLICY provisioning ON module_database_registry FOR ALL TO dramac_owner USING (true) WITH CHECK (true);
CREATE POLICY publisher ON case_bundles FOR SELECT TO dramac_app USING (((for_agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (revoked_at IS NULL) AND (expires_at > now())));
CREATE POLICY publisher ON module_source FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY publisher ON module_version_files FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY publisher ON module_versions FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY publisher ON release_log FOR INSERT TO dramac_app WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY publisher_open ON case_bundles FOR UPDATE TO dramac_app USING (((for_agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (revoked_at IS NULL) AND (expires_at > now()))) WITH CHECK ((for_agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY reachable ON module_blobs FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM module_version_files f
  WHERE (f.sha256 = module_blobs.sha256))));
CREATE POLICY runtime ON module_source FOR SELECT TO dramac_runtime USING ((( SELECT current_site_id() AS current_site_id) IS NOT NULL));
CREATE POLICY shown ON module_collection_items FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM module_collections c
  WHERE (c.id = module_collection_items.collection_id))));
CREATE POLICY shown ON module_collections FOR SELECT TO dramac_app USING (((( SELECT current_agency_id() AS current_agency_id) IS NOT NULL) AND shown AND ((starts_at IS NULL) OR (starts_at <= now())) AND ((ends_at IS NULL) OR (ends_at > now()))));
CREATE POLICY site ON events FOR INSERT TO dramac_module, dramac_runtime WITH CHECK (((site_id = ( SELECT current_site_id() AS current_site_id)) AND (agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND runtime_speaks_for(install_id, site_id, agency_id, CURRENT_USER)));
CREATE POLICY site ON idempotency_keys FOR ALL TO dramac_runtime USING ((site_id = ( SELECT current_site_id() AS current_site_id))) WITH CHECK (((site_id = ( SELECT current_site_id() AS current_site_id)) AND (agency_id = ( SELECT current_agency_id() AS current_agency_id))));
CREATE POLICY site ON install_put_back_rows FOR ALL TO dramac_runtime USING ((site_id = ( SELECT current_site_id() AS current_site_id))) WITH CHECK (((site_id = ( SELECT current_site_id() AS current_site_id)) AND (agency_id = ( SELECT current_agency_id() AS current_agency_id))));
CREATE POLICY site ON mails FOR INSERT TO dramac_runtime WITH CHECK (((site_id = ( SELECT current_site_id() AS current_site_id)) AND (agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND runtime_speaks_for(install_id, site_id, agency_id, CURRENT_USER)));
CREATE POLICY site ON module_done FOR ALL TO dramac_runtime USING ((site_id = ( SELECT current_site_id() AS current_site_id))) WITH CHECK (((site_id = ( SELECT current_site_id() AS current_site_id)) AND (agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND runtime_speaks_for(install_id, site_id, agency_id, CURRENT_USER)));
CREATE POLICY site ON module_files FOR ALL TO dramac_runtime USING ((site_id = ( SELECT current_site_id() AS current_site_id))) WITH CHECK (((site_id = ( SELECT current_site_id() AS current_site_id)) AND (agency_id = ( SELECT current_agency_id() AS current_agency_id))));
CREATE POLICY site ON module_function_runs FOR INSERT TO dramac_runtime WITH CHECK (((site_id = ( SELECT current_site_id() AS current_site_id)) AND (agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND runtime_speaks_for(install_id, site_id, agency_id, CURRENT_USER)));
CREATE POLICY site ON sites FOR SELECT TO dramac_runtime USING ((id = ( SELECT current_site_id() AS current_site_id)));
CREATE POLICY site_count ON mails FOR SELECT TO dramac_runtime USING ((site_id = ( SELECT current_site_id() AS current_site_id)));
CREATE POLICY site_read ON events FOR SELECT TO dramac_runtime USING ((site_id = ( SELECT current_site_id() AS current_site_id)));
CREATE POLICY staff ON agencies FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON api_keys FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON audit_heads FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON audit_log FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON automation_runs FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON automation_states FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON automations FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON body_recordings FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON case_bundles FOR SELECT TO dramac_staff USING ((((for_user_id IS NULL) AND (for_agency_id IS NULL) AND (revoked_at IS NULL) AND (expires_at > now())) OR (expires_at < (now() - '30 days'::interval))));
CREATE POLICY staff ON clients FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON event_deliveries FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON events FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_api_requests FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_domains FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_oauth_clients FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_oauth_codes FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_oauth_grants FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_oauth_tokens FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_webhook_attempts FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_webhook_deliveries FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON external_webhooks FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON failed_requests FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON fleet_policies FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON fleet_rollout_sites FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON fleet_rollouts FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON fleet_run_items FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON fleet_runs FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON idempotency_keys FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON inbound_hooks FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON inbound_receipts FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON inbound_refusals FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON inbound_seen FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON install_moves FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON install_put_back_rows FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON install_put_backs FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON install_rehearsals FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON invitations FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON job_runs FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON log_searches FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON mails FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON marketplace_listings FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON marketplace_measures FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON marketplace_publishers FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON marketplace_related FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON memberships FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_active_days FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_analytics_aggregates FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_analytics_events FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_analytics_marks FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_analytics_progress FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_blobs FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_collection_items FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_collections FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_connections FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_database_registry FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_done FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_embed_pages FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_embed_tokens FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_enrolments FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_entitlements FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_files FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_function_runs FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_member_roles FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_naming_conflicts FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_publications FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_rating_reports FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_rating_votes FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_ratings FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_request_votes FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_requests FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_schedules FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_settings FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_source FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_trials FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_version_files FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_versions FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON module_wishes FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON modules_v2 FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON password_resets FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON publisher_keys FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON recorded_bodies FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON release_log FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON release_log_head FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON sign_in_attempts FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON site_images FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON site_looks FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON site_page_steps FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON site_page_versions FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON site_page_views FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON site_pages FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON site_redirects FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON sites FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON status_days FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON studio_trials FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON support_accesses FOR SELECT TO dramac_staff USING (true);
CREATE POLICY staff ON support_switches FOR SELECT TO dramac_staff USING (true);
CREATE POLICY staff ON user_sessions FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff ON users FOR ALL TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY staff_ask ON support_accesses FOR INSERT TO dramac_staff WITH CHECK ((COALESCE(( SELECT s.mode
   FROM support_switches s
  WHERE (s.agency_id = support_accesses.agency_id)), 'ask'::text) = ANY (
CASE status
    WHEN 'asked'::text THEN ARRAY['allow'::text, 'ask'::text]
    WHEN 'active'::text THEN ARRAY['allow'::text]
    ELSE '{}'::text[]
END)));
CREATE POLICY staff_end ON support_accesses FOR UPDATE TO dramac_staff USING (true) WITH CHECK ((status = 'ended'::text));
CREATE POLICY staff_forget ON case_bundles FOR DELETE TO dramac_staff USING ((expires_at < (now() - '30 days'::interval)));
CREATE POLICY staff_open ON case_bundles FOR UPDATE TO dramac_staff USING (((for_user_id IS NULL) AND (for_agency_id IS NULL) AND (revoked_at IS NULL) AND (expires_at > now()))) WITH CHECK (((for_user_id IS NULL) AND (for_agency_id IS NULL)));
CREATE POLICY tenant ON agencies FOR ALL TO dramac_app USING ((id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON api_keys FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON audit_heads FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON audit_log FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON automation_runs FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON automation_states FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON automations FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON body_recordings FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON case_bundles FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON clients FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON event_deliveries FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON events FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_api_requests FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_domains FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_oauth_clients FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_oauth_codes FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_oauth_grants FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_oauth_tokens FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_webhook_attempts FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_webhook_deliveries FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON external_webhooks FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON failed_requests FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON fleet_policies FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON fleet_rollout_sites FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON fleet_rollouts FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON fleet_run_items FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON fleet_runs FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON inbound_hooks FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON inbound_receipts FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON inbound_refusals FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON inbound_seen FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON install_moves FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON install_put_back_rows FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON install_put_backs FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON install_rehearsals FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON invitations FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON job_runs FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON log_searches FOR SELECT TO dramac_app USING (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (shared OR (user_id = ( SELECT current_person_id() AS current_person_id)))));
CREATE POLICY tenant ON mails FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON memberships FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_active_days FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_analytics_aggregates FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_analytics_events FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_analytics_marks FOR INSERT TO dramac_app WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_connections FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_embed_pages FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_embed_tokens FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_entitlements FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_function_runs FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_member_roles FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_publications FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_schedules FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_settings FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_trials FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON module_wishes FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) AND (EXISTS ( SELECT
   FROM marketplace_listings l
  WHERE (l.module_id = module_wishes.module_id)))));
CREATE POLICY tenant ON modules_v2 FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON publisher_keys FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON recorded_bodies FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON site_images FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON site_looks FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON site_page_steps FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON site_page_versions FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON site_page_views FOR SELECT TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON site_pages FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON site_redirects FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON sites FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON studio_files FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON studio_projects FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON studio_trials FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON support_accesses FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant ON support_switches FOR ALL TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY tenant_new ON mails FOR INSERT TO dramac_app WITH CHECK (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) OR ((agency_id IS NULL) AND (( SELECT identifying() AS identifying) OR (( SELECT current_person_id() AS current_person_id) IS NOT NULL)))));
CREATE POLICY tenant_settle ON job_runs FOR UPDATE TO dramac_app USING ((agency_id = ( SELECT current_agency_id() AS current_agency_id))) WITH CHECK ((agency_id = ( SELECT current_agency_id() AS current_agency_id)));
CREATE POLICY unproven ON external_domains FOR INSERT TO dramac_app WITH CHECK ((state = 'pending'::text));
CREATE POLICY used ON module_ratings FOR INSERT TO dramac_app WITH CHECK (((EXISTS ( SELECT
   FROM module_active_days d
  WHERE (((d.agency_id = module_ratings.agency_id) AND (d.module_id = module_ratings.module_id) AND (d.major = module_ratings.major)) AND (d.days >= 7)))) AND (NOT (EXISTS ( SELECT
   FROM module_source m
  WHERE ((m.id = module_ratings.module_id) AND (m.agency_id = module_ratings.agency_id)))))));
CREATE POLICY visible ON module_database_registry FOR SELECT TO dramac_app USING ((EXISTS ( SELECT
   FROM module_source m
  WHERE (m.id = module_database_registry.module_id))));
CREATE POLICY visible ON module_naming_conflicts FOR ALL TO dramac_app USING ((EXISTS ( SELECT
   FROM module_source m
  WHERE (m.id = module_naming_conflicts.module_id)))) WITH CHECK ((EXISTS ( SELECT
   FROM module_source m
  WHERE (m.id = module_naming_conflicts.module_id))));
CREATE POLICY visible ON release_log FOR SELECT TO dramac_app USING (((agency_id = ( SELECT current_agency_id() AS current_agency_id)) OR (EXISTS ( SELECT
   FROM module_versions v
  WHERE (v.id = release_log.version_id)))));
-- triggers
CREATE TRIGGER audit_chain BEFORE INSERT ON public.audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER fresh BEFORE UPDATE OF tier, category, type, price, rating, verified, capabilities, document ON public.marketplace_listings FOR EACH ROW EXECUTE FUNCTION marketplace_fresh();
CREATE TRIGGER gone AFTER DELETE ON public.marketplace_listings FOR EACH ROW EXECUTE FUNCTION marketplace_left();
CREATE TRIGGER marketplace AFTER INSERT OR DELETE ON public.marketplace_publishers FOR EACH ROW EXECUTE FUNCTION marketplace_publisher_changed();
CREATE TRIGGER marketplace AFTER INSERT OR UPDATE OF name, summary, category, icon, type, tier, latest_version_id ON public.module_source FOR EACH ROW EXECUTE FUNCTION marketplace_module_changed();
CREATE TRIGGER marketplace AFTER UPDATE OF listing, readme, capabilities ON public.module_versions FOR EACH ROW EXECUTE FUNCTION marketplace_version_changed();
CREATE TRIGGER marketplace AFTER UPDATE OF name ON public.agencies FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION marketplace_agency_changed();
CREATE TRIGGER only_drafts_go BEFORE DELETE ON public.module_versions FOR EACH ROW EXECUTE FUNCTION only_drafts_go();
CREATE TRIGGER only_drafts_grow BEFORE INSERT OR UPDATE ON public.module_version_files FOR EACH ROW EXECUTE FUNCTION only_drafts_grow();
CREATE TRIGGER rated AFTER INSERT OR DELETE OR UPDATE OF stars, hidden_at ON public.module_ratings FOR EACH ROW EXECUTE FUNCTION module_ratings_changed();
CREATE TRIGGER release_log_chain BEFORE INSERT ON public.release_log FOR EACH ROW EXECUTE FUNCTION release_log_chain();
CREATE TRIGGER release_log_never_emptied BEFORE TRUNCATE ON public.release_log FOR EACH STATEMENT EXECUTE FUNCTION release_log_only_grows();
CREATE TRIGGER release_log_only_grows BEFORE DELETE OR UPDATE ON public.release_log FOR EACH ROW EXECUTE FUNCTION release_log_only_grows();
CREATE TRIGGER version_stays BEFORE UPDATE ON public.module_versions FOR EACH ROW EXECUTE FUNCTION version_stays();
CREATE TRIGGER voted AFTER INSERT OR DELETE ON public.module_rating_votes FOR EACH ROW EXECUTE FUNCTION module_rating_voted();
CREATE TRIGGER voted AFTER INSERT OR DELETE ON public.module_request_votes FOR EACH ROW EXECUTE FUNCTION module_request_voted();
-- grants
GRANT DELETE, INSERT, SELECT ON automation_states TO dramac_app;
GRANT DELETE, INSERT, SELECT ON external_domains TO dramac_app;
GRANT DELETE, INSERT, SELECT ON log_searches TO dramac_app;
GRANT DELETE, INSERT, SELECT ON marketplace_bits TO dramac_lookup;
GRANT DELETE, INSERT, SELECT ON marketplace_gone TO dramac_lookup;
GRANT DELETE, INSERT, SELECT ON marketplace_postings TO dramac_lookup;
GRANT DELETE, INSERT, SELECT ON marketplace_publishers TO dramac_staff;
GRANT DELETE, INSERT, SELECT ON module_embed_pages TO dramac_app;
GRANT DELETE, INSERT, SELECT ON module_files TO dramac_runtime;
GRANT DELETE, INSERT, SELECT ON module_rating_votes TO dramac_app;
GRANT DELETE, INSERT, SELECT ON module_request_votes TO dramac_app;
GRANT DELETE, INSERT, SELECT ON module_trials TO dramac_app;
GRANT DELETE, INSERT, SELECT ON module_wishes TO dramac_app;
GRANT DELETE, INSERT, SELECT ON site_page_steps TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON agencies TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON api_keys TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON automation_runs TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON automation_states TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON automations TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON automations TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON clients TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON clients TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON event_deliveries TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON events TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_api_requests TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_domains TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_oauth_clients TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_oauth_codes TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_oauth_grants TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_oauth_tokens TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_webhook_attempts TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_webhook_deliveries TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_webhooks TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON external_webhooks TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON failed_requests TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON fleet_policies TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON fleet_policies TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON fleet_rollout_sites TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON fleet_rollouts TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON fleet_run_items TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON fleet_runs TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON idempotency_keys TO dramac_runtime;
GRANT DELETE, INSERT, SELECT, UPDATE ON idempotency_keys TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON inbound_hooks TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON install_moves TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON install_put_back_rows TO dramac_runtime;
GRANT DELETE, INSERT, SELECT, UPDATE ON install_put_back_rows TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON install_put_backs TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON install_rehearsals TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON invitations TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON invitations TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON job_runs TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON log_searches TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON mails TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON marketplace_listings TO dramac_lookup;
GRANT DELETE, INSERT, SELECT, UPDATE ON marketplace_measures TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON marketplace_related TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON memberships TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON memberships TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_active_days TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_analytics_aggregates TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_analytics_events TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_analytics_marks TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_analytics_progress TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_blobs TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_collection_items TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_collections TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_connections TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_database_registry TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_done TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_embed_pages TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_embed_tokens TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_enrolments TO dramac_lookup;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_enrolments TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_entitlements TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_files TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_function_runs TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_member_roles TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_member_roles TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_naming_conflicts TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_publications TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_rating_reports TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_rating_votes TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_ratings TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_request_votes TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_requests TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_schedules TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_schedules TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_settings TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_source TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_trials TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_version_files TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_versions TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_versions TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON module_wishes TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON modules_v2 TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON password_resets TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON password_resets TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON sign_in_attempts TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_images TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_looks TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_page_steps TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_page_versions TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_page_views TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_pages TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_redirects TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON site_redirects TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON sites TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON sites TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON status_days TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON user_sessions TO dramac_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON user_sessions TO dramac_staff;
GRANT DELETE, INSERT, SELECT, UPDATE ON users TO dramac_staff;
GRANT DELETE, SELECT ON audit_log TO dramac_lookup;
GRANT DELETE, SELECT ON body_recordings TO dramac_staff;
GRANT DELETE, SELECT ON case_bundles TO dramac_staff;
GRANT DELETE, SELECT ON inbound_refusals TO dramac_staff;
GRANT DELETE, SELECT ON inbound_seen TO dramac_staff;
GRANT DELETE, SELECT ON module_ratings TO dramac_app;
GRANT DELETE, SELECT ON recorded_bodies TO dramac_staff;
GRANT DELETE, SELECT ON studio_trials TO dramac_staff;
GRANT DELETE, SELECT, UPDATE ON inbound_receipts TO dramac_staff;
GRANT INSERT ON events TO dramac_module;
GRANT INSERT ON external_api_requests TO dramac_runtime;
GRANT INSERT ON failed_requests TO dramac_runtime;
GRANT INSERT ON mails TO dramac_runtime;
GRANT INSERT ON module_analytics_events TO dramac_runtime;
GRANT INSERT ON module_analytics_marks TO dramac_app;
GRANT INSERT ON module_analytics_marks TO dramac_runtime;
GRANT INSERT ON module_function_runs TO dramac_runtime;
GRANT INSERT ON recorded_bodies TO dramac_runtime;
GRANT INSERT, SELECT ON audit_log TO dramac_app;
GRANT INSERT, SELECT ON audit_log TO dramac_staff;
GRANT INSERT, SELECT ON case_bundles TO dramac_app;
GRANT INSERT, SELECT ON event_deliveries TO dramac_app;
GRANT INSERT, SELECT ON events TO dramac_app;
GRANT INSERT, SELECT ON events TO dramac_runtime;
GRANT INSERT, SELECT ON mails TO dramac_app;
GRANT INSERT, SELECT ON marketplace_words TO dramac_lookup;
GRANT INSERT, SELECT ON module_analytics_events TO dramac_app;
GRANT INSERT, SELECT ON module_blobs TO dramac_app;
GRANT INSERT, SELECT ON module_done TO dramac_runtime;
GRANT INSERT, SELECT ON module_embed_tokens TO dramac_app;
GRANT INSERT, SELECT ON module_entitlements TO dramac_lookup;
GRANT INSERT, SELECT ON module_naming_conflicts TO dramac_app;
GRANT INSERT, SELECT ON module_rating_reports TO dramac_app;
GRANT INSERT, SELECT ON module_version_files TO dramac_app;
GRANT INSERT, SELECT ON publisher_keys TO dramac_app;
GRANT INSERT, SELECT ON publisher_keys TO dramac_staff;
GRANT INSERT, SELECT ON release_log TO dramac_app;
GRANT INSERT, SELECT ON release_log TO dramac_staff;
GRANT INSERT, SELECT ON sign_in_attempts TO dramac_app;
GRANT INSERT, SELECT ON site_images TO dramac_app;
GRANT INSERT, SELECT ON site_page_versions TO dramac_app;
GRANT INSERT, SELECT ON studio_files TO dramac_app;
GRANT INSERT, SELECT ON support_accesses TO dramac_staff;
GRANT INSERT, SELECT ON users TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON api_keys TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON audit_heads TO dramac_lookup;
GRANT INSERT, SELECT, UPDATE ON automation_runs TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON body_recordings TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON external_oauth_clients TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON external_oauth_codes TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON external_oauth_grants TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON external_oauth_tokens TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON external_webhook_deliveries TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON fleet_rollout_sites TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON fleet_rollouts TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON fleet_run_items TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON fleet_runs TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON inbound_hooks TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON inbound_receipts TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON inbound_refusals TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON inbound_seen TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON install_moves TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON install_put_backs TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON install_rehearsals TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON module_connections TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON module_publications TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON module_settings TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON module_source TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON modules_v2 TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON site_looks TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON site_pages TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON studio_projects TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON studio_trials TO dramac_app;
GRANT INSERT, SELECT, UPDATE ON support_switches TO dramac_app;
GRANT SELECT ON agencies TO dramac_app;
GRANT SELECT ON agencies TO dramac_lookup;
GRANT SELECT ON api_keys TO dramac_lookup;
GRANT SELECT ON audit_heads TO dramac_app;
GRANT SELECT ON audit_heads TO dramac_staff;
GRANT SELECT ON body_recordings TO dramac_lookup;
GRANT SELECT ON external_api_requests TO dramac_app;
GRANT SELECT ON external_domains TO dramac_lookup;
GRANT SELECT ON external_oauth_clients TO dramac_lookup;
GRANT SELECT ON external_oauth_codes TO dramac_lookup;
GRANT SELECT ON external_oauth_grants TO dramac_lookup;
GRANT SELECT ON external_oauth_tokens TO dramac_lookup;
GRANT SELECT ON external_webhook_attempts TO dramac_app;
GRANT SELECT ON fleet_rollout_sites TO dramac_lookup;
GRANT SELECT ON fleet_rollouts TO dramac_lookup;
GRANT SELECT ON inbound_hooks TO dramac_lookup;
GRANT SELECT ON install_put_back_rows TO dramac_app;
GRANT SELECT ON marketplace_listings TO dramac_app;
GRANT SELECT ON marketplace_listings TO dramac_staff;
GRANT SELECT ON marketplace_measures TO dramac_app;
GRANT SELECT ON marketplace_publishers TO dramac_lookup;
GRANT SELECT ON marketplace_related TO dramac_app;
GRANT SELECT ON module_active_days TO dramac_app;
GRANT SELECT ON module_analytics_aggregates TO dramac_app;
GRANT SELECT ON module_analytics_aggregates TO dramac_lookup;
GRANT SELECT ON module_blobs TO dramac_lookup;
GRANT SELECT ON module_collection_items TO dramac_app;
GRANT SELECT ON module_collections TO dramac_app;
GRANT SELECT ON module_connections TO dramac_lookup;
GRANT SELECT ON module_database_registry TO dramac_app;
GRANT SELECT ON module_database_registry TO dramac_lookup;
GRANT SELECT ON module_embed_pages TO dramac_lookup;
GRANT SELECT ON module_embed_tokens TO dramac_lookup;
GRANT SELECT ON module_enrolments TO dramac_app;
GRANT SELECT ON module_entitlements TO dramac_app;
GRANT SELECT ON module_function_runs TO dramac_app;
GRANT SELECT ON module_rating_votes TO dramac_lookup;
GRANT SELECT ON module_request_votes TO dramac_lookup;
GRANT SELECT ON module_requests TO dramac_app;
GRANT SELECT ON module_settings TO dramac_lookup;
GRANT SELECT ON module_source TO dramac_lookup;
GRANT SELECT ON module_trials TO dramac_lookup;
GRANT SELECT ON module_version_files TO dramac_lookup;
GRANT SELECT ON module_versions TO dramac_lookup;
GRANT SELECT ON modules_v2 TO dramac_lookup;
GRANT SELECT ON publisher_keys TO dramac_lookup;
GRANT SELECT ON recorded_bodies TO dramac_app;
GRANT SELECT ON release_log TO dramac_lookup;
GRANT SELECT ON release_log_head TO dramac_lookup;
GRANT SELECT ON release_log_head TO dramac_staff;
GRANT SELECT ON site_looks TO dramac_lookup;
GRANT SELECT ON site_page_versions TO dramac_lookup;
GRANT SELECT ON site_page_views TO dramac_app;
GRANT SELECT ON site_pages TO dramac_lookup;
GRANT SELECT ON site_redirects TO dramac_lookup;
GRANT SELECT ON sites TO dramac_lookup;
GRANT SELECT ON sites TO dramac_runtime;
GRANT SELECT ON status_days TO dramac_app;
GRANT SELECT ON support_accesses TO dramac_app;
GRANT SELECT ON support_accesses TO dramac_lookup;
GRANT SELECT ON support_switches TO dramac_lookup;
GRANT SELECT ON support_switches TO dramac_staff;
GRANT SELECT, UPDATE ON module_ratings TO dramac_lookup;
GRANT SELECT, UPDATE ON module_requests TO dramac_lookup;
-- functions
CREATE OR REPLACE FUNCTION public.analytics_agencies(wanted uuid[])
 RETURNS TABLE(site_id uuid, agency_id uuid)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT s.id, s.agency_id FROM sites s WHERE s.id = ANY (wanted)
$function$
;
CREATE OR REPLACE FUNCTION public.analytics_partitions(back integer, ahead integer, keep integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  day date;
  name text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('analytics_partitions', 0));
  FOR day IN SELECT generate_series(today - least(back, keep), today + ahead, '1 day')::date LOOP
    name := 'module_analytics_events_' || to_char(day, 'YYYYMMDD');
    IF to_regclass(name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF module_analytics_events FOR VALUES FROM (%L) TO (%L)',
                     name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
      EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END IF;
  END LOOP;
  FOR name IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'module_analytics_events'::regclass LOOP
    IF to_date(right(name, 8), 'YYYYMMDD') < today - keep THEN
      EXECUTE format('DROP TABLE %I', name);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $function$
;
CREATE OR REPLACE FUNCTION public.api_key_by_hash(wanted bytea)
 RETURNS TABLE(id uuid, agency_id uuid, site_id uuid, install_id uuid, kind text, scopes text[], origins text[], networks cidr[], expires_at timestamp with time zone, revoked_at timestamp with time zone, site_archived boolean, agency_suspended boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT k.id, k.agency_id, k.site_id, k.install_id, k.kind, k.scopes, k.origins, k.networks, k.expires_at, k.revoked_at,
         s.archived_at IS NOT NULL, a.suspended_at IS NOT NULL
  FROM api_keys k JOIN sites s ON s.id = k.site_id JOIN agencies a ON a.id = k.agency_id WHERE k.token_hash = wanted
$function$
;
CREATE OR REPLACE FUNCTION public.api_keys_used(ids uuid[], moments timestamp with time zone[], addresses inet[])
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, u.moment), last_used_ip = u.address
  FROM unnest(ids, moments, addresses) AS u (id, moment, address) WHERE k.id = u.id
$function$
;
CREATE OR REPLACE FUNCTION public.api_origin_known(wanted text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (SELECT FROM api_keys
                 WHERE origins @> ARRAY[wanted] AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))
$function$
;
CREATE OR REPLACE FUNCTION public.audience_open_to(audience text, publisher uuid, agency uuid, level text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT agency IS NOT NULL AND (audience = 'public' OR publisher = agency
    OR (audience = 'beta' AND level IN ('alpha', 'beta')) OR (audience = 'alpha' AND level = 'alpha'))
$function$
;
CREATE OR REPLACE FUNCTION public.audit_chain()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  head record;
BEGIN
  INSERT INTO audit_heads (agency_id, number, hash) VALUES (NEW.agency_id, 0, '\x00') ON CONFLICT DO NOTHING;
  SELECT number, hash INTO head FROM audit_heads WHERE agency_id = NEW.agency_id FOR UPDATE;
  NEW.number := head.number + 1;
  NEW.previous_hash := head.hash;
  NEW.hash := audit_row_hash(NEW);
  UPDATE audit_heads SET number = NEW.number, hash = NEW.hash WHERE agency_id = NEW.agency_id;
  RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.audit_let_go(agency uuid, before timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  last record;
  gone bigint;
BEGIN
  IF before > now() - interval '365 days' THEN
    RAISE EXCEPTION 'lines of the audit trail are kept for 365 days';
  END IF;
  PERFORM 1 FROM audit_heads WHERE agency_id = agency AND fault = '' FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  -- lines are numbered as they are committed, their times are of the beginning: none before the first young line goes too far,
  -- and the last line of all stays, since the chain's end is held against it
  SELECT number, hash INTO last FROM audit_log
  WHERE agency_id = agency AND number < least(
    (SELECT min(number) FROM audit_log WHERE agency_id = agency AND at >= before),
    (SELECT max(number) FROM audit_log WHERE agency_id = agency))
  ORDER BY number DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  DELETE FROM audit_log WHERE agency_id = agency AND number <= last.number;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE audit_heads SET first_number = last.number, first_hash = last.hash WHERE agency_id = agency;
  RETURN gone;
END $function$
;
CREATE OR REPLACE FUNCTION public.audit_row_hash(a audit_log)
 RETURNS bytea
 LANGUAGE sql
 STABLE
AS $function$ SELECT sha256(convert_to(to_jsonb(ARRAY[
    a.id::text, a.agency_id::text, a.number::text, extract(epoch FROM a.at)::text, a.actor, a.actor_name, a.action, a.target,
    a.target_name, a.changes::text, host(a.ip), a.user_agent, a.request_id, encode(a.previous_hash, 'hex')]
    || CASE WHEN a.site_id IS NULL THEN '{}'::text[] ELSE ARRAY[a.site_id::text] END)::text, 'UTF8')) $function$
;
CREATE OR REPLACE FUNCTION public.blob_known(digests text[])
 RETURNS SETOF text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$ SELECT sha256 FROM module_blobs WHERE sha256 = ANY (digests) $function$
;
CREATE OR REPLACE FUNCTION public.cheapest_plan(manifest jsonb)
 RETURNS TABLE(amount integer, trial_days integer)
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT coalesce(p.amount, 0), coalesce(p.trial_days, 0) FROM (SELECT) one LEFT JOIN LATERAL (
    SELECT (p ->> 'amount')::integer AS amount, (p ->> 'trial_days')::integer AS trial_days
    FROM jsonb_array_elements(manifest -> 'pricing') p
    ORDER BY (p ->> 'amount')::integer / CASE p ->> 'per' WHEN 'year' THEN 12 ELSE 1 END, (p ->> 'amount')::integer LIMIT 1) p ON true
$function$
;
CREATE OR REPLACE FUNCTION public.current_agency_id()
 RETURNS uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ SELECT nullif(current_setting('app.agency_id', true), '')::uuid $function$
;
CREATE OR REPLACE FUNCTION public.current_person_id()
 RETURNS uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $function$
;
CREATE OR REPLACE FUNCTION public.current_site_id()
 RETURNS uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ SELECT nullif(current_setting('app.site_id', true), '')::uuid $function$
;
CREATE OR REPLACE FUNCTION public.domain_at(wanted text)
 RETURNS TABLE(domain_id uuid, agency_id uuid, agency_name text, agency_hue smallint, agency_logo text, site_id uuid, host text, www text, purposes text[], target_install_id uuid, target_page text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT d.id, d.agency_id, a.name, a.hue, a.logo, d.site_id, d.host, d.www, d.purposes, d.target_install_id, d.target_page
  FROM external_domains d JOIN agencies a ON a.id = d.agency_id LEFT JOIN sites s ON s.id = d.site_id
  WHERE d.state IN ('verified', 'failing') AND d.purposes && ARRAY['pages', 'platform']
    AND a.suspended_at IS NULL AND s.archived_at IS NULL
    AND (d.host = wanted OR (d.www <> 'none' AND 'www.' || d.host = wanted))
  ORDER BY d.host = wanted DESC LIMIT 1
$function$
;
CREATE OR REPLACE FUNCTION public.domain_callers(site uuid)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT host FROM external_domains
  WHERE site_id = site AND state IN ('verified', 'failing') AND 'api' = ANY (purposes) ORDER BY host
$function$
;
CREATE OR REPLACE FUNCTION public.domain_calls(wanted text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (SELECT FROM external_domains
    WHERE host = wanted AND state IN ('verified', 'failing') AND 'api' = ANY (purposes))
$function$
;
CREATE OR REPLACE FUNCTION public.domain_embedders(site uuid)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT host FROM external_domains
  WHERE site_id = site AND state IN ('verified', 'failing') AND 'embed' = ANY (purposes) ORDER BY host
$function$
;
CREATE OR REPLACE FUNCTION public.domain_platforms(agency uuid, site uuid)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT CASE d.www WHEN 'to_www' THEN 'www.' || d.host ELSE d.host END
  FROM external_domains d
  WHERE d.agency_id = coalesce(agency, (SELECT s.agency_id FROM sites s WHERE s.id = site))
    AND d.state IN ('verified', 'failing') AND 'platform' = ANY (d.purposes)
  ORDER BY 1
$function$
;
CREATE OR REPLACE FUNCTION public.embed_closed_pages(install uuid)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT page FROM module_embed_pages WHERE install_id = install ORDER BY page
$function$
;
CREATE OR REPLACE FUNCTION public.embed_token_alive(token uuid, install uuid, moment timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (SELECT FROM module_embed_tokens
                 WHERE id = token AND install_id = install AND revoked_at IS NULL AND expires_at > moment)
$function$
;
CREATE OR REPLACE FUNCTION public.embed_token_used(wanted bytea, install uuid, moment timestamp with time zone)
 RETURNS TABLE(id uuid, origins text[])
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  UPDATE module_embed_tokens t SET usage_count = t.usage_count + 1, last_used_at = moment
  WHERE t.token_hash = wanted AND t.install_id = install AND t.revoked_at IS NULL AND t.expires_at > moment
  RETURNING t.id, t.origins
$function$
;
CREATE OR REPLACE FUNCTION public.enrolled_level(module uuid, agency uuid)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  SELECT coalesce((SELECT level FROM module_enrolments WHERE module_id = module AND agency_id = agency), '')
$function$
;
CREATE OR REPLACE FUNCTION public.enrolled_listings(agency uuid)
 RETURNS uuid[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT coalesce(array_agg(e.module_id), '{}') FROM module_enrolments e JOIN marketplace_listings l USING (module_id)
  WHERE e.agency_id = agency AND agency = current_agency_id() AND audience_open_to(l.tier, l.agency_id, agency, e.level)
$function$
;
CREATE OR REPLACE FUNCTION public.entitlement_of(agency uuid, wanted uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT jsonb_build_object(
    'kind', CASE WHEN v.agency_id = agency THEN 'own' WHEN plan.amount = 0 THEN 'free' ELSE coalesce(e.kind, 'none') END,
    'until', CASE WHEN v.agency_id <> agency AND plan.amount > 0 THEN e.ends_at END, 'trial_days', plan.trial_days)
  FROM module_versions v CROSS JOIN LATERAL cheapest_plan(v.manifest) plan
  LEFT JOIN LATERAL (
    SELECT kind, ends_at FROM module_entitlements e
    WHERE e.agency_id = agency AND e.module_id = v.module_id AND e.revoked_at IS NULL ORDER BY ends_at DESC NULLS FIRST LIMIT 1) e ON true
  WHERE v.id = wanted
$function$
;
CREATE OR REPLACE FUNCTION public.entitlement_try(wanted uuid, at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  INSERT INTO module_entitlements (agency_id, module_id, kind, starts_at, ends_at)
  SELECT current_agency_id(), v.module_id, 'trial', at, at + make_interval(days => plan.trial_days)
  FROM module_versions v CROSS JOIN LATERAL cheapest_plan(v.manifest) plan
  WHERE v.id = wanted AND plan.amount > 0 AND plan.trial_days > 0 AND version_open_to(v.id, current_agency_id())
    AND at BETWEEN now() - interval '1 hour' AND now() + interval '1 minute'
  ON CONFLICT (agency_id, module_id) WHERE kind = 'trial' DO NOTHING
  RETURNING ends_at
$function$
;
CREATE OR REPLACE FUNCTION public.identifying()
 RETURNS boolean
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ SELECT coalesce(current_setting('app.identifying', true), '') = 'on' $function$
;
CREATE OR REPLACE FUNCTION public.inbound_hook_at(wanted uuid, hook text)
 RETURNS TABLE(agency_id uuid, site_id uuid, module_slug text, status text, declared jsonb, hook_id uuid, secret_sealed text, previous_sealed text, previous_until timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT i.agency_id, i.site_id, m.slug, i.status, v.manifest -> 'inbound' -> hook, h.id, coalesce(h.secret_sealed, ''),
         coalesce(h.previous_sealed, ''), h.previous_until
  FROM modules_v2 i
  JOIN module_source m ON m.id = i.module_id
  JOIN module_versions v ON v.id = i.version_id
  LEFT JOIN inbound_hooks h ON h.install_id = i.id AND h.name = hook
  WHERE i.id = wanted AND v.manifest -> 'inbound' ? hook
$function$
;
CREATE OR REPLACE FUNCTION public.listing_open_to(tier text, publisher uuid, module uuid, agency uuid, enrolled uuid[])
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$ SELECT audience_open_to(tier, publisher, agency, '') OR (agency IS NOT NULL AND module = ANY (enrolled)) $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_agency_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  PERFORM marketplace_list(l.module_id) FROM marketplace_listings l WHERE l.agency_id = NEW.id;
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_bitset(ordinals integer[], size integer)
 RETURNS bit varying
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT CASE WHEN coalesce(cardinality(ordinals), 0) = 0 THEN repeat('0', size)::bit varying ELSE (
    SELECT coalesce(string_agg(coalesce(w.bits, 0)::bit(64)::text, '' ORDER BY n), '')::bit varying
    FROM generate_series(0, size / 64 - 1) n
    LEFT JOIN (SELECT o >> 6 AS word, bit_or(1::bigint << (63 - (o & 63))) AS bits FROM unnest(ordinals) o WHERE o < size GROUP BY 1) w
      ON w.word = n) END
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_card()
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT 'l.module_id, l.slug, l.name, l.summary, l.category, l.type, l.icon, l.tier, l.publisher, l.agency_id, l.verified, l.version, '
    'l.published_at, l.price, l.amount, l.currency, l.per, l.trial_days, l.rating, l.ratings, l.installs'
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_common(words text[], size integer, OUT matched bit varying, OUT named bit varying)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
DECLARE
  word record;
  own bit varying;
BEGIN
  FOR word IN SELECT * FROM marketplace_forms(words) LOOP
    IF word.forms IS NULL OR coalesce((SELECT sum(docs) FROM marketplace_postings_of('any', word.forms, word.beginning)), 0) < marketplace_many() THEN
      RETURN;
    END IF;
  END LOOP;
  FOR word IN SELECT * FROM marketplace_forms(words) LOOP
    own := marketplace_having('any', word.forms, word.beginning, size);
    matched := coalesce(matched & own, own);
    own := marketplace_having('name', word.forms, word.beginning, size);
    named := coalesce(named & own, own);
  END LOOP;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_condition(chosen jsonb)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT coalesce(string_agg(CASE key
      WHEN 'category' THEN format('l.category = ANY (%L)', several)
      WHEN 'type' THEN format('l.type = ANY (%L)', several)
      WHEN 'price' THEN format('l.price = ANY (%L)', several)
      WHEN 'capability' THEN format('l.capabilities && %L', several)
      WHEN 'rating' THEN format('l.rating >= %L::integer', (SELECT min(one::integer) FROM unnest(several) one))
      WHEN 'verified' THEN 'l.verified'
      WHEN 'beta' THEN 'l.tier NOT IN (''internal'', ''public'')' END, ' AND '), 'true')
  FROM (SELECT key, ARRAY(SELECT jsonb_array_elements_text(value)) AS several FROM jsonb_each(chosen)) c
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_forms(words text[])
 RETURNS TABLE(forms text[], beginning text)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT CASE WHEN cardinality(plain) = 1 AND cardinality(stems) <= 1 THEN plain || stems END, CASE WHEN at = cardinality(words) THEN plain[1] END
  FROM (SELECT at, tsvector_to_array(to_tsvector('simple', word)) AS plain, tsvector_to_array(to_tsvector('english', word)) AS stems
        FROM unnest(words) WITH ORDINALITY w (word, at)) w
  WHERE cardinality(stems) > 0 OR at = cardinality(words)
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_fresh()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.fresh := OLD.fresh
    OR (NEW.tier, NEW.category, NEW.type, NEW.price, floor(NEW.rating), NEW.verified, NEW.capabilities, NEW.document)
    IS DISTINCT FROM (OLD.tier, OLD.category, OLD.type, OLD.price, floor(OLD.rating), OLD.verified, OLD.capabilities, OLD.document);
  RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_having(wanted text, forms text[], beginning text, size integer)
 RETURNS bit varying
 LANGUAGE plpgsql
 STABLE
AS $function$
DECLARE
  found bit varying;
  few integer[];
BEGIN
  SELECT coalesce(bit_or(bits), marketplace_bitset('{}', size)) INTO found FROM marketplace_postings_of(wanted, forms, beginning);
  SELECT array_agg(ordinal) INTO few FROM marketplace_postings_of(wanted, forms, beginning), unnest(ordinals) ordinal;
  RETURN CASE WHEN few IS NULL THEN found ELSE found | marketplace_bitset(few, size) END;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_index(at_least integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET work_mem TO '64MB'
AS $function$
DECLARE
  changed integer := (SELECT count(*) FROM marketplace_listings WHERE fresh) + (SELECT count(*) FROM marketplace_gone);
  size integer;
BEGIN
  IF changed < at_least OR NOT pg_try_advisory_xact_lock(0x6d6b7462) THEN
    RETURN 0;
  END IF;
  UPDATE marketplace_listings SET fresh = false WHERE fresh;
  size := (coalesce((SELECT max(ordinal) FROM marketplace_listings), 0) / 64 + 1) * 64;
  DELETE FROM marketplace_gone;
  DELETE FROM marketplace_bits;
  INSERT INTO marketplace_bits (facet, value, bits)
    SELECT x.facet, x.value, marketplace_bitset(array_agg(l.ordinal), size)
    FROM marketplace_listings l, marketplace_values(l) x WHERE NOT l.fresh GROUP BY 1, 2;
  INSERT INTO marketplace_bits (facet, value, bits) VALUES ('tier', 'public', marketplace_bitset('{}', size)) ON CONFLICT DO NOTHING;
  DELETE FROM marketplace_postings;
  INSERT INTO marketplace_postings (part, lexeme, docs, ordinals, bits)
    SELECT part, lexeme, cardinality(ordinals), CASE WHEN few THEN ordinals END, CASE WHEN NOT few THEN marketplace_bitset(ordinals, size) END
    FROM (
      SELECT part, lexeme, ordinals, cardinality(ordinals) <= size / 32 AS few FROM ( -- from there on bits are the smaller
        SELECT 'any' AS part, lexeme, array_agg(ordinal) AS ordinals
          FROM marketplace_listings, unnest(tsvector_to_array(document)) lexeme WHERE NOT fresh GROUP BY 2
        UNION ALL
        SELECT 'name', lexeme, array_agg(ordinal)
          FROM marketplace_listings, unnest(tsvector_to_array(ts_filter(head, '{a}'))) lexeme WHERE NOT fresh GROUP BY 2
      ) found
    ) sized;
  RETURN changed;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_judged()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$ SELECT 300 $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_left()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  INSERT INTO marketplace_gone (ordinal) VALUES (OLD.ordinal) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_list(wanted uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  m module_source;
  v module_versions;
  publisher_name text;
  tags text;
  plan record;
  first tsvector;
  n marketplace_listings;
BEGIN
  SELECT * INTO m FROM module_source WHERE id = wanted;
  SELECT * INTO v FROM module_versions WHERE id = m.latest_version_id;
  IF v.id IS NULL THEN
    DELETE FROM marketplace_listings WHERE module_id = wanted;
    RETURN;
  END IF;
  SELECT a.name INTO publisher_name FROM agencies a WHERE a.id = m.agency_id;
  SELECT coalesce(string_agg(tag, ' '), '') INTO tags FROM jsonb_array_elements_text(v.listing -> 'tags') tag;
  SELECT (p ->> 'amount')::integer AS amount, p ->> 'currency' AS currency, p ->> 'per' AS per,
         coalesce((p ->> 'trial_days')::integer, 0) AS trial_days,
         (p ->> 'amount')::integer / CASE p ->> 'per' WHEN 'year' THEN 12 ELSE 1 END AS monthly
    INTO plan FROM jsonb_array_elements(v.manifest -> 'pricing') p ORDER BY monthly, amount LIMIT 1;
  first := setweight(marketplace_words_of(m.name || ' ' || replace(m.slug, '-', ' ')), 'A')
        || setweight(marketplace_words_of(tags || ' ' || publisher_name || ' ' || replace(m.category, '-', ' ')), 'B')
        || setweight(marketplace_words_of(m.summary || ' ' || coalesce(v.listing ->> 'tagline', '')), 'C');
  n.slug := m.slug; n.name := m.name; n.plain_name := lower(unaccent(m.name)); n.summary := m.summary; n.category := m.category;
  n.type := m.type; n.icon := m.icon; n.tier := version_audience(m.tier, v.prerelease); n.publisher := publisher_name;
  n.verified := EXISTS (SELECT FROM marketplace_publishers p WHERE p.agency_id = m.agency_id);
  n.version := v.version; n.published_at := coalesce(v.published_at, v.created_at); n.capabilities := v.capabilities;
  n.price := CASE WHEN coalesce(plan.amount, 0) = 0 THEN 'free' WHEN plan.trial_days > 0 THEN 'trial' ELSE 'paid' END;
  n.amount := coalesce(plan.amount, 0); n.currency := coalesce(plan.currency, ''); n.per := coalesce(plan.per, '');
  n.trial_days := coalesce(plan.trial_days, 0); n.monthly := coalesce(plan.monthly, 0); n.head := first;
  n.document := first || setweight(to_tsvector('english', unaccent(
    left(coalesce(v.listing ->> 'description', '') || ' ' || v.readme, 20000))), 'D');
  UPDATE marketplace_listings SET
    (slug, name, plain_name, summary, category, type, icon, tier, publisher, verified, version, published_at, capabilities, price,
     amount, currency, per, trial_days, monthly, head, document) =
    (n.slug, n.name, n.plain_name, n.summary, n.category, n.type, n.icon, n.tier, n.publisher, n.verified, n.version,
     n.published_at, n.capabilities, n.price, n.amount, n.currency, n.per, n.trial_days, n.monthly, n.head, n.document)
  WHERE module_id = m.id;
  IF NOT FOUND THEN -- the module's own row is locked by whoever changes it; ON CONFLICT would use up an ordinal at every change
    INSERT INTO marketplace_listings (module_id, agency_id, slug, name, plain_name, summary, category, type, icon, tier, publisher, verified, version, published_at, capabilities, price,
     amount, currency, per, trial_days, monthly, head, document)
    VALUES (m.id, m.agency_id, n.slug, n.name, n.plain_name, n.summary, n.category, n.type, n.icon, n.tier, n.publisher, n.verified, n.version,
     n.published_at, n.capabilities, n.price, n.amount, n.currency, n.per, n.trial_days, n.monthly, n.head, n.document);
  END IF;
  IF n.tier = 'public' THEN -- in one order, so that two at once wait for each other and never in a ring
    INSERT INTO marketplace_words (word)
      SELECT DISTINCT word FROM unnest(tsvector_to_array(to_tsvector('simple', unaccent(
        concat_ws(' ', m.name, tags, publisher_name, replace(m.category, '-', ' '), m.summary))))) word
      WHERE length(word) BETWEEN 3 AND 40 AND word !~ '[0-9]' ORDER BY word
      ON CONFLICT DO NOTHING;
  END IF;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_many()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$ SELECT 1000 $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_missed(l marketplace_listings, chosen jsonb)
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT ARRAY(SELECT c.facet FROM jsonb_each(chosen) c (facet, wanted)
    WHERE NOT EXISTS (SELECT FROM marketplace_values(l) x WHERE x.facet = c.facet AND c.wanted ? x.value))
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_module_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  PERFORM marketplace_list(NEW.id);
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_near(name text, typed text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT CASE WHEN name = typed THEN 3 WHEN name ^@ typed THEN 2 WHEN strpos(name, ' ' || typed) > 0 THEN 1 ELSE 0 END
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_order(sort text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT CASE sort
    WHEN 'newest' THEN 'l.published_at DESC, l.module_id DESC'
    WHEN 'rating' THEN 'l.rating DESC, l.ratings DESC, l.module_id DESC'
    WHEN 'price' THEN 'l.monthly, l.module_id'
    WHEN '-price' THEN 'l.monthly DESC, l.module_id DESC'
    ELSE 'l.installs DESC, l.module_id DESC' END
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_ordinals(bits bit varying)
 RETURNS integer[]
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT coalesce(array_agg(n * 64 + i), '{}')
  FROM (SELECT n, substring(bits FROM n * 64 + 1 FOR 64) AS part FROM generate_series(0, length(bits) / 64 - 1) n OFFSET 0) p,
       generate_series(0, 63) i
  WHERE bit_count(p.part) > 0 AND get_bit(p.part, i) = 1
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_page(chosen jsonb, sort text, few boolean)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT format($q$
    SELECT jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.place) FROM (
      SELECT x.*, row_number() OVER () AS place FROM (
        SELECT %s FROM marketplace_listings l
        WHERE listing_open_to(l.tier, l.agency_id, l.module_id, $1, $6) AND %s AND %s ORDER BY %s LIMIT $4 OFFSET $5) x) p
  $q$, marketplace_card(), CASE WHEN few THEN '(l.ordinal = ANY ($2) OR l.module_id = ANY ($3))' ELSE 'true' END,
    marketplace_condition(chosen), marketplace_order(sort))
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_page_of_bits(chosen jsonb, sort text, few boolean, few_named boolean)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT format(CASE WHEN sort = 'relevance' THEN $q$
    WITH judged AS MATERIALIZED (%4$s),
    ranked AS (
      SELECT l.module_id, row_number() OVER (ORDER BY marketplace_near(l.plain_name, $3)
        + ts_rank('{0.05, 0.2, 0.5, 1}', l.head, $7) + ln(1 + l.installs) / 50 DESC, l.module_id DESC) AS place
      FROM judged JOIN marketplace_listings l USING (module_id)),
    page AS (
      SELECT module_id, place FROM ranked WHERE place > $5 AND place <= $5 + $4
      UNION ALL SELECT module_id, 1000000 + row_number() OVER () FROM (%5$s) others)
    $q$ ELSE $q$
    WITH page AS (
      SELECT module_id, row_number() OVER () AS place FROM (
        SELECT l.module_id FROM marketplace_listings l WHERE %2$s ORDER BY %3$s LIMIT $4 OFFSET $5) x)
    $q$ END || $q$
    SELECT jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.place) FROM (
      SELECT %1$s, page.place FROM page JOIN marketplace_listings l USING (module_id)) p
  $q$, marketplace_card(), hits, marketplace_order(sort),
    CASE WHEN few THEN 'SELECT l.module_id FROM marketplace_listings l WHERE ' || hits ELSE format($q$
      (SELECT l.module_id FROM marketplace_listings l WHERE %1$s ORDER BY l.installs DESC, l.module_id DESC LIMIT %2$s)
      UNION (SELECT l.module_id FROM marketplace_listings l WHERE %3$s LIMIT %2$s)
      UNION SELECT l.module_id FROM marketplace_listings l WHERE l.plain_name = $3 AND %1$s
      UNION SELECT l.module_id FROM marketplace_listings l WHERE l.module_id = ANY ($6) AND %4$s
    $q$, held, marketplace_judged(), CASE WHEN few_named
        THEN 'l.ordinal = ANY ($8) ORDER BY marketplace_near(l.plain_name, $3) DESC, l.installs DESC, l.module_id DESC'
        ELSE replace(held, '$2', '$9') || ' ORDER BY l.installs DESC, l.module_id DESC' END, marketplace_condition(chosen)) END,
    CASE WHEN few THEN 'SELECT module_id FROM judged LIMIT 0' ELSE format($q$
      SELECT l.module_id FROM marketplace_listings l WHERE %s AND l.module_id NOT IN (SELECT module_id FROM judged)
      ORDER BY l.installs DESC, l.module_id DESC
      OFFSET greatest(0, $5 - (SELECT count(*) FROM judged)) LIMIT greatest(0, $5 + $4 - greatest($5, (SELECT count(*) FROM judged)))
    $q$, held) END)
  FROM (SELECT held, CASE WHEN few THEN format('(l.ordinal = ANY ($1) OR (l.module_id = ANY ($6) AND %s))', marketplace_condition(chosen))
      ELSE format('CASE WHEN l.fresh THEN l.module_id = ANY ($6) AND %s ELSE get_bit($2, l.ordinal) = 1 END', marketplace_condition(chosen)) END AS hits
    FROM (SELECT 'CASE WHEN l.fresh THEN false ELSE get_bit($2, l.ordinal) = 1 END' AS held) h) said
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_page_of_words(chosen jsonb, sort text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT format($q$
    WITH hits AS MATERIALIZED (
      SELECT l.module_id, l.ordinal, l.fresh, l.installs, l.published_at, l.rating, l.ratings, l.monthly, (%s) AS chosen,
        marketplace_near(l.plain_name, $3) AS near
      FROM marketplace_listings l WHERE l.document @@ $2 AND listing_open_to(l.tier, l.agency_id, l.module_id, $1, $6)),
    page AS (%s)
    SELECT (SELECT array_agg(h.ordinal) FROM hits h WHERE NOT h.fresh), (SELECT array_agg(h.module_id) FROM hits h WHERE h.fresh),
      (SELECT jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.place) FROM page p)
  $q$, marketplace_condition(chosen), CASE WHEN sort = 'relevance' THEN format($q$
      SELECT %s, row_number() OVER (ORDER BY c.near + ts_rank('{0.05, 0.2, 0.5, 1}', l.head, $2) + ln(1 + l.installs) / 50 DESC,
        l.module_id DESC) AS place
      FROM (SELECT h.module_id, h.near FROM hits h WHERE h.chosen ORDER BY h.near DESC, h.installs DESC LIMIT 1000) c
      JOIN marketplace_listings l ON l.module_id = c.module_id ORDER BY place LIMIT $4 OFFSET $5
    $q$, marketplace_card()) ELSE format($q$
      SELECT %s, row_number() OVER (ORDER BY %s) AS place
      FROM (SELECT l.module_id FROM hits l WHERE l.chosen ORDER BY %2$s LIMIT $4 OFFSET $5) c
      JOIN marketplace_listings l ON l.module_id = c.module_id
    $q$, marketplace_card(), marketplace_order(sort)) END)
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_postings_of(wanted text, forms text[], beginning text)
 RETURNS SETOF marketplace_postings
 LANGUAGE sql
 STABLE
AS $function$
  SELECT * FROM marketplace_postings WHERE part = wanted AND lexeme = ANY (forms)
  UNION ALL
  SELECT * FROM marketplace_postings WHERE part = wanted AND lexeme >= beginning AND lexeme < beginning || chr(1114111)
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_publisher_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  UPDATE marketplace_listings SET verified = (TG_OP = 'INSERT') WHERE agency_id = coalesce(NEW.agency_id, OLD.agency_id);
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_query(typed text[])
 RETURNS tsquery
 LANGUAGE plpgsql
 STABLE
AS $function$
DECLARE
  found tsquery;
  one tsquery;
BEGIN
  FOR i IN 1..coalesce(cardinality(typed), 0) LOOP
    one := to_tsquery('simple', typed[i] || CASE WHEN i = cardinality(typed) THEN ':*' ELSE '' END);
    IF to_tsvector('english', typed[i]) <> ''::tsvector THEN
      one := one || plainto_tsquery('english', typed[i]);
    ELSIF i < cardinality(typed) THEN
      CONTINUE; -- "for", "the"
    END IF;
    found := coalesce(found && one, one);
  END LOOP;
  RETURN found;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_respelt(typed text[], agency uuid)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
AS $function$
DECLARE
  better text[] := typed;
  enrolled uuid[] := enrolled_listings(agency);
  nearest text;
BEGIN
  FOR i IN 1..cardinality(typed) LOOP
    SELECT w.word INTO nearest FROM (
      SELECT word FROM marketplace_words WHERE word % typed[i]
      UNION
      SELECT word FROM marketplace_listings l, unnest(tsvector_to_array(l.head)) word
      WHERE l.tier <> 'public' AND listing_open_to(l.tier, l.agency_id, l.module_id, agency, enrolled) AND word % typed[i]
    ) w ORDER BY w.word = typed[i] DESC, i = cardinality(typed) AND w.word ^@ typed[i] DESC, similarity(w.word, typed[i]) DESC, w.word LIMIT 1;
    better[i] := coalesce(nearest, typed[i]);
  END LOOP;
  RETURN CASE WHEN better <> typed THEN better END;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_search(typed text[], chosen jsonb, sort text, most integer, skip integer)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
  agency uuid := current_agency_id();
  enrolled uuid[] := enrolled_listings(agency);
  words text[] := ARRAY(SELECT lower(unaccent(word)) FROM unnest(typed) WITH ORDINALITY t (word, at) WHERE word <> '' ORDER BY at);
  asked tsquery := marketplace_query(words);
  respelt text[];
  size integer := coalesce((SELECT length(bits) FROM marketplace_bits WHERE facet = 'tier' AND value = 'public'), 0);
  kinds CONSTANT text[] := '{category,type,price,capability,rating,verified,beta}';
  ordinals integer[]; -- of matches that are in the bits
  news uuid[]; -- matches that are not
  items jsonb;
  matched bit varying;
  named bit varying; -- those whose names have the words, when the words are common
  opened bit varying; -- what the agency may find
  masks bit varying[]; -- for each kind: the matches that pass the filters of every other kind
  passing bit varying; -- the matches that pass all
  own bit varying;
  total bigint;
  facets jsonb;
BEGIN
  LOOP
    matched := NULL;
    named := NULL;
    IF asked IS NOT NULL THEN
      SELECT * INTO matched, named FROM marketplace_common(words, size);
    END IF;
    IF asked IS NOT NULL AND matched IS NULL THEN
      EXECUTE marketplace_page_of_words(chosen, sort) INTO ordinals, news, items
        USING agency, asked, array_to_string(words, ' '), most, skip, enrolled;
      matched := marketplace_bitset(ordinals, size);
    ELSE
      SELECT array_agg(module_id) INTO news FROM marketplace_listings
        WHERE fresh AND (asked IS NULL OR document @@ asked) AND listing_open_to(tier, agency_id, module_id, agency, enrolled);
      SELECT array_agg(ordinal) INTO ordinals FROM marketplace_listings -- one's own and what one is let into: looked up, then judged
        WHERE tier <> 'public' AND NOT fresh AND (agency_id = agency OR module_id = ANY (enrolled))
          AND listing_open_to(tier, agency_id, module_id, agency, enrolled);
      SELECT bits | marketplace_bitset(ordinals, size) INTO opened FROM marketplace_bits
        WHERE facet = 'tier' AND value = 'public' AND agency IS NOT NULL;
      opened := coalesce(opened, marketplace_bitset('{}', size));
      SELECT array_agg(ordinal) INTO ordinals FROM (
        SELECT ordinal FROM marketplace_listings WHERE fresh UNION ALL SELECT ordinal FROM marketplace_gone) changed;
      IF ordinals IS NOT NULL THEN
        opened := opened & ~ marketplace_bitset(ordinals, size);
      END IF;
      matched := coalesce(matched & opened, opened);
    END IF;
    EXIT WHEN asked IS NULL OR respelt IS NOT NULL OR news IS NOT NULL OR bit_count(matched) > 0;
    respelt := marketplace_respelt(words, agency); -- nothing, whatever the filters: perhaps a word was mistyped
    EXIT WHEN respelt IS NULL;
    words := respelt;
    asked := marketplace_query(words);
  END LOOP;

  masks := array_fill(matched, ARRAY[cardinality(kinds)]);
  passing := matched;
  FOR i IN 1..cardinality(kinds) LOOP
    CONTINUE WHEN NOT chosen ? kinds[i];
    SELECT coalesce(bit_or(b.bits), marketplace_bitset('{}', size)) INTO own FROM marketplace_bits b
      WHERE b.facet = kinds[i] AND chosen -> kinds[i] ? b.value;
    passing := passing & own;
    FOR j IN 1..cardinality(kinds) LOOP
      IF j <> i THEN masks[j] := masks[j] & own; END IF;
    END LOOP;
  END LOOP;
  SELECT jsonb_object_agg(facet, counts) INTO facets FROM (
    SELECT facet, jsonb_object_agg(value, n) AS counts FROM (
      SELECT facet, value, sum(n) AS n FROM (
        SELECT b.facet, b.value, bit_count(b.bits & m.mask) AS n
          FROM unnest(kinds, masks) m (facet, mask) JOIN marketplace_bits b ON b.facet = m.facet
        UNION ALL
        SELECT x.facet, x.value, 1 FROM marketplace_listings l, marketplace_values(l) x
          WHERE l.module_id = ANY (news) AND marketplace_missed(l, chosen) <@ ARRAY[x.facet] AND x.facet <> 'tier'
      ) every GROUP BY facet, value HAVING sum(n) > 0
    ) summed GROUP BY facet
  ) kinds;
  total := bit_count(passing) + (
    SELECT count(*) FROM marketplace_listings l WHERE l.module_id = ANY (news) AND marketplace_missed(l, chosen) = '{}');
  IF asked IS NULL AND total > 0 THEN
    -- few are fetched by their numbers, many are met soon enough in the order asked for
    EXECUTE marketplace_page(chosen, sort, few => total <= 500) INTO items
      USING agency, CASE WHEN total <= 500 THEN marketplace_ordinals(passing) END, news, most, skip, enrolled;
  ELSIF named IS NOT NULL AND total > 0 THEN
    named := named & passing;
    EXECUTE marketplace_page_of_bits(chosen, sort, few => total <= marketplace_many(), few_named => bit_count(named) <= marketplace_many())
      INTO items USING CASE WHEN total <= marketplace_many() THEN marketplace_ordinals(passing) END, passing, array_to_string(words, ' '),
        most, skip, news, asked, CASE WHEN bit_count(named) <= marketplace_many() THEN marketplace_ordinals(named) END, named;
  END IF;
  RETURN jsonb_build_object('total', total, 'items', coalesce(items, '[]'), 'facets', coalesce(facets, '{}'), 'respelt', respelt);
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_values(l marketplace_listings)
 RETURNS TABLE(facet text, value text)
 LANGUAGE sql
 IMMUTABLE STRICT
AS $function$
  VALUES ('tier', l.tier), ('category', l.category), ('type', l.type), ('price', l.price)
  UNION ALL SELECT 'capability', unnest(l.capabilities)
  UNION ALL SELECT 'rating', n::text FROM generate_series(1, least(floor(l.rating)::integer, 4)) n
  UNION ALL SELECT 'verified', 'true' WHERE l.verified
  UNION ALL SELECT 'beta', 'true' WHERE l.tier NOT IN ('internal', 'public')
$function$
;
CREATE OR REPLACE FUNCTION public.marketplace_version_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  PERFORM marketplace_list(m.id) FROM module_source m WHERE m.latest_version_id = NEW.id;
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.marketplace_words_of(content text)
 RETURNS tsvector
 LANGUAGE sql
 STABLE
AS $function$ SELECT to_tsvector('simple', unaccent(content)) || to_tsvector('english', unaccent(content)) $function$
;
CREATE OR REPLACE FUNCTION public.module_enrol(wanted uuid, agency_slug text, new_level text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  a agencies;
BEGIN
  SELECT * INTO a FROM agencies WHERE slug = agency_slug AND id <> current_agency_id();
  IF a.id IS NULL OR NOT EXISTS (SELECT FROM module_source WHERE id = wanted AND agency_id = current_agency_id()) THEN
    RETURN false;
  END IF;
  IF new_level = '' THEN
    DELETE FROM module_enrolments WHERE module_id = wanted AND agency_id = a.id;
    RETURN FOUND;
  END IF;
  INSERT INTO module_enrolments (agency_id, module_id, level, agency_name) VALUES (a.id, wanted, new_level, a.name)
    ON CONFLICT (module_id, agency_id) DO UPDATE SET level = new_level, agency_name = a.name;
  RETURN true;
END $function$
;
CREATE OR REPLACE FUNCTION public.module_enrolled(wanted uuid)
 RETURNS TABLE(slug text, name text, level text, enrolled_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT a.slug, e.agency_name, e.level, e.enrolled_at FROM module_enrolments e JOIN agencies a ON a.id = e.agency_id
  WHERE e.module_id = wanted AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
  ORDER BY lower(e.agency_name)
$function$
;
CREATE OR REPLACE FUNCTION public.module_rating_answer(wanted uuid, words text, at timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
  UPDATE module_ratings r SET answer = words, answered_at = CASE WHEN words = '' THEN NULL ELSE at END
  FROM module_source m
  WHERE r.id = wanted AND m.id = r.module_id AND m.agency_id = current_agency_id() AND r.hidden_at IS NULL;
  RETURN FOUND;
END $function$
;
CREATE OR REPLACE FUNCTION public.module_rating_voted()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  wanted uuid := coalesce(NEW.rating_id, OLD.rating_id);
BEGIN
  UPDATE module_ratings SET helpful = (SELECT count(*) FROM module_rating_votes WHERE rating_id = wanted) WHERE id = wanted;
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.module_ratings_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  wanted uuid := coalesce(NEW.module_id, OLD.module_id);
BEGIN
  UPDATE marketplace_listings SET ratings = r.n, rating = CASE WHEN r.n = 0 THEN 0 ELSE (3.5 * 5 + r.stars) / (5 + r.n) END
  FROM (SELECT count(*) AS n, coalesce(sum(stars), 0) AS stars FROM module_ratings WHERE module_id = wanted AND hidden_at IS NULL) r
  WHERE module_id = wanted;
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.module_request_voted()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  wanted uuid := coalesce(NEW.request_id, OLD.request_id);
BEGIN
  UPDATE module_requests SET votes = (SELECT count(*) FROM module_request_votes WHERE request_id = wanted) WHERE id = wanted;
  RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.module_slug_taken(wanted text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$ SELECT EXISTS (SELECT FROM module_source WHERE slug = wanted) $function$
;
CREATE OR REPLACE FUNCTION public.oauth_access_by_hash(wanted bytea)
 RETURNS TABLE(grant_id uuid, agency_id uuid, site_id uuid, install_id uuid, origins text[], scopes text[], role text, expires_at timestamp with time zone, revoked boolean, site_archived boolean, agency_suspended boolean)
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  UPDATE external_oauth_grants g SET last_used_at = now() FROM external_oauth_tokens t
  WHERE t.token_hash = wanted AND t.kind = 'access' AND g.id = t.grant_id AND g.revoked_at IS NULL AND t.revoked_at IS NULL
    AND t.expires_at > now() AND (g.last_used_at IS NULL OR g.last_used_at < now() - interval '1 minute');
  SELECT g.id, g.agency_id, g.site_id, g.install_id, CASE WHEN c.kind = 'public' THEN c.origins ELSE '{}' END, t.scopes, m.role,
         least(t.expires_at, g.expires_at), t.revoked_at IS NOT NULL OR g.revoked_at IS NOT NULL, s.archived_at IS NOT NULL,
         a.suspended_at IS NOT NULL
  FROM external_oauth_tokens t
  JOIN external_oauth_grants g ON g.id = t.grant_id
  JOIN external_oauth_clients c ON c.id = g.client_id AND c.deleted_at IS NULL
  JOIN agencies p ON p.id = c.agency_id AND p.suspended_at IS NULL
  LEFT JOIN users u ON u.id = g.user_id
  LEFT JOIN memberships m ON m.agency_id = g.agency_id AND m.user_id = g.user_id
  JOIN sites s ON s.id = g.site_id
  JOIN agencies a ON a.id = g.agency_id
  WHERE t.token_hash = wanted AND t.kind = 'access'
    AND (g.user_id IS NULL
         OR m.role IS NOT NULL AND u.disabled_at IS NULL AND (u.password_changed_at IS NULL OR u.password_changed_at <= g.created_at))
$function$
;
CREATE OR REPLACE FUNCTION public.oauth_agency_of(wanted bytea)
 RETURNS uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT agency_id FROM external_oauth_codes WHERE code_hash = wanted
  UNION ALL SELECT agency_id FROM external_oauth_tokens WHERE token_hash = wanted
$function$
;
CREATE OR REPLACE FUNCTION public.oauth_client(wanted uuid)
 RETURNS TABLE(id uuid, agency_id uuid, name text, publisher text, kind text, redirect_uris text[], origins text[], grant_types text[], scopes text[], secret_hash bytea, earlier_secret_hash bytea)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT c.id, c.agency_id, c.name, a.name, c.kind, c.redirect_uris, c.origins, c.grant_types, c.scopes, c.secret_hash, c.earlier_secret_hash
  FROM external_oauth_clients c JOIN agencies a ON a.id = c.agency_id
  WHERE c.id = wanted AND c.deleted_at IS NULL AND a.suspended_at IS NULL
$function$
;
CREATE OR REPLACE FUNCTION public.oauth_client_name(wanted uuid)
 RETURNS TABLE(name text, publisher text, gone boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT c.name, a.name, c.deleted_at IS NOT NULL FROM external_oauth_clients c JOIN agencies a ON a.id = c.agency_id WHERE c.id = wanted
$function$
;
CREATE OR REPLACE FUNCTION public.oauth_introspect(wanted bytea, asker uuid)
 RETURNS TABLE(kind text, scopes text[], site_id uuid, install_id uuid, user_id uuid, created_at timestamp with time zone, expires_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT t.kind, t.scopes, g.site_id, g.install_id, g.user_id, t.created_at, least(t.expires_at, g.expires_at)
  FROM external_oauth_tokens t
  JOIN external_oauth_grants g ON g.id = t.grant_id
  JOIN agencies a ON a.id = g.agency_id
  JOIN sites s ON s.id = g.site_id
  LEFT JOIN users u ON u.id = g.user_id
  LEFT JOIN memberships m ON m.agency_id = g.agency_id AND m.user_id = g.user_id
  WHERE t.token_hash = wanted AND t.client_id = asker AND t.revoked_at IS NULL AND t.used_at IS NULL AND g.revoked_at IS NULL
    AND least(t.expires_at, g.expires_at) > now() AND a.suspended_at IS NULL AND s.archived_at IS NULL
    AND (g.user_id IS NULL
         OR m.role IS NOT NULL AND u.disabled_at IS NULL AND (u.password_changed_at IS NULL OR u.password_changed_at <= g.created_at))
$function$
;
CREATE OR REPLACE FUNCTION public.oauth_origin_known(origin text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (SELECT FROM external_oauth_clients WHERE kind = 'public' AND deleted_at IS NULL AND origins @> ARRAY[origin])
$function$
;
CREATE OR REPLACE FUNCTION public.only_drafts_go()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.status <> 'draft' THEN
    RAISE EXCEPTION 'version % is published and cannot be deleted', OLD.version USING ERRCODE = 'check_violation';
  END IF;
  RETURN OLD;
END $function$
;
CREATE OR REPLACE FUNCTION public.only_drafts_grow()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF EXISTS (SELECT FROM module_versions WHERE id = NEW.version_id AND status <> 'draft') THEN
    RAISE EXCEPTION 'a published version takes no more files' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.publisher_analytics(wanted uuid, since date, until date, wanted_grain text)
 RETURNS TABLE(day date, bucket timestamp with time zone, event text, dimension text, value text, count bigint, visitors bigint, repeats bigint, total bigint, installs bigint)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT a.day, CASE wanted_grain WHEN 'hour' THEN a.bucket END, a.event, a.dimension, a.value, sum(a.count)::bigint,
         sum(a.visitors)::bigint, sum(a.repeats)::bigint, sum(a.total)::bigint, count(DISTINCT a.subject_id)
  FROM module_analytics_aggregates a
  WHERE a.module_id = wanted AND a.level = 'install' AND a.grain = wanted_grain AND a.day BETWEEN since AND until
    AND a.dimension IN ('', 'page', 'version', 'language', 'country', 'device', 'browser', 'system', 'latency')
    AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
  GROUP BY 1, 2, 3, 4, 5
$function$
;
CREATE OR REPLACE FUNCTION public.publisher_here_now(wanted uuid, since timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT count(DISTINCT (site_id, visitor)) FROM module_analytics_events
  WHERE at > greatest(since, now() - interval '1 hour') AND module_id = wanted AND visitor IS NOT NULL
    AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
$function$
;
CREATE OR REPLACE FUNCTION public.publisher_key_known(agency uuid, wanted bytea)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (SELECT FROM publisher_keys WHERE agency_id = agency AND public_key = wanted) $function$
;
CREATE OR REPLACE FUNCTION public.publisher_names(wanted uuid[])
 RETURNS TABLE(id uuid, name text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT a.id, a.name FROM agencies a
  WHERE a.id = ANY (wanted) AND EXISTS (SELECT FROM module_source m WHERE m.agency_id = a.id AND m.latest_version_id IS NOT NULL)
$function$
;
CREATE OR REPLACE FUNCTION public.publisher_retention(wanted uuid, since date, moment timestamp with time zone)
 RETURNS TABLE(month date, installed bigint, days integer, due bigint, kept bigint)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT date_trunc('month', i.installed_at AT TIME ZONE 'UTC')::date, count(*), d.days,
         count(*) FILTER (WHERE i.installed_at + make_interval(days => d.days) <= moment),
         count(*) FILTER (WHERE i.installed_at + make_interval(days => d.days) <= moment
                            AND (i.removed_at IS NULL OR i.removed_at >= i.installed_at + make_interval(days => d.days)))
  FROM modules_v2 i CROSS JOIN (VALUES (7), (30), (90)) AS d (days)
  WHERE i.module_id = wanted AND i.installed_at >= since::timestamp AT TIME ZONE 'UTC'
    AND NOT (i.task = 'install' AND i.status IN ('provisioning', 'failed')) -- never was one
    AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
  GROUP BY 1, d.days
$function$
;
CREATE OR REPLACE FUNCTION public.recording_until(install uuid)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT until FROM body_recordings WHERE install_id = install
$function$
;
CREATE OR REPLACE FUNCTION public.release_figures(wanted uuid)
 RETURNS TABLE(ring text, state text, sites bigint, agencies bigint)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT s.ring, s.state, count(*), count(DISTINCT s.agency_id)
  FROM fleet_rollouts r
  JOIN module_source m ON m.id = r.module_id
  JOIN fleet_rollout_sites s ON s.rollout_id = r.id
  WHERE r.version_id = wanted AND m.agency_id = current_agency_id()
  GROUP BY s.ring, s.state
$function$
;
CREATE OR REPLACE FUNCTION public.release_held_back(wanted uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (SELECT FROM fleet_rollouts r JOIN module_source m ON m.id = r.module_id AND m.agency_id = r.agency_id
                 WHERE r.version_id = wanted AND r.status IN ('running', 'stopped'))
$function$
;
CREATE OR REPLACE FUNCTION public.release_log_chain()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  head release_log_head;
BEGIN
  SELECT * INTO head FROM release_log_head FOR UPDATE;
  NEW.number := head.number + 1;
  NEW.previous_hash := head.hash;
  NEW.hash := release_log_hash(NEW);
  UPDATE release_log_head SET number = NEW.number, hash = NEW.hash;
  RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.release_log_end()
 RETURNS TABLE(number bigint, hash bytea, checked_at timestamp with time zone, fault text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT number, hash, checked_at, fault FROM release_log_head $function$
;
CREATE OR REPLACE FUNCTION public.release_log_hash(e release_log)
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT sha256(convert_to(concat_ws(E'\n', 'dramac release log 1', e.number::text, e.kind,
    encode(sha256(convert_to(e.statement, 'UTF8')), 'hex'), encode(e.publisher_key, 'hex'), encode(e.publisher_signature, 'hex'),
    encode(e.platform_key, 'hex'), encode(e.platform_signature, 'hex'), encode(e.previous_hash, 'hex')), 'UTF8')) $function$
;
CREATE OR REPLACE FUNCTION public.release_log_only_grows()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'the release log only grows' USING ERRCODE = 'insufficient_privilege';
END $function$
;
CREATE OR REPLACE FUNCTION public.release_log_page(before bigint, most integer)
 RETURNS TABLE(number bigint, at timestamp with time zone, kind text, statement text, statement_sha256 text, publisher text, publisher_key bytea, publisher_signature bytea, platform_key bytea, platform_signature bytea, previous_hash bytea, hash bytea)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT e.number, e.at, e.kind, CASE WHEN m.tier = 'public' THEN e.statement END,
    encode(sha256(convert_to(e.statement, 'UTF8')), 'hex'), CASE WHEN m.tier = 'public' THEN a.name END,
    e.publisher_key, e.publisher_signature, e.platform_key, e.platform_signature, e.previous_hash, e.hash
  FROM release_log e LEFT JOIN module_source m ON m.id = e.module_id LEFT JOIN agencies a ON a.id = e.agency_id
  WHERE e.number < before ORDER BY e.number DESC LIMIT most $function$
;
CREATE OR REPLACE FUNCTION public.request_log_partitions(ahead integer, keep integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
  day date;
  name text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('request_log_partitions', 0));
  FOR day IN SELECT generate_series(current_date - 1, current_date + ahead, '1 day')::date LOOP
    name := 'external_api_requests_' || to_char(day, 'YYYYMMDD');
    IF to_regclass(name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF external_api_requests FOR VALUES FROM (%L) TO (%L)',
                     name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
      EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END IF;
  END LOOP;
  FOR name IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'external_api_requests'::regclass LOOP
    IF to_date(right(name, 8), 'YYYYMMDD') < current_date - keep THEN
      EXECUTE format('DROP TABLE %I', name);
      dropped := dropped + 1;
    END IF;
  END LOOP;
  RETURN dropped;
END $function$
;
CREATE OR REPLACE FUNCTION public.runtime_connections(install uuid)
 RETURNS TABLE(id uuid, name text, token_url text, access_sealed text, scopes text[], expires_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT id, name, token_url, access_sealed, scopes, expires_at FROM module_connections
  WHERE install_id = install AND state = 'connected'
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_files(wanted uuid)
 RETURNS TABLE(path text, content bytea)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT f.path, b.content FROM module_version_files f JOIN module_blobs b USING (sha256) WHERE f.version_id = wanted
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_install(wanted uuid)
 RETURNS TABLE(install_id uuid, agency_id uuid, site_id uuid, module_id uuid, version_id uuid, status text, settings jsonb, secrets jsonb, granted jsonb, changed_at timestamp with time zone, module_slug text, module_name text, short_id text, schema_name text, role_name text, version text, manifest jsonb, digest text, layout jsonb, site_slug text, site_name text, site_url text, time_zone text, locale text, currency text, site_archived boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT i.id, i.agency_id, i.site_id, i.module_id, i.version_id, i.status, i.settings, i.secrets, i.granted, i.changed_at,
         m.slug, m.name, m.short_id, r.schema_name, r.role_name, v.version, v.manifest, v.digest, r.layout,
         s.slug, s.name, s.url, s.time_zone, s.locale, s.currency, s.archived_at IS NOT NULL OR a.suspended_at IS NOT NULL
  FROM modules_v2 i
  JOIN module_source m ON m.id = i.module_id
  JOIN module_versions v ON v.id = i.version_id
  JOIN sites s ON s.id = i.site_id
  JOIN agencies a ON a.id = i.agency_id
  LEFT JOIN module_database_registry r ON r.module_id = i.module_id
  WHERE i.id = wanted
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_install_id(site uuid, module text)
 RETURNS uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT i.id FROM modules_v2 i JOIN module_source m ON m.id = i.module_id
  WHERE i.site_id = site AND i.status <> 'removed' AND (m.slug = module OR m.short_id = module OR m.id::text = module)
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_is_member(site uuid, person uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (SELECT FROM memberships m JOIN sites s ON s.agency_id = m.agency_id
                 WHERE s.id = site AND s.id = current_site_id() AND m.user_id = person)
      OR EXISTS (SELECT FROM memberships m JOIN module_trials t ON t.agency_id = m.agency_id
                 WHERE t.site_id = site AND t.site_id = current_site_id() AND m.user_id = person)
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_member_email(site uuid, person uuid)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT u.email FROM users u JOIN memberships m ON m.user_id = u.id JOIN sites s ON s.agency_id = m.agency_id
  WHERE s.id = site AND s.id = current_site_id() AND u.id = person AND u.disabled_at IS NULL
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_setting_levels(wanted uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'kind', CASE WHEN l.client_id IS NULL THEN 'agency' ELSE 'client' END,
           'id', l.id, 'settings', l.settings, 'secrets', l.secrets, 'locks', l.locks) ORDER BY l.client_id NULLS FIRST), '[]')
  FROM modules_v2 i
  JOIN sites s ON s.id = i.site_id
  JOIN module_settings l ON l.agency_id = i.agency_id AND l.module_id = i.module_id
                        AND (l.client_id IS NULL OR l.client_id = s.client_id)
  WHERE i.id = wanted
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_site_installs()
 RETURNS SETOF uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT i.id FROM modules_v2 i WHERE i.site_id = (SELECT current_site_id()) AND i.status <> 'removed' ORDER BY i.id
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_speaks_for(install uuid, site uuid, agency uuid, speaker name)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (
    SELECT FROM modules_v2 i LEFT JOIN module_database_registry r ON r.module_id = i.module_id
    WHERE i.id = install AND i.site_id = site AND i.agency_id = agency AND speaker IN (r.role_name, 'dramac_runtime'))
$function$
;
CREATE OR REPLACE FUNCTION public.runtime_trial(wanted uuid)
 RETURNS TABLE(install_id uuid, agency_id uuid, site_id uuid, module_id uuid, version_id uuid, status text, settings jsonb, secrets jsonb, granted jsonb, module_slug text, module_name text, short_id text, schema_name text, role_name text, version text, manifest jsonb, digest text, layout jsonb, site_slug text, site_name text, site_url text, time_zone text, locale text, currency text, site_archived boolean, trial_until timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT t.id, t.agency_id, t.site_id, t.module_id, t.version_id,
         CASE t.status WHEN 'making' THEN 'provisioning' WHEN 'ready' THEN 'active' WHEN 'failed' THEN 'failed' ELSE 'removed' END,
         t.settings, '{}'::jsonb, '{}'::jsonb, m.slug, m.name, own.name, own.name, own.name, v.version, v.manifest, v.digest, t.layout,
         'trial', a.name, '', a.time_zone, 'en', a.currency, a.suspended_at IS NOT NULL, t.ends_at
  FROM module_trials t
  CROSS JOIN LATERAL (SELECT 'try_' || replace(t.id::text, '-', '') AS name) own
  JOIN module_source m ON m.id = t.module_id
  JOIN module_versions v ON v.id = t.version_id
  JOIN agencies a ON a.id = t.agency_id
  WHERE t.id = wanted AND t.ends_at > now()
$function$
;
CREATE OR REPLACE FUNCTION public.short_id_taken(wanted text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$ SELECT EXISTS (SELECT FROM module_source WHERE short_id = wanted) $function$
;
CREATE OR REPLACE FUNCTION public.site_map_of(wanted_slug text, wanted_site uuid)
 RETURNS TABLE(path text, published_at timestamp with time zone, listed boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT p.path, p.published_at, l.listed
  FROM sites s
  JOIN agencies a ON a.id = s.agency_id AND a.suspended_at IS NULL
  JOIN site_looks l ON l.site_id = s.id
  LEFT JOIN (site_pages p JOIN site_page_versions v ON v.id = p.live_version_id AND NOT coalesce((v.content ->> 'noindex')::boolean, false))
    ON p.site_id = s.id AND p.deleted_at IS NULL
  WHERE s.archived_at IS NULL AND (s.slug = wanted_slug OR s.id = wanted_site)
  ORDER BY p.path
$function$
;
CREATE OR REPLACE FUNCTION public.site_page_at(wanted_slug text, wanted_site uuid, wanted_path text)
 RETURNS TABLE(site_id uuid, site_slug text, site_name text, locale text, look jsonb, generation bigint, menu jsonb, page_id uuid, content jsonb, published_at timestamp with time zone, trail jsonb, redirect_to text, home_host text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT s.id, s.slug, s.name, s.locale, to_jsonb(l) - 'agency_id' - 'site_id' - 'generation', l.generation,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', m.id, 'parent', m.parent_id, 'path', m.path, 'label', coalesce(nullif(m.menu_label, ''), v.content ->> 'title'))
        ORDER BY m.menu_order, m.path), '[]')
      FROM site_pages m JOIN site_page_versions v ON v.id = m.live_version_id
      WHERE m.site_id = s.id AND m.deleted_at IS NULL AND m.in_menu),
    p.id, w.content, p.published_at,
    (SELECT jsonb_build_object('path', o.path, 'label', x.content ->> 'title')
      FROM site_pages o JOIN site_page_versions x ON x.id = o.live_version_id
      WHERE o.id = p.parent_id AND o.site_id = s.id AND o.deleted_at IS NULL),
    CASE WHEN p.id IS NULL THEN (SELECT r.target FROM site_redirects r WHERE r.site_id = s.id AND r.source = wanted_path) END,
    -- where the site is at home: its first proven domain for pages
    (SELECT CASE d.www WHEN 'to_www' THEN 'www.' ELSE '' END || d.host FROM external_domains d
      WHERE d.site_id = s.id AND d.state IN ('verified', 'failing') AND 'pages' = ANY (d.purposes) AND d.target_install_id IS NULL
      ORDER BY d.verified_at, d.id LIMIT 1)
  FROM sites s
  JOIN agencies a ON a.id = s.agency_id AND a.suspended_at IS NULL
  JOIN site_looks l ON l.site_id = s.id
  LEFT JOIN site_pages p ON p.site_id = s.id AND p.path = wanted_path AND p.deleted_at IS NULL AND p.live_version_id IS NOT NULL
  LEFT JOIN site_page_versions w ON w.id = p.live_version_id
  WHERE s.archived_at IS NULL AND (s.slug = wanted_slug OR s.id = wanted_site)
$function$
;
CREATE OR REPLACE FUNCTION public.site_page_preview(wanted_page uuid, wanted_version uuid)
 RETURNS TABLE(site_id uuid, site_slug text, site_name text, locale text, look jsonb, menu jsonb, page_id uuid, path text, content jsonb, trail jsonb)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT s.id, s.slug, s.name, s.locale, to_jsonb(l) - 'agency_id' - 'site_id' - 'generation',
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', m.id, 'parent', m.parent_id, 'path', m.path, 'label', coalesce(nullif(m.menu_label, ''), v.content ->> 'title'))
        ORDER BY m.menu_order, m.path), '[]')
      FROM site_pages m JOIN site_page_versions v ON v.id = m.live_version_id
      WHERE m.site_id = s.id AND m.deleted_at IS NULL AND m.in_menu),
    p.id, p.path, coalesce((SELECT v.content FROM site_page_versions v WHERE v.id = wanted_version AND v.page_id = p.id), p.draft),
    (SELECT jsonb_build_object('path', o.path, 'label', x.content ->> 'title')
      FROM site_pages o JOIN site_page_versions x ON x.id = o.live_version_id
      WHERE o.id = p.parent_id AND o.site_id = s.id AND o.deleted_at IS NULL)
  FROM site_pages p
  JOIN sites s ON s.id = p.site_id
  JOIN agencies a ON a.id = s.agency_id AND a.suspended_at IS NULL
  JOIN site_looks l ON l.site_id = s.id
  WHERE p.id = wanted_page AND s.archived_at IS NULL
$function$
;
CREATE OR REPLACE FUNCTION public.support_agency(access uuid, person uuid)
 RETURNS uuid
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT a.agency_id
  FROM support_accesses a JOIN users u ON u.id = a.staff_id LEFT JOIN support_switches s ON s.agency_id = a.agency_id
  WHERE a.id = access AND a.staff_id = person AND a.status = 'active' AND a.expires_at > clock_timestamp()
    AND u.staff_role IS NOT NULL AND u.disabled_at IS NULL AND coalesce(s.mode, 'ask') <> 'refuse'
$function$
;
CREATE OR REPLACE FUNCTION public.version_audience(tier text, prerelease text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT CASE
    WHEN tier = 'internal' THEN 'internal'
    WHEN tier = 'alpha' OR prerelease LIKE 'alpha%' THEN 'alpha'
    WHEN tier = 'beta' OR prerelease <> '' THEN 'beta'
    ELSE 'public' END
$function$
;
CREATE OR REPLACE FUNCTION public.version_open_to(wanted uuid, agency uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT EXISTS (
    SELECT FROM module_versions v JOIN module_source m ON m.id = v.module_id
    WHERE v.id = wanted AND (m.agency_id = agency OR (v.status <> 'draft' AND audience_open_to(
      version_audience(m.tier, v.prerelease), m.agency_id, agency, enrolled_level(m.id, agency)))))
$function$
;
CREATE OR REPLACE FUNCTION public.version_stays()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.status <> 'draft' AND (NEW.version, NEW.manifest, NEW.digest, NEW.module_id, NEW.size_bytes, NEW.published_at)
     IS DISTINCT FROM (OLD.version, OLD.manifest, OLD.digest, OLD.module_id, OLD.size_bytes, OLD.published_at) THEN
    RAISE EXCEPTION 'version % is published and cannot change', OLD.version USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'draft' AND NEW.status = 'draft' THEN
    RAISE EXCEPTION 'version % is published and cannot become a draft', OLD.version USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.version_use(wanted uuid)
 RETURNS TABLE(agencies bigint, sites bigint)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  SELECT count(DISTINCT i.agency_id), count(*) FROM modules_v2 i JOIN module_versions v ON v.id = i.version_id
  WHERE i.version_id = wanted AND i.status <> 'removed' AND v.agency_id = current_agency_id() AND i.agency_id <> v.agency_id $function$
;
CREATE OR REPLACE FUNCTION public.webhook_at_once(w external_webhooks, struggling boolean)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (struggling OR ((w).latency_ms IS NULL)) THEN 1 ELSE ((w).concurrency)::integer END
;
CREATE OR REPLACE FUNCTION public.webhook_calls_left(rate integer, kept double precision, kept_at timestamp with time zone, at timestamp with time zone)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (rate IS NULL) THEN 'Infinity'::double precision ELSE LEAST((LEAST(rate, GREATEST((1 + ((rate >= 10))::integer), (rate / 10))))::double precision, (kept + (((((rate - LEAST(rate, GREATEST((1 + ((rate >= 10))::integer), (rate / 10)))) + 1))::double precision * GREATEST((0)::double precision, (EXTRACT(epoch FROM (at - kept_at)))::double precision)) / (60)::double precision))) END
;
CREATE OR REPLACE FUNCTION public.webhook_takes(w external_webhooks, struggling boolean, held bigint, sent bigint)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (webhook_at_once(w, struggling) <= (sent - held)) THEN (0)::bigint WHEN (((w).latency_ms IS NULL) OR ((w).rate_per_minute IS NOT NULL)) THEN (webhook_at_once(w, struggling) - sent) ELSE (((webhook_at_once(w, struggling) - (sent - held)) * LEAST(CASE WHEN struggling THEN 8 ELSE 16 END, GREATEST(1, (1000 / GREATEST((w).latency_ms, 1))))) - held) END
;
-- who may call functions that work with their owner's rights
GRANT EXECUTE ON FUNCTION analytics_agencies TO dramac_runtime;
GRANT EXECUTE ON FUNCTION analytics_partitions TO dramac_staff;
GRANT EXECUTE ON FUNCTION api_key_by_hash TO dramac_runtime;
GRANT EXECUTE ON FUNCTION api_keys_used TO dramac_runtime;
GRANT EXECUTE ON FUNCTION api_origin_known TO dramac_runtime;
GRANT EXECUTE ON FUNCTION audit_let_go TO dramac_staff;
GRANT EXECUTE ON FUNCTION blob_known TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION domain_at TO dramac_runtime;
GRANT EXECUTE ON FUNCTION domain_callers TO dramac_runtime;
GRANT EXECUTE ON FUNCTION domain_calls TO dramac_runtime;
GRANT EXECUTE ON FUNCTION domain_embedders TO dramac_runtime;
GRANT EXECUTE ON FUNCTION domain_platforms TO dramac_runtime;
GRANT EXECUTE ON FUNCTION embed_closed_pages TO dramac_runtime;
GRANT EXECUTE ON FUNCTION embed_token_alive TO dramac_runtime;
GRANT EXECUTE ON FUNCTION embed_token_used TO dramac_runtime;
GRANT EXECUTE ON FUNCTION enrolled_listings TO dramac_app;
GRANT EXECUTE ON FUNCTION entitlement_of TO dramac_app, dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION entitlement_try TO dramac_app;
GRANT EXECUTE ON FUNCTION inbound_hook_at TO dramac_runtime;
GRANT EXECUTE ON FUNCTION marketplace_index TO dramac_staff;
GRANT EXECUTE ON FUNCTION marketplace_search TO dramac_app;
GRANT EXECUTE ON FUNCTION module_enrol TO dramac_app;
GRANT EXECUTE ON FUNCTION module_enrolled TO dramac_app;
GRANT EXECUTE ON FUNCTION module_rating_answer TO dramac_app;
GRANT EXECUTE ON FUNCTION module_slug_taken TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION oauth_access_by_hash TO dramac_runtime;
GRANT EXECUTE ON FUNCTION oauth_agency_of TO dramac_runtime;
GRANT EXECUTE ON FUNCTION oauth_client TO dramac_runtime;
GRANT EXECUTE ON FUNCTION oauth_client_name TO dramac_app;
GRANT EXECUTE ON FUNCTION oauth_introspect TO dramac_runtime;
GRANT EXECUTE ON FUNCTION oauth_origin_known TO dramac_runtime;
GRANT EXECUTE ON FUNCTION publisher_analytics TO dramac_app;
GRANT EXECUTE ON FUNCTION publisher_here_now TO dramac_app;
GRANT EXECUTE ON FUNCTION publisher_key_known TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION publisher_names TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION publisher_retention TO dramac_app;
GRANT EXECUTE ON FUNCTION recording_until TO dramac_runtime;
GRANT EXECUTE ON FUNCTION release_figures TO dramac_app;
GRANT EXECUTE ON FUNCTION release_held_back TO dramac_app;
GRANT EXECUTE ON FUNCTION release_log_end TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION release_log_page TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION request_log_partitions TO dramac_staff;
GRANT EXECUTE ON FUNCTION runtime_connections TO dramac_runtime;
GRANT EXECUTE ON FUNCTION runtime_files TO dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION runtime_install TO dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION runtime_install_id TO dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION runtime_is_member TO dramac_runtime;
GRANT EXECUTE ON FUNCTION runtime_member_email TO dramac_runtime;
GRANT EXECUTE ON FUNCTION runtime_setting_levels TO dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION runtime_site_installs TO dramac_runtime;
GRANT EXECUTE ON FUNCTION runtime_speaks_for TO dramac_module, dramac_runtime;
GRANT EXECUTE ON FUNCTION runtime_trial TO dramac_runtime, dramac_staff;
GRANT EXECUTE ON FUNCTION short_id_taken TO dramac_app, dramac_staff;
GRANT EXECUTE ON FUNCTION site_map_of TO dramac_runtime;
GRANT EXECUTE ON FUNCTION site_page_at TO dramac_runtime;
GRANT EXECUTE ON FUNCTION site_page_preview TO dramac_runtime;
GRANT EXECUTE ON FUNCTION support_agency TO dramac_app;
GRANT EXECUTE ON FUNCTION version_open_to TO dramac_app;
GRANT EXECUTE ON FUNCTION version_use TO dramac_app, dramac_staff;
