"""What the routes of the editor share: the blueprint, the page with its panes, the way back to a file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, g, render_template, url_for

from app.access.permissions import Permission
from app.errors import AppError, NotFound
from app.modules.manifest import Manifest
from app.runtime.pages.view import SERVED
from app.studio.editor import actions, queries
from app.studio.editor.checks import Checked, check_project, with_findings
from app.studio.editor.models import FileState, Project
from app.studio.editor.screens import screens
from app.studio.editor.words import words_of
from app.web.htmx import respond, say_not_done

bp = Blueprint("editor", __name__, url_prefix="/studio/projects")

TEXT_ENDINGS = ("yaml", "html", "txt", "js", "css", "json", "md", "csv", "svg")


def editor_page(project: Project, state: FileState | None, *, problem: str = "") -> str:
    path = state.path if state is not None else ""
    context = panes_of(project, path, base=state.revision if state is not None else None, problem=problem)
    return render_template(
        "studio/editor/show.html", content=text_of(state), language=path.rpartition(".")[2], runtime_url=runtime_url(), **context
    )  # fmt: skip


def runtime_url() -> str:
    """The origin that modules' pages and previews are on."""
    url: str = current_app.config["DRAMAC"].runtime_url
    return url


def panes_of(project: Project, path: str, *, base: int | None = None, problem: str = "") -> dict[str, Any]:
    """What stands around the text: files, checks, pages to preview, functions to call."""
    contents = queries.files(g.db, project=project)
    checked: Checked = check_project(contents)
    manifest = checked.package.manifest if checked.package is not None else None
    if manifest is not None:
        findings = queries.plan_findings(g.db, manifest=manifest, agency_id=g.agency.agency_id)
        checked = with_findings(checked, findings)
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
        "shown": shown_of(manifest) if manifest else [],
        "roles": [(name, role.label) for name, role in manifest.roles.items()] if manifest else [],
        "functions": list(manifest.functions) if manifest else [],
        "words": words_of(manifest, path) if manifest else [],
        "ran": queries.last_tests(g.db, project=project),
        "tests": len(checked.package.tests) if checked.package else 0,
        "version": manifest.version if manifest else "",
        "release": queries.release_of(g.db, manifest=manifest, agency_id=g.agency.agency_id) if manifest else None,
        "can_author": g.actor.can(Permission.MODULES_AUTHOR),
    }


def shown_of(manifest: Manifest) -> list[tuple[str, list[tuple[str, str]]]]:
    """[(heading, [(key, label)])] of what a preview can show: pages for visitors, screens for staff."""
    pages = [(f"page:{name}", name) for name, page in manifest.pages.items() if page.kind in SERVED]
    staff = list(screens().offered(manifest))
    return [(heading, found) for heading, found in (("Pages", pages), ("Screens for staff", staff)) if found]


def _folders(contents: dict[str, bytes]) -> list[tuple[str, list[str]]]:
    """[(folder, its paths)], the top first, module.yaml first in it."""
    folders: dict[str, list[str]] = {"": []}
    for path in sorted(contents, key=lambda path: (path != "module.yaml", path)):
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    return sorted(folders.items())


def open_file(project: Project, path: str) -> FileState | None:
    """The file to show: the one asked for, else the manifest. Raises NotFound for one that is not there."""
    state = queries.file_now(g.db, project=project, path=path or "module.yaml")
    if state is None and path:
        raise NotFound()
    return state


def text_of(state: FileState | None) -> str | None:
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


def must_live(project: Project) -> None:
    if project.deleted_at is not None:
        raise actions.ProjectDeleted()


def said(project: Project, error: AppError, path: str = "") -> Response:
    """Back to the editor with the reason; nothing was changed."""
    say_not_done(error)
    return to_file(project, path)


def to_file(project: Project, path: str = "") -> Response:
    return respond(redirect_to=url_for("editor.show", project_id=project.public_id, file=path or None))


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
