"""A map of an install: its screen, its points, and what a point says."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from flask import Response, current_app, jsonify, request

from app.config import Config
from app.errors import NotFound
from app.installs.models import Install
from app.modules.manifest.views import MapView
from app.runtime.trials.models import Trial
from app.web.headers import allow_images
from app.web.htmx import is_htmx
from app.workspace.desk import Desk
from app.workspace.maps import (
    MOST_POINTS,
    may_see_places,
    point_card,
    points,
    read_look,
    read_map,
)
from app.workspace.screens import view_of
from app.workspace.views.common import asked, carried, list_url, page, screen, show_screen, state_of, view_context

LOOK = ("map", "box", "placed")
"""Parameters that say where the map stands and which of its records the list is of."""


def map_shown(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/map.html shows."""
    view, state, look = view_of(desk, name, MapView), state_of(desk, name), read_look(request.args)
    config: Config = current_app.config["DRAMAC"]
    narrowed = [pair for pair in asked() if pair[0] not in LOOK]
    seen = may_see_places(desk, view)
    return view_context(desk, state, kept=()) | {
        "map": read_map(desk, view, state, look) if seen else None,
        "look": look,
        "narrowed": narrowed,
        "points": list_url(desk, name, urlencode([*narrowed, ("points", "1")])),
        "most": MOST_POINTS,
        "tiles": config.map_tiles,
        "credit": config.map_credit,
    }


@screen("map", map_shown)
def map_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    if "points" in request.args:
        return _points(desk, name)
    if "card" in request.args:
        return _card(desk, name, request.args["card"])
    tiles = urlsplit(current_app.config["DRAMAC"].map_tiles)
    if tiles.netloc and not is_htmx():
        allow_images(f"{tiles.scheme}://{tiles.netloc}")
    return show_screen(install, desk, name)


def _points(desk: Desk, name: str) -> Response:
    view = view_of(desk, name, MapView)
    if not may_see_places(desk, view):
        raise NotFound()
    found, more = points(desk, view, state_of(desk, name), read_look(request.args))
    answer = jsonify(points=found, more=more)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _card(desk: Desk, name: str, text: str) -> Response:
    view, state = view_of(desk, name, MapView), state_of(desk, name)
    try:
        found = point_card(desk, view, state, str(UUID(text))) if may_see_places(desk, view) else None
    except ValueError:
        found = None
    if found is None:
        raise NotFound()
    return page("workspace/_map_card.html", desk, card=found, table=view.table, carry=carried(state))
