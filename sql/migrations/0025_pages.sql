-- A site's own pages: look, pages with their drafts, versions that went live, redirects, images, views per day.
CREATE TABLE site_looks (
  site_id uuid PRIMARY KEY,
  agency_id uuid NOT NULL,
  accent text NOT NULL DEFAULT '#3b46c8' CHECK (accent ~ '^#[0-9a-f]{6}$'),
  font text NOT NULL DEFAULT 'modern' CHECK (font IN ('modern', 'system', 'classic', 'friendly')),
  theme text NOT NULL DEFAULT 'auto' CHECK (theme IN ('auto', 'light', 'dark')),
  tagline text NOT NULL DEFAULT '' CHECK (length(tagline) <= 120),
  footer text NOT NULL DEFAULT '' CHECK (length(footer) <= 2000), -- Markdown
  listed boolean NOT NULL DEFAULT true, -- search engines may list the site
  lost_title text NOT NULL DEFAULT '' CHECK (length(lost_title) <= 120), -- of the page that says there is no such page
  lost_text text NOT NULL DEFAULT '' CHECK (length(lost_text) <= 2000), -- Markdown
  generation bigint NOT NULL DEFAULT 1, -- goes up with every change that visitors can see
  UNIQUE (agency_id, site_id),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE
);

CREATE TABLE site_pages (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  parent_id uuid,
  path text NOT NULL CHECK (length(path) <= 200 AND path ~ '^(/|(/[a-z0-9]+(-[a-z0-9]+)*)+)$'),
  in_menu boolean NOT NULL DEFAULT true,
  menu_label text NOT NULL DEFAULT '' CHECK (length(menu_label) <= 60), -- '' is the title
  menu_order integer NOT NULL DEFAULT 0,
  draft jsonb NOT NULL, -- {title, lead, seo_title, description, image, image_alt, noindex, blocks}
  revision bigint NOT NULL DEFAULT 1, -- of the draft: who saves names the one they saw
  changed_at timestamptz NOT NULL DEFAULT now(), -- the draft
  changed_by_name text NOT NULL DEFAULT '',
  live_version_id uuid,
  published_at timestamptz,
  planned_version_id uuid,
  publish_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  UNIQUE (agency_id, id),
  UNIQUE (site_id, id),
  CHECK ((live_version_id IS NULL) = (published_at IS NULL)),
  CHECK ((planned_version_id IS NULL) = (publish_at IS NULL)),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE,
  FOREIGN KEY (site_id, parent_id) REFERENCES site_pages (site_id, id) ON DELETE SET NULL (parent_id)
);
CREATE UNIQUE INDEX site_pages_path ON site_pages (site_id, path) WHERE deleted_at IS NULL;
CREATE INDEX site_pages_site ON site_pages (agency_id, site_id);
CREATE INDEX site_pages_parent ON site_pages (site_id, parent_id);
CREATE INDEX site_pages_due ON site_pages (publish_at) WHERE publish_at IS NOT NULL;

