"""agencies, memberships, invitations, clients, sites."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.db.base import Base, Created, Identified


class Agency(Identified, Created, Base):
    """A web agency: the tenant. hue: 1 to 10, the colour of its tile. logo: sha256 of its picture, or ""."""

    __tablename__ = "agencies"
    public_prefix = "agc"

    slug: Mapped[str]
    name: Mapped[str]
    hue: Mapped[int] = mapped_column(SmallInteger, server_default="1", default=1)
    logo: Mapped[str] = mapped_column(server_default="", default="")
    time_zone: Mapped[str] = mapped_column(server_default="UTC", default="UTC")
    currency: Mapped[str] = mapped_column(server_default="EUR", default="EUR")
    suspended_at: Mapped[datetime | None]


class Membership(Identified, Created, Base):
    """A person in an agency, with a role of access.permissions.Role."""

    __tablename__ = "memberships"
    public_prefix = "mbr"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str]
    user: Mapped[User] = relationship(lazy="raise")


class Invitation(Identified, Created, Base):
    __tablename__ = "invitations"
    public_prefix = "inv"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    email: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Client(Identified, Created, Base):
    """A customer of the agency; owns sites."""

    __tablename__ = "clients"
    public_prefix = "cli"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    name: Mapped[str]
    contact_name: Mapped[str] = mapped_column(server_default="", default="")
    contact_email: Mapped[str] = mapped_column(server_default="", default="")
    notes: Mapped[str] = mapped_column(server_default="", default="")
    archived_at: Mapped[datetime | None]


class Site(Identified, Created, Base):
    """A web site of a client. slug: unique over all agencies, part of public addresses."""

    __tablename__ = "sites"
    public_prefix = "ste"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "client_id"], ["clients.agency_id", "clients.id"]),)

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    client_id: Mapped[UUID]
    slug: Mapped[str]
    name: Mapped[str]
    url: Mapped[str] = mapped_column(server_default="", default="")
    time_zone: Mapped[str] = mapped_column(server_default="UTC", default="UTC")
    locale: Mapped[str] = mapped_column(server_default="en", default="en")
    currency: Mapped[str] = mapped_column(server_default="EUR", default="EUR")
    archived_at: Mapped[datetime | None]
    client: Mapped[Client] = relationship(
        lazy="raise",
        primaryjoin="and_(Site.agency_id == Client.agency_id, Site.client_id == Client.id)",
        foreign_keys="[Site.agency_id, Site.client_id]",
        viewonly=True,
    )
