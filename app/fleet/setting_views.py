"""One setting on many sites: choose it, see what it would change, start the run."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from app.access.permissions import Permission
from app.errors import AppError, Invalid, NotFound
from app.fleet.actions import start_setting_run
from app.fleet.forms import column_named, read_selection
from app.fleet.queries import Cell, Column, columns
from app.fleet.settings import Change, plan_setting, settable
from app.installs.forms import Choices, Input, read_settings, settings_groups
from app.installs.levels import version_for_levels
from app.installs.queries import people_of
from app.lib.clock import utcnow
from app.modules.manifest import Manifest
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.web.limits import limiter

bp = Blueprint("fleet_settings", __name__)

VALUE = "value."  # before the names of the setting's own controls, which may be called anything


@bp.post("/fleet/modules/<slug>/set")
@requires(Permission.INSTALLS_CONFIGURE)
def choose(slug: str) -> Response:
    """Which setting and what; with `look` what that would change. Nothing happens yet."""
    column, cells = _selection(slug)
    if not cells:
        trigger_toast("info", "Nothing is selected", "Select sites first.")
        return respond(redirect_to=url_for("fleet.module", slug=slug))
    return _page(column, cells)


@bp.post("/fleet/modules/<slug>/set/start")
@limiter.limit("30 per minute")
@requires(Permission.INSTALLS_CONFIGURE)
def start(slug: str) -> Response:
    """Start the run over what was looked at, whatever stands in the form by now."""
    column, cells = _selection(slug)
    manifest, change = _manifest(column), _reviewed()
    try:
        run = start_setting_run(
            g.db, agency_id=g.agency.agency_id, cells=cells, change=change, manifest=manifest,
            stop_at_first=request.form.get("stop") == "1", by=g.actor, now=utcnow(),
        )  # fmt: skip
    except AppError as error:
        g.db.rollback()
        page = _page(column, cells, problem=error.message)
        page.status_code = 422 if isinstance(error, Invalid) else 409
        return page
    return respond(redirect_to=url_for("fleet_runs.show", fleet_run_id=run.public_id))


def _page(column: Column, cells: list[Cell], *, problem: str = "") -> Response:
    manifest = _manifest(column)
    offered = settable(manifest)
    name = request.form.get("setting", "")
    name = name if name in dict(offered) else ""
    shown = bool(name) and request.form.get("shown") == name  # its control stood in the form that was sent
    change = _change(manifest, name) if shown else None
    plan = None
    if change is not None and "look" in request.form:
        plan = plan_setting(g.db, agency_id=g.agency.agency_id, cells=cells, change=change)
    page = render_template(
        "fleet/setting.html",
        module=column,
        cells=cells,
        offered=offered,
        name=name,
        input=_control(manifest, name, change) if name else None,
        back=change.back if change else False,
        plan=plan,
        reviewed=json.dumps(asdict(change)) if change else "",
        problem=problem,
    )
    return make_response(page)


def _control(manifest: Manifest, name: str, change: Change | None) -> Input:
    """The control of one setting, with what was sent or its default."""
    choices = Choices(people_of(g.db, agency_id=g.agency.agency_id), [], [], "in each site's currency")
    values = {name: change.value} if change and not change.back else {}
    groups = settings_groups(manifest, values=values, choices=choices)
    found = next(one for group in groups for one in group.inputs if one.name == name)
    return replace(found, name=f"{VALUE}{name}", visible_if=None, required=False)


def _change(manifest: Manifest, name: str) -> Change:
    if request.form.get("how") == "back":
        return Change(name, back=True)
    sent = MultiDict(
        (key.removeprefix(VALUE), value) for key, value in request.form.items(multi=True) if key.startswith(VALUE)
    )
    return Change(name, read_settings(manifest, sent).get(name))


def _reviewed() -> Change:
    """The change that was looked at. It is judged again for each install. Raises NotFound for what nobody was shown."""
    try:
        given: dict[str, Any] = json.loads(request.form.get("reviewed", ""))
        return Change(name=str(given["name"]), value=given["value"], back=given["back"] is True)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotFound() from error


def _selection(slug: str) -> tuple[Column, list[Cell]]:
    known = columns(g.db, agency_id=g.agency.agency_id)
    column = column_named(known, slug)
    cells = read_selection(g.db, request.form, agency_id=g.agency.agency_id, columns=known, now=utcnow())
    return column, [cell for cell in cells if cell.module_id == column.id]


def _manifest(column: Column) -> Manifest:
    version = version_for_levels(g.db, module_id=column.id)
    if version is None:
        raise NotFound()
    return Manifest.from_dict(version.manifest)
