"""The first page after sign-in, and what the palette finds."""

from __future__ import annotations

import re

from flask import Response, g, make_response, render_template

from app.access.permissions import Permission
from app.events.catalog import CATALOG
from app.lib.clock import utcnow
from app.tenancy import queries
from app.tenancy.views.common import agency_id, bp, words_asked
from app.web.guard import requires
from app.web.links import has_endpoint

_REQUEST_ID = re.compile(r"req_[0-9a-z]{26}", re.ASCII)


def readable_actions() -> list[str]:
    """The types of events the person may read of."""
    return [name for name, event in CATALOG.items() if g.actor.can(event.permission)]


@bp.get("/")
@requires(Permission.AGENCY_VIEW)
def home() -> Response:
    concerns = queries.concerns(g.db, now=utcnow())
    if not g.actor.can(Permission.MEMBERS_MANAGE):
        concerns = [concern for concern in concerns if concern.kind != "invitation_expired"]
    return make_response(
        render_template(
            "tenancy/home.html",
            page="home",
            concerns=concerns,
            sites=queries.newest_sites(g.db, agency_id=agency_id()),
            activity=queries.recent_activity(g.db, agency_id=agency_id(), actions=readable_actions()),
            catalog=CATALOG,
            can_create=g.actor.can(Permission.SITES_MANAGE),
            can_install=g.actor.can(Permission.INSTALLS_CREATE),
            can_invite=g.actor.can(Permission.MEMBERS_MANAGE),
        )
    )


@bp.get("/palette")
@requires(Permission.AGENCY_VIEW)
def palette() -> Response:
    words = words_asked()
    found = queries.found(g.db, agency_id=agency_id(), words=words) if len(words) > 1 else []
    pasted = (
        words
        if _REQUEST_ID.fullmatch(words) and g.actor.can(Permission.LOGS_VIEW) and has_endpoint("support.logs")
        else ""
    )
    return make_response(render_template("tenancy/_palette.html", found=found, request_id=pasted))
