"""Opening hours: {mon: [["09:00", "12:30"], ["13:30", "17:00"]]}. One reading for records and settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 10
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


class WrongHours(ValueError):
    """The times are not acceptable; the message says what is. day: which, '' for the whole."""

    def __init__(self, detail: str, *, code: str = "type", day: str = "") -> None:
        super().__init__(detail)
        self.code, self.day = code, day


def read_hours(value: Any) -> dict[str, list[list[str]]]:
    """Each day's times in order, none meeting another; 24:00 is the end of the day. Raises WrongHours."""
    if not isinstance(value, Mapping) or not set(value) <= set(DAYS):
        raise WrongHours("must have times for mon, tue, wed, thu, fri, sat and sun")
    return {day: _spans(day, value[day]) for day in DAYS if value.get(day)}


def _spans(day: str, value: Any) -> list[list[str]]:
    wanted = WrongHours(f'must have times such as ["09:00", "17:00"] on {day}', day=day)
    if not isinstance(value, (list, tuple)) or len(value) > MOST_SPANS:
        raise wanted
    for span in value:
        pair = isinstance(span, (list, tuple)) and len(span) == 2
        if not pair or not all(isinstance(one, str) and _CLOCK.fullmatch(one) for one in span):
            raise wanted
        if span[0] >= span[1]:
            raise WrongHours(f"must not close before it opens on {day}", code="order", day=day)
    ordered = sorted(list(span) for span in value)
    if any(other[0] < one[1] for one, other in pairwise(ordered)):
        raise WrongHours(f"has times that overlap on {day}", code="overlap", day=day)
    return ordered
