"""What calendars and days by resource share: where somebody looks, the parts of their page, and moving a card in time."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from babel.dates import format_date
from flask import Response, request, url_for

from app.access.permissions import Permission
from app.errors import BadRequest, NotFound
from app.installs.models import Install
from app.modules.manifest.fields import RefField
from app.modules.manifest.views import ResourcesView
from app.runtime.trials.models import Trial
from app.web.filters import viewer
from app.web.guard import requires
from app.workspace.boards import value_of
from app.workspace.dates import moved_values
from app.workspace.desk import Desk
from app.workspace.facets import NONE, record_options
from app.workspace.labels import field_label
from app.workspace.listing import ListState, read_day
from app.workspace.opened import Opened
from app.workspace.spans import Moment, control, moved_to, on_the_wall, span_of
from app.workspace.timed import Look, TimedView, moment_of, time_labels, when
from app.workspace.views.common import BASE, bp, changed_url, desk_of, list_url, view_context, zone
from app.workspace.views.moving import NOT_REFUSED, Move, answer_move

KEPT = ("span", "day", "hours", "undated")
NO_TIME = "none"


def look_of(now: datetime) -> Look:
    """What the address asks for; what it does not understand it leaves out."""
    wall = on_the_wall(now, zone())
    asked = read_day(request.args.get("day"))
    return Look(
        day=date.fromisoformat(asked) if asked else wall.date(),
        now=wall,
        zone=zone(),
        locale=viewer().locale,
        hours=request.args.get("hours") == "all",
        undated=request.args.get("undated") == "1",
    )


def timed_context(desk: Desk, state: ListState, view: TimedView) -> dict[str, Any]:
    """What the templates of both need beside what is read."""
    here, kept = list_url(desk, state.screen.key), [(key, request.args[key]) for key in KEPT if key in request.args]
    return {
        **view_context(desk, state, kept=()),
        "kept_here": kept,
        "plain": f"{here}?{urlencode(kept)}" if kept else here,
        "looking": partial(changed_url, desk, state.screen.key),
        "day_only": desk.table(view.table).fields[view.from_].type == "date",
        "labels": time_labels(desk, view),
        "endless": view.to is not None and not desk.table(view.table).fields[view.to].required,
        "away": zone() if zone() != desk.context.site.time_zone else "",
        "refused": NOT_REFUSED,
    }


@bp.post(f"{BASE}/<calendar>/reschedule")
@requires(Permission.RECORDS_EDIT, install=Opened)
def reschedule(install: Install | Trial, calendar: str) -> Response:
    """Let a record begin at another day or time and give it another column: card, at, place, version.

    It stays as long as it is; with `to`, and without `keep`, it ends there, by the clock of who asks.
    """
    desk = desk_of(install)
    view = timed_view(desk, calendar)
    desk.data.table(view.table, "update")
    at, place = _at(), _place(desk, view)
    to = request.values.get("to") if view.to and not request.values.get("keep") else None

    def move(before: dict[str, Any]) -> Move:
        if to is None:
            values = _times(view, before, at) | place
        else:
            values = moved_values(desk, view, before, request.values.get("at", ""), to, zone()) | place
        return Move(
            values,
            _said(desk, view, before, values),
            lambda was, version: _way_back(desk, calendar, view, was, version, ends=to is not None),
        )

    return answer_move(install, desk, calendar, move)


def timed_view(desk: Desk, name: str) -> TimedView:
    """The calendar of this name. Raises NotFound for what is none."""
    view = desk.manifest.views.get(name)
    if not isinstance(view, TimedView):
        raise NotFound()
    return view


def _at() -> Moment | None:
    """Where the card is to begin: a day, a time on the wall, or a moment; None: nowhere any more. Raises BadRequest."""
    text = request.values.get("at", "")
    try:
        found = (
            None if text == NO_TIME else datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
        )
    except ValueError:
        raise BadRequest("Choose a day and a time.") from None
    if found is not None and not read_day(found.isoformat()[:10]):
        raise BadRequest("Choose a day between 1900 and 2200.")
    return found


def _place(desk: Desk, view: TimedView) -> dict[str, Any]:
    """The field of the column, where one is given. Raises NotFound for one that cannot be."""
    if not isinstance(view, ResourcesView) or "place" not in request.values:
        return {}
    value = value_of(desk, view, request.values["place"])
    return {view.by: None if value is None else str(value)}


def _times(view: TimedView, before: dict[str, Any], at: Moment | None) -> dict[str, Any]:
    """The fields of the start and the end, as they are written."""
    if at is None:
        return {view.from_: None}
    start, end = moment_of(before[view.from_]), moment_of(before[view.to]) if view.to else None
    if start is not None and _shown_at(start) == at:  # what is shown has no seconds
        return {}
    try:
        begins, ends = moved_to(start, end, at, zone())
    except OverflowError:
        raise BadRequest("It would end after the year 9999.") from None
    return {view.from_: begins.isoformat(), **({view.to: ends.isoformat()} if view.to and ends is not None else {})}


def _shown_at(start: Moment) -> Moment:
    return on_the_wall(start, zone()).replace(second=0, microsecond=0) if isinstance(start, datetime) else start


def _said(desk: Desk, view: TimedView, before: dict[str, Any], values: dict[str, Any]) -> str:
    """Where it went, in words."""
    found = [_said_time(desk, view, {**before, **values})] if {view.from_, view.to} & values.keys() else []
    if isinstance(view, ResourcesView) and view.by in values:
        found.append(f"{field_label(desk.table(view.table), view.by)}: {_said_place(desk, view, values[view.by])}")
    return "; ".join(found)


def _said_place(desk: Desk, view: ResourcesView, value: str | None) -> str:
    field = desk.table(view.table).fields[view.by]
    if value is None:
        return NONE[1]
    if not isinstance(field, RefField):
        return desk.person_name(value)
    options, _ = record_options(desk, field.to, ids=[value])
    return options[0][1] if options else "another"


def _said_time(desk: Desk, view: TimedView, values: dict[str, Any]) -> str:
    label, _ = time_labels(desk, view)
    start = moment_of(values[view.from_])
    if start is None:
        return f"{label}: none"
    span, locale = span_of(start, moment_of(values.get(view.to or "")), zone()), viewer().locale
    text = format_date(span.first, "EEE d MMM", locale=locale)
    time = when(span, locale)
    if time and span.first == span.last:
        text = f"{text}, {time}"
    return f"{label}: {text if span.first == span.last else time}"


def _way_back(desk: Desk, name: str, view: TimedView, was: dict[str, Any], version: int, *, ends: bool) -> str | None:
    """The move back. ends: also to where it ended."""
    start = was[view.from_]
    if start is None and desk.table(view.table).fields[view.from_].required:
        return None
    back: dict[str, Any] = {
        "card": request.values["card"],
        "at": NO_TIME if start is None else start,
        "version": version,
    }
    if ends and start is not None:
        back |= {
            key: control(moment_of(was[field]), zone()) for key, field in (("at", view.from_), ("to", view.to or ""))
        }
    if isinstance(view, ResourcesView):
        back["place"] = was[view.by] or NONE[0]
    return url_for(".reschedule", install_id=desk.install_id, calendar=name, **back)
