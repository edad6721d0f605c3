"""What visitors' requests ask of domains: who may frame a site or call its API, what is served
at a host.

Asked as dramac_runtime through a few lookups, since the agency is only known afterwards; answers are kept for 5 s per process
and dropped at once when `dramac:domain-changed` is heard.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import class_row

from app.db.pools import runtime_pool
from app.domains.hosts import is_loopback, origin_of
from app.domains.setup import current_setup
from app.queue.hearing import Hearing

log = logging.getLogger(__name__)

CHANGED = "dramac:domain-changed"
TTL_S = 5.0
MOST = 5000  # hosts are anybody's to ask for


@dataclass(frozen=True, slots=True)
class Served:
    """What stands at a host. host, www: as in Domain. site_id None: the platform's own screens."""

    domain_id: UUID
    agency_id: UUID
    agency_name: str
    agency_hue: int
    agency_logo: str
    site_id: UUID | None
    host: str
    www: str
    purposes: list[str]
    target_install_id: UUID | None
    target_page: str

    @property
    def main_host(self) -> str:
        """The host that answers; the other one of the pair leads to it."""
        return f"www.{self.host}" if self.www == "to_www" else self.host


_kept: dict[tuple[str, Any], tuple[float, Any]] = {}
_news = {"heard": 0}  # how often something changed


def verified_origins(site_id: UUID) -> list[str]:
    """The exact origins whose pages may frame the modules of a site, in order. Empty: nobody's may."""
    return _origins("embed", "SELECT domain_embedders(%s)", site_id)


def platform_origins(*, agency_id: UUID | None = None, site_id: UUID | None = None) -> list[str]:
    """The exact origins at which people of an agency, or of a site's agency, see the platform: these may frame its previews."""
    own = _origins("platform", "SELECT domain_platforms(%s, %s)", agency_id, site_id)
    return [current_setup().platform_url, *own]


def calling_origins(site_id: UUID) -> list[str]:
    """The exact origins whose pages may call the API with the site's publishable keys, besides those a key names."""
    return _origins("api", "SELECT domain_callers(%s)", site_id)


def may_call(origin: str) -> bool:
    """Whether pages of this origin may call the API of any site with its publishable keys."""
    host = origin.partition("://")[2]
    if not host or origin_of(host, development=current_setup().development) != origin:
        return False
    key, before = ("call", host), _news["heard"]
    if (kept := _fresh(key)) is not None:
        return bool(kept)
    with runtime_pool().connection() as connection:
        row = connection.execute("SELECT domain_calls(%s)", [host], prepare=True).fetchone()
    _keep(key, found := bool(row and row[0]), before)
    return found


def _origins(purpose: str, statement: LiteralString, *ids: UUID | None) -> list[str]:
    key, before = (purpose, ids), _news["heard"]
    if (kept := _fresh(key)) is not None:
        return list(kept)
    with runtime_pool().connection() as connection:
        rows = connection.execute(statement, list(ids), prepare=True).fetchall()
    development = current_setup().development
    found = [origin for (host,) in rows if (origin := origin_of(host, development=development))]
    _keep(key, tuple(found), before)
    return found


def served_at(host: str) -> Served | None:
    """What is served at a host, as written in a Host header without its usual port; None: nothing."""
    if len(host) > 260 or not host.isascii() or "\x00" in host:
        return None
    if is_loopback(host) and not current_setup().development:
        return None
    key, before = ("host", host), _news["heard"]
    if (kept := _fresh(key)) is not None:
        return kept or None
    with runtime_pool().connection() as connection, connection.cursor(row_factory=class_row(Served)) as cursor:
        found = cursor.execute("SELECT * FROM domain_at(%s)", [host], prepare=True).fetchone()
    _keep(key, found or False, before)  # that there is nothing is worth remembering too
    return found


def site_of_host(host: str) -> UUID | None:
    """The site whose pages are served at a host, None when there is none."""
    found = served_at(host)
    return found.site_id if found else None


def forget_domains() -> None:
    """Drop what is kept; cheap enough to do for any change."""
    _news["heard"] += 1
    _kept.clear()


def _fresh(key: tuple[str, Any]) -> Any:
    kept = _kept.get(key)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    _hearing.listen()
    return None


def _keep(key: tuple[str, Any], value: Any, before: int) -> None:
    if _news["heard"] != before:
        return  # it may have been read before the change that was heard meanwhile
    if len(_kept) >= MOST:
        _kept.clear()
    _kept[key] = (time.monotonic() + TTL_S, value)


_hearing = Hearing(CHANGED, "domains", heard=lambda _: forget_domains(), missed=forget_domains, within_s=TTL_S)


def _after_fork() -> None:
    _kept.clear()


os.register_at_fork(after_in_child=_after_fork)
