"""Settings: groups, their fields, and the form an installer sees."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.access.permissions import Permission
from app.errors import AppError
from app.modules.manifest.checks.code import SETTING_KINDS
from app.studio.builder import setting_changes as change
from app.studio.builder.changes import names
from app.studio.builder.choices import Names
from app.studio.builder.forms import identifier, text_of
from app.studio.builder.keys import ROWS, setting_keys
from app.studio.builder.manifesttext import at, mapping, sequence
from app.studio.builder.previews import settings_preview
from app.studio.builder.sheet import Sheet
from app.studio.builder.views.frame import acted, bp, number, sheet_here, shown
from app.studio.editor.models import Project
from app.web.guard import requires

IN_ROW = ("required", "default")
NEEDS_MORE = ("enum", "range", "repeater")


@bp.get("/<public_id:project_id>/settings")
@requires(Permission.MODULES_VIEW, project=Project)
def settings(project: Project) -> Response:
    """One group, counted from 0; one setting of it opened."""
    group = number(request.args.get("group", "")) or 0
    return _shown(sheet_here(project), group, request.args.get("setting", ""))


@bp.post("/<public_id:project_id>/settings/groups/add")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add_group(project: Project) -> Response:
    label, typed, kind = (request.form.get(key, "") for key in ("label", "name", "type"))
    there = len(sequence(sheet_here(project).values, "settings"))
    return _act(project, change.add_group(label, typed, kind), f"Group {label} added", "add-group", group=there)


@bp.post("/<public_id:project_id>/settings/groups/change")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_group(project: Project) -> Response:
    return _act(project, change.change_group(_group(), request.form), "Group changed", "group")


@bp.post("/<public_id:project_id>/settings/groups/delete")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete_group(project: Project) -> Response:
    return _act(project, change.delete_group(_group()), "Group deleted", "group", group=0)


@bp.post("/<public_id:project_id>/settings/groups/move")
@requires(Permission.MODULES_AUTHOR, project=Project)
def move_group(project: Project) -> Response:
    to = number(request.form.get("to", "")) or 0
    return _act(project, change.move_group(_group(), to), "Group moved", "group", group=to)


@bp.post("/<public_id:project_id>/settings/add")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add_setting(project: Project) -> Response:
    typed, kind = request.form.get("name", ""), request.form.get("type", "")
    name = _name(typed)
    opened = name if kind in NEEDS_MORE else None
    return _act(
        project, change.add_setting(_group(), typed, kind), f"Setting {name} added", "add-setting", setting=opened
    )


@bp.post("/<public_id:project_id>/settings/change")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_setting(project: Project) -> Response:
    setting = request.form.get("setting", "")
    new = _name(request.form.get("name", setting)) or setting
    opened = new if request.form.get("opened") else None
    asked = change.change_setting(_group(), setting, request.form)
    return _act(project, asked, f"Setting {new} changed", f"setting-{setting}", setting=opened)


@bp.post("/<public_id:project_id>/settings/delete")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete_setting(project: Project) -> Response:
    setting = request.form.get("setting", "")
    return _act(project, change.delete_setting(_group(), setting), f"Setting {setting} deleted", f"setting-{setting}")


@bp.post("/<public_id:project_id>/settings/move")
@requires(Permission.MODULES_AUTHOR, project=Project)
def move_setting(project: Project) -> Response:
    setting, to = request.form.get("setting", ""), number(request.form.get("to", "")) or 0
    return _act(project, change.move_setting(_group(), setting, to), f"Setting {setting} moved", f"setting-{setting}")


def _group() -> int:
    """The group a form is about; -1, which is none, for anything that is no number."""
    found = number(request.form.get("group", ""))
    return -1 if found is None else found


def _name(typed: str) -> str:
    try:
        return identifier(typed, "name")
    except AppError:
        return ""


def _act(
    project: Project, asked: Any, said: str, form: str, *, group: int | None = None, setting: str | None = None
) -> Response:
    here = _group() if group is None else group

    def show(sheet: Sheet, **given: Any) -> Response:
        opened = request.form.get("setting", "") if given and request.form.get("opened") else setting
        return _shown(sheet, max(0, _group()) if given else here, opened or "", **given)

    return acted(project, asked, tab="settings", said=said, form=form, show=show, group=here or None, setting=setting)


def _shown(sheet: Sheet, group: int, setting: str, *, status: int = 200, **given: Any) -> Response:
    groups = sequence(sheet.values, "settings")
    group = group if group < len(groups) else 0
    fields = {name: spec if isinstance(spec, dict) else {} for name, spec in mapping(groups, group, "fields").items()}
    opened = setting if setting in fields else ""
    spec = fields.get(opened, {})
    return shown(
        "settings",
        sheet,
        status=status,
        groups=groups,
        group=group,
        body=mapping(groups, group),
        fields=fields,
        opened=opened,
        spec={**spec, "colorless": True},
        more=[key for key in setting_keys(spec.get("type")) if key.name not in IN_ROW],
        names=Names(
            fields=tuple(
                (name, text_of(at(one, "type")))
                for part in groups
                for name, one in mapping(part, "fields").items()
                if at(one, "type") in SETTING_KINDS and name != opened
            ),
            functions=tuple(names(sheet.values, "functions")),
        ),
        rows=ROWS,
        preview=settings_preview(sheet.values),
        **given,
    )
