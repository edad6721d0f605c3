-- The marketplace: one row per released module, made for finding it, kept by triggers in the transaction that changes the module.
ALTER TABLE module_versions ADD capabilities text[] NOT NULL DEFAULT '{}'; -- of the manifest, derived when it is uploaded

-- Publishers whose identity platform staff has checked.
CREATE TABLE marketplace_publishers (
  agency_id uuid PRIMARY KEY REFERENCES agencies ON DELETE CASCADE,
  verified_at timestamptz NOT NULL,
  verified_by uuid REFERENCES users ON DELETE SET NULL
);

-- For counting without reading every module: the listings that have a value of a filter, a bit for each by its ordinal. Rebuilt now
-- and then (marketplace_index); listings changed since are marked fresh and counted one by one, so that counts are always right.
CREATE TABLE marketplace_bits (
  facet text NOT NULL, -- tier, category, type, price, capability, rating (at least), verified, beta
  value text NOT NULL,
  bits bit varying NOT NULL, -- all of one length, a multiple of 64
  PRIMARY KEY (facet, value)
);
ALTER TABLE marketplace_bits ALTER bits SET STORAGE EXTERNAL; -- reading is what counts, not room
CREATE TABLE marketplace_gone (ordinal integer PRIMARY KEY); -- bits whose listing was taken away since

CREATE TABLE marketplace_listings (
  module_id uuid PRIMARY KEY,
  agency_id uuid NOT NULL, -- the publisher
  ordinal integer GENERATED ALWAYS AS IDENTITY,
  fresh boolean NOT NULL DEFAULT true, -- not in marketplace_bits, or there as it was
  slug text NOT NULL,
  name text NOT NULL,
  plain_name text NOT NULL, -- lower case, without accents
  summary text NOT NULL,
  category text NOT NULL,
  type text NOT NULL,
  icon text NOT NULL,
  tier text NOT NULL,
  publisher text NOT NULL,
  verified boolean NOT NULL,
  version text NOT NULL,
  published_at timestamptz NOT NULL,
  capabilities text[] NOT NULL,
  price text NOT NULL CHECK (price IN ('free', 'trial', 'paid')),
  amount integer NOT NULL, -- of the cheapest plan, in minor units of its currency
  currency text NOT NULL,
  per text NOT NULL,
  trial_days integer NOT NULL,
  monthly integer NOT NULL, -- the cheapest plan's price by the month, to sort by
  rating numeric(3, 2) NOT NULL DEFAULT 0, -- Bayesian average, 0 without ratings
  ratings integer NOT NULL DEFAULT 0,
  installs integer NOT NULL DEFAULT 0, -- active ones, as last measured
  head tsvector NOT NULL, -- name, tags, publisher, summary: what relevance is judged by
  document tsvector NOT NULL, -- head and the long texts: what is searched
  UNIQUE (agency_id, module_id),
  FOREIGN KEY (agency_id, module_id) REFERENCES module_source (agency_id, id) ON DELETE CASCADE
);
-- Rows stay narrow, so that a thousand matches are few pages: the long document is read by its index alone.
ALTER TABLE marketplace_listings SET (toast_tuple_target = 128);
ALTER TABLE marketplace_listings ALTER document SET STORAGE EXTERNAL, ALTER head SET STORAGE MAIN, ALTER slug SET STORAGE MAIN,
  ALTER name SET STORAGE MAIN, ALTER plain_name SET STORAGE MAIN, ALTER summary SET STORAGE MAIN, ALTER category SET STORAGE MAIN,
  ALTER type SET STORAGE MAIN, ALTER icon SET STORAGE MAIN, ALTER tier SET STORAGE MAIN, ALTER publisher SET STORAGE MAIN,
  ALTER version SET STORAGE MAIN, ALTER capabilities SET STORAGE MAIN, ALTER price SET STORAGE MAIN, ALTER currency SET STORAGE MAIN,
  ALTER per SET STORAGE MAIN, ALTER rating SET STORAGE MAIN;
