"""Reads of tenancy: lists a page at a time, the home page, counters. Each function is one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, func, literal_column, or_, select, text
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.lib.crypto import token_hash
from app.lib.ids import encode
from app.lib.sql import load_sql
from app.tenancy.models import Agency, Client, Invitation, Membership, Site

PAGE_ROWS = 25

COUNTS = text(
    "SELECT (SELECT count(*) FROM sites WHERE archived_at IS NULL) AS sites, "
    "(SELECT count(*) FROM clients WHERE archived_at IS NULL) AS clients, "
    "(SELECT count(*) FROM modules_v2 WHERE status <> 'removed') AS installs"
)
# as SQL text, for installs belong to a package above this one
MODULES_ON_SITE: ColumnElement[int] = literal_column(
    "(SELECT count(*) FROM modules_v2 i WHERE i.site_id = sites.id AND i.status <> 'removed')", Integer
)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list. rows: of the page; total: of all pages; page counts from 1."""

    rows: list[Any]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_ROWS))


@dataclass(frozen=True, slots=True)
class Identified:
    """A row's uuid, and the public id made from it."""

    prefix: str
    id: UUID

    @property
    def public_id(self) -> str:
        return encode(self.prefix, self.id)


@dataclass(frozen=True, slots=True)
class SiteRow(Identified):
    name: str
    slug: str
    url: str
    archived_at: datetime | None
    created_at: datetime
    client_id: UUID
    client_name: str
    modules: int

    @property
    def client_public_id(self) -> str:
        return encode("cli", self.client_id)


@dataclass(frozen=True, slots=True)
class ClientRow(Identified):
    name: str
    contact_name: str
    contact_email: str
    archived_at: datetime | None
    created_at: datetime
    sites: int


@dataclass(frozen=True, slots=True)
class MemberRow(Identified):
    user_id: UUID
    name: str
    email: str
    role: str
    created_at: datetime
    disabled: bool


@dataclass(frozen=True, slots=True)
class InvitationRow(Identified):
    email: str
    role: str
    created_at: datetime
    expires_at: datetime
    inviter: str | None


@dataclass(frozen=True, slots=True)
class InstallRow(Identified):
    """A module on a site, as far as this package may know it."""

    module_name: str
    icon: str
    slug: str
    version: str
    status: str
    failure: str
    installed_at: datetime


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that waits for somebody. alike: how many of its kind there are.

    kind: install_failed, install_paused, invitation_expired, site_empty.
    """

    kind: str
    target: UUID
    name: str
    detail: str
    at: datetime
    site_id: UUID | None
    alike: int

    @property
    def site_public_id(self) -> str | None:
        return encode("ste", self.site_id) if self.site_id else None

    @property
    def install_public_id(self) -> str:
        """Of the kinds about an install."""
        return encode("ins", self.target)


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the audit trail, for people."""

    number: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    target: str
    target_name: str


def counts(db: Session) -> dict[str, int]:
    """How many sites, clients and installs the open agency has, by the sidebar's keys."""
    return dict(db.execute(COUNTS).one()._mapping)


def concerns(db: Session, *, now: datetime) -> list[Concern]:
    """What needs attention in the open agency, the most urgent kind first; the latest three of each kind."""
    rows = db.execute(text(load_sql("tenancy/concerns")), {"now": now})
    return [Concern(*row) for row in rows]


def recent_activity(
    db: Session, *, agency_id: UUID, actions: list[str], targets: list[str] | None = None, limit: int = 10
) -> list[Activity]:
    """The latest lines of the audit trail whose action is one of `actions`; about `targets` when given."""
    rows = db.execute(
        text(load_sql("tenancy/recent_activity")),
        {"agency_id": agency_id, "actions": actions, "targets": targets, "limit": limit},
    )
    return [Activity(*row) for row in rows]


def _states(column: Any, status: str) -> list[ColumnElement[bool]]:
    return {"active": [column.is_(None)], "archived": [column.is_not(None)]}.get(status, [])


