"""Calendars."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, request

from app.installs.models import Install
from app.modules.manifest.views import CalendarView
from app.runtime.trials.models import Trial
from app.workspace.calendars import SPANS, read_calendar
from app.workspace.desk import Desk
from app.workspace.screens import view_of
from app.workspace.views.common import screen, show_screen, state_of
from app.workspace.views.timed import look_of, timed_context


def calendar_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/calendar.html shows."""
    view, state = view_of(desk, name, CalendarView), state_of(desk, name)
    span = next((one for one in SPANS if one == request.args.get("span")), SPANS[0])
    return {
        **timed_context(desk, state, view),
        "calendar": read_calendar(desk, view, state, look_of(now), span),
        "spans": SPANS,
    }


@screen("calendar", calendar_context)
def calendar_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """A month, a week or a day: ?span=…&day=2026-11-30."""
    return show_screen(install, desk, name)