CREATE INDEX marketplace_listings_document ON marketplace_listings USING gin (document);
CREATE UNIQUE INDEX marketplace_listings_ordinal ON marketplace_listings (ordinal);
CREATE INDEX marketplace_listings_fresh ON marketplace_listings (module_id) WHERE fresh;
CREATE INDEX marketplace_listings_few ON marketplace_listings (agency_id) WHERE tier <> 'public';
CREATE INDEX marketplace_listings_installs ON marketplace_listings (installs, module_id);
CREATE INDEX marketplace_listings_published ON marketplace_listings (published_at, module_id);
CREATE INDEX marketplace_listings_rating ON marketplace_listings (rating, ratings, module_id);
CREATE INDEX marketplace_listings_monthly ON marketplace_listings (monthly, module_id);

-- Words of public listings: what a mistyped word may have meant.
CREATE TABLE marketplace_words (word text PRIMARY KEY);
CREATE INDEX marketplace_words_like ON marketplace_words USING gin (word gin_trgm_ops);

-- THE rule of who may find a listing.
CREATE FUNCTION listing_open_to(tier text, publisher uuid, agency uuid) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT agency IS NOT NULL AND (tier = 'public' OR publisher = agency) $$;

ALTER TABLE marketplace_publishers ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_publishers FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON marketplace_publishers TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON marketplace_publishers FOR SELECT TO dramac_lookup USING (true);
ALTER TABLE marketplace_bits ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_bits FORCE ROW LEVEL SECURITY;
CREATE POLICY lookup ON marketplace_bits TO dramac_lookup USING (true) WITH CHECK (true);
ALTER TABLE marketplace_gone ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_gone FORCE ROW LEVEL SECURITY;
CREATE POLICY lookup ON marketplace_gone TO dramac_lookup USING (true) WITH CHECK (true);
ALTER TABLE marketplace_words ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_words FORCE ROW LEVEL SECURITY;
CREATE POLICY lookup ON marketplace_words TO dramac_lookup USING (true) WITH CHECK (true);
ALTER TABLE marketplace_listings ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_listings FORCE ROW LEVEL SECURITY;
CREATE POLICY open_to_agency ON marketplace_listings FOR SELECT TO dramac_app
  USING (listing_open_to(tier, agency_id, (SELECT current_agency_id())));
CREATE POLICY staff ON marketplace_listings TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON marketplace_listings TO dramac_lookup USING (true) WITH CHECK (true);

GRANT SELECT ON marketplace_listings TO dramac_app;
GRANT SELECT, UPDATE (rating, ratings, installs) ON marketplace_listings TO dramac_staff;
GRANT SELECT, INSERT, DELETE ON marketplace_publishers TO dramac_staff;
GRANT SELECT ON marketplace_publishers TO dramac_lookup;
GRANT SELECT, INSERT ON marketplace_words TO dramac_lookup;
GRANT SELECT, INSERT, DELETE ON marketplace_bits, marketplace_gone TO dramac_lookup;
GRANT SELECT, INSERT, UPDATE, DELETE ON marketplace_listings TO dramac_lookup;

-- A text as it was written, and by the stems of its words.
CREATE FUNCTION marketplace_words_of(content text) RETURNS tsvector LANGUAGE sql STABLE
  AS $$ SELECT to_tsvector('simple', unaccent(content)) || to_tsvector('english', unaccent(content)) $$;

-- Make the listing of a module what its latest release says; none without a release.
CREATE FUNCTION marketplace_list(wanted uuid) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  m module_source;
  v module_versions;
  publisher_name text;
  tags text;
  plan record;
  first tsvector;
  n marketplace_listings;
