-- The latest lines of an agency's audit trail, of certain actions, perhaps about certain things.
SELECT number, at, actor, actor_name, action, target, target_name
FROM audit_log
WHERE agency_id = :agency_id AND action = ANY (:actions) AND (CAST(:targets AS text[]) IS NULL OR target = ANY (:targets))
ORDER BY number DESC
LIMIT :limit
