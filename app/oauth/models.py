"""external_oauth_clients, _grants, _codes, _tokens, and how long each of them lasts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.access.permissions import Permission
from app.db.base import Base, Created, Identified

SCOPES = {
    "read": "Read records",
    "write": "Create and change records",
    "delete": "Delete records",
    "events": "Read the event stream",
    "functions": "Call the module's own routes",
}
# What the person's own role must allow for a scope to have effect: a program never does more than whoever let it in.
SCOPE_NEEDS = {
    "read": Permission.RECORDS_VIEW,
    "write": Permission.RECORDS_EDIT,
    "delete": Permission.RECORDS_DELETE,
    "events": Permission.RECORDS_VIEW,
    "functions": Permission.RECORDS_EDIT,
}
CODE_LASTS = timedelta(seconds=60)
ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(days=30)  # without use
GRANT_LASTS = timedelta(days=90)  # whatever the use
CODE_PREFIX, ACCESS_PREFIX, REFRESH_PREFIX, SECRET_PREFIX = "dmc_ac_", "dmc_at_", "dmc_rt_", "dmc_cs_"


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


class Application(Identified, Created, Base):
    """A program that people may let in; its public id is the client_id. agency_id: who publishes it."""

    __tablename__ = "external_oauth_clients"
    public_prefix = "app"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    name: Mapped[str]
    kind: Mapped[str]
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text))
    origins: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grant_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_made_at: Mapped[datetime | None]
    earlier_secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    earlier_secret_made_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    deleted_at: Mapped[datetime | None]


class Grant(Identified, Base):
    """One person's consent for one site. All tokens made from it are one family.

    user_id None: what an agency lets an application of its own do by itself; it has no end then unless revoked.
    """

    __tablename__ = "external_oauth_grants"
    public_prefix = "gnt"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID | None]
    client_id: Mapped[UUID]
    own_client_id: Mapped[UUID | None] = mapped_column(Computed("CASE WHEN user_id IS NULL THEN client_id END"))
    user_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Code(Identified, Base):
    """An authorization code, kept as its hash; bound to application, address, challenge, person and site."""

    __tablename__ = "external_oauth_codes"
    public_prefix = "cde"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID | None]
    client_id: Mapped[UUID]
    user_id: Mapped[UUID]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    grant_id: Mapped[UUID | None]

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.scopes)


class Token(Identified, Base):
    """An access or a refresh token, kept as its hash."""

    __tablename__ = "external_oauth_tokens"
    public_prefix = "tok"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    grant_id: Mapped[UUID]
    client_id: Mapped[UUID]
    kind: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def get_scope(self) -> str:
        return " ".join(self.scopes)

    def check_client(self, client: HasId) -> bool:
        return self.client_id == client.id
