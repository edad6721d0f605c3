"""The lists of an install, and its first one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.access.permissions import Permission
from app.installs.models import Install
from app.runtime.data import Page
from app.runtime.trials.models import Trial
from app.web.guard import requires
from app.web.htmx import is_htmx
from app.workspace.cells import RIGHT, cell, kind_of, text_of
from app.workspace.desk import Desk
from app.workspace.facets import chips, facets, used_tags
from app.workspace.labels import field_label, many, one
from app.workspace.listing import LIMITS, ListState, page_of
from app.workspace.opened import Opened
from app.workspace.records import bulk_choices
from app.workspace.screens import column_choices, menu, sortable
from app.workspace.views.common import (
    BASE,
    bp,
    carried,
    desk_of,
    install_parts,
    open_screen,
    page,
    screen,
    show,
    state_of,
)

_VIEW = ("sort", "col", "limit")  # parameters that say how a list looks, not what is in it


@bp.get(BASE)
@requires(Permission.RECORDS_VIEW, install=Opened)
def home(install: Install | Trial) -> BaseResponse:
    """The first screen of the menu; a sentence when this person's role in the module shows them none."""
    desk = desk_of(install)
    entries = menu(desk)
    if entries:
        return redirect(url_for(".records", install_id=desk.install_id, name=entries[0].key), code=303)
    return page("workspace/nothing.html", desk, denied=bool(desk.manifest.tables), **install_parts(install))


@bp.get(f"{BASE}/<name>")
@requires(Permission.RECORDS_VIEW, install=Opened)
def records(install: Install | Trial, name: str) -> Response:
    """A list, or what else the view of this name is."""
    return open_screen(install, desk_of(install), name)


def list_shown(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/list.html shows."""
    found, state = page_of(desk, state_of(desk, name))
    return list_context(desk, state, found) | {"problem": "", "failed": (), "chosen": ()}


@screen("list", list_shown)
def list_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    return list_page(install, desk, state_of(desk, name))


def list_page(
    install: Install | Trial,
    desk: Desk,
    state: ListState,
    *,
    status: int = 200,
    problem: str = "",
    failed: tuple[str, ...] = (),
    chosen: tuple[str, ...] = (),
) -> Response:
    """problem: why an act on the chosen records changed nothing; failed: a line for each record that stood in its way."""
    found, state = page_of(desk, state)
    context = list_context(desk, state, found) | ({} if is_htmx() else install_parts(install))
    return show("list", "results", desk, status=status, problem=problem, failed=failed, chosen=chosen, **context)


def list_context(desk: Desk, state: ListState, found: Page) -> dict[str, Any]:
    """What workspace/list.html shows of a page of records, without the install around it."""
    screen, shown = state.screen, facets(desk, state)
    table = screen.table
    rows = [(row["id"], [cell(desk, table, name, row) for name in state.columns]) for row in found.records]
    return {
        "state": state,
        "screen": screen,
        "columns": [_heading(desk, table, name) for name in state.columns],
        "all_columns": [(name, field_label(desk.table(table), name)) for name in column_choices(desk, table)],
        "rows": [(record_id, text_of(cells[0]) if cells else "", cells) for record_id, cells in rows],
        "count": found.count,
        "next_cursor": found.next_cursor,
        "facets": shown,
        "chips": chips(desk, state, shown),
        "limits": LIMITS,
        "view_pairs": [pair for pair in request.args.items(multi=True) if pair[0] in _VIEW],
        "kept_pairs": [pair for pair in request.args.items(multi=True) if pair[0] not in (*_VIEW[1:], "cursor")],
        "carry": carried(state),
        "noun": one(desk.manifest, table),
        "nouns": many(desk.manifest, table),
        "can_create": desk.can(table, "create"),
        "can_export": screen.export and desk.can_export(table),
        "can_import": screen.imports and desk.can_import(table),
        "bulk": _bulk(desk, state),
    }


def _heading(desk: Desk, table: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": field_label(desk.table(table), name),
        "sortable": sortable(desk, table, name),
        "num": kind_of(desk, table, name) in RIGHT,
    }


def _bulk(desk: Desk, state: ListState) -> dict[str, Any]:
    """What can be done with chosen records here; empty when nothing can."""
    table, acts = state.screen.table, state.screen.bulk
    found: dict[str, Any] = {}
    if desk.can(table, "update"):
        choices = bulk_choices(desk, table, assign="assign" in acts, edit="edit" in acts)
        tag_field = next((name for name, field in desk.table(table).fields.items() if field.type == "tags"), None)
        found |= {"choices": choices} if choices else {}
        if "tag" in acts and tag_field:
            found["tag"] = tag_field
            found["tags"] = used_tags(desk, table, tag_field)
    if "delete" in acts and desk.can(table, "delete"):
        found["delete"] = True
    if "export" in acts and desk.can_export(table):
        found["export"] = True
    return found