-- What a page was when it went live, was planned to, or was replaced by an older one.
CREATE TABLE site_page_versions (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  page_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  reason text NOT NULL CHECK (reason IN ('published', 'planned', 'kept')),
  content jsonb NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  made_by uuid REFERENCES users ON DELETE SET NULL,
  made_by_name text NOT NULL DEFAULT '',
  UNIQUE (agency_id, id),
  UNIQUE (page_id, id),
  UNIQUE (page_id, number),
  FOREIGN KEY (agency_id, page_id) REFERENCES site_pages (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX site_page_versions_page ON site_page_versions (agency_id, page_id);
ALTER TABLE site_pages
  ADD FOREIGN KEY (id, live_version_id) REFERENCES site_page_versions (page_id, id),
  ADD FOREIGN KEY (id, planned_version_id) REFERENCES site_page_versions (page_id, id);

-- Drafts as they were before a change, for undoing; the last 30 of a page.
CREATE TABLE site_page_steps (
  agency_id uuid NOT NULL,
  page_id uuid NOT NULL,
  revision bigint NOT NULL, -- the draft's own, before the change
  said text NOT NULL, -- what the change was
  content jsonb NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (page_id, revision),
  FOREIGN KEY (agency_id, page_id) REFERENCES site_pages (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX site_page_steps_page ON site_page_steps (agency_id, page_id);

CREATE TABLE site_redirects (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  source text NOT NULL CHECK (length(source) <= 500 AND source LIKE '/%'),
  target text NOT NULL CHECK (length(target) <= 2000), -- a path of the site, or an https address
  automatic boolean NOT NULL DEFAULT false, -- made because a page moved
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id),
  UNIQUE (site_id, source),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX site_redirects_site ON site_redirects (agency_id, site_id);

-- Pictures, re-encoded; their bytes are in the object storage.
CREATE TABLE site_images (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  agency_id uuid NOT NULL,
  site_id uuid NOT NULL,
  name text NOT NULL DEFAULT '' CHECK (length(name) <= 200),
  width integer NOT NULL CHECK (width > 0),
  height integer NOT NULL CHECK (height > 0),
  size_bytes integer NOT NULL CHECK (size_bytes > 0),
  small boolean NOT NULL, -- there is one of half the width or less as well
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agency_id, id),
  FOREIGN KEY (agency_id, site_id) REFERENCES sites (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX site_images_site ON site_images (agency_id, site_id);

-- How often a page was shown on a day (UTC): a number, nothing of who looked.
CREATE TABLE site_page_views (
  agency_id uuid NOT NULL,
  page_id uuid NOT NULL,
  day date NOT NULL,
  views bigint NOT NULL CHECK (views > 0),
  PRIMARY KEY (page_id, day),
  FOREIGN KEY (agency_id, page_id) REFERENCES site_pages (agency_id, id) ON DELETE CASCADE
);
CREATE INDEX site_page_views_page ON site_page_views (agency_id, page_id);

ALTER TABLE site_looks ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_looks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site_looks TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON site_looks TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON site_looks FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE site_pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_pages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site_pages TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON site_pages TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON site_pages FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE site_page_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_page_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site_page_versions TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON site_page_versions TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON site_page_versions FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE site_page_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_page_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site_page_steps TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON site_page_steps TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE site_redirects ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_redirects FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site_redirects TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON site_redirects TO dramac_staff USING (true) WITH CHECK (true);
CREATE POLICY lookup ON site_redirects FOR SELECT TO dramac_lookup USING (true);

ALTER TABLE site_images ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_images FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site_images TO dramac_app
  USING (agency_id = (SELECT current_agency_id())) WITH CHECK (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON site_images TO dramac_staff USING (true) WITH CHECK (true);

ALTER TABLE site_page_views ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_page_views FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON site_page_views FOR SELECT TO dramac_app USING (agency_id = (SELECT current_agency_id()));
CREATE POLICY staff ON site_page_views TO dramac_staff USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON site_looks, site_pages TO dramac_app;
GRANT SELECT, INSERT ON site_page_versions, site_images TO dramac_app;
GRANT SELECT, INSERT, DELETE ON site_page_steps TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON site_redirects TO dramac_app;
GRANT SELECT ON site_page_views TO dramac_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON site_looks, site_pages, site_page_versions, site_page_steps, site_redirects, site_images,
  site_page_views TO dramac_staff;
GRANT SELECT ON site_looks, site_pages, site_page_versions, site_redirects TO dramac_lookup;

-- What visitors get: only what is live, in one statement. The runtime has no right to the tables themselves.
-- One row of a site, with the page at the path if there is one, else the redirect; nothing of a site that is put away.
CREATE FUNCTION site_page_at(wanted_slug text, wanted_site uuid, wanted_path text) RETURNS TABLE (
  site_id uuid, site_slug text, site_name text, locale text, look jsonb, generation bigint, menu jsonb,
  page_id uuid, content jsonb, published_at timestamptz, trail jsonb, redirect_to text, home_host text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.id, s.slug, s.name, s.locale, to_jsonb(l) - 'agency_id' - 'site_id' - 'generation', l.generation,
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', m.id, 'parent', m.parent_id, 'path', m.path, 'label', coalesce(nullif(m.menu_label, ''), v.content ->> 'title'))
        ORDER BY m.menu_order, m.path), '[]')
      FROM site_pages m JOIN site_page_versions v ON v.id = m.live_version_id
      WHERE m.site_id = s.id AND m.deleted_at IS NULL AND m.in_menu),
    p.id, w.content, p.published_at,
    (SELECT jsonb_build_object('path', o.path, 'label', x.content ->> 'title')
      FROM site_pages o JOIN site_page_versions x ON x.id = o.live_version_id
      WHERE o.id = p.parent_id AND o.site_id = s.id AND o.deleted_at IS NULL),
    CASE WHEN p.id IS NULL THEN (SELECT r.target FROM site_redirects r WHERE r.site_id = s.id AND r.source = wanted_path) END,
    -- where the site is at home: its first proven domain for pages
    (SELECT CASE d.www WHEN 'to_www' THEN 'www.' ELSE '' END || d.host FROM external_domains d
      WHERE d.site_id = s.id AND d.state IN ('verified', 'failing') AND 'pages' = ANY (d.purposes) AND d.target_install_id IS NULL
      ORDER BY d.verified_at, d.id LIMIT 1)
  FROM sites s
  JOIN agencies a ON a.id = s.agency_id AND a.suspended_at IS NULL
  JOIN site_looks l ON l.site_id = s.id
  LEFT JOIN site_pages p ON p.site_id = s.id AND p.path = wanted_path AND p.deleted_at IS NULL AND p.live_version_id IS NOT NULL
  LEFT JOIN site_page_versions w ON w.id = p.live_version_id
  WHERE s.archived_at IS NULL AND (s.slug = wanted_slug OR s.id = wanted_site)
$$;
-- Every live page that search engines may list.
CREATE FUNCTION site_map_of(wanted_slug text, wanted_site uuid) RETURNS TABLE (path text, published_at timestamptz, listed boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT p.path, p.published_at, l.listed
  FROM sites s
  JOIN agencies a ON a.id = s.agency_id AND a.suspended_at IS NULL
  JOIN site_looks l ON l.site_id = s.id
  LEFT JOIN (site_pages p JOIN site_page_versions v ON v.id = p.live_version_id AND NOT coalesce((v.content ->> 'noindex')::boolean, false))
    ON p.site_id = s.id AND p.deleted_at IS NULL
  WHERE s.archived_at IS NULL AND (s.slug = wanted_slug OR s.id = wanted_site)
  ORDER BY p.path
$$;
-- A draft or an older version for somebody with a signed link; the link's signature is checked before this is asked.
CREATE FUNCTION site_page_preview(wanted_page uuid, wanted_version uuid) RETURNS TABLE (
  site_id uuid, site_slug text, site_name text, locale text, look jsonb, menu jsonb, page_id uuid, path text, content jsonb, trail jsonb
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.id, s.slug, s.name, s.locale, to_jsonb(l) - 'agency_id' - 'site_id' - 'generation',
    (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', m.id, 'parent', m.parent_id, 'path', m.path, 'label', coalesce(nullif(m.menu_label, ''), v.content ->> 'title'))
        ORDER BY m.menu_order, m.path), '[]')
      FROM site_pages m JOIN site_page_versions v ON v.id = m.live_version_id
      WHERE m.site_id = s.id AND m.deleted_at IS NULL AND m.in_menu),
    p.id, p.path, coalesce((SELECT v.content FROM site_page_versions v WHERE v.id = wanted_version AND v.page_id = p.id), p.draft),
    (SELECT jsonb_build_object('path', o.path, 'label', x.content ->> 'title')
      FROM site_pages o JOIN site_page_versions x ON x.id = o.live_version_id
      WHERE o.id = p.parent_id AND o.site_id = s.id AND o.deleted_at IS NULL)
  FROM site_pages p
  JOIN sites s ON s.id = p.site_id
  JOIN agencies a ON a.id = s.agency_id AND a.suspended_at IS NULL
  JOIN site_looks l ON l.site_id = s.id
  WHERE p.id = wanted_page AND s.archived_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION site_page_at, site_map_of, site_page_preview FROM PUBLIC;
GRANT EXECUTE ON FUNCTION site_page_at, site_map_of, site_page_preview TO dramac_runtime;
GRANT CREATE ON SCHEMA public TO dramac_lookup;
ALTER FUNCTION site_page_at OWNER TO dramac_lookup;
ALTER FUNCTION site_map_of OWNER TO dramac_lookup;
ALTER FUNCTION site_page_preview OWNER TO dramac_lookup;
REVOKE CREATE ON SCHEMA public FROM dramac_lookup;
