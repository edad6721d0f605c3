-- One timeline of an agency over all sources that are wanted, newest first, with the names of places; and what it was read from,
-- also when nothing was found: a look later than this one finds by it what this one could not see.
SELECT look.snapshot, l.at, l.key, l.kind, l.level, l.outcome, l.request_id, l.title, l.detail, l.site_id, s.name AS site_name,
       l.install_id, m.name AS module_name
FROM (SELECT pg_current_snapshot()::text AS snapshot) AS look
LEFT JOIN (
{portions}
) AS l ON true
LEFT JOIN sites s ON s.id = l.site_id
LEFT JOIN modules_v2 i ON i.id = l.install_id
LEFT JOIN module_source m ON m.id = i.module_id
ORDER BY l.at DESC, l.key COLLATE "C" DESC
LIMIT CAST(:limit AS integer)
