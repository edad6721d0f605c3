"""A zip over an existing project: what it would change is shown first, then it is one change that can be undone."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, g, make_response, redirect, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, Conflict, NotFound
from app.lib.clock import utcnow
from app.lib.crypto import random_token
from app.lib.difference import DiffLine, difference
from app.queue.enqueue import redis
from app.studio.editor import actions, queries
from app.studio.editor.models import Project
from app.studio.editor.views.begin import unpacked
from app.studio.editor.views.common import bp, must_live, said, to_file
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.web.limits import limiter

KEPT_S = 1800


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that would change. did: new, changed or deleted; lines: as difference()."""

    path: str
    did: str
    lines: list[DiffLine] | None


@bp.post("/<public_id:project_id>/replace")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def take_zip(project: Project) -> Response:
    """Keep the zip for half an hour and go on to what it would change."""
    must_live(project)
    sent = request.files.get("package")
    data = sent.read() if sent else b""
    try:
        unpacked(data)
    except AppError as error:
        return said(project, error)
    token = random_token()
    redis().set(_key(project, token), data, ex=KEPT_S)
    return respond(redirect_to=url_for(".compare", project_id=project.public_id, sent=token))


@bp.get("/<public_id:project_id>/replace/<sent>")
@requires(Permission.MODULES_AUTHOR, project=Project)
def compare(project: Project, sent: str) -> Response:
    must_live(project)
    today, coming = queries.files(g.db, project=project), _kept(project, sent)
    found = [
        Difference(
            path,
            "new" if path not in today else "deleted" if path not in coming else "changed",
            difference(today.get(path), coming.get(path)),
        )
        for path in sorted({*today, *coming})
        if today.get(path) != coming.get(path)
    ]
    page = render_template("studio/editor/replace.html", project=project, token=sent, found=found)
    return make_response(page)


@bp.post("/<public_id:project_id>/replace/<sent>")
@requires(Permission.MODULES_AUTHOR, project=Project)
def replace(project: Project, sent: str) -> Response:
    must_live(project)
    before = project.revision
    try:
        if request.form.get("revision") != str(before):
            raise Conflict("The project changed meanwhile. Look at the differences again.")
        changed = actions.replace_files(g.db, project=project, contents=_kept(project, sent), by=g.actor, now=utcnow())
    except Conflict as error:
        trigger_toast("error", "That was not done", error.message)
        return make_response(redirect(request.path, code=303))
    redis().delete(_key(project, sent))
    undo = url_for(".restore", project_id=project.public_id, revision=before) if changed else None
    trigger_toast("success", f"{project.name} is what the zip holds", f"Files that changed: {changed}.", undo=undo)
    return to_file(project)


def _key(project: Project, token: str) -> str:
    """Bound to the project and the person: a token alone opens nothing."""
    return f"dramac:studio:zip:{project.public_id}:{g.actor.ref}:{token[:80]}"


def _kept(project: Project, token: str) -> dict[str, bytes]:
    kept: bytes | None = redis().get(_key(project, token))  # type: ignore[assignment]  # the client is synchronous
    if kept is None:
        raise NotFound("The zip is not kept any longer. Choose it again.")
    return unpacked(kept)
