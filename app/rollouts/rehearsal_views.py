"""Rehearsals: ordered from the plan, each with a page of its own that shows how it goes and what came of it."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.access.permissions import Permission
from app.errors import AppError, NotFound
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.modules.models import Version
from app.rollouts.models import Rehearsal
from app.rollouts.rehearsing import rehearse_upgrade
from app.rollouts.views import bp as bp
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, say_not_done
from app.web.limits import limiter


@bp.post("/installs/<public_id:install_id>/rehearse")
@limiter.limit("10 per minute")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def rehearse(install: Install) -> Response:
    """Order one, and go to its page."""
    version = g.db.get(Version, decode("ver", request.form.get("version", "")))
    if version is None or version.module_id != install.module_id or version.status != "published":
        raise NotFound()
    try:
        made = rehearse_upgrade(g.db, install=install, version=version, by=g.actor, now=utcnow())
    except AppError as error:
        say_not_done(error)
        return respond(redirect_to=url_for("rollouts.plan", install_id=install.public_id, version=version.version))
    return respond(redirect_to=url_for("rollouts.rehearsal", install_id=install.public_id, rehearsal_id=made.public_id))


@bp.get("/installs/<public_id:install_id>/rehearsals/<public_id:rehearsal_id>")
@requires(Permission.INSTALLS_VIEW, install=Install, rehearsal=Rehearsal)
def rehearsal(install: Install, rehearsal: Rehearsal) -> Response:
    """How it goes; once it is over, what came of it. To htmx the state alone."""
    found = g.db.scalar(
        select(Rehearsal)
        .where(Rehearsal.id == rehearsal.id)
        .options(joinedload(Rehearsal.before), joinedload(Rehearsal.after))
    )
    if found is None or found.install_id != install.id:
        raise NotFound()
    done = sum(1 for step in found.steps if step["state"] == "done")
    context = {
        "install": install_with_parts(g.db, install_id=install.id),
        "rehearsal": found,
        "steps": [(step["label"], step["state"], step.get("detail") or None) for step in found.steps],
        "percent": round(100 * done / len(found.steps)) if found.steps else 0,
        "can_upgrade": g.actor.can(Permission.INSTALLS_CONFIGURE),
    }
    if is_htmx():
        return make_response(fragment("rollouts/_rehearsal.html", **context))
    return make_response(render_template("rollouts/rehearsal.html", **context))
