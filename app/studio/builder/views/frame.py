"""What the tabs share: the page and its fragment, an act saved and answered, a clash, undoing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, Conflict, Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.difference import difference
from app.studio.builder import choices, forms, keys, words
from app.studio.builder.changes import Change, Gone
from app.studio.builder.manifesttext import at, mapping, sequence
from app.studio.builder.saving import FILE, Clash, apply, undo
from app.studio.builder.sheet import Sheet, sheet_of
from app.studio.editor.actions import FileChanged, ProjectDeleted
from app.studio.editor.models import Project
from app.studio.editor.queries import file_now
from app.web.errors import status_of
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, trigger_toast
from app.web.limits import limiter

bp = Blueprint("builder", __name__, url_prefix="/studio/projects")

TABS = (
    ("tables", "Tables"),
    ("diagram", "Diagram"),
    ("settings", "Settings"),
    ("permissions", "Permissions"),
    ("screens", "Views"),
)


@bp.app_context_processor
def _tabs() -> dict[str, Any]:
    return {"builder_tabs": TABS}


def wrong(form: str, error: AppError) -> dict[str, Any]:
    """An error beside the controls of the form it came from: {form, fields: {name: message}}."""
    named = {item.pointer.lstrip("/"): item.detail for item in error.errors} if isinstance(error, Invalid) else {}
    return {"form": form, "fields": named, "message": error.message}


def live(project: Project) -> None:
    """Raises ProjectDeleted for one that was put away."""
    if project.deleted_at is not None:
        raise ProjectDeleted()


def sheet_here(project: Project) -> Sheet:
    """The sheet of a live project."""
    live(project)
    return sheet_of(g.db, project=project, agency_id=g.agency.agency_id)


def shown(tab: str, sheet: Sheet, *, status: int = 200, **context: Any) -> Response:
    """The tab: its fragment to htmx, the page to a plain browser."""
    given = {
        "project": sheet.project,
        "sheet": sheet,
        "tab": tab,
        "can_author": g.actor.can(Permission.MODULES_AUTHOR),
        "words": words,
        "forms": forms,
        "choices": choices,
        "keys": keys,
        "at": at,
        "mapping": mapping,
        "sequence": sequence,
        "wrong": {"form": "", "fields": {}, "message": ""},
        "sent": {},
        **context,
    }
    if sheet.unreadable is not None:
        given["tab"], tab = tab, "unreadable"
    if is_htmx():
        return make_response(fragment(f"studio/builder/_{tab}.html", **given), status)
    return make_response(
        render_template("studio/builder/page.html", part=f"studio/builder/_{tab}.html", **given), status
    )


def acted(project: Project, change: Change, *, tab: str, said: str, form: str, show: Any, **place: Any) -> Response:
    """Save a change and show the tab again, with Undo. show(sheet, status, **context) answers where it was refused.

    place: the query of the address that shows what was changed.
    """
    live(project)
    base = number(request.form.get("base", ""))
    before = sheet_revision(project)
    try:
        state = apply(g.db, project=project, change=change, base=base, by=g.actor, now=utcnow())
    except Clash as clash:
        return _clashed(project, clash, tab)
    except NotFound:
        raise
    except Gone as gone:
        g.db.rollback()
        trigger_toast("error", gone.message)
        return show(sheet_here(project), status=409)  # type: ignore[no-any-return]
    except AppError as error:
        g.db.rollback()
        sheet = sheet_here(project)
        return show(sheet, status=status_of(error), wrong=wrong(form, error), sent=request.form)  # type: ignore[no-any-return]
    if state.revision != before:
        back = url_for(f"builder.{tab}", project_id=project.public_id, **place)
        trigger_toast(
            "success",
            said,
            undo=url_for("builder.undo_last", project_id=project.public_id, made=state.revision, to=before, back=back),
        )
    if not is_htmx():
        return respond(redirect_to=url_for(f"builder.{tab}", project_id=project.public_id, **place))
    answer: Response = show(sheet_here(project))
    answer.headers["HX-Replace-Url"] = url_for(f"builder.{tab}", project_id=project.public_id, **place)
    return answer


def sheet_revision(project: Project) -> int:
    """The revision of module.yaml now."""
    state = file_now(g.db, project=project, path=FILE)
    if state is None:
        raise NotFound()
    return state.revision


def _clashed(project: Project, clash: Clash, tab: str) -> Response:
    """Both states, and the choice; what was sent is still there, to be done again on the newer one."""
    theirs = clash.state.content if clash.state is not None else None
    again = [(key, value) for key, value in request.form.items(multi=True) if key not in ("csrf_token", "base")]
    context = {
        "project": project, "tab": tab, "message": clash.message, "lines": difference(theirs, clash.text.encode()),
        "mine": clash.text, "base_now": clash.state.revision if clash.state is not None else None, "again": again,
        "action": request.path, "path": FILE,
    }  # fmt: skip
    if is_htmx():
        return make_response(fragment("studio/builder/_clash.html", **context), 409)
    return make_response(render_template("studio/builder/page.html", part="studio/builder/_clash.html", **context), 409)


@bp.post("/<public_id:project_id>/undo")
@limiter.limit("120 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def undo_last(project: Project) -> Response:
    """Take the last act back, unless somebody saved since: then the history says what to bring back."""
    live(project)
    made, to = number(request.args.get("made", "")), number(request.args.get("to", ""))
    if made is None or to is None:
        raise NotFound()
    try:
        undo(g.db, project=project, made=made, to=to, by=g.actor, now=utcnow())
    except FileChanged:
        raise Conflict("module.yaml changed since. The history can bring back any state.") from None
    trigger_toast("success", "Undone")
    return respond(redirect_to=back_to(project, request.args.get("back", "")))


def back_to(project: Project, where: str) -> str:
    """An address of this project's own editors, the tables for any other."""
    own = url_for("editor.show", project_id=project.public_id)
    return (
        where
        if where.startswith(f"{own}/") and where.isprintable()
        else url_for("builder.tables", project_id=project.public_id)
    )


def number(text: str) -> int | None:
    """A whole number of a form or an address, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
