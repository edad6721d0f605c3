"""A project begins: of a starter, of a zip, of a published version."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request, send_file

from app.access.permissions import Permission
from app.errors import AppError, Invalid, NotFound
from app.lib.clock import utcnow
from app.modules.models import Version
from app.modules.package.archive import Refused, unzip, without_junk
from app.modules.package.paths import without_top_folder
from app.modules.queries import files_of
from app.studio.editor import actions
from app.studio.editor.starters import GROUPS, picture_of, starter_files
from app.studio.editor.views.common import bp, to_file
from app.web.errors import status_of
from app.web.guard import requires
from app.web.limits import limiter


@bp.get("/new")
@requires(Permission.MODULES_AUTHOR)
def new() -> str:
    return render_template("studio/editor/new.html", groups=GROUPS, name="", chosen="list", error=None)


@bp.get("/starters/<key>.webp")
@requires(Permission.MODULES_AUTHOR)
def picture(key: str) -> Response:
    """What a starter's page or screen looks like."""
    path = picture_of(key)
    if path is None:
        raise NotFound()
    return send_file(path, mimetype="image/webp", max_age=3600)


@bp.post("/new")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR)
def create() -> Response:
    name, chosen = " ".join(request.form.get("name", "").split()), request.form.get("starter", "")
    try:
        contents = starter_files(chosen)
    except KeyError:
        raise NotFound() from None
    try:
        project = actions.create_project(
            g.db, name=name, contents=actions.named(contents, name=name), starter=chosen,
            agency_id=g.agency.agency_id, by=g.actor, now=utcnow(),
        )  # fmt: skip
    except Invalid as error:
        page = render_template("studio/editor/new.html", groups=GROUPS, name=name, chosen=chosen, error=error.message)
        return make_response(page, 422)
    return to_file(project)


@bp.post("/import")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR)
def import_zip() -> Response:
    """A project of a zip, with whatever is wrong in it: the checks tell."""
    sent = request.files.get("package")
    try:
        contents = unpacked(sent.read() if sent else b"")
        name = (sent.filename or "Imported module").removesuffix(".zip")[:80] if sent else ""
        project = actions.create_project(
            g.db, name=name, contents=contents, starter="import", agency_id=g.agency.agency_id, by=g.actor, now=utcnow()
        )
    except AppError as error:
        page = render_template("studio/editor/new.html", groups=GROUPS, name="", chosen="list", error=error.message)
        return make_response(page, status_of(error))
    return to_file(project)


@bp.post("/of/<public_id:version_id>")
@requires(Permission.MODULES_AUTHOR, version=Version)
def open_version(version: Version) -> Response:
    """A project of a version's files, to write the next one."""
    if version.agency_id != g.agency.agency_id:
        raise NotFound()
    project = actions.create_project(
        g.db, name=str(version.manifest["name"]), contents=files_of(g.db, version_id=version.id),
        starter=f"{version.manifest['slug']} {version.version}", agency_id=g.agency.agency_id, by=g.actor, now=utcnow(),
    )  # fmt: skip
    return to_file(project)


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of a zip by the package's own rules of safety. Raises Invalid."""
    try:
        contents, _ = without_junk(unzip(data))
    except Refused as refused:
        raise Invalid.field("package", "; ".join(problem.message for problem in refused.problems)) from refused
    top = without_top_folder(contents)
    found = {path.removeprefix(top): content for path, content in contents.items()}
    for path in found:
        actions.must_have_place(path)
    if "module.yaml" not in found:
        raise Invalid.field("package", "The zip holds no module.yaml.")
    return found
