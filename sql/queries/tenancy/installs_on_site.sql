-- What is installed on a site, with the version that runs.
SELECT i.id, m.name, m.icon, m.slug, v.version, i.status, i.failure, i.installed_at
FROM modules_v2 i JOIN module_source m ON m.id = i.module_id JOIN module_versions v ON v.id = i.version_id
WHERE i.site_id = :site_id AND i.status <> 'removed'
ORDER BY lower(m.name), i.id
