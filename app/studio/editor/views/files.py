"""The files of a project: shown, saved, added, renamed, deleted; who else has one open."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, Conflict
from app.lib.clock import utcnow
from app.lib.difference import difference
from app.studio.editor import actions, queries
from app.studio.editor.checks import check_project, corrected, new_content
from app.studio.editor.locks import hold
from app.studio.editor.models import Project
from app.studio.editor.views.common import (
    bp,
    editor_page,
    must_live,
    number,
    open_file,
    panes_of,
    runtime_url,
    said,
    text_of,
    to_file,
)
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, trigger_toast


@bp.get("/<public_id:project_id>")
@requires(Permission.MODULES_VIEW, project=Project)
def show(project: Project) -> str:
    if project.deleted_at is not None:
        return render_template(
            "studio/editor/gone.html", project=project, can_author=g.actor.can(Permission.MODULES_AUTHOR)
        )
    state = open_file(project, request.args.get("file", ""))
    return editor_page(project, state)


@bp.post("/<public_id:project_id>/save")
@requires(Permission.MODULES_AUTHOR, project=Project)
def save(project: Project) -> Response:
    """To htmx the panes beside the text, to a plain browser the page again."""
    must_live(project)
    path, text = request.form.get("path", ""), request.form.get("content", "").replace("\r\n", "\n")
    there = queries.file_now(g.db, project=project, path=path.replace("\0", ""))  # the action refuses such a path
    if there is not None and b"\r\n" in (there.content or b""):
        text = text.replace("\n", "\r\n")  # a file keeps the line ends it came with
    base = number(request.form.get("base", ""))
    try:
        state = actions.save_file(
            g.db, project=project, path=path, content=text.encode(), base=base, by=g.actor, now=utcnow()
        )
    except actions.FileChanged as error:
        return make_response(_conflict(project, path, text, error), 409)
    except AppError as error:
        panes = fragment("studio/editor/_panes.html", **panes_of(project, path, problem=error.message))
        return make_response(
            panes if is_htmx() else editor_page(project, open_file(project, path), problem=error.message), 422
        )
    if not is_htmx():
        return to_file(project, path)
    return make_response(fragment("studio/editor/_panes.html", **panes_of(project, path, base=state.revision)))


@bp.post("/<public_id:project_id>/files")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add(project: Project) -> Response:
    """A new file by name, or those that were chosen."""
    must_live(project)
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
        return said(project, error)
    return to_file(project, path)


@bp.post("/<public_id:project_id>/word")
@requires(Permission.MODULES_AUTHOR, project=Project)
def correct_word(project: Project) -> Response:
    """What a check thinks was meant, in the place of what stands there: wrong, right, and the place it was found at."""
    must_live(project)
    form, path = request.form, request.form.get("path", "").replace("\0", "")
    there = queries.file_now(g.db, project=project, path=path)
    text = text_of(there)
    place = {"line": number(form.get("line", "")) or 0, "column": number(form.get("column", "")) or 0}
    wrong, right = form.get("wrong", ""), form.get("right", "")
    changed = corrected(text, **place, wrong=wrong, right=right) if text is not None else None
    try:
        if changed is None or there is None:
            raise Conflict(f"{path} has been changed meanwhile. Look at the checks again.")
        actions.save_file(
            g.db, project=project, path=path, content=changed.encode(), base=there.revision, by=g.actor, now=utcnow()
        )
    except AppError as error:
        return said(project, error, path)
    trigger_toast("success", f"{wrong} is {right} now")
    return to_file(project, path)


@bp.post("/<public_id:project_id>/version")
@requires(Permission.MODULES_AUTHOR, project=Project)
def raise_version(project: Project) -> Response:
    """Set the number that the changes since the last release need."""
    must_live(project)
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
        return said(project, error)
    trigger_toast("success", f"The version is {release.least} now")
    return to_file(project, "module.yaml")


@bp.post("/<public_id:project_id>/rename")
@requires(Permission.MODULES_AUTHOR, project=Project)
def rename(project: Project) -> Response:
    must_live(project)
    path, to = request.form.get("path", ""), request.form.get("to", "").strip()
    try:
        actions.rename_file(g.db, project=project, path=path, to=to, by=g.actor, now=utcnow())
    except AppError as error:
        return said(project, error, path)
    return to_file(project, to)


@bp.post("/<public_id:project_id>/delete-file")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete_file(project: Project) -> Response:
    must_live(project)
    path = request.form.get("path", "")
    there = queries.file_now(g.db, project=project, path=path.replace("\0", ""))  # the action refuses such a path
    try:
        actions.delete_file(g.db, project=project, path=path, by=g.actor, now=utcnow())
    except AppError as error:
        return said(project, error, path)
    undo = url_for(".restore", project_id=project.public_id, path=path, revision=there.revision) if there else None
    trigger_toast("success", f"{path} is deleted", "Its history stays.", undo=undo)
    return to_file(project)


@bp.post("/<public_id:project_id>/open")
@requires(Permission.MODULES_AUTHOR, project=Project)
def opened(project: Project) -> str:
    """Sent while a file is open: who else has one open."""
    path = request.form.get("path", "")[:200]
    others = hold(project.id, path=path, person=g.actor.ref, name=g.actor.name)
    return fragment("studio/editor/_others.html", others=others, path=path)


def _conflict(project: Project, path: str, text: str, error: actions.FileChanged) -> str:
    theirs = error.state.content if error.state is not None else None
    context = {
        **panes_of(project, path, problem=error.message),
        "lines": difference(theirs, text.encode()),
        "base_now": error.state.revision if error.state is not None else None,
    }
    if is_htmx():
        return fragment("studio/editor/_clash.html", **context)
    return render_template(
        "studio/editor/show.html",
        **{**context, "base": context["base_now"]},
        content=text,
        runtime_url=runtime_url(),
        language=path.rpartition(".")[2],
    )
