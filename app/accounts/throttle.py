"""How often somebody may try to sign in, counted in the database (security.md A4).

- Per account: from the fifth wrong password on, waits that double from 2 s to 15 min. Attempts from a network that has
  signed in to this account before count apart, so strangers cannot lock the owner out.
- Per address 30, per network (/24, /56) 120 wrong passwords in ten minutes; over all addresses 3,000.
Nothing here differs between accounts that exist and such that do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.lib.sql import load_sql

FREE_TRIES = 5
FIRST_WAIT_S = 2
LONGEST_WAIT_S = 15 * 60
WINDOW = timedelta(minutes=10)
PER_ADDRESS = 30
PER_NETWORK = 120
OVERALL = 3000


@dataclass(frozen=True, slots=True)
class Recent:
    """Wrong passwords so far. tries: since the last success; last_at: of these the latest."""

    tries: int
    last_at: datetime | None
    from_address: int
    from_network: int
    overall: int


def network_of(address: str | None) -> str | None:
    """The /24 or /56 an address is in: what one customer of a provider usually commands."""
    if address is None:
        return None
    version_6 = ":" in address
    return str(ip_network(f"{address.partition('%')[0]}/{56 if version_6 else 24}", strict=False))


def wait_after(tries: int) -> timedelta:
    """How long after the latest wrong password the next try is refused: nothing before the fifth, then doubling."""
    if tries < FREE_TRIES:
        return timedelta(0)
    doublings = min(tries - FREE_TRIES, 20)
    return timedelta(seconds=min(FIRST_WAIT_S * 2**doublings, LONGEST_WAIT_S))


def recent_failures(session: Session, *, email_hash: bytes, address: str | None, now: datetime) -> Recent:
    """Wrong passwords of an account and of where the try comes from, in one statement."""
    facts: dict[str, Any] = {
        "email_hash": email_hash,
        "address": address,
        "network": network_of(address),
        "since": now - WINDOW,
        "now": now,
    }
    return Recent(*session.execute(text(load_sql("accounts/recent_failures")), facts).one())


def is_throttled(recent: Recent, *, now: datetime) -> bool:
    """Whether this try is refused without looking at the password."""
    if recent.from_address >= PER_ADDRESS or recent.from_network >= PER_NETWORK or recent.overall >= OVERALL:
        return True
    return recent.last_at is not None and now < recent.last_at + wait_after(recent.tries)
