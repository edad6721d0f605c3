-- Up to :most modules that go with one: those that sites have together with it, then those of its category most like it in words.
WITH this AS (SELECT * FROM marketplace_listings WHERE module_id = :module),
together AS (
  SELECT r.other_id AS module_id, r.sites, 0 AS likeness FROM marketplace_related r WHERE r.module_id = :module
  ORDER BY r.sites DESC LIMIT :most
),
alike AS (
  SELECT near.module_id, 0 AS sites, similarity(near.plain_name || ' ' || near.summary, this.plain_name || ' ' || this.summary) AS likeness
  FROM this, LATERAL (
    SELECT l.module_id, l.plain_name, l.summary FROM marketplace_listings l
    WHERE l.category = this.category AND l.module_id <> this.module_id ORDER BY l.installs DESC, l.module_id LIMIT 200) near
)
SELECT l.module_id, l.slug, l.name, l.summary, l.category, l.type, l.icon, l.tier, l.publisher, l.agency_id, l.verified, l.version,
  l.published_at, l.price, l.amount, l.currency, l.per, l.trial_days, l.rating, l.ratings, l.installs
FROM (
  SELECT module_id, max(sites) AS sites, max(likeness) AS likeness
  FROM (SELECT * FROM together UNION ALL SELECT * FROM alike) both_kinds GROUP BY module_id
) found JOIN marketplace_listings l USING (module_id)
ORDER BY found.sites DESC, found.likeness DESC, l.module_id LIMIT :most
