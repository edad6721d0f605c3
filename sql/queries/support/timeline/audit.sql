-- What people did; only for those who may read the audit trail.
SELECT at, ('audit:' || id::text) COLLATE "C" AS key, 'audit' AS kind, 'info' AS level, 'done' AS outcome, 'done' AS outcomes,
       request_id, action || CASE target_name WHEN '' THEN '' ELSE ' ' || target_name END AS title,
       site_id, NULL::uuid AS install_id, target AS about,
       concat_ws(' ', action, actor, actor_name, target, target_name, host(ip)) AS words,
       jsonb_build_object('action', action, 'actor', actor, 'actor_name', actor_name, 'target', target, 'target_name', target_name,
         'changes', changes, 'ip', host(ip), 'user_agent', user_agent) AS detail, written
FROM audit_log WHERE agency_id = CAST(:agency AS uuid)
