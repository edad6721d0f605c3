"""The form of a record: a new one, a changed one, and what to do when somebody else was faster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from flask import Response, request, url_for

from app.access.permissions import Permission
from app.errors import Conflict, Forbidden, Invalid, NotFound, VersionMismatch
from app.installs.models import Install
from app.modules.manifest.fields import RefField, RefsField
from app.runtime.trials.models import Trial
from app.runtime.validation.problems import Wrong
from app.web.bodies import takes_files
from app.web.errors import status_of
from app.web.guard import requires
from app.web.htmx import fragment, respond, trigger_toast
from app.workspace.cells import Cell, cell, title
from app.workspace.desk import Desk
from app.workspace.forms.raw import control_name, parts_of
from app.workspace.forms.record import RecordForm, chosen_records
from app.workspace.labels import field_label, one
from app.workspace.listing import GIVEN
from app.workspace.opened import Opened
from app.workspace.screens import COMPUTED, has_history, list_screen
from app.workspace.views.common import BASE, bp, desk_of, list_url, show
from app.workspace.views.going import came_from, next_url, opened_url

MAX_FORM_BYTES = 128 << 20  # several files of up to 50 MiB at once


@bp.get(f"{BASE}/<table>/new")
@requires(Permission.RECORDS_EDIT, install=Opened)
def new(install: Install | Trial, table: str) -> Response:
    """An empty form; ?copy=<uuid> starts from another record, f.<field>=… names values."""
    desk = desk_of(install)
    desk.data.table(table, "create")
    form = RecordForm.new(desk, table, request.args, _copied(desk, table))
    return _form_page(desk, table, form, carry=_carry(request.args))


@bp.post(f"{BASE}/<table>/new")
@takes_files(MAX_FORM_BYTES)
@requires(Permission.RECORDS_EDIT, install=Opened)
def create(install: Install | Trial, table: str) -> Response:
    desk = desk_of(install)
    desk.data.table(table, "create")
    form, carry = RecordForm.sent(desk, table, request.form), request.form.get("_list", "")
    form.receive(request.files)
    values = form.values()
    if form.errors:
        return _form_page(desk, table, form, carry=carry, status=422)
    try:
        made = desk.data.insert(table, values)
    except (Invalid, Conflict) as error:
        form.take(error)
        return _form_page(desk, table, form, carry=carry, status=status_of(error))
    name = title(desk, table, made.values) if desk.can(table, "read") else one(desk.manifest, table)
    trigger_toast("success", f"{name} is added")
    if request.form.get("_then") == "another":
        again = url_for(".new", install_id=desk.install_id, table=table)
        return respond(redirect_to=f"{again}?{carry}" if carry else again)
    return respond(redirect_to=came_from(desk, carry) or opened_url(desk, table, made.id, carry))


@bp.get(f"{BASE}/<table>/<uuid:record_id>/edit")
@requires(Permission.RECORDS_EDIT, install=Opened)
def edit(install: Install | Trial, table: str, record_id: UUID) -> Response:
    desk = desk_of(install)
    record = _editable(desk, table, record_id)
    return _form_page(desk, table, RecordForm.edit(desk, table, record), carry=_carry(request.args))


@bp.post(f"{BASE}/<table>/<uuid:record_id>/edit")
@takes_files(MAX_FORM_BYTES)
@requires(Permission.RECORDS_EDIT, install=Opened)
def change(install: Install | Trial, table: str, record_id: UUID) -> Response:
    desk = desk_of(install)
    record = _editable(desk, table, record_id)
    form, carry = RecordForm.sent(desk, table, request.form, record), request.form.get("_list", "")
    form.receive(request.files)
    if form.version is not None and form.version != record["version"]:
        return _conflict_page(desk, table, form, carry)
    values = form.values()
    if form.errors:
        return _form_page(desk, table, form, carry=carry, status=422)
    try:
        if values:
            desk.data.update(table, record_id, values, if_version=form.version)
    except VersionMismatch:
        form.before = _editable(desk, table, record_id)
        return _conflict_page(desk, table, form, carry)
    except (Invalid, Conflict) as error:
        form.take(error)
        return _form_page(desk, table, form, carry=carry, status=status_of(error))
    trigger_toast("success", f"{title(desk, table, desk.data.get(table, record_id).values)} is saved")
    return respond(redirect_to=next_url(desk, table, record, carry))


@bp.get(f"{BASE}/<table>/options/<field>")
@requires(Permission.RECORDS_EDIT, install=Opened)
def options(install: Install | Trial, table: str, field: str) -> str:
    """Options of a reference for what is typed in its search: what is chosen stays among them."""
    desk = desk_of(install)
    allowed = desk.data.access.allowed(desk.manifest, table)
    spec = desk.table(table).fields.get(field) if table in desk.manifest.tables else None
    if not isinstance(spec, (RefField, RefsField)) or not desk.can(spec.to, "read"):
        raise NotFound()
    if not {"create", "update"} & allowed:
        raise Forbidden()
    kept = [text for text in request.args.getlist(control_name(field)) if text]
    found = chosen_records(desk, spec.to, kept, request.args.get(control_name(f"{field}.find"), "").strip())
    return fragment("workspace/_options.html", options=found.options, kept=kept, empty=isinstance(spec, RefField))


def _copied(desk: Desk, table: str) -> dict[str, Any] | None:
    try:
        return desk.data.get(table, UUID(request.args["copy"])).values
    except (KeyError, ValueError):
        return None


def _editable(desk: Desk, table: str, record_id: UUID) -> dict[str, Any]:
    """The record as it is. Raises NotFound before Forbidden: what is not theirs to see is not there."""
    desk.data.table(table)
    found = desk.data.get(table, record_id).values
    desk.data.table(table, "update")
    return found


def _carry(args: Any) -> str:
    kept = [pair for pair in args.items(multi=True) if pair[0] not in ("copy", "cursor")]
    return urlencode([(key, value) for key, value in kept if not key.startswith(GIVEN)])


def _form_page(desk: Desk, table: str, form: RecordForm, *, carry: str, status: int = 200, **more: Any) -> Response:
    return show("form", "form", desk, status=status, **{**form_context(desk, table, form, carry=carry), **more})


def form_context(desk: Desk, table: str, form: RecordForm, *, carry: str) -> dict[str, Any]:
    """What workspace/form.html shows."""
    record = form.before
    where: dict[str, Any] = {"install_id": desk.install_id, "table": table}
    return {
        "table": table,
        "form": form,
        "noun": one(desk.manifest, table),
        "name": title(desk, table, record) if record else None,
        "record": record,
        "carry": carry,
        "action": url_for("workspace.change", record_id=record["id"], **where)
        if record
        else url_for("workspace.create", **where),
        "back": opened_url(desk, table, record["id"], carry)
        if record
        else came_from(desk, carry) or list_url(desk, _list_of(desk, table, carry), carry),
        "computed": _computed(desk, table, record) if record else [],
        "conflict": None,
    }


def _list_of(desk: Desk, table: str, carry: str) -> str:
    key = (parse_qs(carry).get("in") or [table])[0]
    try:
        return list_screen(desk, key).key
    except NotFound:
        return table


def _computed(desk: Desk, table: str, record: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    spec = desk.table(table)
    names = [name for name, field in spec.fields.items() if field.type in COMPUTED]
    return [(field_label(spec, name), cell(desk, table, name, record)) for name in (*names, "created_at", "updated_at")]


def _conflict_page(desk: Desk, table: str, form: RecordForm, carry: str) -> Response:
    """Somebody saved first: both values of every field that differs; saving again keeps mine, a link takes theirs."""
    now = form.before
    assert now is not None
    theirs = RecordForm.edit(desk, table, now)
    mine = set(form.touched())
    lines: list[tuple[str, Cell, Cell | None]] = []
    merged = dict(theirs.raw)
    for name in form.names:
        moved = form.base.get(name) != theirs.digest(name)
        if name in mine:
            _take_over(form, name, merged)
            if moved and form.digest(name) != theirs.digest(name):
                lines.append((field_label(desk.table(table), name), cell(desk, table, name, now), _mine(form, name)))
        elif moved:
            lines.append((field_label(desk.table(table), name), cell(desk, table, name, now), None))
    theirs.raw = merged
    who = _who(desk, table, now)
    return _form_page(
        desk, table, theirs, carry=carry, status=412, conflict={"who": who, "at": now["updated_at"], "lines": lines}
    )


def _take_over(form: RecordForm, name: str, merged: dict[str, list[str]]) -> None:
    for key in parts_of(form.desk.table(form.table).fields[name].type, name):
        merged.pop(key, None)
        if key in form.raw:
            merged[key] = form.raw[key]


def _mine(form: RecordForm, name: str) -> Cell:
    """What I wrote, as the field would show it; as I wrote it when it cannot be read."""
    spec = form.desk.table(form.table).fields[name]
    if spec.type == "secret":
        return Cell("text", "A new value")
    try:
        value = form.read(name)
        return cell(form.desk, form.table, name, {**(form.before or {}), name: value})
    except (Wrong, ValueError, TypeError, KeyError, AttributeError):
        return Cell("text", ", ".join(form.raw.get(name, [])))


def _who(desk: Desk, table: str, now: Mapping[str, Any]) -> str:
    """Who changed it last, where that is kept."""
    if not has_history(desk.table(table)):
        return ""
    entries = desk.data.history(table, UUID(str(now["id"])), limit=1)
    return desk.actor_name(entries[0].actor) if entries else ""
