"""Agencies: made by platform staff, changed by their own administrators."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.access.permissions import Role
from app.accounts.models import User
from app.errors import Conflict, NotFound
from app.events.catalog import AGENCY_CHANGED, AGENCY_CREATED
from app.events.outbox import changed, publish
from app.lib.ids import uuid7
from app.lib.pictures import draw_anew
from app.lib.storage import storage
from app.tenancy.models import Agency, Membership
from app.tenancy.slugs import candidates, slug_of

LOGO_PX = (512, 128)  # shown at most 32 px high, sharp on dense screens


class AgencySlugTaken(Conflict):
    """Another agency has this short name. Choose another."""


def create_agency(
    db: Session,
    *,
    name: str,
    owner: User,
    by: Actor,
    now: datetime,
    slug: str | None = None,
    hue: int = 1,
    time_zone: str = "UTC",
    currency: str = "EUR",
) -> Agency:
    """A new agency with its first owner. Needs platform_scope(). Raises AgencySlugTaken for a given slug."""
    agency = _insert(
        db,
        Agency(id=uuid7(), name=name, hue=hue, time_zone=time_zone, currency=currency, created_at=now),
        slugs=[slug] if slug else list(candidates(slug_of(name, fallback="agency"))),
    )
    db.add(Membership(id=uuid7(), agency_id=agency.id, user_id=owner.id, role=Role.OWNER.value, created_at=now))
    db.flush()
    publish(
        db,
        AGENCY_CREATED,
        by=by,
        agency_id=agency.id,
        target=agency.public_id,
        target_name=name,
        data={"name": name, "slug": agency.slug, "owner": owner.public_id},
    )
    return agency


def _insert(db: Session, agency: Agency, *, slugs: list[str]) -> Agency:
    for slug in slugs:
        agency.slug = slug
        try:
            with db.begin_nested():  # the unique key decides
                db.add(agency)
                db.flush()
            return agency
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
    raise AgencySlugTaken()


def change_agency(
    db: Session, *, agency: Agency, name: str, hue: int, time_zone: str, currency: str, by: Actor
) -> Agency:
    """Name, colour (1 to 10), time zone (IANA) and currency (ISO 4217). Sites keep their own zone and currency."""
    values = {"name": name, "hue": hue, "time_zone": time_zone, "currency": currency}
    changes = changed({key: getattr(agency, key) for key in values}, values)
    if not changes:
        return agency
    for key, value in values.items():
        setattr(agency, key, value)
    publish(
        db,
        AGENCY_CHANGED,
        by=by,
        agency_id=agency.id,
        target=agency.public_id,
        target_name=name,
        data={"changed": sorted(changes)},
        changes=changes,
    )
    return agency


def set_logo(db: Session, *, agency: Agency, content: bytes, by: Actor) -> None:
    """Show this picture where the agency's mark stands. Raises NotAPicture, Invalid (too large)."""
    [drawn] = draw_anew(content, edges=(LOGO_PX,))
    digest = sha256(drawn.content).hexdigest()
    storage().write(_logo_name(digest), drawn.content)
    _change_logo(db, agency, digest, by=by)


def remove_logo(db: Session, *, agency: Agency, by: Actor) -> None:
    """Show the agency's letters again. Its picture stays: another agency may have the same one."""
    _change_logo(db, agency, "", by=by)


def read_logo(digest: str) -> bytes:
    """A logo as WebP. Raises NotFound."""
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise NotFound()
    return storage().read(_logo_name(digest))


def _change_logo(db: Session, agency: Agency, digest: str, *, by: Actor) -> None:
    before, agency.logo = agency.logo, digest
    if before == digest:
        return
    publish(
        db, AGENCY_CHANGED, by=by, agency_id=agency.id, target=agency.public_id, target_name=agency.name,
        data={"changed": ["logo"]}, changes={"logo": [before[:12], digest[:12]]},
    )  # fmt: skip


def _logo_name(digest: str) -> str:
    return f"brands/{digest}.webp"
