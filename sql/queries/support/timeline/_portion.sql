-- The newest `limit` lines of one source along its own index: what a page costs does not grow with how far back one reads.
-- Who watches live asks for what an earlier look could not see: its lines began any time before they were written, so {since} goes back.
-- Keys compare byte by byte (COLLATE "C"): the order of lines that share a moment is the same in every source and on every page.
SELECT at, key, kind, level, outcome, request_id, title, detail, site_id, install_id FROM (
{source}
) AS {kind}
WHERE at >= CAST(:{since} AS timestamptz) AND at < CAST(:until AS timestamptz)
  AND (at, key) < (CAST(:before_at AS timestamptz), CAST(:before_key AS text))
  AND (at, key) > (CAST(:after_at AS timestamptz), CAST(:after_key AS text))
  AND (CAST(:seen AS pg_snapshot) IS NULL OR NOT pg_visible_in_snapshot(written, CAST(:seen AS pg_snapshot)))
  AND (CAST(:request AS text) = '' OR request_id = CAST(:request AS text))
  AND (cardinality(CAST(:sites AS uuid[])) = 0 OR site_id = ANY(CAST(:sites AS uuid[])) OR about = ANY(CAST(:targets AS text[])))
  AND (cardinality(CAST(:installs AS uuid[])) = 0 OR install_id = ANY(CAST(:installs AS uuid[])) OR about = ANY(CAST(:targets AS text[])))
  AND (cardinality(CAST(:levels AS text[])) = 0 OR level = ANY(CAST(:levels AS text[])))
  AND (CAST(:outcome AS text) = '' OR CAST(:outcome AS text) IN (outcome, outcomes))
  AND (CAST(:words AS text) = '' OR words ILIKE CAST(:words AS text))
ORDER BY at DESC, key DESC LIMIT CAST(:limit AS integer)
