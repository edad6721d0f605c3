"""Reads for the key screens. Each function is one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, case, func, literal_column, or_, select, text
from sqlalchemy.orm import Session

from app.gateway.models import ApiKey
from app.lib.ids import encode
from app.tenancy.models import Site
from app.tenancy.queries import PAGE_ROWS, Listing

SORTS = ("name", "-name", "created_at", "-created_at", "last_used_at", "-last_used_at")
STATUSES = ("active", "expired", "revoked", "all")

_LITERAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_MODULE: ColumnElement[str | None] = literal_column(
    "(SELECT m.name FROM modules_v2 i JOIN module_source m ON m.id = i.module_id WHERE i.id = api_keys.install_id)",
    String,
)
_CREATOR: ColumnElement[str | None] = literal_column(
    "(SELECT u.name FROM users u WHERE u.id = api_keys.created_by)", String
)
_OF_MODULE = text(
    """
    SELECT i.id FROM modules_v2 i JOIN module_source m ON m.id = i.module_id
    WHERE i.agency_id = :agency AND i.status <> 'removed' AND (m.slug = :module OR m.short_id = :module OR m.id::text = :module)
    """
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as lists show it. status: active, expired, revoked."""

    id: UUID
    name: str
    kind: str
    shown: str
    scopes: list[str]
    origins: list[str]
    networks: list[Any]
    site_id: UUID
    site_name: str
    install_id: UUID | None
    module_name: str | None
    creator: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: Any
    status: str

    @property
    def public_id(self) -> str:
        return encode("key", self.id)

    @property
    def site_public_id(self) -> str:
        return encode("ste", self.site_id)


def keys(
    db: Session,
    *,
    agency_id: UUID,
    now: datetime,
    search: str = "",
    status: str = "active",
    site_ids: tuple[UUID, ...] = (),
    sort: str = "-created_at",
    page: int = 1,
) -> Listing:
    """A page of the agency's keys. status: one of STATUSES; sort: one of SORTS."""
    statement = _rows(now).where(ApiKey.agency_id == agency_id)
    if status != "all":
        statement = statement.where(_status(now) == status)
    if site_ids:
        statement = statement.where(ApiKey.site_id.in_(site_ids))
    if search:
        words = f"%{search.translate(_LITERAL)}%"
        statement = statement.where(or_(ApiKey.name.ilike(words), ApiKey.shown.ilike(words), Site.name.ilike(words)))
    order: Any = {
        "name": func.lower(ApiKey.name),
        "created_at": ApiKey.created_at,
        "last_used_at": ApiKey.last_used_at,
    }[sort.removeprefix("-")]
    ordered = order.desc().nulls_last() if sort.startswith("-") else order.asc().nulls_first()
    counted = statement.add_columns(func.count().over().label("total")).order_by(ordered, ApiKey.id)
    rows = list(db.execute(counted.limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)))
    return Listing([KeyRow(*row[:-1]) for row in rows], rows[0].total if rows else 0, page)


def key_row(db: Session, *, key_id: UUID, now: datetime) -> KeyRow:
    """One key of the open agency with the names around it."""
    return KeyRow(*db.execute(_rows(now).where(ApiKey.id == key_id)).one())


def installs_of_module(db: Session, *, agency_id: UUID, module: str) -> list[UUID]:
    """The open agency's installs of a module, by its uuid, short id or slug."""
    return list(db.scalars(_OF_MODULE, {"agency": agency_id, "module": module}))


def _status(now: datetime) -> ColumnElement[str]:
    expired = and_(ApiKey.expires_at.is_not(None), ApiKey.expires_at <= now)
    return case((ApiKey.revoked_at.is_not(None), "revoked"), (expired, "expired"), else_="active")


def _rows(now: datetime) -> Any:
    return (
        select(
            ApiKey.id, ApiKey.name, ApiKey.kind, ApiKey.shown, ApiKey.scopes, ApiKey.origins, ApiKey.networks,
            ApiKey.site_id, Site.name.label("site_name"), ApiKey.install_id, _MODULE.label("module_name"),
            _CREATOR.label("creator"), ApiKey.created_at, ApiKey.expires_at, ApiKey.revoked_at, ApiKey.last_used_at,
            ApiKey.last_used_ip, _status(now).label("status"),
        )
        .join(Site, Site.id == ApiKey.site_id)
    )  # fmt: skip
