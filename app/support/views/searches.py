"""Saved searches of the logs: keep the filters of now under a name, for oneself or for the agency."""

from __future__ import annotations

from flask import Response, g, request, url_for

from app.access.permissions import Permission
from app.support.actions import delete_search, save_search
from app.support.models import LogSearch
from app.support.views.common import bp
from app.web.forms import clean
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast


@bp.post("/logs/searches")
@requires(Permission.LOGS_VIEW)
def keep_search() -> Response:
    query = clean(request.form.get("query"))
    save_search(
        g.db, agency_id=g.agency.agency_id, name=clean(request.form.get("name")), query=query,
        shared="shared" in request.form, by=g.actor,
    )  # fmt: skip
    trigger_toast("success", "Search saved")
    return respond(redirect_to=f"{url_for('support.logs')}?{query}")


@bp.post("/logs/searches/<public_id:search_id>/delete")
@requires(Permission.LOGS_VIEW, search=LogSearch)
def forget_search(search: LogSearch) -> Response:
    delete_search(g.db, search=search, by=g.actor)
    trigger_toast("success", "Search deleted")
    return respond(redirect_to=url_for("support.logs"))
