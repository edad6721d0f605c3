"""What the screens of the workspace share: the blueprint, the desk of this request, answers, addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.runtime.trials.models import Trial
from app.web.htmx import is_htmx
from app.workspace.desk import Desk, open_desk
from app.workspace.facets import Chip, chips, facets
from app.workspace.labels import many, one
from app.workspace.listing import ListState, read_list
from app.workspace.screens import list_screen, menu, screen_kind

Opens = Callable[[Install | Trial, Desk, str], Response]
Shows = Callable[[Desk, str, datetime], dict[str, Any]]
bp = Blueprint("workspace", __name__)
BASE = "/installs/<public_id:install_id>/records"
CHOSEN = "record"
"""The record beside the list of an inbox."""
POSITION = ("cursor", "in", "column", "card", "points", "to", "at", "place", "version", CHOSEN)
"""Parameters that say where somebody stands in a list or on a board, or what is done there: not taken along."""
PAGE = "after"
"""The cursor of the page of a view. It is taken along to a record and back, not to what is narrowed otherwise."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a type of views is shown. opens: answers at the address of one, (install, desk, name) to the page; shows: what
    its template workspace/<type>.html is given beside the install around it, (desk, name, now) to the context.
    """

    opens: Opens
    shows: Shows


_SCREENS: dict[str, Shown] = {}


def screen(kind: str, shows: Shows) -> Callable[[Opens], Opens]:
    """What answers at the address of a view of this type (screens.DRAWN), and what it shows there and in the Studio."""

    def take(opens: Opens) -> Opens:
        _SCREENS[kind] = Shown(opens, shows)
        return opens

    return take


def open_screen(install: Install | Trial, desk: Desk, name: str) -> Response:
    """The screen at a name, by the type of its view. Raises NotFound."""
    return _SCREENS[screen_kind(desk, name)].opens(install, desk, name)


def shown_at(desk: Desk, name: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """The template of the screen at a name, and what it is given beside the install around it. Raises NotFound."""
    kind = screen_kind(desk, name)
    return f"workspace/{kind}.html", _SCREENS[kind].shows(desk, name, now)


def show_screen(install: Install | Trial, desk: Desk, name: str, /, *, status: int = 200, **context: Any) -> Response:
    """The screen at a name: for htmx its part workspace/_<type>.html, for a browser the page. context: what is different."""
    kind = screen_kind(desk, name)
    given = _SCREENS[kind].shows(desk, name, utcnow()) | ({} if is_htmx() else install_parts(install)) | context
    return show(kind, kind, desk, status=status, **given)


def view_context(desk: Desk, state: ListState, *, kept: tuple[str, ...] = ("sort", "col", "limit")) -> dict[str, Any]:
    """What workspace/_screen.html needs of a view of records, beside the install and the records themselves.

    kept: the parameters that say how it looks, which filters leave as they are.
    """
    key, shown = state.screen.key, facets(desk, state)
    return {
        "state": state,
        "screen": state.screen,
        "table": state.screen.table,
        "here": list_url(desk, key),
        "carry": carried(state),
        "facets": shown,
        "chips": [(chip.label, _without(desk, key, chip)) for chip in chips(desk, state, shown)],
        "kept": [pair for pair in asked() if pair[0] in kept],
        "noun": one(desk.manifest, state.screen.table),
        "nouns": many(desk.manifest, state.screen.table),
        "can_create": desk.can(state.screen.table, "create"),
        "can_update": desk.can(state.screen.table, "update"),
    }


def asked() -> list[tuple[str, str]]:
    """What the address says of a screen; an act is sent to another address, but with the same query string."""
    return [pair for pair in request.args.items(multi=True) if pair[0] not in (*POSITION, PAGE)]


def changed_url(desk: Desk, key: str, **changes: object) -> str:
    """The address of this screen with other parameters; what is empty is left out."""
    pairs = [(name, text) for name, text in asked() if name not in changes]
    return list_url(desk, key, urlencode([*pairs, *((name, str(text)) for name, text in changes.items() if text)]))


def _without(desk: Desk, key: str, chip: Chip) -> str:
    return list_url(desk, key, urlencode([pair for pair in asked() if pair != (chip.name, chip.value)]))


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
