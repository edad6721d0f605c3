"""Permissions, and what a person will be asked."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.access.permissions import Permission
from app.errors import NotFound
from app.studio.builder import permission_changes as change
from app.studio.builder.previews import asks_preview
from app.studio.builder.sheet import Sheet
from app.studio.builder.views.frame import acted, bp, number, sheet_here, shown
from app.studio.editor.models import Project
from app.web.guard import requires


@bp.get("/<public_id:project_id>/permissions")
@requires(Permission.MODULES_VIEW, project=Project)
def permissions(project: Project) -> Response:
    return _shown(sheet_here(project))


@bp.post("/<public_id:project_id>/permissions")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_permissions(project: Project) -> Response:
    """Scopes, e-mail, personal data."""
    return _act(project, change.change_general(request.form), "Permissions changed", "general")


@bp.post("/<public_id:project_id>/permissions/hosts")
@requires(Permission.MODULES_AUTHOR, project=Project)
def set_host(project: Project) -> Response:
    """A new host, or with `index` one that is there."""
    index = _index()
    said = "Host added" if index is None else "Host changed"
    return _act(project, change.set_host(index, request.form), said, _form("host", index))


@bp.post("/<public_id:project_id>/permissions/tables")
@requires(Permission.MODULES_AUTHOR, project=Project)
def set_table(project: Project) -> Response:
    """A table of another module, or with `index` one that is there."""
    index = _index()
    said = "Table added" if index is None else "Table changed"
    return _act(project, change.set_table(index, request.form), said, _form("table", index))


@bp.post("/<public_id:project_id>/permissions/remove")
@requires(Permission.MODULES_AUTHOR, project=Project)
def remove_permission(project: Project) -> Response:
    kind, index = request.form.get("kind", ""), number(request.form.get("index", ""))
    said = "Host removed" if kind == "network" else "Table removed"
    return _act(project, change.remove(kind, -1 if index is None else index), said, "general")


def _index() -> int | None:
    text = request.form.get("index", "")
    if not text:
        return None
    found = number(text)
    if found is None:
        raise NotFound()
    return found


def _form(kind: str, index: int | None) -> str:
    return f"{kind}-new" if index is None else f"{kind}-{index}"


def _act(project: Project, asked: Any, said: str, form: str) -> Response:
    return acted(project, asked, tab="permissions", said=said, form=form, show=_shown)


def _shown(sheet: Sheet, *, status: int = 200, **given: Any) -> Response:
    return shown(
        "permissions", sheet, status=status, asks=asks_preview(sheet.values), methods=change.METHODS, rights=change.RIGHTS,
        **given,
    )  # fmt: skip
