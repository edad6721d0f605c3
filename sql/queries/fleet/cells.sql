-- The installs of an agency with what is to be known of each, a page of sites at a time. `total` and `sites` are of all pages.
-- health: not_set_up, stuck (an upgrade that does worse and could not go back), paused, watching, failing (of the last hour's calls and runs 5 % failed, or work was given up), ok.
-- drift: behind (a newer version within the major), major_behind, yanked, settings (unlike what the agency gives).
WITH calls AS (
  SELECT install_id, count(*) AS tried, count(*) FILTER (WHERE status >= 500) AS failed
  FROM external_api_requests
  WHERE agency_id = CAST(:agency AS uuid) AND at >= CAST(:since AS timestamptz) AND install_id IS NOT NULL
  GROUP BY install_id
), runs AS (
  SELECT install_id, count(*) AS tried, count(*) FILTER (WHERE outcome NOT IN ('ok', 'refused')) AS failed
  FROM module_function_runs
  WHERE agency_id = CAST(:agency AS uuid) AND started_at >= CAST(:since AS timestamptz)
  GROUP BY install_id
), watched AS (
  SELECT install_id, state FROM install_moves WHERE agency_id = CAST(:agency AS uuid) AND state IN ('watching', 'unhealthy')
), cells AS (
  SELECT i.id, i.site_id, s.name AS site_name, lower(s.name) AS site_key, s.client_id, c.name AS client_name, i.module_id,
         m.slug AS module_slug, m.name AS module_name, m.icon AS module_icon, v.version, n.version AS latest, i.status, i.task, i.failure,
         i.changed_at,
         CASE WHEN i.status IN ('provisioning', 'failed', 'removing') THEN 'not_set_up'
              WHEN EXISTS (SELECT FROM watched w WHERE w.install_id = i.id AND w.state = 'unhealthy') THEN 'stuck'
              WHEN i.status = 'paused' THEN 'paused'
              WHEN EXISTS (SELECT FROM watched w WHERE w.install_id = i.id) THEN 'watching'
              WHEN coalesce(calls.failed, 0) + coalesce(runs.failed, 0) > 0
               AND (coalesce(calls.failed, 0) + coalesce(runs.failed, 0)) * 20 >= coalesce(calls.tried, 0) + coalesce(runs.tried, 0)
              THEN 'failing'
              ELSE 'ok' END AS health,
         array_remove(ARRAY[
           CASE WHEN n.major = v.major AND (n.minor, n.patch) > (v.minor, v.patch) THEN 'behind' END,
           CASE WHEN n.major > v.major THEN 'major_behind' END,
           CASE WHEN v.status = 'yanked' THEN 'yanked' END,
           CASE WHEN EXISTS (
             SELECT FROM jsonb_each(a.settings) given
             WHERE NOT a.locks ? given.key
               AND CASE WHEN i.settings ? given.key THEN i.settings -> given.key
                        WHEN l.settings ? given.key THEN l.settings -> given.key
                        ELSE given.value END IS DISTINCT FROM given.value
           ) THEN 'settings' END
         ], NULL) AS drift
  FROM modules_v2 i
  JOIN sites s ON s.id = i.site_id AND s.archived_at IS NULL
  JOIN clients c ON c.id = s.client_id
  JOIN module_source m ON m.id = i.module_id
  JOIN module_versions v ON v.id = i.version_id
  LEFT JOIN module_versions n ON n.id = m.latest_version_id
  LEFT JOIN module_settings a ON a.agency_id = i.agency_id AND a.module_id = i.module_id AND a.client_id IS NULL
  LEFT JOIN module_settings l ON l.agency_id = i.agency_id AND l.module_id = i.module_id AND l.client_id = s.client_id
  LEFT JOIN calls ON calls.install_id = i.id
  LEFT JOIN runs ON runs.install_id = i.id
  WHERE i.agency_id = CAST(:agency AS uuid) AND i.status <> 'removed'
    AND (CAST(:clients AS uuid[]) IS NULL OR s.client_id = ANY (CAST(:clients AS uuid[])))
    AND (CAST(:modules AS uuid[]) IS NULL OR i.module_id = ANY (CAST(:modules AS uuid[])))
    AND (CAST(:installs AS uuid[]) IS NULL OR i.id = ANY (CAST(:installs AS uuid[])))
    AND (CAST(:words AS text) = '' OR strpos(lower(s.name), lower(CAST(:words AS text))) > 0)
), matching AS (
  SELECT * FROM cells
  WHERE (CAST(:health AS text[]) IS NULL OR health = ANY (CAST(:health AS text[])))
    AND (CAST(:drift AS text[]) IS NULL OR drift && CAST(:drift AS text[]))
), page AS (
  SELECT DISTINCT site_key, site_id FROM matching
  WHERE (CAST(:after_key AS text) IS NULL OR (site_key, site_id) > (CAST(:after_key AS text), CAST(:after_id AS uuid)))
  ORDER BY site_key, site_id LIMIT CAST(:limit AS integer)
)
SELECT matching.*, (SELECT count(*) FROM matching) AS total, (SELECT count(DISTINCT site_id) FROM matching) AS sites
FROM matching JOIN page USING (site_key, site_id)
ORDER BY site_key, site_id, lower(module_name), module_id
