"""Trying a module out: start, look, end. Its records are on the workspace's screens."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, current_app, g, make_response, render_template, request, url_for
from flask_login import current_user

from app.access.permissions import Permission
from app.errors import AppError, NotFound
from app.lib.clock import utcnow
from app.marketplace.views.common import bp
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.modules.queries import latest_published, module_by_slug
from app.runtime.trials.actions import end_trial as end
from app.runtime.trials.actions import pages_of, start_trial
from app.runtime.trials.models import Trial
from app.runtime.trials.queries import live_trial, wait_until_made
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, trigger_toast
from app.web.limits import limiter

WAIT_S = 1.0
FRESH = timedelta(seconds=2)  # whoever asks for it later gets the line at once


@bp.post("/marketplace/<slug>/try")
@limiter.limit("20 per hour", key_func=lambda: f"try:{current_user.get_id()}")
@requires(Permission.INSTALLS_CREATE)
def try_out(slug: str) -> Response:
    """A live sandbox of the latest version the agency may have."""
    module = module_by_slug(g.db, slug)
    version = latest_published(g.db, module_id=module.id) if module is not None else None
    if version is None:
        raise NotFound()
    try:
        made = start_trial(g.db, version=version, by=g.actor, now=utcnow())
    except AppError as error:
        trigger_toast("error", "This cannot be tried out now", error.message)
        return respond(redirect_to=url_for("marketplace.module", slug=slug))
    return respond(redirect_to=url_for("marketplace.trial", tryout_id=made.public_id))


@bp.get("/trials/<public_id:tryout_id>")
@requires(Permission.MARKETPLACE_VIEW, tryout=Trial)
def trial(tryout: Trial) -> Response:
    """Its pages as visitors see them, one at a time; while it is being made a line that asks again by itself.

    The first answer waits for it a moment: mostly it is ready by then.
    """
    if tryout.status == "making" and not is_htmx() and utcnow() - tryout.created_at < FRESH:
        wait_until_made(tryout.id, at_most_s=WAIT_S)
        g.db.refresh(tryout)
    if live_trial(g.db, trial_id=tryout.id, now=utcnow()) is None:
        raise NotFound("This trial is over. Nothing of it was kept; start another on the module's page.")
    module, version = g.db.get_one(Module, tryout.module_id), g.db.get_one(Version, tryout.version_id)
    manifest = Manifest.from_dict(version.manifest)
    pages = pages_of(manifest)
    names = [name for name, _ in pages]
    shown = request.args.get("page", "")
    shown = shown if shown in names else names[0] if names else ""
    context = {
        "trial": tryout,
        "module": module,
        "version": version,
        "manifest": manifest,
        "pages": pages,
        "shown": shown,
        "frame": f"{current_app.config['DRAMAC'].runtime_url}/embed/{tryout.install_id}/{shown}" if shown else "",
        "can_see_records": bool(manifest.tables) and g.actor.can(Permission.RECORDS_VIEW),
    }
    if is_htmx():
        return make_response(fragment("marketplace/_trial.html", **context))
    answer = make_response(render_template("marketplace/trial.html", **context))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/trials/<public_id:tryout_id>/end")
@requires(Permission.INSTALLS_CREATE, tryout=Trial)
def end_trial(tryout: Trial) -> Response:
    end(g.db, trial=tryout, now=utcnow())
    trigger_toast("success", "The trial is over", "Nothing of it is kept.")
    return respond(redirect_to=url_for("marketplace.module", slug=g.db.get_one(Module, tryout.module_id).slug))
