-- Words that many modules have: which ones is known beforehand, as it is for the values of filters, so that a search neither reads
-- nor counts thousands of rows. Built with the bits, and right for the same listings: those that are not fresh.
CREATE TABLE marketplace_postings (
  part text COLLATE "C" NOT NULL CHECK (part IN ('name', 'any')), -- in the name, or anywhere in what is searched
  lexeme text COLLATE "C" NOT NULL,
  docs integer NOT NULL, -- how many listings have it
  ordinals integer[], -- of these listings when they are few,
  bits bit varying, -- else a bit for each by its ordinal, as in marketplace_bits
  PRIMARY KEY (part, lexeme),
  CHECK (num_nulls(ordinals, bits) = 1)
);
ALTER TABLE marketplace_postings ALTER bits SET STORAGE EXTERNAL;
ALTER TABLE marketplace_postings ENABLE ROW LEVEL SECURITY;
ALTER TABLE marketplace_postings FORCE ROW LEVEL SECURITY;
CREATE POLICY lookup ON marketplace_postings TO dramac_lookup USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON marketplace_postings TO dramac_lookup;

-- A thousand candidates are met in this order without a look at the rows themselves.
DROP INDEX marketplace_listings_installs;
CREATE INDEX marketplace_listings_installs ON marketplace_listings (installs, module_id) INCLUDE (ordinal, fresh);
CREATE INDEX marketplace_listings_name ON marketplace_listings (plain_name);

-- Words from which on listings are found by the postings, and how many of the most installed are judged then. Tests say other numbers.
CREATE FUNCTION marketplace_many() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 1000 $$;
CREATE FUNCTION marketplace_judged() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 300 $$;

