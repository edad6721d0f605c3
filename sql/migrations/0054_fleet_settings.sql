-- A setting of a module over many installs, as a run: what it sets, and of each install what its own value was and became.
ALTER TABLE fleet_runs DROP CONSTRAINT fleet_runs_kind_check;
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_kind_check CHECK (kind IN ('upgrade', 'pause', 'resume', 'settings', 'undo'));
ALTER TABLE fleet_runs ADD COLUMN change jsonb; -- {name, label, value, back, said}
ALTER TABLE fleet_runs ADD CONSTRAINT fleet_runs_change_check CHECK (kind = 'undo' OR (kind = 'settings') = (change IS NOT NULL));
ALTER TABLE fleet_run_items ADD COLUMN moved jsonb; -- {from, to}: each {} or {setting: the site's own value}
