"""Galleries: records by their pictures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, request

from app.installs.models import Install
from app.modules.manifest.views import GalleryView
from app.runtime.trials.models import Trial
from app.workspace.desk import Desk
from app.workspace.galleries import read_gallery
from app.workspace.listing import at_cursor
from app.workspace.orders import orders
from app.workspace.screens import view_of
from app.workspace.views.common import PAGE, screen, show_screen, state_of, view_context


def gallery_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/gallery.html shows."""
    view, state = view_of(desk, name, GalleryView), at_cursor(state_of(desk, name), request.args.get(PAGE, ""))
    gallery, state = read_gallery(desk, view, state)
    return {**view_context(desk, state, kept=("col", "limit")), "gallery": gallery, "orders": orders(desk, state)}


@screen("gallery", gallery_context)
def gallery_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """A gallery, or the page of it that ?after=… names."""
    return show_screen(install, desk, name)
