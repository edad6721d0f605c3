"""The dates of a record as people choose them: start and end, by the clock on the wall."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.errors import Invalid
from app.modules.kinds import Kind
from app.workspace.desk import Desk
from app.workspace.labels import field_label
from app.workspace.listing import read_day
from app.workspace.spans import Moment, at_the_wall, control
from app.workspace.timed import DatedView, kind_of_time, moment_of


def moved_values(desk: Desk, view: DatedView, before: dict[str, Any], at: str, to: str, zone: str) -> dict[str, Any]:
    """The fields of the start and the end, from what a person chose by the clock on the wall. Raises Invalid.

    An end that is left as it was stays so to the second.
    """
    found: dict[str, Any] = {}
    moments = []
    for name, text in ((view.from_, at), (view.to, to)):
        if name is None:
            continue
        old = moment_of(before[name])
        moment = old if text == control(old, zone) else _chosen(desk, view, name, text, zone)
        moments.append(moment)
        if moment != old:
            found[name] = None if moment is None else moment.isoformat()
    if len(moments) == 2 and moments[0] is not None and moments[1] is not None and moments[1] < moments[0]:
        raise Invalid.field(
            str(view.to), f"must not be before {field_label(desk.table(view.table), view.from_)}", "order"
        )
    return found


def _chosen(desk: Desk, view: DatedView, name: str, text: str, zone: str) -> Moment | None:
    required = desk.table(view.table).fields[name].required
    if not text and name == view.to and not required:
        return None
    try:
        if not read_day(text[:10]):
            raise ValueError
        if kind_of_time(desk, view) is Kind.DATE:
            return date.fromisoformat(text)
        return at_the_wall(datetime.fromisoformat(text).replace(tzinfo=None), zone)
    except ValueError:
        raise Invalid.field(name, "must be a day between 1900 and 2200", "value") from None
