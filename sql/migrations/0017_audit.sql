-- The audit trail's chain covered half of each row, and nobody noticed when its end was cut off.

-- Of every agency's chain where it ends. Written by the trigger alone: no role that serves requests or sweeps may touch it.
CREATE TABLE audit_heads (
  agency_id uuid PRIMARY KEY,
  number bigint NOT NULL,
  hash bytea NOT NULL,
  checked_at timestamptz, -- when the chain was last gone through
  fault text NOT NULL DEFAULT '' -- what was found then
);
ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_heads FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON audit_heads TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON audit_heads TO dramac_lookup USING (true) WITH CHECK (true);
GRANT SELECT ON audit_heads TO dramac_app, dramac_staff;
GRANT UPDATE (checked_at, fault) ON audit_heads TO dramac_staff;
GRANT SELECT, INSERT, UPDATE ON audit_heads TO dramac_lookup;

-- Rows stay. (Nothing deletes them yet; what once will, takes the oldest through a function that moves the chain's beginning.)
REVOKE DELETE ON audit_log FROM dramac_staff;

-- Rows as they are hashed until here, to tell which of them are whole before they are hashed anew.
ALTER FUNCTION audit_row_hash RENAME TO audit_row_hash_before;

-- Everything a row says, as an array of texts: no separator that a text could hold, and an absent value is not an empty one.
CREATE FUNCTION audit_row_hash(a audit_log) RETURNS bytea LANGUAGE sql STABLE
  AS $$ SELECT sha256(convert_to(to_jsonb(ARRAY[
    a.id::text, a.agency_id::text, a.number::text, extract(epoch FROM a.at)::text, a.actor, a.actor_name, a.action, a.target,
    a.target_name, a.changes::text, host(a.ip), a.user_agent, a.request_id, encode(a.previous_hash, 'hex')])::text, 'UTF8')) $$;

CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
END $$;

-- The rows there are, hashed anew in their order. One that was not whole before gets no hash: the check goes on finding it.
ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_heads NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
  entry audit_log;
  agency uuid;
  last bytea;
  whole boolean;
BEGIN
  FOR entry IN SELECT * FROM audit_log ORDER BY agency_id, number LOOP
    IF agency IS DISTINCT FROM entry.agency_id THEN
      agency := entry.agency_id;
      last := '\x00';
    END IF;
    whole := entry.hash = audit_row_hash_before(entry);
    entry.previous_hash := last;
    last := CASE WHEN whole THEN audit_row_hash(entry) ELSE '\x00'::bytea END;
    UPDATE audit_log SET previous_hash = entry.previous_hash, hash = last WHERE id = entry.id;
    INSERT INTO audit_heads (agency_id, number, hash) VALUES (agency, entry.number, last)
      ON CONFLICT (agency_id) DO UPDATE SET number = EXCLUDED.number, hash = EXCLUDED.hash;
  END LOOP;
END $$;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
DROP FUNCTION audit_row_hash_before;

REVOKE EXECUTE ON FUNCTION audit_chain FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION audit_chain OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
