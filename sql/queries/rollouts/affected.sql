-- Who has to do with an install: members with a role of its own, keys that reach it, callers and calls since a moment, pages
-- of the site that show it by a token. One row.
SELECT (SELECT count(*) FROM module_member_roles WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid)) AS people,
       (SELECT count(*) FROM api_keys WHERE agency_id = CAST(:agency AS uuid) AND site_id = CAST(:site AS uuid)
        AND (install_id IS NULL OR install_id = CAST(:install AS uuid)) AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > CAST(:now AS timestamptz))) AS keys,
       c.callers, c.calls,
       (SELECT count(*) FROM module_embed_tokens WHERE agency_id = CAST(:agency AS uuid) AND install_id = CAST(:install AS uuid)
        AND revoked_at IS NULL AND expires_at > CAST(:now AS timestamptz)) AS embeds
FROM (
  SELECT count(DISTINCT credential) AS callers, count(*) AS calls FROM external_api_requests
  WHERE agency_id = CAST(:agency AS uuid) AND site_id = CAST(:site AS uuid) AND install_id = CAST(:install AS uuid)
    AND at >= CAST(:since AS timestamptz)
) c
