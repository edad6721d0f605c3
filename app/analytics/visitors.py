"""Visitors as numbers: who came twice on one day is known, who it was is not.

A visitor is a keyed hash of site, address and browser. The key is drawn at random for each day (UTC), kept in Valkey until that
day is over, then destroyed: afterwards no hash can be traced back or compared with one of another day. Addresses are never kept.
"""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from redis import RedisError

from app.queue.enqueue import impatient_redis

log = logging.getLogger(__name__)

SALT = "dramac:analytics:salt:"
GRACE_S = 60  # answers begun before midnight end after it
_kept: dict[str, bytes] = {}  # of today alone


def visitor_of(site_id: UUID, address: str, user_agent: str, *, now: datetime) -> int:
    """A number for a visitor of a site today, between -2^63 and 2^63."""
    told = b"\x1f".join((site_id.bytes, _network(address).encode(), user_agent.encode("utf-8", "replace")))
    digest = blake2b(told, key=_salt(now), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def forget_salts(*, now: datetime) -> int:
    """Destroy the salts of days that are over; returns how many there were. Valkey lets them expire by itself as well."""
    today, gone = _day(now), 0
    for key in impatient_redis().scan_iter(match=f"{SALT}*", count=100):
        if key.decode().removeprefix(SALT) < today:
            gone += 1 if impatient_redis().delete(key) else 0
    for day in [day for day in _kept if day < today]:
        _kept.pop(day, None)
    return gone


def _salt(now: datetime) -> bytes:
    day = _day(now)
    salt = _kept.get(day)
    if salt is None:
        _kept.clear()
        _kept[day] = salt = _shared_salt(day, now)
    return salt


def _shared_salt(day: str, now: datetime) -> bytes:
    """Today's salt of all processes. Without Valkey one of this process alone: visitors may then be counted twice."""
    fresh = secrets.token_bytes(32)
    ends = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    left_s = max(1, int((ends - now).total_seconds())) + GRACE_S
    try:
        impatient_redis().set(f"{SALT}{day}", fresh, nx=True, ex=left_s)
        found = impatient_redis().get(f"{SALT}{day}")
    except RedisError as error:
        log.warning("visitors of %s are told apart by this process alone: %s", day, error)
        return fresh
    return bytes(found) if found else fresh  # type: ignore[arg-type]  # the client is synchronous


def _network(address: str) -> str:
    """An IPv4 address; of IPv6 the network, since its devices change the rest every few hours."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
