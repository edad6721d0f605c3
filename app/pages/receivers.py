"""Events that visitors of a site's pages see the effect of: its name, language, state and domains, and its modules."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from app.events import catalog
from app.events.bus import Receivers
from app.events.models import Event
from app.pages.showing import visitors_see

_STALE = {
    event.name
    for event in (
        catalog.SITE_CHANGED, catalog.SITE_ARCHIVED, catalog.SITE_RESTORED, catalog.MODULE_INSTALLED,
        catalog.INSTALL_REMOVED, catalog.INSTALL_RESTORED, catalog.DOMAIN_VERIFIED, catalog.DOMAIN_CHANGED,
        catalog.DOMAIN_LOST, catalog.DOMAIN_REMOVED,
    )
}  # fmt: skip


def _members(db: Session, event: Event) -> list[str]:
    return [str(event.site_id)] if event.type in _STALE and event.site_id else []


def _deliver(db: Session, event: Event, key: str) -> None:
    visitors_see(db, UUID(key))


SITES = Receivers(_members, _deliver)
