"""Finding modules: one statement gives a page of results and what every filter would leave. The rules are in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from app.installs.models import Install
from app.lib.ids import encode

PER_PAGE = 24
MOST_PAGES = 40  # further down nobody looks: filters lead there


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked. words: as typed, the last one may be a beginning. chosen: {facet: values}, any of them will do.

    sort: "relevance", "popular", "newest", "rating", "price" or "-price". page: from 1.
    """

    words: tuple[str, ...] = ()
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "popular"
    page: int = 1


@dataclass(frozen=True, slots=True)
class Card:
    """A module as lists show it. amount: of its cheapest plan, in minor units; rating: 0 without ratings."""

    id: UUID
    slug: str
    name: str
    summary: str
    category: str
    type: str
    icon: str
    tier: str
    publisher: str
    publisher_id: str
    verified: bool
    version: str
    published_at: datetime
    price: str
    amount: int
    currency: str
    per: str
    trial_days: int
    rating: float
    ratings: int
    installs: int

    @property
    def public_id(self) -> str:
        return encode("mod", self.id)


@dataclass(frozen=True, slots=True)
class Found:
    """One page. facets: {facet: {value: modules}}, each counted as if the facet itself had no choice.

    respelt: the words that were looked for instead, when nothing has the words as typed.
    """

    items: list[Card]
    total: int
    facets: dict[str, dict[str, int]]
    respelt: tuple[str, ...]
    number: int

    @property
    def pages(self) -> int:
        """How many pages can be turned to, at most MOST_PAGES."""
        return min(MOST_PAGES, max(1, -(-self.total // PER_PAGE)))


def search(db: Session, asked: Search) -> Found:
    """Modules the agency of the current scope may find."""
    page = min(asked.page, MOST_PAGES)
    chosen = {facet: list(values) for facet, values in asked.chosen.items() if values}
    call = func.marketplace_search(
        literal(list(asked.words), ARRAY(Text)), literal(chosen, JSONB), asked.sort, PER_PAGE, (page - 1) * PER_PAGE
    )
    found: dict[str, Any] = db.scalars(select(call)).one()
    return Found(
        items=[card_of(item) for item in found["items"]],
        total=found["total"],
        facets=found["facets"],
        respelt=tuple(found["respelt"] or ()),
        number=page,
    )


def card_of(item: Mapping[str, Any]) -> Card:
    """A card from marketplace_search()'s JSON."""
    values = {name: item[name] for name in _SAME}
    return Card(
        id=UUID(item["module_id"]),
        publisher_id=encode("agc", UUID(item["agency_id"])),
        published_at=datetime.fromisoformat(item["published_at"]),
        **values,
    )


def card_from(row: Mapping[str, Any]) -> Card:
    """A card from a row of marketplace_listings."""
    values = {name: row[name] for name in _SAME} | {"rating": float(row["rating"])}
    return Card(
        id=row["module_id"], publisher_id=encode("agc", row["agency_id"]), published_at=row["published_at"], **values
    )


_SAME = tuple(name for name in Card.__slots__ if name not in ("id", "publisher_id", "published_at"))


def installed_among(db: Session, module_ids: list[UUID]) -> set[UUID]:
    """Those modules that the agency has on a site."""
    query = select(Install.module_id).where(Install.module_id.in_(module_ids), Install.status != "removed")
    return set(db.scalars(query.distinct()))
