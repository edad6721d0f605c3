-- Looking for what a mistyped word may have meant asked anew for every listing in which programmes the agency is enrolled.
CREATE OR REPLACE FUNCTION marketplace_respelt(typed text[], agency uuid) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  better text[] := typed;
  enrolled uuid[] := enrolled_listings(agency);
  nearest text;
BEGIN
  FOR i IN 1..cardinality(typed) LOOP
    SELECT w.word INTO nearest FROM (
      SELECT word FROM marketplace_words WHERE word % typed[i]
      UNION
      SELECT word FROM marketplace_listings l, unnest(tsvector_to_array(l.head)) word
      WHERE l.tier <> 'public' AND listing_open_to(l.tier, l.agency_id, l.module_id, agency, enrolled) AND word % typed[i]
    ) w ORDER BY w.word = typed[i] DESC, i = cardinality(typed) AND w.word ^@ typed[i] DESC, similarity(w.word, typed[i]) DESC, w.word LIMIT 1;
    better[i] := coalesce(nearest, typed[i]);
  END LOOP;
  RETURN CASE WHEN better <> typed THEN better END;
END $$;
