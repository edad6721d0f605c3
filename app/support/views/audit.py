"""The audit trail as a screen and as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, render_template, request

from app.access.permissions import Permission
from app.events.catalog import CATALOG
from app.events.models import AuditHead, AuditRow
from app.lib.clock import rfc3339, utcnow
from app.support import queries
from app.support.queries import AuditFilter
from app.support.views.common import bp, csv_line
from app.web.forms import clean
from app.web.guard import requires
from app.web.htmx import is_htmx

COLUMNS = ("number", "at", "actor", "actor_name", "action", "target", "target_name", "changes", "ip", "request_id")


@bp.get("/audit")
@requires(Permission.AUDIT_VIEW)
def audit() -> Response:
    wanted = _wanted()
    cursor = request.args.get("cursor", "")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 18 else None
    context: dict[str, Any] = {
        "page": "audit",
        "found": queries.audit_page(g.db, agency_id=g.agency.agency_id, wanted=wanted, before=before),
        "first": before is None,
        "wanted": wanted,
        "since": request.args.get("since", "") if wanted.since else "",
        "until": request.args.get("until", "") if wanted.until else "",
        "catalog": CATALOG,
        "audited": [(name, event.label) for name, event in CATALOG.items() if event.audited],
    }
    if is_htmx():
        return make_response(render_template("support/_audit_results.html", **context))
    actors = queries.audit_actors(g.db, agency_id=g.agency.agency_id)
    head = g.db.get(AuditHead, g.agency.agency_id)
    return make_response(render_template("support/audit.html", actors=actors, head=head, **context))


@bp.get("/audit.csv")
@requires(Permission.AUDIT_VIEW)
def audit_csv() -> Response:
    rows = queries.audit_export(g.db, agency_id=g.agency.agency_id, wanted=_wanted())
    answer = make_response("".join(_lines(rows)))
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-{utcnow():%Y-%m-%d}.csv"'
    return answer


def _wanted() -> AuditFilter:
    return AuditFilter(
        actor=clean(request.args.get("actor"))[:80],
        action=clean(request.args.get("action"))[:80],
        words=clean(request.args.get("q"))[:100],
        since=_day("since"),
        until=_day("until", after=1),
    )


def _day(name: str, *, after: int = 0) -> datetime | None:
    """The beginning of a day asked for, in the reader's zone; None for anything that is no date."""
    try:
        asked = date.fromisoformat(request.args.get(name, ""))
        return datetime.combine(asked + timedelta(days=after), time(), ZoneInfo(g.zone))
    except (ValueError, OverflowError):
        return None


def _lines(rows: Iterator[AuditRow]) -> Iterator[str]:
    yield csv_line(COLUMNS)
    for row in rows:
        yield csv_line(
            (row.number, rfc3339(row.at), row.actor, row.actor_name, row.action, row.target, row.target_name,
             json.dumps(row.changes, ensure_ascii=False) if row.changes else "", row.ip or "", row.request_id)
        )  # fmt: skip