def _like(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _page(db: Session, statement: Any, *, page: int) -> tuple[list[Any], int]:
    """The rows of a page and the total of all; the total is the last column and 0 for a page past the end."""
    counted = statement.add_columns(func.count().over().label("total"))
    rows = list(db.execute(counted.limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)))
    return rows, rows[0].total if rows else 0


def sites(
    db: Session,
    *,
    agency_id: UUID,
    search: str = "",
    status: str = "active",
    client_ids: tuple[UUID, ...] = (),
    sort: str = "name",
    page: int = 1,
) -> Listing:
    """sort: name, client, modules or created_at, with a hyphen before it for descending. status: active, archived, all."""
    statement = _site_columns().where(Site.agency_id == agency_id, *_states(Site.archived_at, status))
    if search:
        words = _like(search)
        statement = statement.where(or_(Site.name.ilike(words), Site.url.ilike(words), Client.name.ilike(words)))
    if client_ids:
        statement = statement.where(Site.client_id.in_(client_ids))
    orders: dict[str, Any] = {
        "name": func.lower(Site.name),
        "client": func.lower(Client.name),
        "modules": MODULES_ON_SITE,
        "created_at": Site.created_at,
    }
    rows, total = _page(db, _ordered(statement, orders, sort, Site.id), page=page)
    return Listing([_site_row(row) for row in rows], total, page)


def sites_of_client(db: Session, *, agency_id: UUID, client_id: UUID) -> list[SiteRow]:
    """Every site of one client, those in use first; at most 200."""
    statement = _site_columns().where(Site.agency_id == agency_id, Site.client_id == client_id)
    rows = db.execute(statement.order_by(Site.archived_at.is_not(None), func.lower(Site.name)).limit(200))
    return [_site_row(row) for row in rows]


def newest_sites(db: Session, *, agency_id: UUID, limit: int = 6) -> list[SiteRow]:
    """The latest sites in use."""
    statement = _site_columns().where(Site.agency_id == agency_id, Site.archived_at.is_(None))
    return [_site_row(row) for row in db.execute(statement.order_by(Site.created_at.desc(), Site.id).limit(limit))]


def _site_columns() -> Any:
    return select(
        Site.id,
        Site.name,
        Site.slug,
        Site.url,
        Site.archived_at,
        Site.created_at,
        Site.client_id,
        Client.name.label("client_name"),
        MODULES_ON_SITE.label("modules"),
    ).join(Client, (Client.agency_id == Site.agency_id) & (Client.id == Site.client_id))


def _site_row(row: Any) -> SiteRow:
    return SiteRow("ste", *tuple(row)[:9])


def _ordered(statement: Select[Any], orders: dict[str, Any], sort: str, last: Any) -> Select[Any]:
    column = orders[sort.lstrip("-")]
    return statement.order_by(column.desc() if sort.startswith("-") else column.asc(), last)


def installs_on(db: Session, *, site_id: UUID) -> list[InstallRow]:
    """What is installed on a site, by name."""
    rows = db.execute(text(load_sql("tenancy/installs_on_site")), {"site_id": site_id})
    return [InstallRow("ins", *row) for row in rows]


def clients(
    db: Session, *, agency_id: UUID, search: str = "", status: str = "active", sort: str = "name", page: int = 1
) -> Listing:
    """sort: name, sites or created_at, with a hyphen before it for descending. status: active, archived, all."""
    in_use = (
        select(func.count())
        .select_from(Site)
        .where(Site.agency_id == Client.agency_id, Site.client_id == Client.id, Site.archived_at.is_(None))
        .correlate(Client)
        .scalar_subquery()
        .label("sites")
    )
    statement = select(
        Client.id, Client.name, Client.contact_name, Client.contact_email, Client.archived_at, Client.created_at, in_use
    ).where(Client.agency_id == agency_id, *_states(Client.archived_at, status))
    if search:
        words = _like(search)
        statement = statement.where(
            or_(Client.name.ilike(words), Client.contact_name.ilike(words), Client.contact_email.ilike(words))
        )
    orders = {"name": func.lower(Client.name), "sites": in_use, "created_at": Client.created_at}
    rows, total = _page(db, _ordered(statement, orders, sort, Client.id), page=page)
    return Listing([ClientRow("cli", *tuple(row)[:7]) for row in rows], total, page)


