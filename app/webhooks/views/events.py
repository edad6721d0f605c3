"""The catalogue of events."""

from __future__ import annotations

import json

from flask import Response, g

from app.access.permissions import Permission
from app.web.guard import requires
from app.webhooks import queries
from app.webhooks.catalogue import catalogue
from app.webhooks.views.common import bp, page


@bp.get("/webhooks/events")
@requires(Permission.WEBHOOKS_VIEW)
def events() -> Response:
    modules = queries.manifests(g.db, agency_id=g.agency.agency_id)
    groups = catalogue(role=g.actor.role, modules=modules)
    return page("events", groups=groups, shown=lambda data: json.dumps(data, indent=2, ensure_ascii=False))
