"""The one rule of who may use what has a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What an agency has of a version. kind: own, free, grant, trial, none. until: the end, None for no end.

    trial_days: how long it could be tried by who has not tried it yet; 0 for not at all.
    """

    kind: str
    until: datetime | None = None
    trial_days: int = 0

    @property
    def can_begin_trial(self) -> bool:
        return self.kind == "none" and self.trial_days > 0


FREE = Entitlement("free")


class NotEntitled(Forbidden):
    """This module has a price, and the agency's trial of it or leave to use it is over or was never given. Records are kept."""

    code = "not_entitled"


def entitled(found: Entitlement, *, now: datetime) -> bool:
    """Whether the agency may use it at this moment. No other place decides this."""
    if found.kind in ("own", "free"):
        return True
    return found.kind != "none" and (found.until is None or now < found.until)


def refusal(found: Entitlement) -> str:
    """Why it may not be used, and what to do; for people of the agency."""
    if found.kind == "trial" and found.until is not None:
        return f"The trial ended on {found.until:%d %B %Y}. Ask the platform's staff to let your agency go on using it."
    if found.kind == "grant" and found.until is not None:
        return f"Your agency could use it until {found.until:%d %B %Y}. Ask the platform's staff to extend that."
    return "It has a price and no trial. Ask the platform's staff to let your agency use it."


def read_entitlement(told: Mapping[str, Any] | None) -> Entitlement:
    """From entitlement_of()'s JSON; of what is not there nothing is allowed."""
    if told is None:
        return Entitlement("none")
    until = datetime.fromisoformat(told["until"]) if told["until"] else None
    return Entitlement(told["kind"], until, told["trial_days"])
