"""Runs over many installs: the list, and a page of each that shows how far it is and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, g, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError
from app.fleet import actions
from app.fleet.models import Run
from app.fleet.run_queries import items_page, runs_page, state_counts
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, say_not_done

bp = Blueprint("fleet_runs", __name__)

STATES = ("waiting", "running", "done", "failed", "skipped")


@bp.get("/fleet/runs")
@requires(Permission.INSTALLS_VIEW)
def index() -> str:
    cursor = request.args.get("cursor", "")
    rows, more = runs_page(g.db, agency_id=g.agency.agency_id, before=decode("run", cursor) if cursor else None)
    return render_template("fleet/runs.html", rows=rows, first=not cursor, cursor=encode("run", more) if more else None)


@bp.get("/fleet/runs/<public_id:fleet_run_id>")
@requires(Permission.INSTALLS_VIEW, fleet_run=Run)
def show(fleet_run: Run) -> str:
    """How far it is; to htmx the moving part alone."""
    run = fleet_run
    states = tuple(state for state in request.args.getlist("state") if state in STATES)
    text = request.args.get("cursor", "")
    after = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1
    items, more = items_page(g.db, run=run, states=states, after=after)
    counts = state_counts(g.db, run=run)
    total = sum(counts.values()) - counts.get("skipped", 0)
    over = counts.get("done", 0) + counts.get("failed", 0)
    context = {
        "run": run,
        "items": items,
        "counts": counts,
        "states": STATES,
        "chosen": states,
        "first": after < 0,
        "cursor": more,
        "percent": round(100 * over / total) if total else 100,
        "undoes": g.db.get(Run, run.undoes_id) if run.undoes_id else None,
        "can_run": g.actor.can(Permission.INSTALLS_CONFIGURE),
    }
    return fragment("fleet/_run.html", **context) if is_htmx() else render_template("fleet/run.html", **context)


@bp.post("/fleet/runs/<public_id:fleet_run_id>/hold")
@requires(Permission.INSTALLS_CONFIGURE, fleet_run=Run)
def hold(fleet_run: Run) -> Response:
    return _do(fleet_run, lambda: actions.hold_run(g.db, run=fleet_run, by=g.actor, now=utcnow()))


@bp.post("/fleet/runs/<public_id:fleet_run_id>/resume")
@requires(Permission.INSTALLS_CONFIGURE, fleet_run=Run)
def resume(fleet_run: Run) -> Response:
    return _do(fleet_run, lambda: actions.resume_run(g.db, run=fleet_run, by=g.actor, now=utcnow()))


@bp.post("/fleet/runs/<public_id:fleet_run_id>/cancel")
@requires(Permission.INSTALLS_CONFIGURE, fleet_run=Run)
def cancel(fleet_run: Run) -> Response:
    return _do(fleet_run, lambda: actions.cancel_run(g.db, run=fleet_run, by=g.actor, now=utcnow()))


@bp.post("/fleet/runs/<public_id:fleet_run_id>/retry")
@requires(Permission.INSTALLS_CONFIGURE, fleet_run=Run)
def retry(fleet_run: Run) -> Response:
    return _do(fleet_run, lambda: actions.retry_failed(g.db, run=fleet_run, by=g.actor, now=utcnow()))


@bp.post("/fleet/runs/<public_id:fleet_run_id>/undo")
@requires(Permission.INSTALLS_CONFIGURE, fleet_run=Run)
def undo(fleet_run: Run) -> Response:
    """Take back all that it has moved, as a run with a page of its own."""
    return _do(fleet_run, lambda: actions.undo_run(g.db, run=fleet_run, by=g.actor, now=utcnow()))


def _do(run: Run, act: Callable[[], Run | None]) -> Response:
    """Do it and go to the run's page, or the one it began; an expected refusal is said there and nothing is changed."""
    where = run.public_id
    try:
        made = act()
    except AppError as error:
        say_not_done(error)
    else:
        where = made.public_id if made is not None else where
    return respond(redirect_to=url_for("fleet_runs.show", fleet_run_id=where))
