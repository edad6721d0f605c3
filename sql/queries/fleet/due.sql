-- Installs of an agency that would take the newest version of their module by themselves and are not yet meant to by a rollout.
-- own: of modules that the agency publishes itself, or of those of others.
SELECT i.id AS install_id, i.module_id, n.id AS version_id, m.slug, n.version,
       coalesce(p.internal, false) OR m.agency_id = i.agency_id AS internal
FROM modules_v2 i
JOIN sites s ON s.id = i.site_id AND s.archived_at IS NULL
JOIN module_source m ON m.id = i.module_id
JOIN module_versions v ON v.id = i.version_id
JOIN module_versions n ON n.id = m.latest_version_id
LEFT JOIN fleet_policies p ON p.agency_id = i.agency_id AND p.site_id = i.site_id
LEFT JOIN fleet_policies a ON a.agency_id = i.agency_id AND a.site_id IS NULL
WHERE i.agency_id = CAST(:agency AS uuid) AND i.status = 'active'
  AND n.status = 'published' AND n.prerelease = '' AND n.major = v.major AND (n.minor, n.patch) > (v.minor, v.patch)
  AND CASE coalesce(p.mode, a.mode, 'off') WHEN 'minor' THEN true WHEN 'patch' THEN n.minor = v.minor ELSE false END
  AND NOT EXISTS (SELECT FROM fleet_rollouts r JOIN fleet_rollout_sites x ON x.rollout_id = r.id
                  WHERE r.agency_id = i.agency_id AND r.version_id = n.id AND x.install_id = i.id)
  AND NOT EXISTS (SELECT FROM fleet_rollouts r WHERE r.agency_id = i.agency_id AND r.version_id = n.id AND r.status = 'cancelled')
  AND (m.agency_id = i.agency_id) = CAST(:own AS boolean) AND (m.agency_id = i.agency_id OR NOT release_held_back(n.id))
ORDER BY i.id
