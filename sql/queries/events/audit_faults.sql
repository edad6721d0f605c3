-- What is wrong with the chains of the audit trail: of each agency the first fault. Reads every row once.
WITH links AS (
  SELECT a.agency_id, a.number, a.hash, a.previous_hash, a.hash = audit_row_hash(a) AS whole,
         coalesce(lag(a.hash) OVER chain, h.first_hash, '\x00') AS hash_before,
         coalesce(lag(a.number) OVER chain, h.first_number, 0) AS number_before
  FROM audit_log a LEFT JOIN audit_heads h ON h.agency_id = a.agency_id WINDOW chain AS (PARTITION BY a.agency_id ORDER BY a.number)
), ends AS (
  SELECT DISTINCT ON (agency_id) agency_id, number, hash FROM audit_log ORDER BY agency_id, number DESC
)
SELECT DISTINCT ON (agency_id) agency_id, number, fault FROM (
  SELECT agency_id, number, 'changed' AS fault FROM links WHERE NOT whole
  UNION ALL
  SELECT agency_id, number, 'missing_before' FROM links WHERE number <> number_before + 1
  UNION ALL -- each row is whole and none is missing, yet this one was made to follow another
  SELECT agency_id, number, 'out_of_chain' FROM links
  WHERE number = number_before + 1 AND previous_hash <> hash_before
  UNION ALL
  SELECT h.agency_id, coalesce(e.number, 0), 'cut_off'
  FROM audit_heads h LEFT JOIN ends e ON e.agency_id = h.agency_id WHERE h.number > coalesce(e.number, 0)
  UNION ALL
  SELECT e.agency_id, e.number, 'end_exchanged'
  FROM ends e LEFT JOIN audit_heads h ON h.agency_id = e.agency_id
  WHERE h.agency_id IS NULL OR h.number < e.number OR (h.number = e.number AND h.hash <> e.hash)
) found
ORDER BY agency_id, number, fault
