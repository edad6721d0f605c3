"""A dashboard of an install."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response

from app.installs.models import Install
from app.lib.clock import utcnow
from app.runtime.trials.models import Trial
from app.workspace.dashboards import work_out
from app.workspace.desk import Desk
from app.workspace.views.common import install_parts, page, screen


def dashboard_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    return {"board": work_out(desk, name, now=now)}


@screen("dashboard", dashboard_context)
def dashboard_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    return page("workspace/dashboard.html", desk, **dashboard_context(desk, name, utcnow()), **install_parts(install))
