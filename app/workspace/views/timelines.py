"""Timelines, and giving a record other dates."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from flask import Response, request, url_for

from app.access.permissions import Permission
from app.installs.models import Install
from app.modules.manifest.views import TimelineView
from app.runtime.trials.models import Trial
from app.web.filters import viewer
from app.web.guard import requires
from app.workspace.axis import SCALES, Axis, Scale
from app.workspace.dates import moved_values
from app.workspace.desk import Desk
from app.workspace.listing import read_day
from app.workspace.opened import Opened
from app.workspace.screens import view_of
from app.workspace.spans import control, on_the_wall
from app.workspace.timed import list_of_days, moment_of, time_labels
from app.workspace.timelines import Look, read_timeline, said_of
from app.workspace.views.common import (
    BASE,
    asked,
    bp,
    changed_url,
    desk_of,
    list_url,
    screen,
    show_screen,
    state_of,
    view_context,
    zone,
)
from app.workspace.views.moving import NOT_REFUSED, Move, answer_move

KEPT = ("span", "day", "undated")
USUAL: Scale = "quarter"


def timeline_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/timeline.html shows."""
    view, state = view_of(desk, name, TimelineView), state_of(desk, name)
    timeline = read_timeline(desk, view, state, _look(now))
    spec, axis = desk.table(view.table), timeline.axis
    rest = list_of_days(desk, view, axis.first, axis.last)
    looking = partial(changed_url, desk, name)
    return {
        **view_context(desk, state, kept=()),
        "timeline": timeline,
        "looking": looking,
        "plain": list_url(desk, name, urlencode([pair for pair in asked() if pair[0] in KEPT])),
        "kept_here": [pair for pair in asked() if pair[0] in KEPT],
        "scales": [(one, looking(span=one)) for one in SCALES],
        "rest": list_url(desk, *rest) if rest else "",
        "labels": time_labels(desk, view),
        "endless": bool(view.to) and not spec.fields[view.to or ""].required,
        "away": zone() if timeline.timed and zone() != desk.context.site.time_zone else "",
        "refused": NOT_REFUSED,
    }


@screen("timeline", timeline_context)
def timeline_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """A timeline; ?span=week|month|quarter|year&day=… is the period, undated=1 shows those without a start, too."""
    return show_screen(install, desk, name)


@bp.post(f"{BASE}/<timeline>/dates")
@requires(Permission.RECORDS_EDIT, install=Opened)
def change_dates(install: Install | Trial, timeline: str) -> Response:
    """Give a record other dates: card, version, at, to, by the clock of who asks. Only the version that was looked at."""
    desk = desk_of(install)
    view = view_of(desk, timeline, TimelineView)
    desk.data.table(view.table, "update")
    at, to = request.values.get("at", ""), request.values.get("to", "")

    def move(before: dict[str, Any]) -> Move:
        values = moved_values(desk, view, before, at, to, zone())
        text = said_of(view, {**before, **values}, zone(), viewer().locale)
        return Move(values, text, lambda was, version: _way_back(desk, timeline, was, version))

    return answer_move(install, desk, timeline, move)


def _look(now: datetime) -> Look:
    """What the address asks for; what it does not understand it leaves out."""
    wall, locale = on_the_wall(now, zone()), viewer().locale
    text = read_day(request.args.get("day"))
    scale: Scale = next((one for one in SCALES if one == request.args.get("span")), USUAL)
    day = date.fromisoformat(text) if text else wall.date()
    axis = Axis.around(scale, day, locale, Locale.parse(locale).first_week_day)
    return Look(axis, wall, zone(), undated=request.args.get("undated") == "1")


def _way_back(desk: Desk, name: str, was: dict[str, Any], version: int) -> str | None:
    """The dates as they were, where there is a start to go back to."""
    view = view_of(desk, name, TimelineView)
    if was[view.from_] is None:
        return None
    ends = {"at": was[view.from_], **({"to": was[view.to]} if view.to and was[view.to] else {})}
    asked_for: dict[str, Any] = {key: control(moment_of(value), zone()) for key, value in ends.items()}
    asked_for |= {"card": request.values["card"], "version": version}
    return url_for(".change_dates", install_id=desk.install_id, timeline=name, **asked_for)
