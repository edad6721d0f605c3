"""A dashboard, read and ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.analytics import queries
from app.analytics.figures import Series
from app.analytics.queries import Whose
from app.analytics.releases import Cohort, release_marks, retention
from app.analytics.windows import Window


@dataclass(frozen=True, slots=True)
class Board:
    """found: as queries.dashboard() says. busy: views by weekday and hour, None where it is not asked. now: visitors here now.

    retention: how many installs stay, of a publisher's module; None elsewhere.
    """

    whose: Whose
    window: Window
    filters: Mapping[str, str]
    found: dict[str, Any]
    series: Series
    busy: list[list[int]] | None
    now: int
    retention: list[Cohort] | None


def read_board(db: Session, whose: Whose, window: Window, filters: Mapping[str, str], *, now: datetime) -> Board:
    """Three statements; four of a publisher's module."""
    found = queries.dashboard(db, whose, window, filters=filters)
    of_agency, stays = whose.kind != "publisher", None
    if not of_agency and whose.module_id is not None:
        stays = retention(db, module_id=whose.module_id, now=now)
        found["marks"] = [*release_marks(db, module_id=whose.module_id, window=window), *found["marks"]]
    return Board(
        whose=whose, window=window, filters=filters, found=found, series=Series(found["series"], window),
        busy=queries.busy_hours(db, whose, window) if of_agency and not filters else None,
        now=queries.here_now(db, whose, now=now), retention=stays,
    )  # fmt: skip
