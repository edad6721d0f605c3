"""Tables, their fields, indexes and unique lists."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, request

from app.access.permissions import Permission
from app.errors import AppError, NotFound
from app.lib.clock import utcnow
from app.studio.builder import table_changes as change
from app.studio.builder.changes import edited
from app.studio.builder.choices import names_for
from app.studio.builder.computing import told_of
from app.studio.builder.forms import identifier
from app.studio.builder.keys import field_keys
from app.studio.builder.manifesttext import mapping, read_values
from app.studio.builder.references import to_field, to_table
from app.studio.builder.saving import FILE, apply
from app.studio.builder.sheet import Sheet, released_values
from app.studio.builder.views.frame import acted, bp, live, number, sheet_here, shown
from app.studio.editor.models import Project
from app.studio.editor.queries import file_now
from app.studio.editor.views.common import said as not_done
from app.studio.editor.views.common import to_file
from app.web.guard import requires
from app.web.htmx import fragment, trigger_toast
from app.web.limits import limiter

IN_ROW = ("required", "unique", "search", "private", "pii", "default")


@bp.get("/<public_id:project_id>/tables")
@requires(Permission.MODULES_VIEW, project=Project)
def tables(project: Project) -> Response:
    """The fields of one table, `table`; one of them opened, `field`."""
    return _shown(sheet_here(project), request.args.get("table", ""), request.args.get("field", ""))


@bp.post("/<public_id:project_id>/tables/add")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add_table(project: Project) -> Response:
    typed = request.form.get("name", "")
    name = _slug(typed)
    return _act(project, change.add_table(typed), f"Table {name} added", "add-table", table=name)


@bp.post("/<public_id:project_id>/tables/change")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_table(project: Project) -> Response:
    table = request.form.get("table", "")
    new = request.form.get("name", table).strip()
    asked = change.change_table(table, request.form, _released(project))
    return _act(project, asked, f"Table {table} changed", "table", table=_slug(new) or table)


@bp.post("/<public_id:project_id>/tables/delete")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete_table(project: Project) -> Response:
    table = request.form.get("table", "")
    return _act(project, change.delete_table(table), f"Table {table} deleted", "table")


@bp.post("/<public_id:project_id>/tables/move")
@requires(Permission.MODULES_AUTHOR, project=Project)
def move_table(project: Project) -> Response:
    table = request.form.get("table", "")
    to = number(request.form.get("to", "")) or 0
    return _act(project, change.move_table(table, to), f"Table {table} moved", "table", table=table)


@bp.post("/<public_id:project_id>/fields/add")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add_field(project: Project) -> Response:
    """Those that need more than a name and a type are opened at once."""
    table, typed, kind = (request.form.get(key, "") for key in ("table", "name", "type"))
    opened = _slug(typed) if kind in ("enum", "ref", "refs", "formula", "rollup") else None
    return _act(
        project,
        change.add_field(table, typed, kind),
        f"Field {_slug(typed)} added",
        "add-field",
        table=table,
        field=opened,
    )


@bp.post("/<public_id:project_id>/fields/change")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_field(project: Project) -> Response:
    table, field = request.form.get("table", ""), request.form.get("field", "")
    new = _slug(request.form.get("name", field)) or field
    opened = new if request.form.get("opened") else None
    asked = change.change_field(table, field, request.form, _released(project))
    return _act(project, asked, f"Field {new} changed", f"field-{field}", table=table, field=opened)


@bp.post("/<public_id:project_id>/fields/delete")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete_field(project: Project) -> Response:
    table, field = request.form.get("table", ""), request.form.get("field", "")
    return _act(project, change.delete_field(table, field), f"Field {field} deleted", f"field-{field}", table=table)


@bp.post("/<public_id:project_id>/fields/move")
@requires(Permission.MODULES_AUTHOR, project=Project)
def move_field(project: Project) -> Response:
    table, field = request.form.get("table", ""), request.form.get("field", "")
    to = number(request.form.get("to", "")) or 0
    return _act(project, change.move_field(table, field, to), f"Field {field} moved", f"field-{field}", table=table)


@bp.post("/<public_id:project_id>/fields/try")
@limiter.limit("240 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def try_field(project: Project) -> Response:
    """What a formula or a sum would be, or why it is none, before anything is saved."""
    table, field = request.form.get("table", ""), request.form.get("field", "")
    sheet = sheet_here(project)
    try:
        edit = edited(sheet.values, change.change_field(table, field, request.form, {}))
    except NotFound:
        raise
    except AppError as error:
        return make_response(fragment("studio/builder/_told.html", told=(error.message, "bad")))
    name = _slug(request.form.get("name", field)) or field
    return make_response(fragment("studio/builder/_told.html", told=told_of(edit.values, table, name)))


@bp.post("/<public_id:project_id>/indexes/add")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add_index(project: Project) -> Response:
    table, kind = request.form.get("table", ""), request.form.get("kind", "")
    asked = change.add_key(table, kind, request.form.getlist("fields"))
    said = "Index added" if kind == "indexes" else "These fields are unique together"
    return _act(project, asked, said, f"add-{kind}", table=table)


@bp.post("/<public_id:project_id>/indexes/mend")
@requires(Permission.MODULES_AUTHOR, project=Project)
def mend_index(project: Project) -> Response:
    """The index that a check of publishing asked for; back to the text. fields: with commas between them."""
    live(project)
    table, fields = request.form.get("table", ""), request.form.get("fields", "").split(",")
    try:
        apply(
            g.db,
            project=project,
            change=change.add_key(table, "indexes", fields),
            base=None,
            by=g.actor,
            now=utcnow(),
        )
    except AppError as error:
        return not_done(project, error)
    trigger_toast("success", "Index added", f"{table}: {', '.join(fields)}")
    return to_file(project, FILE)


@bp.post("/<public_id:project_id>/indexes/remove")
@requires(Permission.MODULES_AUTHOR, project=Project)
def remove_index(project: Project) -> Response:
    table, kind = request.form.get("table", ""), request.form.get("kind", "")
    index = number(request.form.get("index", ""))
    asked = change.remove_key(table, kind, -1 if index is None else index)
    said = "Index removed" if kind == "indexes" else "These fields may repeat again"
    return _act(project, asked, said, f"add-{kind}", table=table)


def _act(project: Project, asked: Any, said: str, form: str, *, table: str = "", field: str | None = None) -> Response:
    def show(sheet: Sheet, **given: Any) -> Response:
        refused = bool(given)
        here = request.form.get("table", "") if refused else table
        opened = request.form.get("field", "") if refused and request.form.get("opened") else field
        return _shown(sheet, here, opened or "", **given)

    return acted(project, asked, tab="tables", said=said, form=form, show=show, table=table or None, field=field)


def _shown(sheet: Sheet, table: str, field: str, *, status: int = 200, **given: Any) -> Response:
    chosen = table if table in sheet.tables else next(iter(sheet.tables), "")
    body = sheet.tables.get(chosen, {})
    fields = {name: spec if isinstance(spec, dict) else {} for name, spec in mapping(body, "fields").items()}
    opened = field if field in fields else ""
    spec = fields.get(opened, {})
    return shown(
        "tables",
        sheet,
        status=status,
        table=chosen,
        body=body,
        fields=fields,
        opened=opened,
        spec=spec,
        names=names_for(sheet.values, chosen),
        more=[key for key in field_keys(spec.get("type")) if key.name not in IN_ROW],
        told=told_of(sheet.values, chosen, opened) if spec.get("type") in ("formula", "rollup") else None,
        uses={name: sorted({ref.where for ref in to_field(sheet.values, chosen, name)}) for name in fields},
        table_uses=sorted({ref.where for ref in to_table(sheet.values, chosen)}),
        **given,
    )


def _released(project: Project) -> dict[str, Any]:
    live(project)
    state = file_now(g.db, project=project, path=FILE)
    read = read_values((state.content or b"").decode(errors="replace")) if state is not None else {}
    return released_values(g.db, read, g.agency.agency_id) if isinstance(read, dict) else {}


def _slug(typed: str) -> str:
    try:
        return identifier(typed, "name")
    except AppError:
        return ""
