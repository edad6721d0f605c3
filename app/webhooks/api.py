"""The platform's own events for programs: what there is, with the JSON Schema and an example of each call."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, url_for

from app.errors import NotFound
from app.events.catalog import CATALOG
from app.web.guard import public
from app.webhooks.catalogue import platform_event, platform_events

bp = Blueprint("event_schemas", __name__, url_prefix="/schemas")


@bp.get("/events.json")
@public
def index() -> Response:
    """Every type; a module's own are at /api/modules/{module}/events/types."""
    found = [
        {"type": one.type, "label": one.label, "schema": url_for(".show", event_type=one.type), "example": one.example}
        for one in platform_events()
    ]
    return _open_to_all(jsonify(data=found))


@bp.get("/events/<event_type>.json")
@public
def show(event_type: str) -> Response:
    """The JSON Schema of the body of one type of call."""
    if event_type not in CATALOG:
        raise NotFound()
    offered = platform_event(event_type)
    answer = jsonify({**offered.schema, "examples": [offered.example]})
    answer.mimetype = "application/schema+json"
    return _open_to_all(answer)


def _open_to_all(answer: Response) -> Response:
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer
