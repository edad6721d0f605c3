"""What visitors' requests ask of domains: who may frame a site, what is served at a host.

Asked as dramac_runtime through two lookups, since the agency is only known afterwards; answers are kept for 5 s per process
and dropped at once when `dramac:domain-changed` is heard.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from redis import RedisError

from app.db.pools import runtime_pool
from app.domains.hosts import is_loopback, origin_of
from app.domains.setup import current_setup
from app.queue.enqueue import redis

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
_lock = threading.Lock()
_listener: dict[str, threading.Thread] = {}


def verified_origins(site_id: UUID) -> list[str]:
    """The exact origins whose pages may frame the modules of a site, in order. Empty: nobody's may."""
    key, before = ("embed", site_id), _news["heard"]
    if (kept := _fresh(key)) is not None:
        return list(kept)
    with runtime_pool().connection() as connection:
        rows = connection.execute("SELECT domain_embedders(%s)", [site_id], prepare=True).fetchall()
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
    _listen()
    return None


def _keep(key: tuple[str, Any], value: Any, before: int) -> None:
    if _news["heard"] != before:
        return  # it may have been read before the change that was heard meanwhile
    if len(_kept) >= MOST:
        _kept.clear()
    _kept[key] = (time.monotonic() + TTL_S, value)


def _listen() -> None:
    """Start the thread that hears of changes, once per process."""
    thread = _listener.get("thread")
    if thread is None or not thread.is_alive():
        with _lock:
            _listener["thread"] = thread = threading.Thread(target=_hear, name="domain-changed", daemon=True)
            thread.start()


def _hear() -> None:
    while True:
        try:
            with redis().pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]  # redis-py does not type it
                pubsub.subscribe(CHANGED)
                forget_domains()  # whatever was said before is missed
                while True:
                    if pubsub.get_message(timeout=2.0):
                        forget_domains()
        except (RedisError, OSError, ValueError) as error:
            log.warning("not hearing of changed domains: %s; they are noticed within %s s", error, TTL_S)
            time.sleep(1)


def _after_fork() -> None:
    _listener.clear()
    _kept.clear()


os.register_at_fork(after_in_child=_after_fork)
