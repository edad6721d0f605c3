"""failed_requests: what ended on an error page, so that the request id on it leads somewhere."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
from flask import Flask, Response, g, request
from psycopg_pool import PoolTimeout
from sqlalchemy import text

from app.db.base import db as flask_db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import decode_or_none
from app.lib.redact import GONE, redact_text
from app.queue.history import failure_words
from app.queue.history import forget_old as forget_old_runs

log = logging.getLogger(__name__)

KEEP_DAYS = 30
_LONG_PART = re.compile(r"(?<=/)(?![a-z]{3}_[0-9a-z]{26}(?:/|$))[^/]{24,}")  # our own ids may stay

# The install that the address names says whose visitors' page it was, or the site, which the database shows to who serves it.
# Of a member's page an install counts only when it is theirs: nothing of another agency's may stand in their logs.
_SERVES = "SELECT set_config('app.site_id', %s, true)"
_WRITE = """
INSERT INTO failed_requests (at, request_id, agency_id, site_id, install_id, actor, surface, method, path, status, error, trace)
SELECT %(at)s, %(request_id)s, coalesce(%(agency)s::uuid, i.agency_id, s.agency_id), coalesce(i.site_id, s.id), i.install_id,
       %(actor)s, %(surface)s, %(method)s, %(path)s, %(status)s, %(error)s, %(trace)s
FROM (SELECT) nothing
LEFT JOIN runtime_install(%(install)s::uuid) i ON i.agency_id = %(agency)s::uuid OR %(surface)s = 'runtime'
LEFT JOIN sites s ON s.id = %(site)s::uuid
WHERE %(status)s >= 500 OR coalesce(%(agency)s::uuid, i.agency_id, s.agency_id) IS NOT NULL
"""


def register_failures(app: Flask, surface: Literal["platform", "runtime"]) -> None:
    """Write down every error page of an app: those of an agency, and of everybody's what is our own fault."""

    @app.after_request
    def note(response: Response) -> Response:
        status = response.status_code
        # a form that says in place what is wrong with it is no error page
        if status >= 400 and "request_id" in g and (status != 422 or "error_page" in g):
            _write(surface, status)
        return response


def forget_old() -> None:
    """Drop error pages and runs of jobs past their retention: support.forget_old."""
    now = utcnow()
    with platform_scope("error pages past retention"), transaction(flask_db.session()) as db:
        db.execute(text("DELETE FROM failed_requests WHERE at < :before"), {"before": now - timedelta(days=KEEP_DAYS)})
    forget_old_runs(now=now)


def _write(surface: str, status: int) -> None:
    values = _facts() | {"surface": surface, "status": status}
    try:
        with runtime_pool().connection() as connection, connection.transaction():
            if values["site"]:
                connection.execute(_SERVES, [str(values["site"])])
            connection.execute(_WRITE, values)
    except (psycopg.Error, PoolTimeout, OSError) as error:
        log.error("error page of %s is not written down: %s", values["request_id"], error)


def _facts() -> dict[str, Any]:
    error, trace = failure_words(g.failed_with) if "failed_with" in g else ("", "")
    agency, actor = g.get("agency"), g.get("actor")
    return {
        "at": utcnow(), "request_id": g.request_id, "agency": agency.agency_id if agency is not None else None,
        "install": _install(), "actor": actor.ref if actor is not None else "", "method": request.method[:20],
        "path": _path(), "error": error, "trace": trace, "site": g.get("visited_site"),
    }  # fmt: skip


def _path() -> str:
    """What was asked for. Of an address that is none, long parts are left out: it may be a mistyped link with a key in it."""
    path = request.path if request.url_rule else _LONG_PART.sub(GONE, request.path)
    return redact_text(path).replace("\x00", "")[:500]


def _install() -> UUID | None:
    """The install that the address names, also one that is not there."""
    return decode_or_none("ins", (request.view_args or {}).get("install_id", ""))
