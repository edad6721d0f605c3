-- The person behind a live session token, with every agency they belong to, and the one that platform staff is looking at by its
-- leave. No row: nobody.
-- A session lives 14 idle days and 30 in all; one of platform staff 1 idle hour and 24 in all (docs/security.md A1).
SELECT s.id AS session_id, s.agency_id_chosen, s.created_at AS signed_in_at, s.last_seen_at,
       u.id, u.name, u.email, u.staff_role, u.time_zone, u.locale,
       coalesce((
         SELECT jsonb_agg(jsonb_build_object('agency_id', a.id, 'agency_name', a.name, 'agency_slug', a.slug, 'hue', a.hue,
                                             'role', m.role, 'suspended', a.suspended_at IS NOT NULL, 'support',
           (SELECT min(x.status) FROM support_accesses x WHERE x.agency_id = a.id -- "active" comes before "asked"
            AND (x.status = 'asked' OR (x.status = 'active' AND x.expires_at > :now))))
                          ORDER BY lower(a.name), a.id)
         FROM memberships m JOIN agencies a ON a.id = m.agency_id
         WHERE m.user_id = u.id
       ), '[]') AS memberships,
       (SELECT jsonb_build_object('access_id', x.id, 'reason', x.reason, 'until', x.expires_at, 'agency_id', a.id, 'agency_name', a.name,
                                  'agency_slug', a.slug, 'hue', a.hue)
        FROM support_accesses x JOIN agencies a ON a.id = x.agency_id
        WHERE x.id = s.support_access_id AND x.staff_id = u.id AND u.staff_role IS NOT NULL
          AND x.status = 'active' AND x.expires_at > :now) AS visit
FROM user_sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = :token_hash
  AND u.disabled_at IS NULL
  AND s.expires_at > :now
  AND s.last_seen_at > CAST(:now AS timestamptz) - CASE WHEN u.staff_role IS NULL THEN interval '14 days' ELSE interval '1 hour' END
  AND s.created_at > CAST(:now AS timestamptz) - CASE WHEN u.staff_role IS NULL THEN interval '30 days' ELSE interval '24 hours' END
