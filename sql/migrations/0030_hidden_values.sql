-- Until when values are kept that the version a site went back to does not show.
ALTER TABLE modules_v2 ADD COLUMN parked_until timestamptz;
CREATE INDEX modules_v2_hidden ON modules_v2 (parked_until) WHERE parked_until IS NOT NULL;
