"""The health of one install: the last day in figures, its last errors, what stands still."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, g, make_response, render_template

from app.access.permissions import Permission
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.support.health import breakers, health
from app.support.timeline import LogFilter, log_page
from app.support.views.common import bp
from app.support.views.logs import WORDS, kinds_allowed, shown_lines
from app.web.guard import requires

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
        "breakers": breakers(g.db, agency_id=agency_id, site_id=install.site_id),
        "can_reset": g.actor.can(Permission.WEBHOOKS_MANAGE),
        "lines": shown_lines(log_page(g.db, agency_id=agency_id, wanted=wanted, now=now, limit=LAST_ERRORS).lines), **WORDS,
    }  # fmt: skip
    return make_response(render_template("support/health.html", **context))
