-- What the site's own settings were before and after a move: gone back from, they become what they were. Secrets stay sealed.
ALTER TABLE install_moves
  ADD COLUMN own_before jsonb, -- {settings: {name: value}, secrets: {name: sealed text}}; NULL of moves before this, and after 30 days
  ADD COLUMN own_after jsonb; -- the same once the move was ordered: what is another since was set on the newer version

-- unhealthy: an upgrade that does worse, or was to go back, and could not: it serves, and people have to decide
ALTER TABLE install_moves DROP CONSTRAINT install_moves_state_check;
ALTER TABLE install_moves ADD CONSTRAINT install_moves_state_check
  CHECK (state IN ('ordered', 'watching', 'settled', 'unhealthy', 'undone', 'failed'));
CREATE INDEX install_moves_unhealthy ON install_moves (agency_id, install_id) WHERE state = 'unhealthy';
