"""A read of the API from the log, asked again beside what was recorded."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request

from app.access.permissions import Permission
from app.errors import Forbidden, NotFound
from app.installs.models import Install
from app.lib.clock import utcnow
from app.support.replay import can_be_replayed, replay, versions_of
from app.support.timeline import log_line, position
from app.support.views.common import bp
from app.web.forms import clean
from app.web.guard import requires


@bp.post("/logs/replay")
@requires(Permission.LOGS_VIEW)
def replay_request() -> Response:
    """The recorded call and the answer now, side by side. Shows records, so it takes the right to see them too."""
    at, now = position(clean(request.form.get("line"))), utcnow()
    line = log_line(g.db, agency_id=g.agency.agency_id, kinds=("request",), at=at, now=now) if at else None
    install = g.db.get(Install, line.install_id) if line is not None and line.install_id else None
    if line is None or install is None or install.agency_id != g.agency.agency_id or not can_be_replayed(line):
        raise NotFound()
    if not g.actor.can(Permission.RECORDS_VIEW):
        raise Forbidden("Your role does not see the records that the answer would show.")
    versions = versions_of(g.db, install=install)
    wanted = clean(request.form.get("version"))
    version = next((one for one in versions if one.public_id == wanted), versions[0])
    now_answer = replay(g.db, line=line, version=version, by=g.actor, now=now)
    context = {
        "page": "logs", "line": line, "answer": now_answer, "version": version, "install": install,
        "versions": [(one.public_id, one.version) for one in versions],
    }  # fmt: skip
    return make_response(render_template("support/replay.html", **context))
