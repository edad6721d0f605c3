"""A report of an install, and its file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, request

from app.errors import Forbidden, Unavailable
from app.installs.models import Install
from app.modules.manifest.views import ReportView
from app.runtime.trials.models import Trial
from app.workspace.desk import Desk
from app.workspace.report_files import report_csv
from app.workspace.reports import Report, work_out
from app.workspace.screens import view_of
from app.workspace.views.common import screen, show_screen, state_of, view_context, zone


def report_shown(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/report.html shows."""
    view, state = view_of(desk, name, ReportView), state_of(desk, name)
    context = view_context(desk, state, kept=("sort", "metric"))
    report = worked_out(desk, name)
    return context | {"report": report, "can_create": False, "can_export": desk.can_export(view.table)}


def worked_out(desk: Desk, name: str) -> Report:
    """The report this request asks for."""
    sort, metric = request.args.get("sort", ""), request.args.get("metric", "")
    view = view_of(desk, name, ReportView)
    return work_out(desk, view, state_of(desk, name), sort=sort, metric=metric, zone=zone())


@screen("report", report_shown)
def report_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    return show_screen(install, desk, name)


def report_file(desk: Desk, name: str) -> bytes:
    """The report of this request as CSV. Raises Forbidden, and Unavailable where its figures cannot be had."""
    if not desk.can_export(view_of(desk, name, ReportView).table):
        raise Forbidden()
    report = worked_out(desk, name)
    if report.error:
        raise Unavailable("These figures could not be worked out. Narrow the report by a filter and try again.")
    return report_csv(report)
