"""Who is asking: from the cookie's token to a Person, in one statement, and back into a cookie."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, current_app, request
from flask_login import LoginManager, UserMixin
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app.access.permissions import ROLE_PERMISSIONS, SUPPORT_PERMISSIONS, Permission, Role
from app.accounts.models import UserSession
from app.config import Config
from app.db.base import db
from app.db.scope import Scope, identity_scope, support_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.lib.ids import encode
from app.lib.sql import load_sql

SEEN_EVERY = timedelta(minutes=5)  # how exact "last seen" is: a write for every page would buy nothing
STAYS = timedelta(days=30)  # the browser forgets the cookie then; the table decides earlier


@dataclass(frozen=True, slots=True)
class SupportVisit:
    """By which leave one of the platform's staff looks at an agency, why, and until when."""

    access_id: UUID
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AgencyOfPerson:
    """One agency a person belongs to, or as platform staff may look at: then visit says by which leave.

    suspended: the platform has closed it for now. support: "active" while support may look at it, "asked" while it waits for
    leave, '' else.
    """

    agency_id: UUID
    agency_name: str
    agency_slug: str
    hue: int
    role: Role
    suspended: bool
    support: str = ""
    visit: SupportVisit | None = None

    @property
    def public_id(self) -> str:
        return encode("agc", self.agency_id)

    @property
    def permissions(self) -> frozenset[Permission]:
        return SUPPORT_PERMISSIONS if self.visit else ROLE_PERMISSIONS[self.role]

    def scope(self, user_id: UUID) -> AbstractContextManager[Scope]:
        """The agency's rows for this person; of a visit only to look at."""
        if self.visit is None:
            return tenant_scope(self.agency_id, user_id=user_id)
        return support_scope(self.agency_id, access_id=self.visit.access_id, user_id=user_id)


@dataclass(frozen=True, slots=True, eq=False)
class Person(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A signed-in person. membership: the current agency, None when there is none or it is suspended."""

    id: UUID
    name: str
    email: str
    staff_role: str | None
    time_zone: str
    locale: str
    session_id: UUID
    memberships: tuple[AgencyOfPerson, ...]
    current: AgencyOfPerson | None

    @property
    def membership(self) -> AgencyOfPerson | None:
        return None if self.current is None or self.current.suspended else self.current

    def get_id(self) -> str:
        return encode("usr", self.id)


def register_identity(app: Flask) -> None:
    """Make Flask-Login read our cookie; nothing of a person is kept in Flask's own session."""
    manager = LoginManager()
    manager.session_protection = None  # the session is ours and lives in the database
    manager.request_loader(_load_person)
    manager.init_app(app, add_context_processor=False)


def cookie_name(config: Config) -> str:
    """`__Host-` binds the cookie to this host and https; plain http of development cannot carry that prefix."""
    return "__Host-dramac" if config.secure_cookies else "dramac_session"


def remember(response: Response, token: str) -> Response:
    """Put a session's token into the browser."""
    config: Config = current_app.config["DRAMAC"]
    response.set_cookie(
        cookie_name(config),
        token,
        max_age=STAYS,
        secure=config.secure_cookies,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def forget(response: Response) -> Response:
    """Take the token out of the browser."""
    config: Config = current_app.config["DRAMAC"]
    response.delete_cookie(cookie_name(config), secure=config.secure_cookies, httponly=True, samesite="Lax", path="/")
    return response


def token_of(asking: Request) -> str | None:
    """The session token the browser sent."""
    return asking.cookies.get(cookie_name(current_app.config["DRAMAC"])) or None


def find_person(session: Session, *, token: str, now: datetime) -> Person | None:
    """The person whose live session this token is, in one statement; notes that they were seen, at most every 5 min."""
    row = session.execute(
        text(load_sql("accounts/identity")), {"token_hash": token_hash(token), "now": now}
    ).one_or_none()
    if row is None:
        return None
    if row.last_seen_at < now - SEEN_EVERY:
        session.execute(
            update(UserSession).where(UserSession.id == row.session_id).values(last_seen_at=now, ip=_address())
        )
    agencies = tuple(
        AgencyOfPerson(
            agency_id=UUID(item["agency_id"]),
            agency_name=item["agency_name"],
            agency_slug=item["agency_slug"],
            hue=item["hue"],
            role=Role(item["role"]),
            suspended=item["suspended"],
            support=item["support"] or "",
        )
        for item in row.memberships
    )
    return Person(
        id=row.id,
        name=row.name,
        email=row.email,
        staff_role=row.staff_role,
        time_zone=row.time_zone,
        locale=row.locale,
        session_id=row.session_id,
        memberships=agencies,
        current=_visited(row.visit) or _current(agencies, row.agency_id_chosen),
    )


def _visited(visit: dict[str, Any] | None) -> AgencyOfPerson | None:
    if visit is None:
        return None
    return AgencyOfPerson(
        agency_id=UUID(visit["agency_id"]),
        agency_name=visit["agency_name"],
        agency_slug=visit["agency_slug"],
        hue=visit["hue"],
        role=Role.VIEWER,  # of what they may do the permissions of a visit decide
        suspended=False,
        visit=SupportVisit(UUID(visit["access_id"]), visit["reason"], datetime.fromisoformat(visit["until"])),
    )


def _current(agencies: tuple[AgencyOfPerson, ...], chosen: UUID | None) -> AgencyOfPerson | None:
    """The chosen agency while the person still belongs to it, else the first that is open, else the first."""
    wanted = next((agency for agency in agencies if agency.agency_id == chosen), None)
    return wanted or next((agency for agency in agencies if not agency.suspended), next(iter(agencies), None))


def _address() -> str | None:
    return request.remote_addr if request else None


def _load_person(asking: Request) -> Person | None:
    token = token_of(asking)
    if token is None:
        return None
    with identity_scope(), transaction(db.session()) as session:
        return find_person(session, token=token, now=utcnow())
