-- The latest lines of an agency's audit trail, of certain actions, perhaps about one thing.
SELECT number, at, actor, actor_name, action, target, target_name
FROM audit_log
WHERE agency_id = :agency_id AND action = ANY (:actions) AND (CAST(:target AS text) IS NULL OR target = :target)
ORDER BY number DESC
LIMIT :limit
