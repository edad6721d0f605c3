-- Modules that sites have together, the twelve commonest of each; only what at least three agencies do.
INSERT INTO marketplace_related (module_id, other_id, sites)
SELECT module_id, other_id, sites FROM (
  SELECT a.module_id, b.module_id AS other_id, count(*) AS sites,
    row_number() OVER (PARTITION BY a.module_id ORDER BY count(*) DESC, b.module_id) AS place
  FROM modules_v2 a JOIN modules_v2 b ON b.site_id = a.site_id AND b.module_id <> a.module_id
  WHERE a.status IN ('active', 'paused') AND b.status IN ('active', 'paused')
  GROUP BY 1, 2 HAVING count(DISTINCT a.agency_id) >= 3
) counted WHERE place <= 12
