"""What changed, and bringing it back."""

from __future__ import annotations

from flask import Response, g, make_response, redirect, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.difference import difference
from app.studio.editor import actions, queries
from app.studio.editor.models import Project
from app.studio.editor.views.common import bp, must_live, number, to_file
from app.web.forms import page_number
from app.web.guard import requires
from app.web.htmx import trigger_toast


@bp.get("/<public_id:project_id>/history")
@requires(Permission.MODULES_VIEW, project=Project)
def history(project: Project) -> str:
    must_live(project)
    path, page = request.args.get("file", ""), page_number()
    changes, more = queries.history(g.db, project=project, path=path, page=page)
    return render_template(
        "studio/editor/history.html", project=project, path=path, changes=changes, number=page, more=more,
        can_author=g.actor.can(Permission.MODULES_AUTHOR),
    )  # fmt: skip


@bp.get("/<public_id:project_id>/change")
@requires(Permission.MODULES_VIEW, project=Project)
def change(project: Project) -> Response | str:
    """What one change did to one file; the history where none is named."""
    must_live(project)
    if "file" not in request.args:
        return make_response(redirect(url_for(".history", project_id=project.public_id), code=303))
    path, revision = request.args.get("file", ""), number(request.args.get("revision", ""))
    state = queries.file_at(g.db, project=project, path=path, revision=revision or 0)
    if state is None:
        raise NotFound()
    before = queries.files(g.db, project=project, until=state.revision - 1).get(path)
    now = queries.file_now(g.db, project=project, path=path)
    return render_template(
        "studio/editor/change.html", project=project, path=path, state=state,
        lines=difference(before, state.content), is_now=now is not None and now.revision == state.revision,
        can_author=g.actor.can(Permission.MODULES_AUTHOR),
    )  # fmt: skip


@bp.post("/<public_id:project_id>/restore")
@requires(Permission.MODULES_AUTHOR, project=Project)
def restore(project: Project) -> Response:
    """One file with `path`, all of them without."""
    must_live(project)
    path, revision = (
        request.values.get("path", ""),
        number(request.values.get("revision", "")) or 0,
    )  # 0: no change has it
    if path:
        actions.restore_file(g.db, project=project, path=path, revision=revision, by=g.actor, now=utcnow())
        trigger_toast("success", f"{path} is as it was")
        return to_file(project, path)
    changed = actions.restore_project(g.db, project=project, revision=revision, by=g.actor, now=utcnow())
    trigger_toast("success", f"The project is as it was at {revision}", f"Files that changed: {changed}.")
    return to_file(project)
