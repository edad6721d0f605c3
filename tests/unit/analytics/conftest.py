"""Events as the queue writes them, and the sums of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.analytics import jobs
from app.analytics.writing import Row, write_rows
from app.config import Config
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.ids import uuid7
from tests.support.modules import Installed, put_on, release
from tests.support.packages import first_party, package
from tests.support.world import World


@dataclass
class Counted:
    """A site whose events a test writes. zone: of the site."""

    install: Installed
    zone: str
    rows: list[Row] = field(default_factory=list)

    @property
    def site(self) -> Any:
        return self.install.site

    def add(self, event: str = "view", *, at: datetime, visitor: int | None = 1, **more: Any) -> None:
        """Queue an event; `write` writes all that are queued. own: it is of a page of the site's own."""
        own = more.pop("own", False)
        values: dict[str, Any] = {
            "name": "", "version": "1.0.0", "page": "contact", "page_id": None, "value": 0, "surface": "frame",
            "place": "shop.example", "referrer": "", "language": "en", "country": "", "device": "phone", "browser": "Firefox",
            "system": "Android",
        } | more  # fmt: skip
        install = (None, None) if own else (self.install.id, self.install.released.module_id)
        self.rows.append(
            (
                at, self.site.agency_id, self.site.id, *install, event, values["name"], values["version"], values["page"],
                values["page_id"], visitor, values["value"], values["surface"], values["place"], values["referrer"],
                values["language"], values["country"], values["device"], values["browser"], values["system"],
            )
        )  # fmt: skip

    def write(self) -> None:
        with runtime_pool().connection() as connection:
            write_rows(connection, self.rows)
        self.rows = []

    def sums(self, **where: Any) -> dict[tuple[Any, ...], tuple[int, int, int, int]]:
        """{(day, grain, level, subject, event, dimension, value, bucket): (count, visitors, repeats, total)}."""
        chosen = "".join(f" AND {name} = :{name}" for name in where)
        found = self.ask(
            "SELECT day, grain, level, subject_id, event, dimension, value, bucket, count, visitors, repeats, total "
            f"FROM module_analytics_aggregates WHERE site_id = :site{chosen}",
            **where,
        )
        return {row[:8]: row[8:] for row in found}

    def of(self, event: str, **where: Any) -> list[tuple[int, int]]:
        """(count, visitors) of each day of the whole site, or of what is named."""
        chosen = {"grain": "day", "level": "site", "dimension": "", "event": event} | where
        return [(value[0], value[1]) for _, value in sorted(self.sums(**chosen).items())]

    def ask(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with platform_scope("test"), transaction(db.session()) as session:
            found = session.execute(text(statement), {"site": self.site.id, **values})
            return [tuple(row) for row in found] if found.returns_rows else []


Count = Callable[..., Counted]


@pytest.fixture
def counted(world: World, config: Config) -> Count:
    """`counted(zone)`: a site with the enquiries module."""

    def make(zone: str = "Europe/Lisbon", agency: Any = None) -> Counted:
        released = release(package(first_party("enquiries")), world.agency("Publisher"))
        site = world.site(agency or world.agency(), time_zone=zone)
        return Counted(put_on(released, site, config=config), zone)

    return make


@pytest.fixture
def days(app_context: None) -> None:
    """Partitions of the last ninety days."""
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("SELECT analytics_partitions(90, 7, 90)"))


def at(days_ago: int, hour: int = 12, minute: int = 0) -> datetime:
    today = datetime.now(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def some_events(counted: Counted, seed: int, number: int, *, within_days: int = 6) -> None:
    """Events of all kinds at random moments of the last days."""
    chance = random.Random(seed)
    for _ in range(number):
        event = chance.choice(["view", "view", "view", "mount", "start", "submit", "click", "error", "time", "custom"])
        counted.add(
            event, at=at(chance.randrange(within_days), chance.randrange(24), chance.randrange(60)),
            visitor=chance.randrange(1, 12), own=chance.random() < 0.2, page=chance.choice(["a", "b", "c"]),
            name=chance.choice(["x", "y"]) if event in ("click", "custom", "error") else "",
            value=chance.randrange(5000) if event in ("time", "custom") else 0, version=chance.choice(["1.0.0", "1.1.0"]),
            surface=chance.choice(["frame", "direct"]), place=chance.choice(["a.example", "b.example"]),
            referrer=chance.choice(["", "search.example"]), language=chance.choice(["pt", "en", ""]),
            device=chance.choice(["phone", "computer"]),
        )  # fmt: skip


def sum_up() -> int:
    return jobs.sum_up()


def new_id() -> UUID:
    return uuid7()
