"""Saved searches of the logs: keep the filters of now under a name, for oneself or for the agency."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import Invalid
from app.support.actions import TooManySearches, delete_search, kept_query, save_search
from app.support.models import LogSearch
from app.support.views.common import bp
from app.web.forms import clean, wrong_fields
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, trigger_toast


@bp.post("/logs/searches")
@requires(Permission.LOGS_VIEW)
def keep_search() -> Response:
    query, shared = clean(request.form.get("query")), "shared" in request.form
    given = {"name": clean(request.form.get("name")), "shared": shared}
    try:
        save_search(g.db, agency_id=g.agency.agency_id, name=str(given["name"]), query=query, shared=shared, by=g.actor)
    except Invalid as error:
        return _again(query, given, wrong_fields(error), 422)
    except TooManySearches as error:
        return _again(query, given, {"name": [error.message]}, 409)
    trigger_toast("success", "Search saved")
    return respond(redirect_to=f"{url_for('support.logs')}?{query}")


@bp.post("/logs/searches/<public_id:search_id>/delete")
@requires(Permission.LOGS_VIEW, search=LogSearch)
def forget_search(search: LogSearch) -> Response:
    delete_search(g.db, search=search, by=g.actor)
    trigger_toast("success", "Search deleted")
    return respond(redirect_to=url_for("support.logs"))


def _again(query: str, given: dict[str, Any], wrong: dict[str, list[str]], status: int) -> Response:
    """The form with what is wrong: where it stands, or alone for a browser without scripts."""
    context = {"search_query": kept_query(query), "given": given, "wrong": wrong}
    if is_htmx():
        return make_response(fragment("support/_save_search.html", logs_url="", **context), status)
    logs_url = f"{url_for('support.logs')}?{context['search_query']}"
    return make_response(render_template("support/save_search.html", page="logs", logs_url=logs_url, **context), status)