BEGIN
  SELECT * INTO m FROM module_source WHERE id = wanted;
  SELECT * INTO v FROM module_versions WHERE id = m.latest_version_id;
  IF v.id IS NULL THEN
    DELETE FROM marketplace_listings WHERE module_id = wanted;
    RETURN;
  END IF;
  SELECT a.name INTO publisher_name FROM agencies a WHERE a.id = m.agency_id;
  SELECT coalesce(string_agg(tag, ' '), '') INTO tags FROM jsonb_array_elements_text(v.listing -> 'tags') tag;
  SELECT (p ->> 'amount')::integer AS amount, p ->> 'currency' AS currency, p ->> 'per' AS per,
         coalesce((p ->> 'trial_days')::integer, 0) AS trial_days,
         (p ->> 'amount')::integer / CASE p ->> 'per' WHEN 'year' THEN 12 ELSE 1 END AS monthly
    INTO plan FROM jsonb_array_elements(v.manifest -> 'pricing') p ORDER BY monthly, amount LIMIT 1;
  first := setweight(marketplace_words_of(m.name || ' ' || replace(m.slug, '-', ' ')), 'A')
        || setweight(marketplace_words_of(tags || ' ' || publisher_name || ' ' || replace(m.category, '-', ' ')), 'B')
        || setweight(marketplace_words_of(m.summary || ' ' || coalesce(v.listing ->> 'tagline', '')), 'C');
  n.slug := m.slug; n.name := m.name; n.plain_name := lower(unaccent(m.name)); n.summary := m.summary; n.category := m.category;
  n.type := m.type; n.icon := m.icon; n.tier := m.tier; n.publisher := publisher_name;
  n.verified := EXISTS (SELECT FROM marketplace_publishers p WHERE p.agency_id = m.agency_id);
  n.version := v.version; n.published_at := coalesce(v.published_at, v.created_at); n.capabilities := v.capabilities;
  n.price := CASE WHEN coalesce(plan.amount, 0) = 0 THEN 'free' WHEN plan.trial_days > 0 THEN 'trial' ELSE 'paid' END;
  n.amount := coalesce(plan.amount, 0); n.currency := coalesce(plan.currency, ''); n.per := coalesce(plan.per, '');
  n.trial_days := coalesce(plan.trial_days, 0); n.monthly := coalesce(plan.monthly, 0); n.head := first;
  n.document := first || setweight(to_tsvector('english', unaccent(
    left(coalesce(v.listing ->> 'description', '') || ' ' || v.readme, 20000))), 'D');
  UPDATE marketplace_listings SET
    (slug, name, plain_name, summary, category, type, icon, tier, publisher, verified, version, published_at, capabilities, price,
     amount, currency, per, trial_days, monthly, head, document) =
    (n.slug, n.name, n.plain_name, n.summary, n.category, n.type, n.icon, n.tier, n.publisher, n.verified, n.version,
     n.published_at, n.capabilities, n.price, n.amount, n.currency, n.per, n.trial_days, n.monthly, n.head, n.document)
  WHERE module_id = m.id;
  IF NOT FOUND THEN -- the module's own row is locked by whoever changes it; ON CONFLICT would use up an ordinal at every change
    INSERT INTO marketplace_listings (module_id, agency_id, slug, name, plain_name, summary, category, type, icon, tier, publisher, verified, version, published_at, capabilities, price,
     amount, currency, per, trial_days, monthly, head, document)
    VALUES (m.id, m.agency_id, n.slug, n.name, n.plain_name, n.summary, n.category, n.type, n.icon, n.tier, n.publisher, n.verified, n.version,
     n.published_at, n.capabilities, n.price, n.amount, n.currency, n.per, n.trial_days, n.monthly, n.head, n.document);
  END IF;
  IF m.tier = 'public' THEN -- in one order, so that two at once wait for each other and never in a ring
    INSERT INTO marketplace_words (word)
      SELECT DISTINCT word FROM unnest(tsvector_to_array(to_tsvector('simple', unaccent(
        concat_ws(' ', m.name, tags, publisher_name, replace(m.category, '-', ' '), m.summary))))) word
      WHERE length(word) BETWEEN 3 AND 40 AND word !~ '[0-9]' ORDER BY word
      ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- A change of what filters count makes the listing fresh; one that goes leaves its bit behind.
CREATE FUNCTION marketplace_fresh() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.fresh := OLD.fresh OR (NEW.tier, NEW.category, NEW.type, NEW.price, floor(NEW.rating), NEW.verified, NEW.capabilities)
    IS DISTINCT FROM (OLD.tier, OLD.category, OLD.type, OLD.price, floor(OLD.rating), OLD.verified, OLD.capabilities);
  RETURN NEW;
END $$;
CREATE TRIGGER fresh BEFORE UPDATE OF tier, category, type, price, rating, verified, capabilities ON marketplace_listings
  FOR EACH ROW EXECUTE FUNCTION marketplace_fresh();
CREATE FUNCTION marketplace_left() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO marketplace_gone (ordinal) VALUES (OLD.ordinal) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER gone AFTER DELETE ON marketplace_listings FOR EACH ROW EXECUTE FUNCTION marketplace_left(); -- a fresh one may be in the bits as it was

CREATE FUNCTION marketplace_module_changed() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM marketplace_list(NEW.id);
  RETURN NULL;
END $$;
CREATE FUNCTION marketplace_version_changed() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM marketplace_list(m.id) FROM module_source m WHERE m.latest_version_id = NEW.id;
  RETURN NULL;
