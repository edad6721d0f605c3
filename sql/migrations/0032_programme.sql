-- The beta programme: who sees and installs what is not open to everybody, decided here for the search, the pages and installing.
-- A module's tier says how far it is open: internal, alpha, beta (early access), public. A pre-release is open no further than its
-- name says: 2.0.0-alpha.1 to alpha, any other (2.0.0-rc.1) to beta.
ALTER TABLE module_source DROP CONSTRAINT module_source_tier_check;
ALTER TABLE module_source ADD CONSTRAINT module_source_tier_check CHECK (tier IN ('internal', 'alpha', 'beta', 'public'));

-- Agencies that a publisher lets in. level beta: what is in beta; alpha: that and what is in alpha.
CREATE TABLE module_enrolments (
  agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE, -- who is let in
  module_id uuid NOT NULL REFERENCES module_source ON DELETE CASCADE,
  level text NOT NULL CHECK (level IN ('alpha', 'beta')),
  agency_name text NOT NULL, -- as it was when it was let in: what the publisher's list says
  enrolled_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (module_id, agency_id)
);
CREATE INDEX module_enrolments_agency ON module_enrolments (agency_id);
ALTER TABLE module_enrolments ENABLE ROW LEVEL SECURITY;
ALTER TABLE module_enrolments FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON module_enrolments FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON module_enrolments TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON module_enrolments TO dramac_lookup USING (true) WITH CHECK (true);
GRANT SELECT ON module_enrolments TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON module_enrolments TO dramac_staff, dramac_lookup;

