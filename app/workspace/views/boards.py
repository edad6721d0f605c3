"""Boards, and moving a card from one column to another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, request, url_for

from app.access.permissions import Permission
from app.installs.models import Install
from app.modules.manifest.fields import RefField
from app.modules.manifest.views import BoardView
from app.runtime.query import QueryInvalid
from app.runtime.trials.models import Trial
from app.web.guard import requires
from app.web.htmx import is_htmx
from app.workspace.boards import more_cards, moves_of, places_of, read_board, value_of
from app.workspace.desk import Desk
from app.workspace.facets import NONE
from app.workspace.labels import field_label
from app.workspace.listing import LIMITS, PREFIX, ListState
from app.workspace.opened import Opened
from app.workspace.screens import view_of
from app.workspace.views.common import (
    BASE,
    bp,
    carried,
    desk_of,
    list_url,
    page,
    screen,
    show_screen,
    state_of,
    view_context,
)
from app.workspace.views.moving import NOT_REFUSED, Move, answer_move


def board_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/board.html shows."""
    view, state = view_of(desk, name, BoardView), state_of(desk, name)
    return {
        **view_context(desk, state),
        **_card_context(desk, state, view.by),
        "board": read_board(desk, view, state),
        "unreadable": _unreadable(desk, view),
        "refused": NOT_REFUSED,
    }


@screen("board", board_context)
def board_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """A board; for htmx with ?column=…&cursor=… the next cards of a column."""
    if is_htmx() and "column" in request.args:
        return _next_cards(desk, name, request.args["column"])
    return show_screen(install, desk, name)


@bp.post(f"{BASE}/<board>/move")
@requires(Permission.RECORDS_EDIT, install=Opened)
def move_card(install: Install | Trial, board: str) -> Response:
    """Give the board's field of a record another value: card, to, version. Only the version that was looked at is moved."""
    desk = desk_of(install)
    view = view_of(desk, board, BoardView)
    desk.data.table(view.table, "update")
    key = request.values.get("to", "")
    value = value_of(desk, view, key)

    def move(before: dict[str, Any]) -> Move:
        places, _ = places_of(desk, view)
        label = next((place.label for place in places if place.key == key), "another column")
        text = f"{field_label(desk.table(view.table), view.by)}: {label}"
        return Move({view.by: value}, text, lambda was, version: _way_back(desk, board, key, was[view.by], version))

    return answer_move(install, desk, board, move)


def _way_back(desk: Desk, name: str, key: str, before: Any, version: int) -> str | None:
    """The move back, where the table's states allow it."""
    view, back = view_of(desk, name, BoardView), NONE[0] if before is None else str(before)
    places, _ = places_of(desk, view)
    if back not in [place.key for place in moves_of(desk.table(view.table), view.by, places, key)]:
        return None
    card = request.values["card"]
    return url_for(".move_card", install_id=desk.install_id, board=name, card=card, to=back, version=version)


def _unreadable(desk: Desk, view: BoardView) -> bool:
    """Whether the columns are records of a table this person may not read."""
    field = desk.table(view.table).fields[view.by]
    return isinstance(field, RefField) and not desk.can(field.to, "read")


def _card_context(desk: Desk, state: ListState, by: str) -> dict[str, Any]:
    return {
        "table": state.screen.table,
        "here": list_url(desk, state.screen.key),
        "carry": carried(state),
        "narrow": PREFIX + by,
        "most": LIMITS[-1],
    }


def _next_cards(desk: Desk, name: str, key: str) -> Response:
    view, state = view_of(desk, name, BoardView), state_of(desk, name)
    try:
        cards, cursor = more_cards(desk, view, state, key, state.cursor)
    except QueryInvalid:  # made for another order: what comes next cannot be told any more
        cards, cursor = more_cards(desk, view, state, key, "")
    places, _ = places_of(desk, view)
    moves = moves_of(desk.table(view.table), view.by, places, key) if desk.can(view.table, "update") else ()
    context: dict[str, Any] = {
        "cards": cards,
        "cursor": cursor,
        "key": key,
        "moves": moves,
        "further": True,
        "refused": NOT_REFUSED,
    }
    return page("workspace/_board_cards.html", desk, **context, **_card_context(desk, state, view.by))
