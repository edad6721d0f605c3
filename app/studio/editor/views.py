"""The editor: begin a project, its files, checks, trials, history; drafts made of it."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)

from app.access.permissions import Permission
from app.errors import AppError, Conflict, Invalid, NotFound
from app.lib.clock import utcnow
from app.modules.actions import upload_package
from app.modules.models import Version
from app.modules.package import write_package
from app.modules.package.archive import Refused, unzip, without_junk
from app.modules.package.paths import without_top_folder
from app.modules.queries import files_of
from app.studio.editor import actions, queries
from app.studio.editor.checks import Checked, check_project, new_content
from app.studio.editor.locks import hold
from app.studio.editor.models import FileState, Project, Trial
from app.studio.editor.starters import STARTERS, starter_files
from app.web.errors import status_of
from app.web.forms import page_number
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, trigger_toast
from app.web.limits import limiter

bp = Blueprint("editor", __name__, url_prefix="/studio/projects")

TEXT_ENDINGS = ("yaml", "html", "txt", "js", "css", "json", "md", "csv", "svg")


# -- beginning


@bp.get("/new")
@requires(Permission.MODULES_AUTHOR)
def new() -> str:
    return render_template("studio/editor/new.html", starters=STARTERS, name="", chosen="list", error=None)


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
        page = render_template(
            "studio/editor/new.html", starters=STARTERS, name=name, chosen=chosen, error=error.message
        )
        return make_response(page, 422)
    return _to(project)


@bp.post("/import")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR)
def import_zip() -> Response:
    """A project of a zip, with whatever is wrong in it: the checks tell."""
    sent = request.files.get("package")
    try:
        contents = _unpacked(sent.read() if sent else b"")
        name = (sent.filename or "Imported module").removesuffix(".zip")[:80] if sent else ""
        project = actions.create_project(
            g.db, name=name, contents=contents, starter="import", agency_id=g.agency.agency_id, by=g.actor, now=utcnow()
        )
    except AppError as error:
        page = render_template("studio/editor/new.html", starters=STARTERS, name="", chosen="list", error=error.message)
        return make_response(page, status_of(error))
    return _to(project)


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
    return _to(project)


# -- the editor


@bp.get("/<public_id:project_id>")
@requires(Permission.MODULES_VIEW, project=Project)
def show(project: Project) -> str:
    if project.deleted_at is not None:
        return render_template(
            "studio/editor/gone.html", project=project, can_author=g.actor.can(Permission.MODULES_AUTHOR)
        )
    state = _open_file(project, request.args.get("file", ""))
    return _page(project, state)


@bp.post("/<public_id:project_id>/save")
@requires(Permission.MODULES_AUTHOR, project=Project)
def save(project: Project) -> Response:
    """To htmx the panes beside the text, to a plain browser the page again."""
    _live(project)
    path, text = request.form.get("path", ""), request.form.get("content", "").replace("\r\n", "\n")
    base = _number(request.form.get("base", ""))
    try:
        state = actions.save_file(
            g.db, project=project, path=path, content=text.encode(), base=base, by=g.actor, now=utcnow()
        )
    except actions.FileChanged as error:
        return make_response(_conflict(project, path, text, error), 409)
    except AppError as error:
        panes = fragment("studio/editor/_panes.html", **_panes(project, path, problem=error.message))
        return make_response(
            panes if is_htmx() else _page(project, _open_file(project, path), problem=error.message), 422
        )
    if not is_htmx():
        return _to(project, path)
    return make_response(fragment("studio/editor/_panes.html", **_panes(project, path, base=state.revision)))


@bp.post("/<public_id:project_id>/files")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add(project: Project) -> Response:
    """A new file by name, or those that were chosen."""
    _live(project)
    path = request.form.get("path", "").strip()
    try:
        uploaded = [part for part in request.files.getlist("files") if part.filename]
        if uploaded:
            folder = request.form.get("folder", "assets").strip("/")
            contents = {f"{folder}/{part.filename}": part.read() for part in uploaded}
            actions.import_files(g.db, project=project, contents=contents, by=g.actor, now=utcnow())
            path = next(iter(contents))
        else:
            actions.save_file(
                g.db, project=project, path=path, content=new_content(path), base=None, by=g.actor, now=utcnow()
            )
    except AppError as error:
        return _said(project, error)
    return _to(project, path)


@bp.post("/<public_id:project_id>/version")
@requires(Permission.MODULES_AUTHOR, project=Project)
def raise_version(project: Project) -> Response:
    """Set the number that the changes since the last release need."""
    _live(project)
    package = check_project(queries.files(g.db, project=project)).package
    release = (
        queries.release_of(g.db, manifest=package.manifest, agency_id=g.agency.agency_id)
        if package is not None
        else None
    )
    try:
        if release is None or release.high_enough:
            raise Conflict("The version number is high enough.")
        actions.set_version(g.db, project=project, version=release.least, by=g.actor, now=utcnow())
    except AppError as error:
        return _said(project, error)
    trigger_toast("success", f"The version is {release.least} now")
    return _to(project, "module.yaml")


@bp.post("/<public_id:project_id>/rename")
@requires(Permission.MODULES_AUTHOR, project=Project)
def rename(project: Project) -> Response:
    _live(project)
    path, to = request.form.get("path", ""), request.form.get("to", "").strip()
    try:
        actions.rename_file(g.db, project=project, path=path, to=to, by=g.actor, now=utcnow())
    except AppError as error:
        return _said(project, error, path)
    return _to(project, to)


@bp.post("/<public_id:project_id>/delete-file")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete_file(project: Project) -> Response:
    _live(project)
    path = request.form.get("path", "")
    there = queries.file_now(g.db, project=project, path=path)
    try:
        actions.delete_file(g.db, project=project, path=path, by=g.actor, now=utcnow())
    except AppError as error:
        return _said(project, error, path)
    undo = url_for(".restore", project_id=project.public_id, path=path, revision=there.revision) if there else None
    trigger_toast("success", f"{path} is deleted", "Its history stays.", undo=undo)
    return _to(project)


@bp.get("/<public_id:project_id>/history")
@requires(Permission.MODULES_VIEW, project=Project)
def history(project: Project) -> str:
    _live(project)
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
    _live(project)
    if "file" not in request.args:
        return make_response(redirect(url_for(".history", project_id=project.public_id), code=303))
    path, revision = request.args.get("file", ""), _number(request.args.get("revision", ""))
    state = queries.file_at(g.db, project=project, path=path, revision=revision or 0)
    if state is None:
        raise NotFound()
    before = queries.files(g.db, project=project, until=state.revision - 1).get(path)
    now = queries.file_now(g.db, project=project, path=path)
    return render_template(
        "studio/editor/change.html", project=project, path=path, state=state,
        lines=queries.difference(before, state.content), is_now=now is not None and now.revision == state.revision,
        can_author=g.actor.can(Permission.MODULES_AUTHOR),
    )  # fmt: skip


@bp.post("/<public_id:project_id>/restore")
@requires(Permission.MODULES_AUTHOR, project=Project)
def restore(project: Project) -> Response:
    """One file with `path`, all of them without."""
    _live(project)
    path, revision = request.values.get("path", ""), _number(request.values.get("revision", "")) or 0
    if path:
        actions.restore_file(g.db, project=project, path=path, revision=revision, by=g.actor, now=utcnow())
        trigger_toast("success", f"{path} is as it was")
        return _to(project, path)
    changed = actions.restore_project(g.db, project=project, revision=revision, by=g.actor, now=utcnow())
    trigger_toast("success", f"The project is as it was at {revision}", f"Files that changed: {changed}.")
    return _to(project)


@bp.post("/<public_id:project_id>/open")
@requires(Permission.MODULES_AUTHOR, project=Project)
def opened(project: Project) -> str:
    """Sent while a file is open: who else has one open."""
    path = request.form.get("path", "")[:200]
    others = hold(project.id, path=path, person=g.actor.ref, name=g.actor.name)
    return fragment("studio/editor/_others.html", others=others, path=path)


# -- trials


@bp.post("/<public_id:project_id>/tests")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def run_tests(project: Project) -> Response:
    return _try(project, "tests", {})


@bp.post("/<public_id:project_id>/preview")
@limiter.limit("60 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def preview(project: Project) -> Response:
    return _try(project, "preview", {"page": request.form.get("page", "")[:60]})


@bp.post("/<public_id:project_id>/call")
@limiter.limit("60 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def call(project: Project) -> Response:
    text = request.form.get("input", "").strip() or "null"
    try:
        given = json.loads(text)
    except ValueError as error:
        problem = f"The input is not JSON: {error}."
        return make_response(fragment("studio/editor/_trial.html", trial=None, project=project, problem=problem), 422)
    return _try(project, "call", {"function": request.form.get("function", "")[:60], "input": given})


@bp.get("/<public_id:project_id>/trials/<public_id:trial_id>")
@requires(Permission.MODULES_VIEW, project=Project, trial=Trial)
def trial(project: Project, trial: Trial) -> str:
    if trial.project_id != project.id:
        raise NotFound()
    return _trial(project, trial)


def _try(project: Project, kind: Any, asked: dict[str, Any]) -> Response:
    _live(project)
    made = actions.order_trial(g.db, project=project, kind=kind, asked=asked, now=utcnow())
    if is_htmx():
        return make_response(_trial(project, made))
    where = url_for(".trial", project_id=project.public_id, trial_id=made.public_id)
    return make_response(redirect(where, code=303))


def _trial(project: Project, trial: Trial) -> str:
    context = {
        "trial": trial, "project": project, "problem": None,
        "frame": f"{current_app.config['DRAMAC'].runtime_url}/preview/{trial.result.get('name', '')}/page",
    }  # fmt: skip
    return (
        fragment("studio/editor/_trial.html", **context)
        if is_htmx()
        else render_template("studio/editor/trial.html", **context)
    )


# -- out of the editor


@bp.post("/<public_id:project_id>/draft")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def make_draft(project: Project) -> Response:
    """A draft version of the project as it is: the same as uploading its zip."""
    _live(project)
    checked = check_project(queries.files(g.db, project=project))
    try:
        if checked.package is None:
            raise Conflict("Put the errors of the checks right first.")
        version = upload_package(g.db, package=checked.package, agency_id=g.agency.agency_id, by=g.actor, now=utcnow())
    except AppError as error:
        return _said(project, error)
    trigger_toast("success", f"The draft {version.version} is made", "Publish it when you are content with it.")
    return respond(redirect_to=url_for("studio.version", version_id=version.public_id))


@bp.get("/<public_id:project_id>/export.zip")
@requires(Permission.MODULES_VIEW, project=Project)
def export(project: Project) -> Response:
    _live(project)
    content = write_package(queries.files(g.db, project=project))
    name = "".join(char if char.isalnum() else "-" for char in project.name.lower()) or "module"
    return send_file(BytesIO(content), mimetype="application/zip", as_attachment=True, download_name=f"{name}.zip")


@bp.post("/<public_id:project_id>/delete")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete(project: Project) -> Response:
    _live(project)
    actions.delete_project(g.db, project=project, by=g.actor, now=utcnow())
    undo = url_for(".bring_back", project_id=project.public_id)
    trigger_toast("success", f"{project.name} is put away", "Versions made of it stay.", undo=undo)
    return respond(redirect_to=url_for("studio.index"))


@bp.post("/<public_id:project_id>/bring-back")
@requires(Permission.MODULES_AUTHOR, project=Project)
def bring_back(project: Project) -> Response:
    if project.deleted_at is not None:
        actions.bring_back_project(g.db, project=project, by=g.actor)
    return _to(project)


# -- how


def _page(project: Project, state: FileState | None, *, problem: str = "") -> str:
    path = state.path if state is not None else ""
    context = _panes(project, path, base=state.revision if state is not None else None, problem=problem)
    return render_template(
        "studio/editor/show.html", content=_text(state), language=path.rpartition(".")[2], **context
    )  # fmt: skip


def _panes(project: Project, path: str, *, base: int | None = None, problem: str = "") -> dict[str, Any]:
    """What stands around the text: files, checks, pages to preview, functions to call."""
    contents = queries.files(g.db, project=project)
    checked: Checked = check_project(contents)
    manifest = checked.package.manifest if checked.package is not None else None
    at_fault: dict[str, str] = {}
    for one in checked.found:
        at_fault[one.problem.file] = (
            "error" if "error" in (one.problem.severity, at_fault.get(one.problem.file)) else "warning"
        )
    here = [one.problem.to_dict() for one in checked.found if one.problem.file == path and one.problem.line]
    return {
        "project": project,
        "folders": _folders(contents),
        "at_fault": at_fault,
        "path": path,
        "base": base,
        "checked": checked,
        "here": here,
        "problem": problem,
        "pages": [name for name, page in manifest.pages.items() if page.kind in ("page", "form", "widget")]
        if manifest
        else [],
        "functions": list(manifest.functions) if manifest else [],
        "tests": len(checked.package.tests) if checked.package else 0,
        "version": manifest.version if manifest else "",
        "release": queries.release_of(g.db, manifest=manifest, agency_id=g.agency.agency_id) if manifest else None,
        "can_author": g.actor.can(Permission.MODULES_AUTHOR),
    }


def _folders(contents: dict[str, bytes]) -> list[tuple[str, list[str]]]:
    """[(folder, its paths)], the top first, module.yaml first in it."""
    folders: dict[str, list[str]] = {"": []}
    for path in sorted(contents, key=lambda path: (path != "module.yaml", path)):
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    return sorted(folders.items())


def _open_file(project: Project, path: str) -> FileState | None:
    """The file to show: the one asked for, else the manifest. Raises NotFound for one that is not there."""
    state = queries.file_now(g.db, project=project, path=path or "module.yaml")
    if state is None and path:
        raise NotFound()
    return state


def _text(state: FileState | None) -> str | None:
    """The text to edit; None for what is no text."""
    if (
        state is None
        or state.content is None
        or state.path.rpartition(".")[2].lower() not in (*TEXT_ENDINGS, "license")
    ):
        return None if state is None or state.path != "LICENSE" else (state.content or b"").decode(errors="replace")
    try:
        return state.content.decode()
    except UnicodeDecodeError:
        return None


def _conflict(project: Project, path: str, text: str, error: actions.FileChanged) -> str:
    theirs = error.state.content if error.state is not None else None
    context = {
        **_panes(project, path, problem=error.message),
        "lines": queries.difference(theirs, text.encode()),
        "base_now": error.state.revision if error.state is not None else None,
    }
    if is_htmx():
        return fragment("studio/editor/_clash.html", **context)
    return render_template(
        "studio/editor/show.html",
        **{**context, "base": context["base_now"]},
        content=text,
        language=path.rpartition(".")[2],
    )


def _unpacked(data: bytes) -> dict[str, bytes]:
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


def _live(project: Project) -> None:
    if project.deleted_at is not None:
        raise actions.ProjectDeleted()


def _said(project: Project, error: AppError, path: str = "") -> Response:
    """Back to the editor with the reason; nothing was changed."""
    g.db.rollback()
    trigger_toast("error", "That was not done", error.message)
    return _to(project, path)


def _to(project: Project, path: str = "") -> Response:
    return respond(redirect_to=url_for("editor.show", project_id=project.public_id, file=path or None))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
