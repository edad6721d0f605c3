"""Who hears of events. A kind of receiver says which of its members want an event and how one is handed over.

The composition root registers kinds; a delivery is named `kind:key` and retried on its own until it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.events.models import Event

RETRY_S = (5, 30, 300, 1800, 7200, 21600)  # waits between attempts; after the last the delivery is given up


@dataclass(frozen=True, slots=True)
class Receivers:
    """members: keys of those that want the event, in its agency's scope. deliver: hand it to one; raising means "again"."""

    members: Callable[[Session, Event], list[str]]
    deliver: Callable[[Session, Event, str], None]


_kinds: dict[str, Receivers] = {}


def register(kind: str, receivers: Receivers) -> None:
    """Add a kind of receiver. Registering a kind twice replaces it (each process wires once)."""
    _kinds[kind] = receivers


def kinds() -> dict[str, Receivers]:
    return dict(_kinds)
