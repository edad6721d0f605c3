"""Sites: a client's web sites, on which modules are installed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid
from app.events.catalog import SITE_ARCHIVED, SITE_CHANGED, SITE_CREATED, SITE_RESTORED, EventType
from app.events.outbox import changed, publish
from app.lib.ids import uuid7
from app.tenancy.models import Client, Site
from app.tenancy.slugs import candidates, slug_of


class ClientArchived(Conflict):
    """This client is archived. Restore it first, or choose another."""


def create_site(
    db: Session,
    *,
    client: Client,
    name: str,
    by: Actor,
    now: datetime,
    slug: str = "",
    url: str = "",
    time_zone: str = "UTC",
    locale: str = "en_GB",
    currency: str = "EUR",
) -> Site:
    """A new site. slug: part of its public addresses, unique everywhere and fixed; made from the name when empty.

    Raises ClientArchived, Invalid (a given slug that is taken, with a free one in its words).
    """
    archived = db.scalar(select(Client.archived_at).where(Client.id == client.id).with_for_update(read=True))
    if archived:
        raise ClientArchived()
    site = Site(
        id=uuid7(),
        agency_id=client.agency_id,
        client_id=client.id,
        name=name,
        url=url,
        time_zone=time_zone,
        locale=locale,
        currency=currency,
        created_at=now,
    )
    wanted = slug or slug_of(name, fallback="site")
    if not any(_fits(db, site, candidate) for candidate in ([slug] if slug else candidates(wanted))):
        free = list(candidates(wanted))[-1]
        raise Invalid.field("slug", f"“{wanted}” is taken. “{free}” would be free.", code="taken")
    _tell(db, SITE_CREATED, site, by=by, data={"name": name, "slug": site.slug, "client": client.public_id})
    return site


def _fits(db: Session, site: Site, slug: str) -> bool:
    """Insert under this slug; whether another site, perhaps of another agency, has it is the unique key's to say."""
    site.slug = slug
    try:
        with db.begin_nested():
            db.add(site)
            db.flush()
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return False
    return True


def change_site(
    db: Session,
    *,
    site: Site,
    client: Client,
    name: str,
    url: str,
    time_zone: str,
    locale: str,
    currency: str,
    by: Actor,
) -> Site:
    """Everything but the slug, which stands in addresses that others have linked. Raises ClientArchived."""
    if client.archived_at and client.id != site.client_id:
        raise ClientArchived()
    values = {
        "client_id": client.id,
        "name": name,
        "url": url,
        "time_zone": time_zone,
        "locale": locale,
        "currency": currency,
    }
    changes = changed({key: getattr(site, key) for key in values}, values)
    if not changes:
        return site
    for key, value in values.items():
        setattr(site, key, value)
    db.flush()
    shown = {key: [str(before), str(after)] for key, (before, after) in changes.items()}
    _tell(db, SITE_CHANGED, site, by=by, data={"name": name, "changed": sorted(changes)}, changes=shown)
    return site


def archive_site(db: Session, *, site: Site, by: Actor, now: datetime) -> None:
    """Put a site away: its modules stop answering, nothing is deleted. Doing it twice is doing it once."""
    if site.archived_at:
        return
    site.archived_at = now
    _tell(db, SITE_ARCHIVED, site, by=by, data={"name": site.name})


def restore_site(db: Session, *, site: Site, client: Client, by: Actor) -> None:
    """Take a site back into use; its modules answer again. Raises ClientArchived."""
    if site.archived_at is None:
        return
    if client.archived_at:
        raise ClientArchived()
    site.archived_at = None
    _tell(db, SITE_RESTORED, site, by=by, data={"name": site.name})


def _tell(
    db: Session,
    event: EventType,
    site: Site,
    *,
    by: Actor,
    data: dict[str, Any],
    changes: dict[str, Any] | None = None,
) -> None:
    publish(
        db,
        event,
        by=by,
        agency_id=site.agency_id,
        site_id=site.id,
        target=site.public_id,
        target_name=site.name,
        data=data,
        changes=changes,
    )
