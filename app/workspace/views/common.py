"""What the screens of the workspace share: the blueprint, the desk of this request, answers, addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.runtime.trials.models import Trial
from app.web.htmx import is_htmx
from app.workspace.desk import Desk, open_desk
from app.workspace.listing import ListState, read_list
from app.workspace.screens import list_screen, menu, screen_kind

Opens = Callable[[Install | Trial, Desk, str], Response]
bp = Blueprint("workspace", __name__)
BASE = "/installs/<public_id:install_id>/records"
POSITION = ("cursor", "in", "column", "card", "to", "version")
"""Parameters that say where somebody stands in a list or on a board, or what is done there: not taken along."""
_SCREENS: dict[str, Opens] = {}


def screen(kind: str) -> Callable[[Opens], Opens]:
    """What answers at the address of a view of this type (screens.DRAWN): (install, desk, name) to the page."""

    def take(opens: Opens) -> Opens:
        _SCREENS[kind] = opens
        return opens

    return take


def open_screen(install: Install | Trial, desk: Desk, name: str) -> Response:
    """The screen at a name, by the type of its view. Raises NotFound."""
    return _SCREENS[screen_kind(desk, name)](install, desk, name)


def desk_of(install: Install | Trial) -> Desk:
    """The desk of whoever asks. Raises NotFound and InstallNotReady."""
    return open_desk(g.db, install=install, actor=g.actor)


def zone() -> str:
    """The viewer's time zone."""
    return g.get("zone") or "UTC"


def install_parts(install: Install | Trial) -> dict[str, Any]:
    """What installs/_tabs.html needs; a trial has no tabs."""
    if isinstance(install, Trial):
        return {"install": None}
    return {"install": install_with_parts(g.db, install_id=install.id)}


def show(template: str, part: str, desk: Desk, /, *, status: int = 200, **context: Any) -> Response:
    """The page workspace/<template>.html for a browser, its part workspace/_<part>.html for htmx."""
    name = f"workspace/_{part}.html" if is_htmx() else f"workspace/{template}.html"
    return page(name, desk, status=status, **context)


def page(name: str, desk: Desk, /, *, status: int = 200, **context: Any) -> Response:
    """A template with the frame that every screen of an install has."""
    answer = make_response(
        render_template(name, desk=desk, menu=menu(desk), page=f"data:{desk.install_id}", **context), status
    )
    answer.headers["Cache-Control"] = "no-store"  # records are people's data
    return answer


def state_of(desk: Desk, key: str, args: MultiDict[str, str] | None = None) -> ListState:
    """The list an address asks for. Raises NotFound."""
    return read_list(desk, list_screen(desk, key), request.args if args is None else args, zone=zone())


def carried(state: ListState, args: MultiDict[str, str] | None = None) -> str:
    """The query string that takes a list along to a record and back: where it stands in its order."""
    pairs = [("in", state.screen.key)]
    pairs += [
        (key, value) for key, value in (request.args if args is None else args).items(multi=True) if key not in POSITION
    ]
    return urlencode(pairs)


def list_url(desk: Desk, key: str, query: str = "") -> str:
    """The address of a list; query: as carried() gave it."""
    where = url_for("workspace.records", install_id=desk.install_id, name=key)
    return f"{where}?{query}" if query else where


def record_url(desk: Desk, table: str, record_id: object, query: str = "") -> str:
    where = url_for("workspace.record", install_id=desk.install_id, table=table, record_id=record_id)
    return f"{where}?{query}" if query else where


def here() -> str:
    """The address of this request with its query string, as a path."""
    return request.full_path.rstrip("?")
