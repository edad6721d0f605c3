"""Days by person, room or thing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response

from app.installs.models import Install
from app.modules.manifest.views import ResourcesView
from app.runtime.trials.models import Trial
from app.workspace.desk import Desk
from app.workspace.resources import is_hidden, read_resources
from app.workspace.screens import view_of
from app.workspace.views.common import screen, show_screen, state_of
from app.workspace.views.timed import look_of, timed_context


def resources_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/resources.html shows."""
    view, state = view_of(desk, name, ResourcesView), state_of(desk, name)
    hidden = is_hidden(desk, view)
    return {
        **timed_context(desk, state, view),
        "hidden": hidden,
        "resources": None if hidden else read_resources(desk, view, state, look_of(now)),
    }


@screen("resources", resources_context)
def resources_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """A day: ?day=2026-11-30."""
    return show_screen(install, desk, name)
