-- What waits for somebody in the open agency: failed and paused installs, invitations that ran out, sites on which nothing runs.
-- At most three of each kind, each with how many of its kind there are.
SELECT kind, target, name, detail, at, site_id, alike FROM (
  SELECT *, count(*) OVER kinds AS alike, row_number() OVER (kinds ORDER BY at DESC, target) AS place FROM (
  SELECT 1 AS urgency, 'install_failed' AS kind, i.id AS target, m.name, s.name AS detail, i.changed_at AS at, s.id AS site_id
  FROM modules_v2 i JOIN sites s ON s.id = i.site_id JOIN module_source m ON m.id = i.module_id
  WHERE i.status = 'failed' AND s.archived_at IS NULL
  UNION ALL
  SELECT 2, 'install_paused', i.id, m.name, s.name, i.changed_at, s.id
  FROM modules_v2 i JOIN sites s ON s.id = i.site_id JOIN module_source m ON m.id = i.module_id
  WHERE i.status = 'paused' AND s.archived_at IS NULL
  UNION ALL
  SELECT 3, 'invitation_expired', v.id, v.email, v.role, v.expires_at, NULL
  FROM invitations v
  WHERE v.accepted_at IS NULL AND v.revoked_at IS NULL AND v.expires_at <= :now
  UNION ALL
  SELECT 4, 'site_empty', s.id, s.name, c.name, s.created_at, s.id
  FROM sites s JOIN clients c ON c.agency_id = s.agency_id AND c.id = s.client_id
  WHERE s.archived_at IS NULL
    AND NOT EXISTS (SELECT FROM modules_v2 i WHERE i.site_id = s.id AND i.status <> 'removed')
) AS found
  WINDOW kinds AS (PARTITION BY kind)
) AS counted
WHERE place <= 3
ORDER BY urgency, place
