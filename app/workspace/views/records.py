"""One record: its panels, its history, what points at it, and the acts on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, current_app, g, request, url_for

from app.access.permissions import Permission
from app.config import Config
from app.errors import Conflict, Invalid, NotFound
from app.installs.models import Install
from app.modules.conditions import Test
from app.modules.kinds import Kind
from app.modules.manifest.fields import EnumField
from app.modules.manifest.views import Related
from app.runtime.files.queries import open_bytes, readable_file
from app.runtime.files.serving import chunks, file_headers
from app.runtime.query import Query
from app.runtime.trials.models import Trial
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.workspace.cells import Cell, cell, kind_of, title
from app.workspace.changes import events
from app.workspace.desk import Desk
from app.workspace.labels import field_label, inside, is_long, many, one, option_label, option_tone
from app.workspace.listing import PREFIX, ListState, expandable
from app.workspace.neighbours import neighbours
from app.workspace.opened import Opened
from app.workspace.screens import (
    MOVED_ON,
    DetailScreen,
    back_refs,
    detail_screen,
    has_history,
    list_screen,
    list_table,
    menu,
    screen_kind,
)
from app.workspace.views.common import BASE, bp, carried, desk_of, list_url, page, record_url, state_of
from app.workspace.views.going import inbox_of, next_url, opened_url

RELATED_ROWS, HISTORY_ROWS = 10, 50


@bp.get(f"{BASE}/<table>/<uuid:record_id>")
@requires(Permission.RECORDS_VIEW, install=Opened)
def record(install: Install | Trial, table: str, record_id: UUID) -> Response:
    desk = desk_of(install)
    return page("workspace/record.html", desk, **record_context(desk, table, read_record(desk, table, record_id)))


def read_record(desk: Desk, table: str, record_id: UUID) -> dict[str, Any]:
    """A record with the references its page names. Raises NotFound."""
    desk.data.table(table)
    names = tuple(desk.table(table).fields)
    return desk.data.get(table, record_id, Query(expand=expandable(desk, table, names))).values


def record_context(
    desk: Desk,
    table: str,
    values: dict[str, Any],
    *,
    state: ListState | None = None,
    screen: DetailScreen | None = None,
    link: Callable[[object, str], str] | None = None,
) -> dict[str, Any]:
    """What workspace/record.html shows.

    state: the list it is in, else the one the address names; screen: its panels; link: where a record beside it is looked
    at, from (id, what is carried), else on its page.
    """
    screen, state = screen or detail_screen(desk, table, values), state or _state(desk, table)
    carry = carried(state)
    lead = link or partial(record_url, desk, table)
    before, after = (one and (lead(one[0], carry), one[1]) for one in neighbours(desk, state, values))
    author = desk.actor_name(values.get("created_by") or "")
    return {
        "table": table,
        "record": values | _moments(values),
        "name": title(desk, table, values),
        "noun": one(desk.manifest, table),
        "moves": _moves(desk, table, values),
        "main": _panels(desk, table, values, screen.main),
        "side": _panels(desk, table, values, screen.side),
        "before": before,
        "after": after,
        "screen": state.screen,
        "carry": carry,
        "back": list_url(desk, state.screen.key, carry),
        "author": author,
        "author_inside": _inside(author),
        "api": _api_example(desk, table, UUID(str(values["id"]))),
        "can_edit": desk.can(table, "update"),
        "can_delete": desk.can(table, "delete"),
        "can_create": desk.can(table, "create"),
    }


@bp.get(f"{BASE}/files/<uuid:file_id>")
@requires(Permission.RECORDS_VIEW, install=Opened)
def file(install: Install | Trial, file_id: UUID) -> Response:
    """A file of a record; ?size=small or medium for a smaller picture, ?download=1 to save it."""
    desk = desk_of(install)
    found = readable_file(desk.data, file_id)
    content, media_type, size = open_bytes(desk.context, found, size=request.args.get("size", ""))
    headers = file_headers(found, media_type=media_type, attachment="download" in request.args, size=size)
    answer = Response(chunks(content), headers=headers, direct_passthrough=True)
    answer.content_length = content.seek(0, 2)
    content.seek(0)
    return answer.make_conditional(request)  # type: ignore[return-value]  # it gives itself back


@bp.post(f"{BASE}/<table>/<uuid:record_id>/move")
@requires(Permission.RECORDS_EDIT, install=Opened)
def move(install: Install | Trial, table: str, record_id: UUID) -> Response:
    """Give the status field its next value, when the version is the one that was looked at."""
    desk = desk_of(install)
    desk.data.table(table)
    states = desk.table(table).states
    if states is None:
        raise NotFound()
    before = desk.data.get(table, record_id).values
    to, version = request.form.get("to", ""), request.form.get("_version", "")
    try:
        desk.data.update(
            table, record_id, {states.field: to or None}, if_version=int(version) if version.isdecimal() else None
        )
        field = desk.table(table).fields[states.field]
        label = option_label(field, to) if isinstance(field, EnumField) else to
        trigger_toast("success", f"{field_label(desk.table(table), states.field)}: {label}")
    except (Invalid, Conflict) as error:
        trigger_toast("error", "Nothing was changed", error.message)
    return respond(redirect_to=next_url(desk, table, before, request.form.get("_list", "")))


@bp.post(f"{BASE}/<table>/<uuid:record_id>/delete")
@requires(Permission.RECORDS_DELETE, install=Opened)
def delete(install: Install | Trial, table: str, record_id: UUID) -> Response:
    desk = desk_of(install)
    desk.data.table(table)
    state, carry = _state(desk, table), request.form.get("_list", "")
    before = desk.data.get(table, record_id).values
    name = title(desk, table, before)
    try:
        batch = desk.data.delete(table, record_id)
    except Conflict as error:
        trigger_toast("error", f"{name} is not deleted", error.message)
        return respond(redirect_to=opened_url(desk, table, record_id, carry))
    undo = url_for(".restore", install_id=desk.install_id, batch=batch)
    if inbox_of(desk, table, carry):
        trigger_toast("success", f"{name} is deleted", undo=f"{undo}?{carry}")
        return respond(redirect_to=next_url(desk, table, before, carry))
    trigger_toast("success", f"{name} is deleted", undo=undo)
    return respond(redirect_to=list_url(desk, state.screen.key, carry))


@bp.post(f"{BASE}/restore/<uuid:batch>")
@requires(Permission.RECORDS_EDIT, install=Opened)
def restore(install: Install | Trial, batch: UUID) -> Response:
    """Undo what a batch did, when nobody changed the same records since."""
    desk, where = desk_of(install), request.args.get("in", "")
    back_to = list_url(desk, where, carried(state_of(desk, where))) if _is_moved_on(desk, where) else ""
    try:
        back = desk.data.restore(batch)
    except (Conflict, Invalid) as error:
        trigger_toast("error", "This cannot be undone any more", error.message)
        return respond(redirect_to=back_to or url_for(".home", install_id=desk.install_id))
    table, record_id = back[0]
    trigger_toast("success", "Undone")
    if back_to:
        carry = back_to.partition("?")[2]
        mine = next((one for one in back if inbox_of(desk, one[0], carry)), None)  # others came back with it
        return respond(redirect_to=opened_url(desk, *mine, carry) if mine else back_to)
    if len(back) == 1 and _is_there(desk, table, record_id):
        return respond(redirect_to=record_url(desk, table, record_id))
    return respond(redirect_to=list_url(desk, table))


def _is_moved_on(desk: Desk, name: str) -> bool:
    """Whether what is undone was done on a screen where cards are moved, and somebody then goes on."""
    try:
        return screen_kind(desk, name) in MOVED_ON
    except NotFound:
        return False


def _is_there(desk: Desk, table: str, record_id: UUID) -> bool:
    try:
        desk.data.get(table, record_id, Query(fields=("id",)))
    except NotFound:
        return False
    return True


def _state(desk: Desk, table: str) -> Any:
    """The list the record was opened from, else the table's own."""
    key = request.values.get("in", "")
    try:
        if key and list_screen(desk, key).table == table:
            return state_of(desk, key, request.args)
    except NotFound:
        pass
    return state_of(desk, _own_list(desk, table), request.args)


