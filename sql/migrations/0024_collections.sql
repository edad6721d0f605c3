-- Shelves of the marketplace, what goes together, and what was measured of each module.
CREATE TABLE module_collections (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
  summary text NOT NULL DEFAULT '' CHECK (length(summary) <= 200),
  kind text NOT NULL CHECK (kind IN ('curated', 'popular', 'new', 'top_rated', 'free')), -- all but the first are worked out
  place integer NOT NULL, -- order on the marketplace's first page
  shown boolean NOT NULL DEFAULT false,
  starts_at timestamptz,
  ends_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by uuid REFERENCES users ON DELETE SET NULL,
  CHECK (ends_at > starts_at)
);
CREATE TABLE module_collection_items (
  collection_id uuid NOT NULL REFERENCES module_collections ON DELETE CASCADE,
  module_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  place integer NOT NULL,
  PRIMARY KEY (collection_id, module_id)
);
INSERT INTO module_collections (slug, name, summary, kind, place, shown) VALUES
  ('featured', 'Featured', 'Picked by the people behind the marketplace.', 'curated', 1, true),
  ('popular', 'Popular', 'On the most sites right now.', 'popular', 2, true),
  ('new', 'New', 'Released lately.', 'new', 3, true),
  ('top-rated', 'Top rated', 'What agencies that use it say.', 'top_rated', 4, true),
  ('free-essentials', 'Free essentials', 'The most used modules that cost nothing.', 'free', 5, true),
  ('enterprise-suite', 'Enterprise suite', 'For organisations with many sites.', 'curated', 6, true);

-- Modules that sites have together; counted over sites of several agencies, so that nobody's own choice shows.
CREATE TABLE marketplace_related (
  module_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  other_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  sites integer NOT NULL,
  PRIMARY KEY (module_id, other_id)
);

-- What was measured of a module over all agencies in the last 30 days (leaving: of installs of the last 90 days).
CREATE TABLE marketplace_measures (
  module_id uuid PRIMARY KEY REFERENCES module_source ON DELETE CASCADE,
  calls bigint NOT NULL DEFAULT 0, -- to its API
  call_errors bigint NOT NULL DEFAULT 0, -- answered 500 or above
  call_p95_ms real,
  runs bigint NOT NULL DEFAULT 0, -- of its functions
  run_errors bigint NOT NULL DEFAULT 0,
  run_p95_ms real,
  upgrades bigint NOT NULL DEFAULT 0,
  upgrade_failures bigint NOT NULL DEFAULT 0,
  tried bigint NOT NULL DEFAULT 0, -- installs older than 7 days
  left_soon bigint NOT NULL DEFAULT 0, -- of those, removed within 7 days
  measured_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE module_collections ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_collections FORCE ROW LEVEL SECURITY;
CREATE POLICY shown ON module_collections FOR SELECT TO dramac_app USING (
  (SELECT current_agency_id()) IS NOT NULL AND shown
  AND (starts_at IS NULL OR starts_at <= now()) AND (ends_at IS NULL OR ends_at > now()));
CREATE POLICY staff ON module_collections TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE module_collection_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_collection_items FORCE ROW LEVEL SECURITY;
CREATE POLICY shown ON module_collection_items FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM module_collections c WHERE c.id = collection_id));
CREATE POLICY staff ON module_collection_items TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE marketplace_related ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_related FORCE ROW LEVEL SECURITY;
CREATE POLICY listed ON marketplace_related FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM marketplace_listings l WHERE l.module_id = marketplace_related.module_id));
CREATE POLICY staff ON marketplace_related TO dramac_staff USING (true) WITH CHECK (true);
ALTER TABLE marketplace_measures ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_measures FORCE ROW LEVEL SECURITY;
CREATE POLICY listed ON marketplace_measures FOR SELECT TO dramac_app
  USING (EXISTS (SELECT FROM marketplace_listings l WHERE l.module_id = marketplace_measures.module_id));
CREATE POLICY staff ON marketplace_measures TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT ON module_collections, module_collection_items, marketplace_related, marketplace_measures TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_collections, module_collection_items, marketplace_related, marketplace_measures
  TO dramac_staff;
CREATE INDEX module_collection_items_module ON module_collection_items (module_id);
