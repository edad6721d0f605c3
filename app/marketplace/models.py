"""marketplace_listings and marketplace_publishers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class Listing(Base):
    """A released module as the marketplace shows it. Written by triggers; a job writes rating, ratings and installs.

    price: free, trial or paid; amount in minor units of currency, per month, year or once, of the cheapest plan.
    """

    __tablename__ = "marketplace_listings"

    module_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    ordinal: Mapped[int] = mapped_column(Identity(always=True))
    fresh: Mapped[bool]
    slug: Mapped[str]
    name: Mapped[str]
    plain_name: Mapped[str]
    summary: Mapped[str]
    category: Mapped[str]
    type: Mapped[str]
    icon: Mapped[str]
    tier: Mapped[str]
    publisher: Mapped[str]
    verified: Mapped[bool]
    version: Mapped[str]
    published_at: Mapped[datetime]
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    price: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    per: Mapped[str]
    trial_days: Mapped[int]
    monthly: Mapped[int]
    rating: Mapped[Decimal] = mapped_column(Numeric(3, 2))
    ratings: Mapped[int]
    installs: Mapped[int]
    head: Mapped[str] = mapped_column(TSVECTOR, deferred=True)
    document: Mapped[str] = mapped_column(TSVECTOR, deferred=True)


class Publisher(Base):
    """An agency whose identity platform staff has checked."""

    __tablename__ = "marketplace_publishers"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)
    verified_at: Mapped[datetime]
    verified_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
