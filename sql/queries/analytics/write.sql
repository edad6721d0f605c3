-- Events from arrays, and the quarters of hours whose sums are behind because of them.
WITH written AS (
  INSERT INTO module_analytics_events (at, agency_id, site_id, install_id, module_id, event, name, version, page, page_id, visitor,
    value, surface, place, referrer, language, country, device, browser, system)
  SELECT * FROM unnest(%b::timestamptz[], %b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::uuid[], %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::text[])
)
INSERT INTO module_analytics_marks (agency_id, site_id, at) SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::timestamptz[])
