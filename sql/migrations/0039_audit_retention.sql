-- Lines of the audit trail are kept for a year. What goes are the oldest lines of a whole chain, and where the chain then begins
-- is kept with its end: a line taken out otherwise still shows.
ALTER TABLE audit_heads
  ADD COLUMN first_number bigint NOT NULL DEFAULT 0, -- of the last line that was let go; 0: none was
  ADD COLUMN first_hash bytea NOT NULL DEFAULT '\x00'; -- and its hash, which the first line kept names as the one before

-- Let go of the lines of one agency that are older than a moment, at least a year back; how many. A chain at fault stays as it is.
CREATE FUNCTION audit_let_go(agency uuid, before timestamptz) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
END $$;

CREATE POLICY lookup ON audit_log TO dramac_lookup USING (true);
GRANT SELECT, DELETE ON audit_log TO dramac_lookup;
REVOKE EXECUTE ON FUNCTION audit_let_go FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_let_go TO dramac_staff;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION audit_let_go OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
