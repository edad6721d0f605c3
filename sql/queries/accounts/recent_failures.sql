-- Wrong passwords for one account since its last sign-in, and in the window from one address, its network, everywhere.
-- A network that signed in to the account in the last 90 days has a count of its own: strangers' tries do not touch it.
WITH known AS (
  SELECT EXISTS (
    SELECT FROM sign_in_attempts
    WHERE email_hash = :email_hash AND outcome = 'signed_in' AND ip <<= CAST(:network AS inet)
      AND at > CAST(:now AS timestamptz) - interval '90 days'
  ) AS here
), account AS (
  SELECT a.at
  FROM sign_in_attempts a, known
  WHERE a.email_hash = :email_hash AND a.outcome = 'wrong' AND a.at > CAST(:now AS timestamptz) - interval '1 day'
    AND (NOT known.here OR a.ip <<= CAST(:network AS inet))
    AND a.at > coalesce((
      SELECT max(s.at) FROM sign_in_attempts s
      WHERE s.email_hash = :email_hash AND s.outcome = 'signed_in' AND (NOT known.here OR s.ip <<= CAST(:network AS inet))
    ), '-infinity')
)
SELECT (SELECT count(*) FROM account) AS tries,
       (SELECT max(at) FROM account) AS last_at,
       (SELECT count(*) FROM sign_in_attempts WHERE ip = CAST(:address AS inet) AND outcome = 'wrong' AND at > :since) AS from_address,
       (SELECT count(*) FROM sign_in_attempts
        WHERE ip <<= CAST(:network AS inet) AND outcome = 'wrong' AND at > :since) AS from_network,
       (SELECT count(*) FROM sign_in_attempts WHERE outcome = 'wrong' AND at > :since) AS overall
