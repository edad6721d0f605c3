"""The catalogue of events: an index with a search, and a page for each type."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Response, g, make_response, request

from app.access.permissions import Permission
from app.errors import NotFound
from app.web.forms import clean
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx
from app.webhooks import queries
from app.webhooks.catalogue import Group, catalogue
from app.webhooks.views.common import bp, page

LISTED = 150  # entries on one page; the groups after them are named with how many they have


@bp.get("/webhooks/events")
@requires(Permission.WEBHOOKS_VIEW)
def events() -> Response:
    every, search = groups(), clean(request.args.get("q"))[:80]
    chosen = request.args.get("group", "")
    wanted = [one for one in every if one.key == chosen] or every
    found = [one for group in wanted if (one := group.matching(search)).events]
    context: dict[str, Any] = {
        "groups": found, "listed": _listed(found), "q": search, "chosen": wanted[0] if len(wanted) == 1 else None,
        "count": sum(len(group.events) for group in found),
        "kinds": [(group.key, group.title, len(group.events)) for group in every],
    }  # fmt: skip
    if is_htmx() and htmx_target() == "results":
        return make_response(fragment("webhooks/events.html", "results", **context))
    return page("events", **context)


@bp.get("/webhooks/events/<event_type>")
@requires(Permission.WEBHOOKS_VIEW)
def event(event_type: str) -> Response:
    """A type with its example and its JSON Schema; with those of each module, where several tell it."""
    found = [(group, one) for group in groups() for one in group.events if one.type == event_type]
    if not found:
        raise NotFound()
    return page("event", found=found, shown=lambda data: json.dumps(data, indent=2, ensure_ascii=False))


def groups() -> list[Group]:
    """Everything that an endpoint made by who is signed in can get."""
    return catalogue(role=g.actor.role, modules=queries.manifests(g.db, agency_id=g.agency.agency_id))


def _listed(found: Iterable[Group]) -> set[str]:
    """Keys of the groups whose entries are shown: the first always, others while there is room."""
    keys: set[str] = set()
    room = LISTED
    for group in found:
        if not keys or len(group.events) <= room:
            keys.add(group.key)
            room -= len(group.events)
    return keys