-- How far a name is what was typed: all of it, its beginning, or from the beginning of one of its words.
CREATE FUNCTION marketplace_near(name text, typed text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN name = typed THEN 3 WHEN name ^@ typed THEN 2 WHEN strpos(name, ' ' || typed) > 0 THEN 1 ELSE 0 END
$$;

-- No numbers are the common case, and quickly written.
CREATE OR REPLACE FUNCTION marketplace_bitset(ordinals integer[], size integer) RETURNS bit varying LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN coalesce(cardinality(ordinals), 0) = 0 THEN repeat('0', size)::bit varying ELSE (
    SELECT coalesce(string_agg(coalesce(w.bits, 0)::bit(64)::text, '' ORDER BY n), '')::bit varying
    FROM generate_series(0, size / 64 - 1) n
    LEFT JOIN (SELECT o >> 6 AS word, bit_or(1::bigint << (63 - (o & 63))) AS bits FROM unnest(ordinals) o WHERE o < size GROUP BY 1) w
      ON w.word = n) END
$$;

-- What is searched is counted by the postings as well.
CREATE OR REPLACE FUNCTION marketplace_fresh() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.fresh := OLD.fresh
    OR (NEW.tier, NEW.category, NEW.type, NEW.price, floor(NEW.rating), NEW.verified, NEW.capabilities, NEW.document)
    IS DISTINCT FROM (OLD.tier, OLD.category, OLD.type, OLD.price, floor(OLD.rating), OLD.verified, OLD.capabilities, OLD.document);
  RETURN NEW;
END $$;
DROP TRIGGER fresh ON marketplace_listings;
CREATE TRIGGER fresh BEFORE UPDATE OF tier, category, type, price, rating, verified, capabilities, document ON marketplace_listings
  FOR EACH ROW EXECUTE FUNCTION marketplace_fresh();

-- What each word that was typed is looked for as: its forms, and the beginning that the last one is (else NULL). The rules are those of
-- marketplace_query(); forms is NULL for what is more than one word to PostgreSQL, such as "e-mail".
CREATE FUNCTION marketplace_forms(words text[]) RETURNS TABLE (forms text[], beginning text) LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN cardinality(plain) = 1 AND cardinality(stems) <= 1 THEN plain || stems END, CASE WHEN at = cardinality(words) THEN plain[1] END
  FROM (SELECT at, tsvector_to_array(to_tsvector('simple', word)) AS plain, tsvector_to_array(to_tsvector('english', word)) AS stems
        FROM unnest(words) WITH ORDINALITY w (word, at)) w
  WHERE cardinality(stems) > 0 OR at = cardinality(words)
$$;
-- The postings of one word.
CREATE FUNCTION marketplace_postings_of(wanted text, forms text[], beginning text) RETURNS SETOF marketplace_postings LANGUAGE sql STABLE AS $$
  SELECT * FROM marketplace_postings WHERE part = wanted AND lexeme = ANY (forms)
  UNION ALL
  SELECT * FROM marketplace_postings WHERE part = wanted AND lexeme >= beginning AND lexeme < beginning || chr(1114111)
$$;
-- The listings, as bits of this size, that have all the words: anywhere, and in their names. NULL when one of the words is rare enough
-- to be looked up in the index of words.
CREATE FUNCTION marketplace_common(words text[], size integer, OUT matched bit varying, OUT named bit varying) LANGUAGE plpgsql STABLE AS $$
DECLARE
  word record;
  own bit varying;
BEGIN
  FOR word IN SELECT * FROM marketplace_forms(words) LOOP
    IF word.forms IS NULL OR coalesce((SELECT sum(docs) FROM marketplace_postings_of('any', word.forms, word.beginning)), 0) < marketplace_many() THEN
      RETURN;
    END IF;
  END LOOP;
  FOR word IN SELECT * FROM marketplace_forms(words) LOOP
    own := marketplace_having('any', word.forms, word.beginning, size);
    matched := coalesce(matched & own, own);
    own := marketplace_having('name', word.forms, word.beginning, size);
    named := coalesce(named & own, own);
  END LOOP;
END $$;
CREATE FUNCTION marketplace_having(wanted text, forms text[], beginning text, size integer) RETURNS bit varying LANGUAGE plpgsql STABLE AS $$
DECLARE
  found bit varying;
  few integer[];
BEGIN
  SELECT coalesce(bit_or(bits), marketplace_bitset('{}', size)) INTO found FROM marketplace_postings_of(wanted, forms, beginning);
  SELECT array_agg(ordinal) INTO few FROM marketplace_postings_of(wanted, forms, beginning), unnest(ordinals) ordinal;
  RETURN CASE WHEN few IS NULL THEN found ELSE found | marketplace_bitset(few, size) END;
END $$;

-- The statement of a page for words that many have. $1 ordinals of all that pass when they are few, $2 these as bits, $3 the words,
-- $4 limit, $5 offset, $6 fresh listings that have the words, $7 what is looked for, $8 ordinals of those with the words in their names
-- when these are few, $9 as bits. Relevance is judged among the few, or among the most installed of all, of those named so and what is
-- fresh; the others follow, the most installed first.
CREATE FUNCTION marketplace_page_of_bits(chosen jsonb, sort text, few boolean, few_named boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format(CASE WHEN sort = 'relevance' THEN $q$
    WITH judged AS MATERIALIZED (%4$s),
    ranked AS (
      SELECT l.module_id, row_number() OVER (ORDER BY marketplace_near(l.plain_name, $3)
        + ts_rank('{0.05, 0.2, 0.5, 1}', l.head, $7) + ln(1 + l.installs) / 50 DESC, l.module_id DESC) AS place
      FROM judged JOIN marketplace_listings l USING (module_id)),
    page AS (
      SELECT module_id, place FROM ranked WHERE place > $5 AND place <= $5 + $4
      UNION ALL SELECT module_id, 1000000 + row_number() OVER () FROM (%5$s) others)
    $q$ ELSE $q$
    WITH page AS (
      SELECT module_id, row_number() OVER () AS place FROM (
        SELECT l.module_id FROM marketplace_listings l WHERE %2$s ORDER BY %3$s LIMIT $4 OFFSET $5) x)
    $q$ END || $q$
    SELECT jsonb_agg(to_jsonb(p) - 'place' ORDER BY p.place) FROM (
      SELECT %1$s, page.place FROM page JOIN marketplace_listings l USING (module_id)) p
  $q$, marketplace_card(), hits, marketplace_order(sort),
    CASE WHEN few THEN 'SELECT l.module_id FROM marketplace_listings l WHERE ' || hits ELSE format($q$
      (SELECT l.module_id FROM marketplace_listings l WHERE %1$s ORDER BY l.installs DESC, l.module_id DESC LIMIT %2$s)
      UNION (SELECT l.module_id FROM marketplace_listings l WHERE %3$s LIMIT %2$s)
      UNION SELECT l.module_id FROM marketplace_listings l WHERE l.plain_name = $3 AND %1$s
      UNION SELECT l.module_id FROM marketplace_listings l WHERE l.module_id = ANY ($6) AND %4$s
    $q$, held, marketplace_judged(), CASE WHEN few_named
        THEN 'l.ordinal = ANY ($8) ORDER BY marketplace_near(l.plain_name, $3) DESC, l.installs DESC, l.module_id DESC'
        ELSE replace(held, '$2', '$9') || ' ORDER BY l.installs DESC, l.module_id DESC' END, marketplace_condition(chosen)) END,
    CASE WHEN few THEN 'SELECT module_id FROM judged LIMIT 0' ELSE format($q$
      SELECT l.module_id FROM marketplace_listings l WHERE %s AND l.module_id NOT IN (SELECT module_id FROM judged)
      ORDER BY l.installs DESC, l.module_id DESC
      OFFSET greatest(0, $5 - (SELECT count(*) FROM judged)) LIMIT greatest(0, $5 + $4 - greatest($5, (SELECT count(*) FROM judged)))
    $q$, held) END)
  FROM (SELECT held, CASE WHEN few THEN format('(l.ordinal = ANY ($1) OR (l.module_id = ANY ($6) AND %s))', marketplace_condition(chosen))
      ELSE format('CASE WHEN l.fresh THEN l.module_id = ANY ($6) AND %s ELSE get_bit($2, l.ordinal) = 1 END', marketplace_condition(chosen)) END AS hits
    FROM (SELECT 'CASE WHEN l.fresh THEN false ELSE get_bit($2, l.ordinal) = 1 END' AS held) h) said
$$;

-- Nearness is said in one place, above.
CREATE OR REPLACE FUNCTION marketplace_page_of_words(chosen jsonb, sort text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT format($q$
    WITH hits AS MATERIALIZED (
      SELECT l.module_id, l.ordinal, l.fresh, l.installs, l.published_at, l.rating, l.ratings, l.monthly, (%s) AS chosen,
        marketplace_near(l.plain_name, $3) AS near
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

GRANT CREATE ON SCHEMA public TO dramac_lookup;
SET LOCAL ROLE dramac_lookup; -- whose functions these are
CREATE OR REPLACE FUNCTION marketplace_index(at_least integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB' AS $$
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
  DELETE FROM marketplace_postings;
  INSERT INTO marketplace_postings (part, lexeme, docs, ordinals, bits)
    SELECT part, lexeme, cardinality(ordinals), CASE WHEN few THEN ordinals END, CASE WHEN NOT few THEN marketplace_bitset(ordinals, size) END
    FROM (
      SELECT part, lexeme, ordinals, cardinality(ordinals) <= size / 32 AS few FROM ( -- from there on bits are the smaller
        SELECT 'any' AS part, lexeme, array_agg(ordinal) AS ordinals
          FROM marketplace_listings, unnest(tsvector_to_array(document)) lexeme WHERE NOT fresh GROUP BY 2
        UNION ALL
        SELECT 'name', lexeme, array_agg(ordinal)
          FROM marketplace_listings, unnest(tsvector_to_array(ts_filter(head, '{a}'))) lexeme WHERE NOT fresh GROUP BY 2
      ) found
    ) sized;
  RETURN changed;
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
  named bit varying; -- those whose names have the words, when the words are common
  opened bit varying; -- what the agency may find
  masks bit varying[]; -- for each kind: the matches that pass the filters of every other kind
  passing bit varying; -- the matches that pass all
  own bit varying;
  total bigint;
  facets jsonb;
BEGIN
  LOOP
    matched := NULL;
    named := NULL;
    IF asked IS NOT NULL THEN
      SELECT * INTO matched, named FROM marketplace_common(words, size);
    END IF;
    IF asked IS NOT NULL AND matched IS NULL THEN
      EXECUTE marketplace_page_of_words(chosen, sort) INTO ordinals, news, items
        USING agency, asked, array_to_string(words, ' '), most, skip, enrolled;
      matched := marketplace_bitset(ordinals, size);
    ELSE
      SELECT array_agg(module_id) INTO news FROM marketplace_listings
        WHERE fresh AND (asked IS NULL OR document @@ asked) AND listing_open_to(tier, agency_id, module_id, agency, enrolled);
      SELECT array_agg(ordinal) INTO ordinals FROM marketplace_listings -- one's own and what one is let into: looked up, then judged
        WHERE tier <> 'public' AND NOT fresh AND (agency_id = agency OR module_id = ANY (enrolled))
          AND listing_open_to(tier, agency_id, module_id, agency, enrolled);
      SELECT bits | marketplace_bitset(ordinals, size) INTO opened FROM marketplace_bits
        WHERE facet = 'tier' AND value = 'public' AND agency IS NOT NULL;
      opened := coalesce(opened, marketplace_bitset('{}', size));
      SELECT array_agg(ordinal) INTO ordinals FROM (
        SELECT ordinal FROM marketplace_listings WHERE fresh UNION ALL SELECT ordinal FROM marketplace_gone) changed;
      IF ordinals IS NOT NULL THEN
        opened := opened & ~ marketplace_bitset(ordinals, size);
      END IF;
      matched := coalesce(matched & opened, opened);
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
  ELSIF named IS NOT NULL AND total > 0 THEN
    named := named & passing;
    EXECUTE marketplace_page_of_bits(chosen, sort, few => total <= marketplace_many(), few_named => bit_count(named) <= marketplace_many())
      INTO items USING CASE WHEN total <= marketplace_many() THEN marketplace_ordinals(passing) END, passing, array_to_string(words, ' '),
        most, skip, news, asked, CASE WHEN bit_count(named) <= marketplace_many() THEN marketplace_ordinals(named) END, named;
  END IF;
  RETURN jsonb_build_object('total', total, 'items', coalesce(items, '[]'), 'facets', coalesce(facets, '{}'), 'respelt', respelt);
END $$;
SELECT marketplace_index(0);
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
