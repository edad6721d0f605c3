"""Visits to the sites of the demo world in the past weeks, written as the queue writes what really happens. Made up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.analytics.writing import Row, write_rows
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope
from app.db.session import transaction
from app.queue.enqueue import wake

Choice = TypeVar("Choice")
DAYS = 60
BATCH = 4000
# how busy each hour of a day is, from midnight
_HOURS = (1, 1, 0, 0, 0, 1, 2, 5, 9, 12, 13, 12, 10, 11, 12, 11, 10, 9, 8, 9, 10, 8, 5, 2)
_WEEK = (1.0, 1.05, 1.1, 1.05, 0.95, 0.55, 0.5)
_LANGUAGES = (("pt", 62), ("en", 24), ("es", 6), ("fr", 5), ("de", 3))
_ENGLISH = (("en", 91), ("pl", 4), ("fr", 3), ("pt", 2))
_AGENTS = (
    (("phone", "Safari", "iPhone"), 34), (("phone", "Chrome", "Android"), 27), (("computer", "Chrome", "Windows"), 19),
    (("computer", "Safari", "macOS"), 9), (("computer", "Firefox", "Linux"), 4), (("computer", "Edge", "Windows"), 4),
    (("tablet", "Safari", "iPad"), 3),
)  # fmt: skip
_REFERRERS = (
    ("", 52),
    ("google.com", 28),
    ("instagram.com", 9),
    ("facebook.com", 6),
    ("bing.com", 3),
    ("duckduckgo.com", 2),
)
_ERRORS = ("map is not defined", "Failed to fetch", "Cannot read properties of null (reading 'value')")
_PLACES = text(
    """
    SELECT s.agency_id, s.id, s.slug, s.time_zone, s.url, i.id AS install_id, i.module_id, v.version,
           l.paths, l.pages
    FROM modules_v2 i JOIN sites s ON s.id = i.site_id JOIN module_versions v ON v.id = i.version_id
    JOIN module_source m ON m.id = i.module_id
    CROSS JOIN LATERAL (SELECT array_agg(p.path ORDER BY p.menu_order, p.path) AS paths,
                               array_agg(p.id ORDER BY p.menu_order, p.path) AS pages
                        FROM site_pages p WHERE p.site_id = s.id AND p.published_at IS NOT NULL) l
    WHERE m.slug = 'enquiries' AND i.status = 'active' AND s.slug = ANY (:slugs)
      AND NOT EXISTS (SELECT FROM module_analytics_events e
                      WHERE e.agency_id = s.agency_id AND e.site_id = s.id AND e.event = 'view')
    """
)
_BUSY = {"harbour-dental": 42, "quinta-da-oliveira": 26, "aldergate": 17}  # visitors on a working day


@dataclass(frozen=True, slots=True)
class Place:
    """A site with the enquiries module. paths, pages: of its own live pages."""

    agency_id: UUID
    site_id: UUID
    slug: str
    time_zone: str
    url: str
    install_id: UUID
    module_id: UUID
    version: str
    paths: list[str] | None
    pages: list[UUID] | None


def make_visits(*, now: datetime) -> None:
    """Sixty days of visits to each of the sites that has none yet, and an order to sum them up."""
    with platform_scope("visits of the demo world"), transaction(db.session()) as session:
        session.execute(text("SELECT analytics_partitions(:days, 7, 90)"), {"days": DAYS + 1})
        places = [Place(*row) for row in session.execute(_PLACES, {"slugs": list(_BUSY)})]
    rows = [row for place in places for row in _visits(place, now)]
    with runtime_pool().connection() as connection:
        for start in range(0, len(rows), BATCH):
            write_rows(connection, rows[start : start + BATCH])
    wake("analytics.sum_up")


def _visits(place: Place, now: datetime) -> list[Row]:
    chance = random.Random(place.slug)  # noqa: S311  # the same on every machine, and no secret
    today = now.astimezone(ZoneInfo(place.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows: list[Row] = []
    for back in range(DAYS, -1, -1):
        day = today - timedelta(days=back)
        growth = 1 + 0.35 * (DAYS - back) / DAYS
        people = round(_BUSY[place.slug] * growth * _WEEK[day.weekday()] * chance.uniform(0.82, 1.18))
        for _ in range(people):
            hour = chance.choices(range(24), _HOURS)[0]
            came = day + timedelta(hours=hour, minutes=chance.randrange(60), seconds=chance.randrange(60))
            rows += [row for row in _visit(place, came, chance) if row[0] < now]
    return rows


def _visit(place: Place, came: datetime, chance: random.Random) -> list[Row]:
    """One person: a page or three of the site's own where it has some, then perhaps the form."""
    visitor = chance.randrange(-(2**63), 2**63)
    language = _one(chance, _ENGLISH if place.time_zone == "Europe/London" else _LANGUAGES)
    agent = _one(chance, _AGENTS)
    host = place.url.removeprefix("https://")
    referrer = _one(chance, _REFERRERS)
    who = (language, "", *agent)
    found: list[Row] = []
    if place.paths and place.pages:
        for number in range(chance.choices((1, 2, 3), (55, 30, 15))[0]):
            at = came + timedelta(seconds=number * chance.randrange(15, 90))
            which = 0 if number == 0 and chance.random() < 0.7 else chance.randrange(len(place.paths))
            found.append(
                (at, place.agency_id, place.site_id, None, None, "view", "", "", place.paths[which], place.pages[which], visitor, 0,
                 "site", host, referrer if number == 0 else "", *who)
            )  # fmt: skip
        if chance.random() > 0.45:
            return found
    surface = _one(chance, (("frame", 88), ("direct", 12)))
    opened = came + timedelta(seconds=chance.randrange(5, 120))

    def happened(event: str, after_s: int, value: int = 0, name: str = "") -> None:
        found.append(
            (opened + timedelta(seconds=after_s), place.agency_id, place.site_id, place.install_id, place.module_id, event, name,
             place.version, "contact", None, visitor, value, surface, host if surface == "frame" else "127.0.0.1",
             "" if surface == "frame" or event != "view" else referrer, *who)
        )  # fmt: skip

    happened("view", 0)
    if chance.random() < 0.97:
        happened("mount", 0)
        looked = chance.randrange(4, 160)
        happened("time", looked, looked * 1000)
        if chance.random() < 0.006:
            happened("error", 1, name=chance.choice(_ERRORS))
    if chance.random() < 0.22:
        happened("start", 6)
        if chance.random() < 0.55:
            happened("submit", 60)
    return found


def _one(chance: random.Random, among: tuple[tuple[Choice, int], ...]) -> Choice:
    return chance.choices([value for value, _ in among], [weight for _, weight in among])[0]
