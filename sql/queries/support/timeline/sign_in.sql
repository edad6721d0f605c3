-- Sign-ins of members, from the day they joined; only for those who may read the audit trail.
SELECT a.at, ('sign_in:' || a.id::text) COLLATE "C" AS key, 'sign_in' AS kind,
       CASE a.outcome WHEN 'signed_in' THEN 'ok' ELSE 'warn' END AS level, a.outcome, a.outcome AS outcomes, a.request_id,
       u.name AS title, NULL::uuid AS site_id, NULL::uuid AS install_id, '' AS about,
       concat_ws(' ', u.name, u.email, a.outcome, host(a.ip), a.user_agent) AS words,
       jsonb_build_object('person', u.name, 'e-mail', u.email, 'outcome', a.outcome, 'ip', host(a.ip), 'user_agent', a.user_agent) AS detail, a.written
FROM memberships m JOIN users u ON u.id = m.user_id JOIN sign_in_attempts a ON a.user_id = m.user_id AND a.at >= m.created_at
WHERE m.agency_id = CAST(:agency AS uuid)