def client_choices(db: Session, *, agency_id: UUID, with_id: UUID | None = None) -> list[tuple[str, str]]:
    """(public id, name) of every client in use, and of one more that a form has to show; by name, at most 1,000."""
    rows = db.execute(
        select(Client.id, Client.name)
        .where(Client.agency_id == agency_id, or_(Client.archived_at.is_(None), Client.id == with_id))
        .order_by(func.lower(Client.name))
        .limit(1000)
    )
    return [(encode("cli", row.id), row.name) for row in rows]


def members(db: Session, *, agency_id: UUID, search: str = "", role: str = "", page: int = 1) -> Listing:
    """People of the agency by name."""
    statement = (
        select(
            Membership.id, User.id, User.name, User.email, Membership.role, Membership.created_at,
            User.disabled_at.is_not(None),
        )
        .join(User, User.id == Membership.user_id)
        .where(Membership.agency_id == agency_id)
        .order_by(func.lower(User.name), Membership.id)
    )  # fmt: skip
    if search:
        statement = statement.where(or_(User.name.ilike(_like(search)), User.email.ilike(_like(search))))
    if role:
        statement = statement.where(Membership.role == role)
    rows, total = _page(db, statement, page=page)
    return Listing([MemberRow("mbr", *tuple(row)[:7]) for row in rows], total, page)


def member_named(db: Session, *, membership: Membership) -> User:
    """Whose membership it is."""
    return db.get_one(User, membership.user_id)


def invitations(db: Session, *, agency_id: UUID) -> list[InvitationRow]:
    """Those that nobody has used or withdrawn, also expired ones, newest first; at most 200."""
    rows = db.execute(
        select(
            Invitation.id, Invitation.email, Invitation.role, Invitation.created_at, Invitation.expires_at, User.name
        )
        .outerjoin(User, User.id == Invitation.invited_by)
        .where(Invitation.agency_id == agency_id, Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
        .order_by(Invitation.created_at.desc())
        .limit(200)
    )
    return [InvitationRow("inv", *row) for row in rows]


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """What the page behind an invitation's link shows. has_account: the address already has one."""

    agency_id: UUID
    agency_name: str
    hue: int
    email: str
    role: str
    expires_at: datetime
    inviter: str | None
    has_account: bool


def open_invitation(db: Session, *, token: str, now: datetime) -> OpenInvitation | None:
    """The invitation behind a token, while it can be accepted. Needs identity_scope()."""
    inviter = select(User.name).where(User.id == Invitation.invited_by).scalar_subquery()
    known = select(func.count()).select_from(User).where(User.email == Invitation.email).scalar_subquery()
    row = db.execute(
        select(
            Invitation.agency_id, Agency.name, Agency.hue, Invitation.email, Invitation.role, Invitation.expires_at,
            inviter, known > 0,
        )
        .join(Agency, Agency.id == Invitation.agency_id)
        .where(
            Invitation.token_hash == token_hash(token),
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now,
            Agency.suspended_at.is_(None),
        )
    ).one_or_none()  # fmt: skip
    return OpenInvitation(*row) if row else None


def found(db: Session, *, agency_id: UUID, words: str, limit: int = 6) -> list[tuple[str, str, str]]:
    """(kind, public id, name) of sites and clients in use whose name has the words: what the palette jumps to."""
    rows = db.execute(text(load_sql("tenancy/found")), {"agency_id": agency_id, "words": _like(words), "limit": limit})
    return [(row.kind, encode("ste" if row.kind == "site" else "cli", row.id), row.name) for row in rows]
