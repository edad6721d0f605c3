"""The world tests start from: Ada owns an agency, others have other roles, Olga is somewhere else.

Rows are made directly in platform scope; what a test is about it does through actions, screens or the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from app.access.actors import Actor, member
from app.access.permissions import Role
from app.accounts.models import User, UserSession
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import random_token, token_hash
from app.lib.ids import uuid7
from app.tenancy.models import Agency, Client, Membership, Site

_numbers = count(1)


def _unique(word: str) -> str:
    return f"{word}-{next(_numbers)}-{uuid7().hex[-8:]}"


@dataclass(frozen=True)
class Person:
    """A signed-in person of the tests. cookie: the value that the session cookie needs."""

    id: UUID
    email: str
    name: str
    agency_id: UUID
    role: Role
    cookie: str

    @property
    def actor(self) -> Actor:
        return member(user_id=self.id, name=self.name, agency_id=self.agency_id, role=self.role, request_id="req_test")


class World:
    def __init__(self, config: Config) -> None:
        self.config = config

    def agency(self, name: str = "Studio Lumen", **values: Any) -> Agency:
        """A new agency with nobody in it."""
        return self._add(Agency(id=uuid7(), slug=_unique("agency"), name=name, **values))

    def person(
        self, agency: Agency, role: Role | str = Role.OWNER, *, name: str = "Ada Bright", **values: Any
    ) -> Person:
        """A member of the agency with a live browser session."""
        token = random_token()
        user = User(id=uuid7(), email=f"{_unique('person')}@example.test", name=name, **values)
        with platform_scope("test world"), transaction(db.session()) as session:
            session.add(user)
            session.flush()
            session.add(Membership(id=uuid7(), agency_id=agency.id, user_id=user.id, role=Role(role).value))
            session.add(
                UserSession(
                    id=uuid7(),
                    user_id=user.id,
                    token_hash=token_hash(token),
                    agency_id_chosen=agency.id,
                    expires_at=utcnow() + timedelta(days=1),
                )
            )
        return Person(user.id, user.email, user.name, agency.id, Role(role), token)

    def client(self, agency: Agency, name: str | None = None) -> Client:
        return self._add(Client(id=uuid7(), agency_id=agency.id, name=name or _unique("Client")))

    def site(
        self, agency: Agency, *, client: Client | None = None, name: str = "Harbour Dental", **values: Any
    ) -> Site:
        """A site of the agency, with a client of its own unless one is given."""
        owner = client or self.client(agency)
        return self._add(
            Site(id=uuid7(), agency_id=agency.id, client_id=owner.id, slug=_unique("site"), name=name, **values)
        )

    def _add(self, row: Any) -> Any:
        with platform_scope("test world"), transaction(db.session()) as session:
            session.add(row)
            session.flush()
            session.refresh(row)
            session.expunge(row)
        return row