-- THE rule. An audience is one of public, beta, alpha, internal, from wide to narrow.
CREATE FUNCTION version_audience(tier text, prerelease text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN tier = 'internal' THEN 'internal'
    WHEN tier = 'alpha' OR prerelease LIKE 'alpha%' THEN 'alpha'
    WHEN tier = 'beta' OR prerelease <> '' THEN 'beta'
    ELSE 'public' END
$$;
CREATE FUNCTION audience_open_to(audience text, publisher uuid, agency uuid, level text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT agency IS NOT NULL AND (audience = 'public' OR publisher = agency
    OR (audience = 'beta' AND level IN ('alpha', 'beta')) OR (audience = 'alpha' AND level = 'alpha'))
$$;
CREATE FUNCTION enrolled_level(module uuid, agency uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT level FROM module_enrolments WHERE module_id = module AND agency_id = agency), '')
$$;
-- The same for many listings at once: those that the agency's enrolments open.
CREATE FUNCTION enrolled_listings(agency uuid) RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT coalesce(array_agg(e.module_id), '{}') FROM module_enrolments e JOIN marketplace_listings l USING (module_id)
  WHERE e.agency_id = agency AND agency = current_agency_id() AND audience_open_to(l.tier, l.agency_id, agency, e.level)
$$;
CREATE FUNCTION listing_open_to(tier text, publisher uuid, module uuid, agency uuid, enrolled uuid[]) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT audience_open_to(tier, publisher, agency, '') OR (agency IS NOT NULL AND module = ANY (enrolled)) $$;

DROP POLICY open_to_agency ON marketplace_listings;
CREATE POLICY open_to_agency ON marketplace_listings FOR SELECT TO dramac_app
  USING (listing_open_to(tier, agency_id, module_id, (SELECT current_agency_id()), (SELECT enrolled_listings(current_agency_id()))));
DROP POLICY marketplace ON module_source;
CREATE POLICY marketplace ON module_source FOR SELECT TO dramac_app USING (
  latest_version_id IS NOT NULL
  AND audience_open_to(tier, agency_id, (SELECT current_agency_id()), enrolled_level(id, (SELECT current_agency_id()))));
DROP POLICY marketplace ON module_versions;
CREATE POLICY marketplace ON module_versions FOR SELECT TO dramac_app USING (status <> 'draft' AND EXISTS (
  SELECT FROM module_source m WHERE m.id = module_id AND audience_open_to(
    version_audience(m.tier, prerelease), m.agency_id, (SELECT current_agency_id()), enrolled_level(m.id, (SELECT current_agency_id())))));

-- Who is let in is the publisher's to say: by the short name of an agency, which says nothing to those who do not know it.
-- level '' shuts out. Whether there is such an agency, and the module is the publisher's own.
CREATE FUNCTION module_enrol(wanted uuid, agency_slug text, new_level text) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  a agencies;
BEGIN
  SELECT * INTO a FROM agencies WHERE slug = agency_slug AND id <> current_agency_id();
  IF a.id IS NULL OR NOT EXISTS (SELECT FROM module_source WHERE id = wanted AND agency_id = current_agency_id()) THEN
    RETURN false;
  END IF;
  IF new_level = '' THEN
    DELETE FROM module_enrolments WHERE module_id = wanted AND agency_id = a.id;
    RETURN FOUND;
  END IF;
  INSERT INTO module_enrolments (agency_id, module_id, level, agency_name) VALUES (a.id, wanted, new_level, a.name)
    ON CONFLICT (module_id, agency_id) DO UPDATE SET level = new_level, agency_name = a.name;
  RETURN true;
END $$;
CREATE FUNCTION module_enrolled(wanted uuid) RETURNS TABLE (slug text, name text, level text, enrolled_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT a.slug, e.agency_name, e.level, e.enrolled_at FROM module_enrolments e JOIN agencies a ON a.id = e.agency_id
  WHERE e.module_id = wanted AND EXISTS (SELECT FROM module_source m WHERE m.id = wanted AND m.agency_id = current_agency_id())
  ORDER BY lower(e.agency_name)
$$;
REVOKE ALL ON FUNCTION module_enrol, module_enrolled, enrolled_listings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION module_enrol, module_enrolled, enrolled_listings TO dramac_app;

GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION module_enrol OWNER TO dramac_lookup;
ALTER FUNCTION module_enrolled OWNER TO dramac_lookup;
ALTER FUNCTION enrolled_listings OWNER TO dramac_lookup;
SET LOCAL ROLE dramac_lookup;
CREATE OR REPLACE FUNCTION version_open_to(wanted uuid, agency uuid) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM module_versions v JOIN module_source m ON m.id = v.module_id
    WHERE v.id = wanted AND (m.agency_id = agency OR (v.status <> 'draft' AND audience_open_to(
      version_audience(m.tier, v.prerelease), m.agency_id, agency, enrolled_level(m.id, agency)))))
$$;
-- The listing's tier is its latest release's audience.
CREATE OR REPLACE FUNCTION marketplace_list(wanted uuid) RETURNS void
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
  n.type := m.type; n.icon := m.icon; n.tier := version_audience(m.tier, v.prerelease); n.publisher := publisher_name;
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
  IF n.tier = 'public' THEN -- in one order, so that two at once wait for each other and never in a ring
    INSERT INTO marketplace_words (word)
      SELECT DISTINCT word FROM unnest(tsvector_to_array(to_tsvector('simple', unaccent(
        concat_ws(' ', m.name, tags, publisher_name, replace(m.category, '-', ' '), m.summary))))) word
      WHERE length(word) BETWEEN 3 AND 40 AND word !~ '[0-9]' ORDER BY word
      ON CONFLICT DO NOTHING;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION marketplace_search(typed text[], chosen jsonb, sort text, most integer, skip integer) RETURNS jsonb
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  agency uuid := current_agency_id();
  enrolled uuid[] := enrolled_listings(agency);
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
        USING agency, asked, array_to_string(words, ' '), most, skip, enrolled;
      matched := marketplace_bitset(ordinals, size);
    ELSE
      SELECT array_agg(module_id) INTO news FROM marketplace_listings WHERE fresh AND listing_open_to(tier, agency_id, module_id, agency, enrolled);
      SELECT array_agg(ordinal) INTO ordinals FROM marketplace_listings
        WHERE tier <> 'public' AND NOT fresh AND listing_open_to(tier, agency_id, module_id, agency, enrolled);
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
      USING agency, CASE WHEN total <= 500 THEN marketplace_ordinals(passing) END, news, most, skip, enrolled;
  END IF;
  RETURN jsonb_build_object('total', total, 'items', coalesce(items, '[]'), 'facets', coalesce(facets, '{}'), 'respelt', respelt);
END $$;

RESET ROLE;
CREATE OR REPLACE FUNCTION marketplace_respelt(typed text[], agency uuid) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  better text[] := typed;
  nearest text;
BEGIN
  FOR i IN 1..cardinality(typed) LOOP
    SELECT w.word INTO nearest FROM (
      SELECT word FROM marketplace_words WHERE word % typed[i]
      UNION
      SELECT word FROM marketplace_listings l, unnest(tsvector_to_array(l.head)) word
      WHERE l.tier <> 'public' AND listing_open_to(l.tier, l.agency_id, l.module_id, agency, enrolled_listings(agency)) AND word % typed[i]
    ) w ORDER BY w.word = typed[i] DESC, i = cardinality(typed) AND w.word ^@ typed[i] DESC, similarity(w.word, typed[i]) DESC, w.word LIMIT 1;
    better[i] := coalesce(nearest, typed[i]);
  END LOOP;
  RETURN CASE WHEN better <> typed THEN better END;
END $$;

-- $1 agency, $2 ordinals and $3 module ids to choose from when they are few, $4 limit, $5 offset, $6 enrolled_listings() of the agency.
CREATE OR REPLACE FUNCTION marketplace_page(chosen jsonb, sort text, few boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format($q$
    SELECT jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.place) FROM (
      SELECT x.*, row_number() OVER () AS place FROM (
        SELECT %s FROM marketplace_listings l
        WHERE listing_open_to(l.tier, l.agency_id, l.module_id, $1, $6) AND %s AND %s ORDER BY %s LIMIT $4 OFFSET $5) x) p
  $q$, marketplace_card(), CASE WHEN few THEN '(l.ordinal = ANY ($2) OR l.module_id = ANY ($3))' ELSE 'true' END,
    marketplace_condition(chosen), marketplace_order(sort))
$$;

-- $1 agency, $2 what is looked for, $3 the words, $4 limit, $5 offset, $6 enrolled_listings() of the agency.
CREATE OR REPLACE FUNCTION marketplace_page_of_words(chosen jsonb, sort text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format($q$
    WITH hits AS MATERIALIZED (
      SELECT l.module_id, l.ordinal, l.fresh, l.installs, l.published_at, l.rating, l.ratings, l.monthly, (%s) AS chosen,
        CASE WHEN l.plain_name = $3 THEN 3 WHEN l.plain_name ^@ $3 THEN 2 WHEN strpos(l.plain_name, $3) > 0 THEN 1 ELSE 0 END AS near
      FROM marketplace_listings l WHERE l.document @@ $2 AND listing_open_to(l.tier, l.agency_id, l.module_id, $1, $6)),
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

REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
DROP FUNCTION listing_open_to(text, uuid, uuid);
