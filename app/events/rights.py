"""Who may receive which event: one rule for what is pushed (webhooks) and what is pulled (the event streams of the API)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from app.access.permissions import Permission
from app.events.catalog import CATALOG

Place = Literal["agency", "site", "install"]

UNHEARD = frozenset({"page.was_sent"})  # between a form and its own function, nobody else's news
PROGRAMS = frozenset(
    {
        Permission.SITES_VIEW, Permission.PAGES_VIEW, Permission.DOMAINS_VIEW, Permission.INSTALLS_VIEW,
        Permission.RECORDS_VIEW,
    }
)  # fmt: skip
"""What the scope `events` of a key or token may see: its site and what is on it; nothing of people, keys or webhooks."""

_OF_AGENCY = frozenset(
    ["agency", "member", "client", "module", "fleet", "project", "support", "application", "entitlement"]
)  # these carry no site, and
_OF_SITE = frozenset(
    ["site", "page", "domain", "webhook", "automation", "key"]
)  # these no install; all others carry both


def may_hear(permissions: Collection[Permission], event_type: str, *, of_module: bool) -> bool:
    """Whether who has these may receive such events. What modules tell carries records; the platform's events say what
    they need. of_module: an install told it, which cannot lend itself a name of the platform.
    """
    if event_type in UNHEARD:
        return False
    if event_type in CATALOG:
        return CATALOG[event_type].permission in permissions
    return of_module and Permission.RECORDS_VIEW in permissions


def place_of(event_type: str) -> Place:
    """What an event of the platform happens on at the narrowest: the agency alone, a site of it, an install."""
    kind = event_type.partition(".")[0]
    return "agency" if kind in _OF_AGENCY else "site" if kind in _OF_SITE else "install"


@dataclass(frozen=True, slots=True)
class Heard:
    """may_hear() for a statement: types of the platform that may be received, and whether those of modules may; known: names
    that are never a module's own.
    """

    platform: list[str]
    modules: bool
    known: list[str]


def heard(permissions: Collection[Permission], *, places: Collection[Place]) -> Heard:
    """What of the events of these places may be received."""
    own = [name for name in CATALOG if place_of(name) in places and may_hear(permissions, name, of_module=False)]
    return Heard(own, Permission.RECORDS_VIEW in permissions, sorted(CATALOG.keys() | UNHEARD))
