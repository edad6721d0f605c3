"""A site's own pages: written in blocks on the platform, served to visitors at the runtime origin and on custom domains.

Tables: site_looks site_pages site_page_versions site_page_steps site_redirects site_images site_page_views. Called by the
factory alone. Writers work as dramac_app; visitors are answered through three functions of the database that know only
what is live.
"""
