"""Tests, previews and calls, done by a worker and looked at here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from flask import Response, current_app, g, make_response, redirect, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import NotFound
from app.lib.clock import utcnow
from app.studio.editor import actions
from app.studio.editor.models import Project, Trial
from app.studio.editor.views.common import bp, must_live, number
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx
from app.web.limits import limiter


@bp.post("/<public_id:project_id>/tests")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def run_tests(project: Project) -> Response:
    return _try(project, "tests", {})


@bp.post("/<public_id:project_id>/preview")
@limiter.limit("60 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def preview(project: Project) -> Response:
    """what: page:<name>, or list:, record:, form: and a name; role, record, sent and the address's parameters narrow it."""
    form = request.form
    asked: dict[str, Any] = {"what": form.get("what", "")[:120], "sent": form.get("sent") == "1"}
    asked["role"], asked["record"] = form.get("role", "")[:60], number(form.get("record", "")) or 0
    asked["params"] = dict(parse_qsl(form.get("params", "")[:1000].removeprefix("?")))
    return _try(project, "preview", asked)


@bp.post("/<public_id:project_id>/call")
@limiter.limit("60 per minute")
@requires(Permission.MODULES_AUTHOR, project=Project)
def call(project: Project) -> Response:
    text = request.form.get("input", "").strip() or "null"
    try:
        given = read_input(text)
    except ValueError as error:
        problem = f"{error}."
        return make_response(fragment("studio/editor/_trial.html", trial=None, project=project, problem=problem), 422)
    return _try(project, "call", {"function": request.form.get("function", "")[:60], "input": given})


@bp.get("/<public_id:project_id>/trials/<public_id:trial_id>")
@requires(Permission.MODULES_VIEW, project=Project, trial=Trial)
def trial(project: Project, trial: Trial) -> str:
    if trial.project_id != project.id:
        raise NotFound()
    return _trial(project, trial)


def read_input(text: str) -> Any:
    """What a function is called with. Raises ValueError with a sentence: not JSON, or what a function never gets."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is no JSON")

    try:
        given = json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("The input is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"The input is not JSON: {error}") from error
    unkept = re.compile("[\0\ud800-\udfff]")
    if any(unkept.search(one) for one in _texts(given)):
        raise ValueError("The input has a character that no text here can hold: \\u0000, or half of a surrogate pair")
    return given


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend([*one, *one.values()])


def _try(project: Project, kind: Any, asked: dict[str, Any]) -> Response:
    must_live(project)
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
