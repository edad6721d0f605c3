"""A project as a whole: a draft made of it, its zip, put away and brought back."""

from __future__ import annotations

from io import BytesIO

from flask import Response, g, send_file, url_for

from app.access.permissions import Permission
from app.errors import AppError, Conflict
from app.lib.clock import utcnow
from app.modules.actions import upload_package
from app.modules.package import write_package
from app.studio.editor import actions, queries
from app.studio.editor.checks import check_project
from app.studio.editor.models import Project
from app.studio.editor.views.common import bp, must_live, said, to_file
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.web.limits import limiter


@bp.post("/<public_id:project_id>/draft")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def make_draft(project: Project) -> Response:
    """A draft version of the project as it is: the same as uploading its zip."""
    must_live(project)
    checked = check_project(queries.files(g.db, project=project))
    try:
        if checked.package is None:
            raise Conflict("Put the errors of the checks right first.")
        version = upload_package(g.db, package=checked.package, agency_id=g.agency.agency_id, by=g.actor, now=utcnow())
    except AppError as error:
        return said(project, error)
    trigger_toast("success", f"The draft {version.version} is made", "Publish it when you are content with it.")
    return respond(redirect_to=url_for("studio.version", version_id=version.public_id))


@bp.get("/<public_id:project_id>/export.zip")
@requires(Permission.MODULES_VIEW, project=Project)
def export(project: Project) -> Response:
    must_live(project)
    content = write_package(queries.files(g.db, project=project))
    name = "".join(char if char.isalnum() else "-" for char in project.name.lower()) or "module"
    return send_file(BytesIO(content), mimetype="application/zip", as_attachment=True, download_name=f"{name}.zip")


@bp.post("/<public_id:project_id>/delete")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete(project: Project) -> Response:
    must_live(project)
    actions.delete_project(g.db, project=project, by=g.actor, now=utcnow())
    undo = url_for(".bring_back", project_id=project.public_id)
    trigger_toast("success", f"{project.name} is put away", "Versions made of it stay.", undo=undo)
    return respond(redirect_to=url_for("studio.index"))


@bp.post("/<public_id:project_id>/bring-back")
@requires(Permission.MODULES_AUTHOR, project=Project)
def bring_back(project: Project) -> Response:
    if project.deleted_at is not None:
        actions.bring_back_project(g.db, project=project, by=g.actor)
    return to_file(project)
