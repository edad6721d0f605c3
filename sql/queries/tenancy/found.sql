-- Sites and clients in use by a part of their name, those that begin with it first.
SELECT kind, id, name FROM (
  SELECT 'site' AS kind, id, name FROM sites WHERE agency_id = :agency_id AND archived_at IS NULL AND name ILIKE :words
  UNION ALL
  SELECT 'client', id, name FROM clients WHERE agency_id = :agency_id AND archived_at IS NULL AND name ILIKE :words
) AS things
ORDER BY name NOT ILIKE substr(:words, 2), lower(name), id
LIMIT :limit