END $$;
CREATE FUNCTION marketplace_agency_changed() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM marketplace_list(l.module_id) FROM marketplace_listings l WHERE l.agency_id = NEW.id;
  RETURN NULL;
END $$;
CREATE FUNCTION marketplace_publisher_changed() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE marketplace_listings SET verified = (TG_OP = 'INSERT') WHERE agency_id = coalesce(NEW.agency_id, OLD.agency_id);
  RETURN NULL;
END $$;
CREATE TRIGGER marketplace AFTER INSERT OR UPDATE OF name, summary, category, icon, type, tier, latest_version_id ON module_source
  FOR EACH ROW EXECUTE FUNCTION marketplace_module_changed();
CREATE TRIGGER marketplace AFTER UPDATE OF listing, readme, capabilities ON module_versions
  FOR EACH ROW EXECUTE FUNCTION marketplace_version_changed();
CREATE TRIGGER marketplace AFTER UPDATE OF name ON agencies
  FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION marketplace_agency_changed();
CREATE TRIGGER marketplace AFTER INSERT OR DELETE ON marketplace_publishers
  FOR EACH ROW EXECUTE FUNCTION marketplace_publisher_changed();

-- Words as typed to what is looked for: every word or its stem; the last one is still being typed and may go on. NULL for nothing.
CREATE FUNCTION marketplace_query(typed text[]) RETURNS tsquery LANGUAGE plpgsql STABLE AS $$
DECLARE
  found tsquery;
  one tsquery;
BEGIN
  FOR i IN 1..coalesce(cardinality(typed), 0) LOOP
    one := to_tsquery('simple', typed[i] || CASE WHEN i = cardinality(typed) THEN ':*' ELSE '' END);
    IF to_tsvector('english', typed[i]) <> ''::tsvector THEN
      one := one || plainto_tsquery('english', typed[i]);
    ELSIF i < cardinality(typed) THEN
      CONTINUE; -- "for", "the"
    END IF;
    found := coalesce(found && one, one);
  END LOOP;
  RETURN found;
END $$;

-- Each word that no listing has, replaced by the one it most resembles; NULL when there is nothing to replace.
CREATE FUNCTION marketplace_respelt(typed text[], agency uuid) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  better text[] := typed;
  nearest text;
BEGIN
  FOR i IN 1..cardinality(typed) LOOP
    SELECT w.word INTO nearest FROM (
      SELECT word FROM marketplace_words WHERE word % typed[i]
      UNION
      SELECT word FROM marketplace_listings l, unnest(tsvector_to_array(l.head)) word
      WHERE l.tier <> 'public' AND listing_open_to(l.tier, l.agency_id, agency) AND word % typed[i]
    ) w ORDER BY w.word = typed[i] DESC, i = cardinality(typed) AND w.word ^@ typed[i] DESC, similarity(w.word, typed[i]) DESC, w.word LIMIT 1;
    better[i] := coalesce(nearest, typed[i]);
  END LOOP;
  RETURN CASE WHEN better <> typed THEN better END;
END $$;

-- Numbers from 0 as a bit string, and back.
CREATE FUNCTION marketplace_bitset(ordinals integer[], size integer) RETURNS bit varying LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(string_agg(coalesce(w.bits, 0)::bit(64)::text, '' ORDER BY n), '')::bit varying
  FROM generate_series(0, size / 64 - 1) n
  LEFT JOIN (SELECT o >> 6 AS word, bit_or(1::bigint << (63 - (o & 63))) AS bits FROM unnest(ordinals) o WHERE o < size GROUP BY 1) w
    ON w.word = n
$$;
CREATE FUNCTION marketplace_ordinals(bits bit varying) RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(array_agg(n * 64 + i), '{}')
  FROM (SELECT n, substring(bits FROM n * 64 + 1 FOR 64) AS part FROM generate_series(0, length(bits) / 64 - 1) n OFFSET 0) p,
       generate_series(0, 63) i
  WHERE bit_count(p.part) > 0 AND get_bit(p.part, i) = 1
