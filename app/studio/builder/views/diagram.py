"""The tables as a picture."""

from __future__ import annotations

from flask import Response

from app.access.permissions import Permission
from app.studio.builder.diagram import diagram_of
from app.studio.builder.views.frame import bp, sheet_here, shown
from app.studio.editor.models import Project
from app.web.guard import requires


@bp.get("/<public_id:project_id>/diagram")
@requires(Permission.MODULES_VIEW, project=Project)
def diagram(project: Project) -> Response:
    """Boxes, lines, and the same in words."""
    sheet = sheet_here(project)
    return shown("diagram", sheet, diagram=diagram_of(sheet.values))
