"""Listings and what surrounds them: publishers, collections, measures, ratings, enrolments, wishes, requests."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import FetchedValue, ForeignKey, Identity, Numeric, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


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


class Collection(Identified, Base):
    """A shelf of the marketplace. kind: "curated" holds what staff put on it; popular, new, top_rated, free are worked out."""

    __tablename__ = "module_collections"
    public_prefix = "col"

    slug: Mapped[str]
    name: Mapped[str]
    summary: Mapped[str] = mapped_column(server_default="", default="")
    kind: Mapped[str]
    place: Mapped[int]
    shown: Mapped[bool] = mapped_column(server_default="false", default=False)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class CollectionItem(Base):
    __tablename__ = "module_collection_items"

    collection_id: Mapped[UUID] = mapped_column(
        ForeignKey("module_collections.id", ondelete="CASCADE"), primary_key=True
    )
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int]


class Measures(Base):
    """What was measured of a module in the last 30 days, over all agencies."""

    __tablename__ = "marketplace_measures"

    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"), primary_key=True)
    calls: Mapped[int]
    call_errors: Mapped[int]
    call_p95_ms: Mapped[float | None]
    runs: Mapped[int]
    run_errors: Mapped[int]
    run_p95_ms: Mapped[float | None]
    upgrades: Mapped[int]
    upgrade_failures: Mapped[int]
    tried: Mapped[int]
    left_soon: Mapped[int]
    measured_at: Mapped[datetime]


class Related(Base):
    """How many sites have both modules; only pairs that at least three agencies have."""

    __tablename__ = "marketplace_related"

    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"), primary_key=True)
    sites: Mapped[int]


class Rating(Identified, Base):
    """What one agency says of one major version of a module. author: its name then. helpful: votes, kept by a trigger."""

    __tablename__ = "module_ratings"
    public_prefix = "rtg"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"))
    major: Mapped[int]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    author: Mapped[str]
    stars: Mapped[int]
    text: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(FetchedValue())
    answered_at: Mapped[datetime | None] = mapped_column(FetchedValue())
    helpful: Mapped[int] = mapped_column(FetchedValue())
    hidden_at: Mapped[datetime | None] = mapped_column(FetchedValue())
    hidden_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), FetchedValue())
    hidden_why: Mapped[str] = mapped_column(FetchedValue())


class Vote(Base):
    """An agency found a rating helpful."""

    __tablename__ = "module_rating_votes"

    rating_id: Mapped[UUID] = mapped_column(ForeignKey("module_ratings.id", ondelete="CASCADE"), primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)


class Report(Base):
    """An agency asks staff to look at a rating. reason: spam, abuse, personal or untrue."""

    __tablename__ = "module_rating_reports"

    rating_id: Mapped[UUID] = mapped_column(ForeignKey("module_ratings.id", ondelete="CASCADE"), primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class ActiveDays(Base):
    """On how many days an agency had a major version of a module active somewhere."""

    __tablename__ = "module_active_days"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"), primary_key=True)
    major: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int]
    last_day: Mapped[date]


class Enrolment(Base):
    """An agency that a publisher lets into a module's beta programme. level: beta, or alpha for what is not finished too."""

    __tablename__ = "module_enrolments"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"), primary_key=True)
    level: Mapped[str]
    agency_name: Mapped[str]
    enrolled_at: Mapped[datetime]


class Wish(Base):
    """A module that an agency keeps for later."""

    __tablename__ = "module_wishes"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime]


class Request(Identified, Base):
    """A module that an agency wants and that does not exist yet. state: open, planned, done, declined."""

    __tablename__ = "module_requests"
    public_prefix = "rqs"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    author: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    category: Mapped[str]
    state: Mapped[str] = mapped_column(FetchedValue())
    answer: Mapped[str] = mapped_column(FetchedValue())
    votes: Mapped[int] = mapped_column(FetchedValue())
    created_at: Mapped[datetime]


class RequestVote(Base):
    """An agency wants what another one asked for."""

    __tablename__ = "module_request_votes"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("module_requests.id", ondelete="CASCADE"), primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)
