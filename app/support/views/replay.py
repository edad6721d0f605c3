"""A call of the API from the log, made again beside what was recorded; and recording what replaying a write takes."""

from __future__ import annotations

from flask import Response, current_app, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import Forbidden, NotFound
from app.installs.models import Install
from app.lib.clock import utcnow
from app.support.recording import AlreadyRecording, end_recording, start_recording
from app.support.replay import can_be_replayed, replay, versions_of
from app.support.rewrites import can_be_made_again, rewrite
from app.support.timeline import log_line, position
from app.support.views.common import bp
from app.web.forms import clean
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast


@bp.post("/logs/replay")
@requires(Permission.LOGS_VIEW)
def replay_request() -> Response:
    """The recorded call and the answer now, side by side. Shows records, so it takes the right to see them too."""
    at, now = position(clean(request.form.get("line"))), utcnow()
    line = log_line(g.db, agency_id=g.agency.agency_id, kinds=("request",), at=at, now=now) if at else None
    install = g.db.get(Install, line.install_id) if line is not None and line.install_id else None
    if (
        line is None
        or install is None
        or install.agency_id != g.agency.agency_id
        or not (can_be_replayed(line) or can_be_made_again(line))
    ):
        raise NotFound()
    if not g.actor.can(Permission.RECORDS_VIEW):
        raise Forbidden("Your role does not see the records that the answer would show.")
    versions = versions_of(g.db, install=install)
    wanted = clean(request.form.get("version"))
    version = next((one for one in versions if one.public_id == wanted), versions[0])
    keys, made = current_app.config["DRAMAC"].secret_keys, None
    if can_be_made_again(line):
        made = rewrite(g.db, line=line, version=version, keys=keys, by=g.actor, now=now)
        now_answer = made.answer
    else:
        now_answer = replay(g.db, line=line, version=version, keys=keys, by=g.actor, now=now)
    context = {
        "page": "logs", "line": line, "answer": now_answer, "version": version, "install": install, "made": made,
        "versions": [(one.public_id, one.version) for one in versions],
    }  # fmt: skip
    return make_response(render_template("support/replay.html", **context))


@bp.post("/installs/<public_id:install_id>/recording")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def record_bodies(install: Install) -> Response:
    """Keep the bodies of writes to the install for an hour."""
    try:
        start_recording(g.db, install=install, by=g.actor, now=utcnow())
        trigger_toast("success", "Bodies are recorded", "For an hour; then it ends by itself.")
    except AlreadyRecording as error:
        trigger_toast("info", error.message)
    return respond(redirect_to=url_for("support.install_logs", install_id=install.public_id))


@bp.post("/installs/<public_id:install_id>/recording/end")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def stop_recording(install: Install) -> Response:
    end_recording(g.db, install=install, by=g.actor, now=utcnow())
    trigger_toast("success", "No further bodies are recorded", "Those that were are kept for a day.")
    return respond(redirect_to=url_for("support.install_logs", install_id=install.public_id))
