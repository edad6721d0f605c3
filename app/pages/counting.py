"""Views per page and day, as the list of pages shows them: a number, nothing of who looked. Analytics counts them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_KEEP = text(
    """
    INSERT INTO site_page_views (agency_id, page_id, day, views)
    SELECT p.agency_id, p.id, :day, v.views
    FROM unnest(CAST(:ids AS uuid[]), CAST(:views AS bigint[])) AS v (id, views)
    JOIN site_pages p ON p.id = v.id AND p.agency_id = :agency AND p.site_id = :site
    ON CONFLICT (page_id, day) DO UPDATE SET views = excluded.views WHERE site_page_views.views <> excluded.views
    """
)


def keep_views(db: Session, agency_id: UUID, site_id: UUID, day: date, views: Mapping[UUID, int]) -> None:
    """Write down how often each page of a site was shown on a day of its time zone. Said again it replaces what was said."""
    if views:
        db.execute(
            _KEEP, {"agency": agency_id, "site": site_id, "day": day, "ids": list(views), "views": list(views.values())}
        )