def _own_list(desk: Desk, table: str) -> str:
    lists = (entry.key for entry in menu(desk) if entry.kind == "list")
    return next((key for key in lists if list_table(desk, key) == table), table)


def _moves(desk: Desk, table: str, values: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(value, label, tone) of where the status may go from here."""
    states = desk.table(table).states
    if states is None or not desk.can(table, "update"):
        return []
    field, now = desk.table(table).fields[states.field], values.get(states.field)
    assert isinstance(field, EnumField)
    return [(to, option_label(field, to), option_tone(field, to)) for to in states.moves.get(now or "", ())]


# -- panels: ("facts", [(label, cell)]), ("text", label, cell), ("related", …), ("history", …)


def _panels(desk: Desk, table: str, values: dict[str, Any], wanted: tuple[str | Related, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for panel in wanted:
        if isinstance(panel, Related):
            if desk.can(panel.related, "read"):
                found += [
                    _related(desk, table, values, panel.related, via) for via in back_refs(desk, table, panel.related)
                ]
        elif panel == "timeline" and "timeline" not in desk.table(table).fields:
            found.append({"kind": "history"} | _history(desk, table, values))
        else:
            _add_field(desk, table, values, panel, found)
    return found


def _add_field(desk: Desk, table: str, values: dict[str, Any], name: str, found: list[dict[str, Any]]) -> None:
    """Long fields get a panel of their own, short ones stand together."""
    field = desk.table(table).fields.get(name)
    shown, label = cell(desk, table, name, values), field_label(desk.table(table), name)
    if field is not None and field.type == "secret" and shown.empty:
        shown = Cell("text", "Not set")
    if field is not None and is_long(field) and field.type not in ("address",):
        if not shown.empty:
            found.append({"kind": "text", "label": label, "cell": shown})
        return
    if not found or found[-1]["kind"] != "facts":
        found.append({"kind": "facts", "facts": []})
    found[-1]["facts"].append((label, shown))


def _related(desk: Desk, table: str, values: dict[str, Any], other: str, via: str) -> dict[str, Any]:
    """The records of another table that refer to this one, the newest ten."""
    state = state_of(desk, _own_list(desk, other), type(request.args)())
    columns = tuple(name for name in state.columns if name != via)[:4]
    here = UUID(str(values["id"]))
    where = Test(via, "eq", here, Kind.UUID)
    query = Query(where=where, sort=state.sort, limit=RELATED_ROWS, expand=expandable(desk, other, columns), count=True)
    found = desk.data.list(other, query)
    several = len(back_refs(desk, table, other)) > 1
    suffix = f" ({inside(field_label(desk.table(other), via))})" if several else ""
    return {
        "kind": "related",
        "id": f"{other}-{via}",
        "table": other,
        "label": many(desk.manifest, other) + suffix,
        "noun": one(desk.manifest, other),
        "columns": [(field_label(desk.table(other), name), kind_of(desk, other, name)) for name in columns],
        "rows": [
            (row["id"], title(desk, other, row), [cell(desk, other, name, row) for name in columns])
            for row in found.records
        ],
        "count": found.count,
        "query": f"{PREFIX}{via}={here}",
        "list": state.screen.key,
        "can_create": desk.can(other, "create"),
    }


def _history(desk: Desk, table: str, values: dict[str, Any]) -> dict[str, Any]:
    if not has_history(desk.table(table)):
        return {"events": []}
    entries = desk.data.history(table, UUID(str(values["id"])), limit=HISTORY_ROWS)
    return {"events": events(desk, table, entries, values), "cut": len(entries) == HISTORY_ROWS}


def _api_example(desk: Desk, table: str, record_id: UUID) -> str:
    """How a program reads this record; "" for people who do not see keys, or where no key reaches it, as in a trial."""
    if desk.trial_id or not g.actor.can(Permission.KEYS_VIEW) or "read" not in desk.table(table).access.api:
        return ""
    config: Config = current_app.config["DRAMAC"]
    address = f"{config.platform_url}/api/modules/{desk.context.module_slug}/{table}/{record_id}"
    return f'curl {address} \\\n  -H "Authorization: Bearer $DRAMAC_KEY"'


def _inside(name: str) -> str:
    """`A visitor` inside a sentence; names of people and of the product stay."""
    return inside(name) if name.startswith(("A ", "An ", "The ")) else name


def _moments(values: dict[str, Any]) -> dict[str, Any]:
    """The server's moments as times, beside the record's texts."""
    return {f"{name}_shown": datetime.fromisoformat(values[name]) for name in ("created_at", "updated_at")}