$$;
-- Which values of filters a listing has; one row each.
CREATE FUNCTION marketplace_values(l marketplace_listings) RETURNS TABLE (facet text, value text) LANGUAGE sql IMMUTABLE STRICT AS $$
  VALUES ('tier', l.tier), ('category', l.category), ('type', l.type), ('price', l.price)
  UNION ALL SELECT 'capability', unnest(l.capabilities)
  UNION ALL SELECT 'rating', n::text FROM generate_series(1, least(floor(l.rating)::integer, 4)) n
  UNION ALL SELECT 'verified', 'true' WHERE l.verified
  UNION ALL SELECT 'beta', 'true' WHERE l.tier NOT IN ('internal', 'public')
$$;
-- Build the bits anew when at least so many listings are not in them. Returns how many were not.
CREATE FUNCTION marketplace_index(at_least integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  changed integer := (SELECT count(*) FROM marketplace_listings WHERE fresh) + (SELECT count(*) FROM marketplace_gone);
  size integer;
BEGIN
  IF changed < at_least OR NOT pg_try_advisory_xact_lock(0x6d6b7462) THEN
    RETURN 0;
  END IF;
  UPDATE marketplace_listings SET fresh = false WHERE fresh;
  size := (coalesce((SELECT max(ordinal) FROM marketplace_listings), 0) / 64 + 1) * 64;
  DELETE FROM marketplace_gone;
  DELETE FROM marketplace_bits;
  INSERT INTO marketplace_bits (facet, value, bits)
    SELECT x.facet, x.value, marketplace_bitset(array_agg(l.ordinal), size)
    FROM marketplace_listings l, marketplace_values(l) x WHERE NOT l.fresh GROUP BY 1, 2;
  INSERT INTO marketplace_bits (facet, value, bits) VALUES ('tier', 'public', marketplace_bitset('{}', size)) ON CONFLICT DO NOTHING;
  RETURN changed;
END $$;

-- Which of the chosen filters a listing does not pass.
CREATE FUNCTION marketplace_missed(l marketplace_listings, chosen jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY(SELECT c.facet FROM jsonb_each(chosen) c (facet, wanted)
    WHERE NOT EXISTS (SELECT FROM marketplace_values(l) x WHERE x.facet = c.facet AND c.wanted ? x.value))
$$;
-- The same as a condition on `l` for a statement that many rows go through.
CREATE FUNCTION marketplace_condition(chosen jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(string_agg(CASE key
      WHEN 'category' THEN format('l.category = ANY (%L)', several)
      WHEN 'type' THEN format('l.type = ANY (%L)', several)
      WHEN 'price' THEN format('l.price = ANY (%L)', several)
      WHEN 'capability' THEN format('l.capabilities && %L', several)
      WHEN 'rating' THEN format('l.rating >= %L::integer', (SELECT min(one::integer) FROM unnest(several) one))
      WHEN 'verified' THEN 'l.verified'
      WHEN 'beta' THEN 'l.tier NOT IN (''internal'', ''public'')' END, ' AND '), 'true')
  FROM (SELECT key, ARRAY(SELECT jsonb_array_elements_text(value)) AS several FROM jsonb_each(chosen)) c
$$;
CREATE FUNCTION marketplace_order(sort text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE sort
    WHEN 'newest' THEN 'l.published_at DESC, l.module_id DESC'
    WHEN 'rating' THEN 'l.rating DESC, l.ratings DESC, l.module_id DESC'
    WHEN 'price' THEN 'l.monthly, l.module_id'
    WHEN '-price' THEN 'l.monthly DESC, l.module_id DESC'
    ELSE 'l.installs DESC, l.module_id DESC' END
$$;
-- What a card shows.
CREATE FUNCTION marketplace_card() RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'l.module_id, l.slug, l.name, l.summary, l.category, l.type, l.icon, l.tier, l.publisher, l.agency_id, l.verified, l.version, '
    'l.published_at, l.price, l.amount, l.currency, l.per, l.trial_days, l.rating, l.ratings, l.installs'
$$;
-- The statement of a page without words. $1 agency, $2 ordinals and $3 module ids to choose from when they are few, $4 limit, $5 offset.
CREATE FUNCTION marketplace_page(chosen jsonb, sort text, few boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format($q$
    SELECT jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.place) FROM (
      SELECT x.*, row_number() OVER () AS place FROM (
        SELECT %s FROM marketplace_listings l
        WHERE listing_open_to(l.tier, l.agency_id, $1) AND %s AND %s ORDER BY %s LIMIT $4 OFFSET $5) x) p
  $q$, marketplace_card(), CASE WHEN few THEN '(l.ordinal = ANY ($2) OR l.module_id = ANY ($3))' ELSE 'true' END,
    marketplace_condition(chosen), marketplace_order(sort))
$$;
-- The statement of a page for words: which listings match, and the page of those that pass the filters. $1 agency, $2 what is looked
-- for, $3 the words, $4 limit, $5 offset. Relevance is judged among the thousand whose names or installs speak for them.
CREATE FUNCTION marketplace_page_of_words(chosen jsonb, sort text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format($q$
    WITH hits AS MATERIALIZED (
      SELECT l.module_id, l.ordinal, l.fresh, l.installs, l.published_at, l.rating, l.ratings, l.monthly, (%s) AS chosen,
        CASE WHEN l.plain_name = $3 THEN 3 WHEN l.plain_name ^@ $3 THEN 2 WHEN strpos(l.plain_name, $3) > 0 THEN 1 ELSE 0 END AS near
      FROM marketplace_listings l WHERE l.document @@ $2 AND listing_open_to(l.tier, l.agency_id, $1)),
    page AS (%s)
    SELECT (SELECT array_agg(h.ordinal) FROM hits h WHERE NOT h.fresh), (SELECT array_agg(h.module_id) FROM hits h WHERE h.fresh),
      (SELECT jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.place) FROM page p)
  $q$, marketplace_condition(chosen), CASE WHEN sort = 'relevance' THEN format($q$
      SELECT %s, row_number() OVER (ORDER BY c.near + ts_rank('{0.05, 0.2, 0.5, 1}', l.head, $2) + ln(1 + l.installs) / 50 DESC,
        l.module_id DESC) AS place
      FROM (SELECT h.module_id, h.near FROM hits h WHERE h.chosen ORDER BY h.near DESC, h.installs DESC LIMIT 1000) c
      JOIN marketplace_listings l ON l.module_id = c.module_id ORDER BY place LIMIT $4 OFFSET $5
    $q$, marketplace_card()) ELSE format($q$
      SELECT %s, row_number() OVER (ORDER BY %s) AS place
      FROM (SELECT l.module_id FROM hits l WHERE l.chosen ORDER BY %2$s LIMIT $4 OFFSET $5) c
      JOIN marketplace_listings l ON l.module_id = c.module_id
    $q$, marketplace_card(), marketplace_order(sort)) END)
$$;

-- One page of the marketplace as the current agency sees it, with the counts of every filter value. Owner's rights, because the
-- index of words cannot be used below row-level security; the agency is the transaction's, never the caller's word.
-- chosen: {"category": […], "type": […], "price": […], "capability": […], "rating": ["4"], "verified": ["true"], "beta": ["true"]},
-- parts absent when not chosen; several values mean any of them. Answers {"total", "items": […], "facets": {facet: {value: count}},
-- "respelt": [words] or null}. A filter's own counts leave its own choice out.
CREATE FUNCTION marketplace_search(typed text[], chosen jsonb, sort text, most integer, skip integer) RETURNS jsonb
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  agency uuid := current_agency_id();
  words text[] := ARRAY(SELECT lower(unaccent(word)) FROM unnest(typed) WITH ORDINALITY t (word, at) WHERE word <> '' ORDER BY at);
  asked tsquery := marketplace_query(words);
  respelt text[];
  size integer := coalesce((SELECT length(bits) FROM marketplace_bits WHERE facet = 'tier' AND value = 'public'), 0);
  kinds CONSTANT text[] := '{category,type,price,capability,rating,verified,beta}';
  ordinals integer[]; -- of matches that are in the bits
  news uuid[]; -- matches that are not
  items jsonb;
  matched bit varying;
  masks bit varying[]; -- for each kind: the matches that pass the filters of every other kind
  passing bit varying; -- the matches that pass all
  own bit varying;
  total bigint;
  facets jsonb;
BEGIN
  LOOP
    IF asked IS NOT NULL THEN
      EXECUTE marketplace_page_of_words(chosen, sort) INTO ordinals, news, items
        USING agency, asked, array_to_string(words, ' '), most, skip;
      matched := marketplace_bitset(ordinals, size);
    ELSE
      SELECT array_agg(module_id) INTO news FROM marketplace_listings WHERE fresh AND listing_open_to(tier, agency_id, agency);
      SELECT array_agg(ordinal) INTO ordinals FROM marketplace_listings
        WHERE tier <> 'public' AND NOT fresh AND listing_open_to(tier, agency_id, agency);
      SELECT bits | marketplace_bitset(ordinals, size) INTO matched FROM marketplace_bits
        WHERE facet = 'tier' AND value = 'public' AND agency IS NOT NULL;
      matched := coalesce(matched, marketplace_bitset('{}', size));
      SELECT array_agg(ordinal) INTO ordinals FROM (
        SELECT ordinal FROM marketplace_listings WHERE fresh UNION ALL SELECT ordinal FROM marketplace_gone) changed;
      IF ordinals IS NOT NULL THEN
        matched := matched & ~ marketplace_bitset(ordinals, size);
      END IF;
    END IF;
    EXIT WHEN asked IS NULL OR respelt IS NOT NULL OR news IS NOT NULL OR bit_count(matched) > 0;
    respelt := marketplace_respelt(words, agency); -- nothing, whatever the filters: perhaps a word was mistyped
    EXIT WHEN respelt IS NULL;
    words := respelt;
    asked := marketplace_query(words);
  END LOOP;

  masks := array_fill(matched, ARRAY[cardinality(kinds)]);
  passing := matched;
  FOR i IN 1..cardinality(kinds) LOOP
    CONTINUE WHEN NOT chosen ? kinds[i];
    SELECT coalesce(bit_or(b.bits), marketplace_bitset('{}', size)) INTO own FROM marketplace_bits b
      WHERE b.facet = kinds[i] AND chosen -> kinds[i] ? b.value;
    passing := passing & own;
    FOR j IN 1..cardinality(kinds) LOOP
      IF j <> i THEN masks[j] := masks[j] & own; END IF;
    END LOOP;
  END LOOP;
  SELECT jsonb_object_agg(facet, counts) INTO facets FROM (
    SELECT facet, jsonb_object_agg(value, n) AS counts FROM (
      SELECT facet, value, sum(n) AS n FROM (
        SELECT b.facet, b.value, bit_count(b.bits & m.mask) AS n
          FROM unnest(kinds, masks) m (facet, mask) JOIN marketplace_bits b ON b.facet = m.facet
        UNION ALL
        SELECT x.facet, x.value, 1 FROM marketplace_listings l, marketplace_values(l) x
          WHERE l.module_id = ANY (news) AND marketplace_missed(l, chosen) <@ ARRAY[x.facet] AND x.facet <> 'tier'
      ) every GROUP BY facet, value HAVING sum(n) > 0
    ) summed GROUP BY facet
  ) kinds;
  total := bit_count(passing) + (
    SELECT count(*) FROM marketplace_listings l WHERE l.module_id = ANY (news) AND marketplace_missed(l, chosen) = '{}');
  IF asked IS NULL AND total > 0 THEN
    -- few are fetched by their numbers, many are met soon enough in the order asked for
    EXECUTE marketplace_page(chosen, sort, few => total <= 500) INTO items
      USING agency, CASE WHEN total <= 500 THEN marketplace_ordinals(passing) END, news, most, skip;
  END IF;
  RETURN jsonb_build_object('total', total, 'items', coalesce(items, '[]'), 'facets', coalesce(facets, '{}'), 'respelt', respelt);
END $$;

REVOKE ALL ON FUNCTION marketplace_list, marketplace_left, marketplace_index, marketplace_module_changed, marketplace_version_changed,
  marketplace_agency_changed, marketplace_publisher_changed, marketplace_search FROM PUBLIC;
GRANT EXECUTE ON FUNCTION marketplace_list TO dramac_lookup;
GRANT EXECUTE ON FUNCTION marketplace_search TO dramac_app;
GRANT EXECUTE ON FUNCTION marketplace_index TO dramac_staff;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION marketplace_list OWNER TO dramac_lookup;
ALTER FUNCTION marketplace_left OWNER TO dramac_lookup;
ALTER FUNCTION marketplace_index OWNER TO dramac_lookup;
ALTER FUNCTION marketplace_module_changed OWNER TO dramac_lookup;
ALTER FUNCTION marketplace_version_changed OWNER TO dramac_lookup;
ALTER FUNCTION marketplace_agency_changed OWNER TO dramac_lookup;
ALTER FUNCTION marketplace_publisher_changed OWNER TO dramac_lookup;
ALTER FUNCTION marketplace_search OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
