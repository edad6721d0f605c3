-- Automations can be put back to what they were, and their steps are known by ids instead of places.
ALTER TABLE automations ADD COLUMN revision bigint NOT NULL DEFAULT 1; -- counts the changes of what it waits for and does
ALTER TABLE automations NO FORCE ROW LEVEL SECURITY; -- the owner writes rows of every agency here, once
UPDATE automations SET steps = (
  SELECT jsonb_agg(jsonb_build_object('id', encode(substring(uuid_send(gen_random_uuid()) FROM 1 FOR 6), 'hex')) || step ORDER BY place)
  FROM jsonb_array_elements(steps) WITH ORDINALITY AS numbered(step, place)
) WHERE steps <> '[]';
ALTER TABLE automations FORCE ROW LEVEL SECURITY;

-- What an automation was before each of its last changes.
CREATE TABLE automation_states (
  agency_id uuid NOT NULL,
  automation_id uuid NOT NULL,
  revision bigint NOT NULL, -- the automation's own, before the change
  said text NOT NULL, -- what the change was
  state jsonb NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (automation_id, revision),
  FOREIGN KEY (agency_id, automation_id) REFERENCES automations (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX automation_states_automation ON automation_states (agency_id, automation_id);

ALTER TABLE automation_states ENABLE ROW LEVEL SECURITY;
ALTER TABLE automation_states FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON automation_states TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON automation_states TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, DELETE ON automation_states TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON automation_states TO dramac_staff;
