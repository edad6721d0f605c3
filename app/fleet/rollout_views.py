"""Releases that roll out by themselves: what may, how far each is, what to do when one stopped, figures for publishers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, g, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError
from app.fleet import rollout_actions as actions
from app.fleet.forms import read_cursor, write_cursor
from app.fleet.models import Rollout
from app.fleet.policies import MODES, agency_mode, set_agency_mode, set_site_policy, site_policies
from app.fleet.rollout_queries import release_rings, rings, rollout_row, rollouts_page, sites_of
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.modules.models import Module, Version
from app.tenancy.models import Agency, Site
from app.web.forms import clean
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, say_not_done, trigger_toast

bp = Blueprint("fleet_rollouts", __name__)


@bp.get("/fleet/rollouts")
@requires(Permission.INSTALLS_VIEW)
def index() -> str:
    cursor = request.args.get("cursor", "")
    rows, more = rollouts_page(g.db, agency_id=g.agency.agency_id, before=decode("rol", cursor) if cursor else None)
    return render_template(
        "fleet/rollouts.html",
        rows=rows,
        first=not cursor,
        cursor=encode("rol", more) if more else None,
        mode=agency_mode(g.db, agency_id=g.agency.agency_id),
    )


@bp.get("/fleet/rollouts/<public_id:rollout_id>")
@requires(Permission.INSTALLS_VIEW, rollout=Rollout)
def show(rollout: Rollout) -> str:
    cursor = request.args.get("cursor", "")
    sites, more = sites_of(g.db, rollout=rollout, after=decode("ins", cursor) if cursor else None)
    return render_template(
        "fleet/rollout.html",
        row=rollout_row(g.db, rollout=rollout),
        rollout=rollout,
        rings=rings(g.db, rollout=rollout),
        sites=sites,
        first=not cursor,
        cursor=encode("ins", more) if more else None,
        can_decide=g.actor.can(Permission.FLEET_MANAGE),
    )


@bp.post("/fleet/rollouts/<public_id:rollout_id>/resume")
@requires(Permission.FLEET_MANAGE, rollout=Rollout)
def resume(rollout: Rollout) -> Response:
    return _do(rollout, lambda: actions.resume_rollout(g.db, rollout=rollout, by=g.actor, now=utcnow()))


@bp.post("/fleet/rollouts/<public_id:rollout_id>/skip")
@requires(Permission.FLEET_MANAGE, rollout=Rollout)
def skip(rollout: Rollout) -> Response:
    install_id = decode("ins", request.form.get("install", ""))
    return _do(
        rollout, lambda: actions.skip_site(g.db, rollout=rollout, install_id=install_id, by=g.actor, now=utcnow())
    )


@bp.post("/fleet/rollouts/<public_id:rollout_id>/cancel")
@requires(Permission.FLEET_MANAGE, rollout=Rollout)
def cancel(rollout: Rollout) -> Response:
    return _do(rollout, lambda: actions.cancel_rollout(g.db, rollout=rollout, by=g.actor, now=utcnow()))


@bp.get("/fleet/automatic")
@requires(Permission.INSTALLS_VIEW)
def automatic() -> str:
    """Which versions sites take by themselves."""
    words = clean(request.args.get("q"))[:100]
    after = read_cursor(request.args.get("cursor", ""))
    sites, more = site_policies(g.db, agency_id=g.agency.agency_id, words=words, after=after)
    context = {
        "sites": sites,
        "q": words,
        "first": after is None,
        "cursor": write_cursor(more),
        "modes": MODES,
        "can_decide": g.actor.can(Permission.FLEET_MANAGE),
    }
    if is_htmx():
        return fragment("fleet/_sites.html", **context)
    return render_template("fleet/automatic.html", mode=agency_mode(g.db, agency_id=g.agency.agency_id), **context)


@bp.post("/fleet/automatic")
@requires(Permission.FLEET_MANAGE)
def save_agency() -> Response:
    agency = g.db.get_one(Agency, g.agency.agency_id)
    return _save(lambda: set_agency_mode(g.db, agency=agency, mode=request.form.get("mode", ""), by=g.actor))


@bp.post("/fleet/automatic/<public_id:site_id>")
@requires(Permission.FLEET_MANAGE, site=Site)
def save_site(site: Site) -> Response:
    mode, internal = request.form.get("mode") or None, request.form.get("internal") in ("1", "y")
    return _save(lambda: set_site_policy(g.db, site=site, mode=mode, internal=internal, by=g.actor))


@bp.get("/fleet/releases/<public_id:version_id>")
@requires(Permission.MODULES_VIEW, version=Version)
def release(version: Version) -> str:
    """How a release of the agency rolls out over all agencies, in figures."""
    found, agencies = release_rings(g.db, version_id=version.id)
    module = g.db.get_one(Module, version.module_id)
    return render_template("fleet/release.html", version=version, module=module, rings=found, anywhere=agencies > 0)


def _do(rollout: Rollout, act: Callable[[], None]) -> Response:
    try:
        act()
    except AppError as error:
        say_not_done(error)
    return respond(redirect_to=url_for("fleet_rollouts.show", rollout_id=encode("rol", rollout.id)))


def _save(act: Callable[[], None]) -> Response:
    act()
    trigger_toast("success", "Saved")
    return respond(redirect_to=url_for("fleet_rollouts.automatic", q=request.args.get("q") or None))
