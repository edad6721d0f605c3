"""A dashboard of an install."""

from __future__ import annotations

from flask import Response

from app.installs.models import Install
from app.lib.clock import utcnow
from app.runtime.trials.models import Trial
from app.workspace.dashboards import work_out
from app.workspace.desk import Desk
from app.workspace.views.common import install_parts, page, screen


@screen("dashboard")
def dashboard_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    board = work_out(desk, name, now=utcnow())
    return page("workspace/dashboard.html", desk, board=board, **install_parts(install))
