"""Boards, and moving a card from one column to another."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, BadRequest, Conflict, Invalid, NotFound
from app.installs.models import Install
from app.modules.manifest.fields import RefField
from app.modules.manifest.views import BoardView
from app.runtime.query import QueryInvalid
from app.runtime.trials.models import Trial
from app.web.errors import status_of
from app.web.guard import requires
from app.web.htmx import is_htmx, respond, trigger_toast
from app.workspace.boards import board_view, more_cards, moves_of, places_of, read_board, value_of, why_refused
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.facets import NONE, Chip, chips, facets
from app.workspace.labels import field_label, many, one
from app.workspace.listing import LIMITS, PREFIX, ListState
from app.workspace.opened import Opened
from app.workspace.screens import has_history
from app.workspace.views.common import (
    BASE,
    POSITION,
    bp,
    carried,
    desk_of,
    install_parts,
    list_url,
    page,
    screen,
    show,
    state_of,
)


class CardGone(Conflict):
    """This record is gone, or is not yours to change any more."""

    code = "card_gone"


@screen("board")
def board_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """A board; for htmx with ?column=…&cursor=… the next cards of a column."""
    if is_htmx() and "column" in request.args:
        return _next_cards(desk, name, request.args["column"])
    return _board_page(install, desk, name)


@bp.post(f"{BASE}/<board>/move")
@requires(Permission.RECORDS_EDIT, install=Opened)
def move_card(install: Install | Trial, board: str) -> Response:
    """Give the board's field of a record another value: card, to, version. Only the version that was looked at is moved."""
    desk, name = desk_of(install), board
    view = board_view(desk, name)
    desk.data.table(view.table, "update")
    record_id, version = _looked_at()
    try:
        _move(desk, name, record_id, version)
    except (Invalid, Conflict) as error:
        why = why_refused(desk, view.table, error)
        trigger_toast("error", f"{_name(desk, view.table, record_id)} was not moved", why)
        if is_htmx():
            return _board_page(install, desk, name, status=status_of(error), refused=(str(record_id), why))
    if is_htmx():
        return _board_page(install, desk, name)
    return respond(redirect_to=list_url(desk, name, carried(state_of(desk, name))))


def _looked_at() -> tuple[UUID, int]:
    """The card, and its version that was looked at."""
    try:
        return UUID(request.values["card"]), int(request.values["version"])
    except (KeyError, ValueError):
        raise BadRequest("Choose a card to move.") from None


def _move(desk: Desk, name: str, record_id: UUID, version: int) -> None:
    view, key = board_view(desk, name), request.values.get("to", "")
    value = value_of(desk, view, key)
    with desk.data.transaction() as tx:
        try:
            before = tx.get(view.table, record_id).values
            after = tx.update(view.table, record_id, {view.by: value}, if_version=version)
        except NotFound as error:
            raise CardGone() from error
        batch = tx.batch
    places, _ = places_of(desk, view)
    label = next((place.label for place in places if place.key == key), "another column")
    text = f"{field_label(desk.table(view.table), view.by)}: {label}"
    undo = _undo(desk, name, record_id, before=before[view.by], key=key, version=after.version, batch=batch)
    trigger_toast("success", f"{title(desk, view.table, after.values)} is moved", text, undo=undo)


def _undo(desk: Desk, name: str, record_id: UUID, *, before: Any, key: str, version: int, batch: UUID) -> str | None:
    """Where the move is taken back: by the history where there is one, else by the move back where that is allowed."""
    view, carry = board_view(desk, name), carried(state_of(desk, name))
    if has_history(desk.table(view.table)):
        return f"{url_for('.restore', install_id=desk.install_id, batch=batch)}?{carry}"
    places, _ = places_of(desk, view)
    back = NONE[0] if before is None else str(before)
    if back not in [place.key for place in moves_of(desk.table(view.table), view.by, places, key)]:
        return None
    where = url_for(".move_card", install_id=desk.install_id, board=name, card=record_id, to=back, version=version)
    return f"{where}&{carry}"


def _name(desk: Desk, table: str, record_id: UUID) -> str:
    try:
        return title(desk, table, desk.data.get(table, record_id).values)
    except AppError:
        return "The card"


def _board_page(
    install: Install | Trial, desk: Desk, name: str, *, status: int = 200, refused: tuple[str, str] = ("", "")
) -> Response:
    """refused: a card that was not moved, and why."""
    context = board_context(desk, name) | ({} if is_htmx() else install_parts(install))
    return show("board", "board_results", desk, status=status, refused=refused, **context)


def board_context(desk: Desk, name: str) -> dict[str, Any]:
    """What workspace/board.html shows, without the install around it."""
    view, state = board_view(desk, name), state_of(desk, name)
    shown = facets(desk, state)
    return {
        "state": state,
        "screen": state.screen,
        "board": read_board(desk, view, state),
        "facets": shown,
        "chips": [(chip.label, _without(desk, name, chip)) for chip in chips(desk, state, shown)],
        "kept": [pair for pair in _asked() if pair[0] in ("sort", "col", "limit")],
        "noun": one(desk.manifest, view.table),
        "nouns": many(desk.manifest, view.table),
        "can_create": desk.can(view.table, "create"),
        "can_move": desk.can(view.table, "update"),
        "unreadable": _unreadable(desk, view),
    } | _card_context(desk, state, view.by)


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
    view, state = board_view(desk, name), state_of(desk, name)
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
        "refused": ("", ""),
    }
    return page("workspace/_board_cards.html", desk, **context, **_card_context(desk, state, view.by))


def _asked() -> list[tuple[str, str]]:
    """What the address says of the board; a move is sent to another address, but with the same query string."""
    return [pair for pair in request.args.items(multi=True) if pair[0] not in POSITION]


def _without(desk: Desk, name: str, chip: Chip) -> str:
    return list_url(desk, name, urlencode([pair for pair in _asked() if pair != (chip.name, chip.value)]))
