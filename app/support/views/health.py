"""The health of one install: the last day in figures, its last errors, what stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Response, g, make_response, render_template, url_for

from app.access.permissions import Permission
from app.connections.queries import connections_of
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.modules.manifest import Manifest
from app.runtime.functions.breaker import breakers as function_breakers
from app.support.actions import wake_function
from app.support.health import breakers, health
from app.support.timeline import LogFilter, log_page
from app.support.views.common import bp
from app.support.views.lines import WORDS, here, shown_lines
from app.support.views.logs import kinds_allowed
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast

SPAN = timedelta(days=1)
LAST_ERRORS = 10


@bp.get("/installs/<public_id:install_id>/health")
@requires(Permission.LOGS_VIEW, install=Install)
def install_health(install: Install) -> Response:
    now, agency_id = utcnow(), g.agency.agency_id
    wanted = LogFilter(kinds=kinds_allowed(), levels=("error",), installs=(install.id,), targets=(install.public_id,))
    shown = install_with_parts(g.db, install_id=install.id) or install
    context = {
        "install": shown, "tab": "health", "page": "installs",
        "health": health(g.db, agency_id=agency_id, install_id=install.id, since=now - SPAN),
        "breakers": breakers(g.db, agency_id=agency_id, site_id=install.site_id, now=now),
        "can_reset": g.actor.can(Permission.WEBHOOKS_MANAGE),
        "resting": [(one, datetime.fromtimestamp(one.until, UTC)) for one in function_breakers.resting(install.id)],
        "connections": connections_of(g.db, install=shown, manifest=Manifest.from_dict(shown.version.manifest)),
        "can_configure": g.actor.can(Permission.INSTALLS_CONFIGURE), "now": now,
        "back": here(), **WORDS,
        "lines": shown_lines(log_page(g.db, agency_id=agency_id, wanted=wanted, now=now, limit=LAST_ERRORS).lines),
    }  # fmt: skip
    return make_response(render_template("support/health.html", **context))


@bp.post("/installs/<public_id:install_id>/functions/<function>/wake")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def wake(install: Install, function: str) -> Response:
    wake_function(g.db, install=install, function=function, by=g.actor)
    trigger_toast("success", "Set going again", f"{function} runs again from its next call on.")
    return respond(redirect_to=url_for("support.install_health", install_id=install.public_id))
