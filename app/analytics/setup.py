"""What the composition root hands in, once per process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from app.analytics.audience import Counting
from app.analytics.places import Countries
from app.analytics.writing import EventQueue

DaySummed = Callable[[Session, UUID, UUID, date, Mapping[UUID, int]], None]
"""(session, agency id, site id, day of the site, {page of the site's own: views}), within the transaction of the sum."""


@dataclass(frozen=True, slots=True)
class Setup:
    """countries_known: a database of countries is there."""

    counting: Counting
    day_summed: DaySummed
    countries_known: bool = False


_setup: dict[str, Setup] = {}


def configure_analytics(*, keys: tuple[str, ...], countries: Countries, day_summed: DaySummed) -> Counting:
    """Make the process able to count; returns the audience of its pages."""
    if "now" in _setup:
        _setup["now"].counting.queue.flush()
    counting = Counting(keys=keys, queue=EventQueue(), countries=countries)
    _setup["now"] = Setup(counting, day_summed, countries.path is not None)
    return counting


def setup() -> Setup:
    return _setup["now"]
