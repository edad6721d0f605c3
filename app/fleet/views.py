"""The fleet: sites by modules, one module over all sites, as CSV; what a run over a selection would do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, Invalid, NotFound
from app.fleet.actions import start_run
from app.fleet.forms import Asked, column_named, read_cursor, read_filters, read_selection, write_cursor
from app.fleet.planning import plan_switch, plan_upgrade
from app.fleet.queries import (
    DRIFT,
    HEALTH,
    PAGE_SITES,
    Cell,
    Column,
    all_cells,
    clients_with_installs,
    columns,
    fleet_page,
    narrowed,
)
from app.lib.clock import rfc3339, utcnow
from app.support.views.common import csv_line
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, trigger_toast
from app.web.limits import limiter

bp = Blueprint("fleet", __name__)

MOST_COLUMNS = 12
KINDS = ("upgrade", "pause", "resume")
CSV = ("site", "client", "module", "version", "latest", "health", "drift", "status", "changed_at", "install")


@bp.get("/fleet")
@requires(Permission.INSTALLS_VIEW)
def index() -> str:
    """Sites by modules. The columns are those of the filter, else the modules that most sites have."""
    known = columns(g.db, agency_id=g.agency.agency_id)
    asked = read_filters(request.args, known)
    after = read_cursor(request.args.get("cursor", ""))
    page = fleet_page(g.db, agency_id=g.agency.agency_id, wanted=asked.wanted, now=utcnow(), after=after)
    shown = [one for one in known if one.id in asked.wanted.modules] if asked.modules else _widest(known)
    return _answer(
        "fleet/index.html", "fleet/_matrix.html", asked, known, listing=page, first=after is None, shown=shown
    )


@bp.get("/fleet/modules/<slug>")
@requires(Permission.INSTALLS_VIEW)
def module(slug: str) -> str:
    """One module over all sites."""
    known = columns(g.db, agency_id=g.agency.agency_id)
    one = column_named(known, slug)
    asked = read_filters(request.args, known)
    after = read_cursor(request.args.get("cursor", ""))
    wanted = narrowed(asked.wanted, module_id=one.id)
    page = fleet_page(g.db, agency_id=g.agency.agency_id, wanted=wanted, now=utcnow(), after=after)
    return _answer("fleet/module.html", "fleet/_rows.html", asked, known, listing=page, first=after is None, module=one)


@bp.get("/fleet.csv")
@requires(Permission.INSTALLS_VIEW)
def table() -> Response:
    """What is shown, of all pages, one install a line."""
    known = columns(g.db, agency_id=g.agency.agency_id)
    wanted = read_filters(request.args, known).wanted
    if request.args.get("of_module"):
        wanted = narrowed(wanted, module_id=column_named(known, request.args["of_module"]).id)
    cells = all_cells(g.db, agency_id=g.agency.agency_id, wanted=wanted, now=utcnow())
    answer = make_response(csv_line(CSV) + "".join(_line(cell) for cell in cells))
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="fleet-{utcnow():%Y-%m-%d}.csv"'
    return answer


@bp.post("/fleet/plan")
@requires(Permission.INSTALLS_CONFIGURE)
def plan() -> Response:
    """What a run over the selection would do. Nothing happens yet."""
    kind = _kind()
    cells = _selection()
    if not cells:
        trigger_toast("info", "Nothing is selected", "Select installs or whole rows first.")
        return respond(redirect_to=url_for("fleet.index"))
    return _plan_page(kind, cells)


@bp.post("/fleet/runs")
@limiter.limit("30 per minute")
@requires(Permission.INSTALLS_CONFIGURE)
def start() -> Response:
    """Start the run that was planned."""
    kind, cells = _kind(), _selection()
    try:
        run = start_run(
            g.db, agency_id=g.agency.agency_id, kind=kind, cells=cells, agreed=_agreed(),
            stop_at_first=request.form.get("stop") == "1", by=g.actor, now=utcnow(),
        )  # fmt: skip
    except AppError as error:
        g.db.rollback()
        page = _plan_page(kind, cells, problem=error.message)
        page.status_code = 422 if isinstance(error, Invalid) else 409
        return page
    return respond(redirect_to=url_for("fleet_runs.show", fleet_run_id=run.public_id))


def _answer(page_template: str, part: str, asked: Asked, known: list[Column], **more: Any) -> str:
    page = more["listing"]
    context = {
        **more,
        "asked": asked,
        "columns": known,
        "clients": clients_with_installs(g.db, agency_id=g.agency.agency_id),
        "health": HEALTH,
        "drift": DRIFT,
        "cursor": write_cursor(page.after),
        "per_page": PAGE_SITES,
        "query": urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "cursor"]),
        "can_run": g.actor.can(Permission.INSTALLS_CONFIGURE),
    }
    if is_htmx():
        return fragment(part, **context)
    return render_template(page_template, **context)


def _plan_page(kind: Any, cells: list[Cell], *, problem: str = "") -> Response:
    upgrade = plan_upgrade(g.db, cells=cells, agreed=_agreed()) if kind == "upgrade" else None
    ready, refused = plan_switch(cells, kind=kind) if upgrade is None else ([], [])
    page = render_template(
        "fleet/plan.html",
        kind=kind,
        plan=upgrade,
        ready=ready,
        refused=refused,
        cells=cells,
        agreed=_agreed(),
        stop=request.form.get("stop", "1") == "1" or "again" not in request.form,
        problem=problem,
    )
    return make_response(page)


def _selection() -> list[Cell]:
    known = columns(g.db, agency_id=g.agency.agency_id)
    return read_selection(g.db, request.form, agency_id=g.agency.agency_id, columns=known, now=utcnow())


def _kind() -> Any:
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise NotFound()
    return kind


def _agreed() -> frozenset[str]:
    return frozenset(request.form.getlist("agree"))


def _widest(known: list[Column]) -> list[Column]:
    """The modules that most sites have, by name; the others are reached by the filter."""
    most = sorted(known, key=lambda one: (-one.installs, one.name.lower()))[:MOST_COLUMNS]
    return sorted(most, key=lambda one: (one.name.lower(), one.id))


def _line(cell: Cell) -> str:
    return csv_line(
        (cell.site_name, cell.client_name, cell.module_slug, cell.version, cell.latest or "", cell.health,
         " ".join(cell.drift), cell.status, rfc3339(cell.changed_at), cell.public_id)
    )  # fmt: skip
