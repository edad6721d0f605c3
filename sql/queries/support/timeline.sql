-- One timeline of an agency over calls, function runs, letters, event deliveries and what people did, newest first.
-- Each source gives at most `limit` rows along its own index, so the cost does not grow with how far back one reads. Keys
-- compare byte by byte (COLLATE "C"): the order of lines that share a moment is the same in every source and on every page.
SELECT l.at, l.key, l.kind, l.level, l.outcome, l.request_id, l.title, l.detail, l.site_id, s.name AS site_name,
       l.install_id, m.name AS module_name
FROM (
  ( -- API calls.
    SELECT at AS at, ('request:' || request_id) COLLATE "C" AS key, 'request' AS kind, CASE WHEN status >= 500 THEN 'error' WHEN status >= 400 THEN 'warn' ELSE 'ok' END AS level, status::text AS outcome,
           site_id AS site_id, install_id AS install_id, request_id AS request_id,
           method || ' ' || path AS title,
           jsonb_build_object('method', method, 'path', path, 'status', status, 'duration_ms', round(duration_us / 1000.0, 2), 'bytes_out', bytes_out,
           'error_code', error_code, 'credential', credential, 'surface', surface, 'ip', host(ip), 'user_agent', user_agent, 'origin', origin) AS detail
    FROM external_api_requests
    WHERE 'request' = ANY(CAST(:kinds AS text[])) AND agency_id = CAST(:agency AS uuid)
      AND at >= CAST(:since AS timestamptz) AND at < CAST(:until AS timestamptz)
      AND (at, ('request:' || request_id) COLLATE "C") < (CAST(:before_at AS timestamptz), CAST(:before_key AS text))
      AND (at, ('request:' || request_id) COLLATE "C") > (CAST(:after_at AS timestamptz), CAST(:after_key AS text))
      AND (CAST(:request AS text) = '' OR request_id = CAST(:request AS text))
      AND (cardinality(CAST(:sites AS uuid[])) = 0 OR site_id = ANY(CAST(:sites AS uuid[])))
      AND (cardinality(CAST(:installs AS uuid[])) = 0 OR install_id = ANY(CAST(:installs AS uuid[])))
      AND (cardinality(CAST(:levels AS text[])) = 0 OR CASE WHEN status >= 500 THEN 'error' WHEN status >= 400 THEN 'warn' ELSE 'ok' END = ANY(CAST(:levels AS text[])))
      AND (CAST(:outcome AS text) = '' OR status::text = CAST(:outcome AS text) OR status / 100 || 'xx' = CAST(:outcome AS text))
      AND (CAST(:words AS text) = '' OR concat_ws(' ', method, path, error_code, user_agent, origin, host(ip), credential) ILIKE CAST(:words AS text))
    ORDER BY 1 DESC, 2 DESC LIMIT CAST(:limit AS integer)
  )
  UNION ALL
  ( -- Runs of module functions.
    SELECT started_at AS at, ('run:' || id::text) COLLATE "C" AS key, 'run' AS kind, CASE outcome WHEN 'ok' THEN 'ok' WHEN 'refused' THEN 'warn' ELSE 'error' END AS level, outcome AS outcome,
           site_id AS site_id, install_id AS install_id, request_id AS request_id,
           concat_ws(' ', function, nullif(concat_ws(' ', trigger, nullif(cause, '')), '')) AS title,
           jsonb_build_object('function', function, 'version', version, 'trigger', trigger, 'cause', cause, 'error', error, 'logs', logs,
           'cpu_ms', round(cpu_ms::numeric, 2), 'host_calls', host_calls) AS detail
    FROM module_function_runs
    WHERE 'run' = ANY(CAST(:kinds AS text[])) AND agency_id = CAST(:agency AS uuid)
      AND started_at >= CAST(:since AS timestamptz) AND started_at < CAST(:until AS timestamptz)
      AND (started_at, ('run:' || id::text) COLLATE "C") < (CAST(:before_at AS timestamptz), CAST(:before_key AS text))
      AND (started_at, ('run:' || id::text) COLLATE "C") > (CAST(:after_at AS timestamptz), CAST(:after_key AS text))
      AND (CAST(:request AS text) = '' OR request_id = CAST(:request AS text))
      AND (cardinality(CAST(:sites AS uuid[])) = 0 OR site_id = ANY(CAST(:sites AS uuid[])))
      AND (cardinality(CAST(:installs AS uuid[])) = 0 OR install_id = ANY(CAST(:installs AS uuid[])))
      AND (cardinality(CAST(:levels AS text[])) = 0 OR CASE outcome WHEN 'ok' THEN 'ok' WHEN 'refused' THEN 'warn' ELSE 'error' END = ANY(CAST(:levels AS text[])))
      AND (CAST(:outcome AS text) = '' OR outcome = CAST(:outcome AS text))
      AND (CAST(:words AS text) = '' OR concat_ws(' ', function, trigger, cause, error, version, logs::text) ILIKE CAST(:words AS text))
    ORDER BY 1 DESC, 2 DESC LIMIT CAST(:limit AS integer)
  )
  UNION ALL
  ( -- Letters; their words are sealed and not read.
    SELECT created_at AS at, ('mail:' || id::text) COLLATE "C" AS key, 'mail' AS kind, CASE status WHEN 'due' THEN 'info' WHEN 'given_up' THEN 'error' ELSE 'ok' END AS level, status AS outcome,
           site_id AS site_id, install_id AS install_id, '' AS request_id,
           subject || ' → ' || recipient AS title,
           jsonb_build_object('kind', kind, 'recipient', recipient, 'subject', subject, 'attempts', attempts, 'sent_at', sent_at, 'error', last_error) AS detail
    FROM mails
    WHERE 'mail' = ANY(CAST(:kinds AS text[])) AND agency_id = CAST(:agency AS uuid)
      AND created_at >= CAST(:since AS timestamptz) AND created_at < CAST(:until AS timestamptz)
      AND (created_at, ('mail:' || id::text) COLLATE "C") < (CAST(:before_at AS timestamptz), CAST(:before_key AS text))
      AND (created_at, ('mail:' || id::text) COLLATE "C") > (CAST(:after_at AS timestamptz), CAST(:after_key AS text))
      AND CAST(:request AS text) = ''
      AND (cardinality(CAST(:sites AS uuid[])) = 0 OR site_id = ANY(CAST(:sites AS uuid[])))
      AND (cardinality(CAST(:installs AS uuid[])) = 0 OR install_id = ANY(CAST(:installs AS uuid[])))
      AND (cardinality(CAST(:levels AS text[])) = 0 OR CASE status WHEN 'due' THEN 'info' WHEN 'given_up' THEN 'error' ELSE 'ok' END = ANY(CAST(:levels AS text[])))
      AND (CAST(:outcome AS text) = '' OR status = CAST(:outcome AS text))
      AND (CAST(:words AS text) = '' OR concat_ws(' ', kind, recipient, subject, last_error) ILIKE CAST(:words AS text))
    ORDER BY 1 DESC, 2 DESC LIMIT CAST(:limit AS integer)
  )
  UNION ALL
  ( -- Events on their way to each receiver.
    SELECT e.occurred_at AS at, ('delivery:' || d.event_id::text || ':' || d.subscriber) COLLATE "C" AS key, 'delivery' AS kind, CASE d.status WHEN 'done' THEN 'ok' WHEN 'given_up' THEN 'error' ELSE CASE d.last_error WHEN '' THEN 'info' ELSE 'warn' END END AS level, d.status AS outcome,
           e.site_id AS site_id, e.install_id AS install_id, e.request_id AS request_id,
           e.type || ' → ' || d.subscriber AS title,
           jsonb_build_object('event', e.type, 'subject', e.subject, 'actor', e.actor, 'receiver', d.subscriber, 'attempts', d.attempts,
           'due_at', CASE d.status WHEN 'due' THEN d.due_at END, 'finished_at', d.finished_at, 'error', d.last_error) AS detail
    FROM event_deliveries d JOIN events e ON e.id = d.event_id
    WHERE 'delivery' = ANY(CAST(:kinds AS text[])) AND d.agency_id = CAST(:agency AS uuid) AND e.agency_id = CAST(:agency AS uuid)
      AND e.occurred_at >= CAST(:since AS timestamptz) AND e.occurred_at < CAST(:until AS timestamptz)
      AND (e.occurred_at, ('delivery:' || d.event_id::text || ':' || d.subscriber) COLLATE "C") < (CAST(:before_at AS timestamptz), CAST(:before_key AS text))
      AND (e.occurred_at, ('delivery:' || d.event_id::text || ':' || d.subscriber) COLLATE "C") > (CAST(:after_at AS timestamptz), CAST(:after_key AS text))
      AND (CAST(:request AS text) = '' OR e.request_id = CAST(:request AS text))
      AND (cardinality(CAST(:sites AS uuid[])) = 0 OR e.site_id = ANY(CAST(:sites AS uuid[])))
      AND (cardinality(CAST(:installs AS uuid[])) = 0 OR e.install_id = ANY(CAST(:installs AS uuid[])))
      AND (cardinality(CAST(:levels AS text[])) = 0 OR CASE d.status WHEN 'done' THEN 'ok' WHEN 'given_up' THEN 'error' ELSE CASE d.last_error WHEN '' THEN 'info' ELSE 'warn' END END = ANY(CAST(:levels AS text[])))
      AND (CAST(:outcome AS text) = '' OR d.status = CAST(:outcome AS text))
      AND (CAST(:words AS text) = '' OR concat_ws(' ', e.type, e.subject, e.actor, d.subscriber, d.last_error) ILIKE CAST(:words AS text))
    ORDER BY 1 DESC, 2 DESC LIMIT CAST(:limit AS integer)
  )
  UNION ALL
  ( -- What people did; only for those who may read the audit trail.
    SELECT at AS at, ('audit:' || id::text) COLLATE "C" AS key, 'audit' AS kind, 'info' AS level, 'done' AS outcome,
           NULL::uuid AS site_id, NULL::uuid AS install_id, request_id AS request_id,
           action || CASE target_name WHEN '' THEN '' ELSE ' ' || target_name END AS title,
           jsonb_build_object('action', action, 'actor', actor, 'actor_name', actor_name, 'target', target, 'target_name', target_name,
           'changes', changes, 'ip', host(ip), 'user_agent', user_agent) AS detail
    FROM audit_log
    WHERE 'audit' = ANY(CAST(:kinds AS text[])) AND agency_id = CAST(:agency AS uuid)
      AND at >= CAST(:since AS timestamptz) AND at < CAST(:until AS timestamptz)
      AND (at, ('audit:' || id::text) COLLATE "C") < (CAST(:before_at AS timestamptz), CAST(:before_key AS text))
      AND (at, ('audit:' || id::text) COLLATE "C") > (CAST(:after_at AS timestamptz), CAST(:after_key AS text))
      AND (CAST(:request AS text) = '' OR request_id = CAST(:request AS text))
      AND (cardinality(CAST(:targets AS text[])) = 0 OR target = ANY(CAST(:targets AS text[])))
      AND (cardinality(CAST(:levels AS text[])) = 0 OR 'info' = ANY(CAST(:levels AS text[])))
      AND (CAST(:outcome AS text) = '' OR 'done' = CAST(:outcome AS text))
      AND (CAST(:words AS text) = '' OR concat_ws(' ', action, actor, actor_name, target, target_name, host(ip)) ILIKE CAST(:words AS text))
    ORDER BY 1 DESC, 2 DESC LIMIT CAST(:limit AS integer)
  )
) AS l
LEFT JOIN sites s ON s.id = l.site_id
LEFT JOIN modules_v2 i ON i.id = l.install_id
LEFT JOIN module_source m ON m.id = i.module_id
ORDER BY l.at DESC, l.key COLLATE "C" DESC
LIMIT CAST(:limit AS integer)
