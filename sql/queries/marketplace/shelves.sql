-- The shown collections in order, each with its first :most modules as JSON. :only is one collection's slug, or NULL for all.
-- Row-level security leaves out what the agency may not find. :skip counts from the first module.
SELECT c.slug, c.name, c.summary, c.kind, coalesce(x.items, '[]') AS items
FROM module_collections c
LEFT JOIN LATERAL (
  SELECT jsonb_agg(to_jsonb(y) - 'position' ORDER BY y.position) AS items FROM (
    SELECT l.module_id, l.slug, l.name, l.summary, l.category, l.type, l.icon, l.tier, l.publisher, l.agency_id, l.verified, l.version,
      l.published_at, l.price, l.amount, l.currency, l.per, l.trial_days, l.rating, l.ratings, l.installs, p.position
    FROM (
      (SELECT i.module_id, i.place AS position FROM module_collection_items i JOIN marketplace_listings l USING (module_id)
        WHERE c.kind = 'curated' AND i.collection_id = c.id AND l.tier = 'public' ORDER BY i.place LIMIT :most OFFSET :skip)
      UNION ALL
      (SELECT l.module_id, row_number() OVER (ORDER BY l.installs DESC, l.module_id DESC) FROM marketplace_listings l
        WHERE c.kind = 'popular' AND l.tier = 'public' AND l.installs > 0
        ORDER BY l.installs DESC, l.module_id DESC LIMIT :most OFFSET :skip)
      UNION ALL
      (SELECT l.module_id, row_number() OVER (ORDER BY l.published_at DESC, l.module_id DESC) FROM marketplace_listings l
        WHERE c.kind = 'new' AND l.tier = 'public' AND l.published_at > :now - interval '90 days'
        ORDER BY l.published_at DESC, l.module_id DESC LIMIT :most OFFSET :skip)
      UNION ALL
      (SELECT l.module_id, row_number() OVER (ORDER BY l.rating DESC, l.ratings DESC, l.module_id DESC) FROM marketplace_listings l
        WHERE c.kind = 'top_rated' AND l.tier = 'public' AND l.ratings >= 3
        ORDER BY l.rating DESC, l.ratings DESC, l.module_id DESC LIMIT :most OFFSET :skip)
      UNION ALL
      (SELECT l.module_id, row_number() OVER (ORDER BY l.installs DESC, l.module_id DESC) FROM marketplace_listings l
        WHERE c.kind = 'free' AND l.tier = 'public' AND l.price = 'free'
        ORDER BY l.installs DESC, l.module_id DESC LIMIT :most OFFSET :skip)
    ) p JOIN marketplace_listings l USING (module_id)
  ) y
) x ON true
WHERE c.slug = :only OR CAST(:only AS text) IS NULL
ORDER BY c.place, c.slug
