"""Changing a record by moving its card: only the version that was looked at, with undo, or with the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.errors import AppError, BadRequest, Conflict, Invalid, NotFound
from app.installs.models import Install
from app.runtime.trials.models import Trial
from app.web.errors import status_of
from app.web.htmx import is_htmx, respond, trigger_toast
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.labels import field_label
from app.workspace.screens import has_history
from app.workspace.views.common import carried, list_url, show_screen, state_of

Undo = Callable[[dict[str, Any], int], str | None]
NOT_REFUSED = ("", "")


class CardGone(Conflict):
    """This record is gone, or is not yours to change any more."""

    code = "card_gone"


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a record. text: where it went, for the notice; undo: the address that takes it back, of a table that
    keeps no history, given the values before and the version after; None where there is no way back.
    """

    values: dict[str, Any]
    text: str
    undo: Undo


def looked_at() -> tuple[UUID, int]:
    """The card that is moved, and its version that was looked at. Raises BadRequest."""
    try:
        return UUID(request.values["card"]), int(request.values["version"])
    except (KeyError, ValueError):
        raise BadRequest("Choose a card to move.") from None


def answer_move(install: Install | Trial, desk: Desk, name: str, moves: Callable[[dict[str, Any]], Move]) -> Response:
    """Move the card of this request and show its screen again. moves: from the values before to what becomes of them.

    A card that cannot be moved stays, and its screen is given refused: (id, why). Raises NotFound where nothing of the
    table may be changed, BadRequest.
    """
    record_id, version = looked_at()
    table = state_of(desk, name).screen.table
    desk.data.table(table, "update")
    try:
        _move(desk, name, table, record_id, version, moves)
    except (Invalid, Conflict) as error:
        why = why_refused(desk, table, error)
        trigger_toast("error", f"{_name(desk, table, record_id)} was not moved", why)
        if is_htmx():
            return show_screen(install, desk, name, status=status_of(error), refused=(str(record_id), why))
    if is_htmx():
        return show_screen(install, desk, name)
    return respond(redirect_to=list_url(desk, name, carried(state_of(desk, name))))


def _move(
    desk: Desk, name: str, table: str, record_id: UUID, version: int, moves: Callable[[dict[str, Any]], Move]
) -> None:
    with desk.data.transaction() as tx:
        try:
            before = tx.get(table, record_id).values
            move = moves(before)
            after = tx.update(table, record_id, move.values, if_version=version)
        except NotFound as error:
            raise CardGone() from error
        batch = tx.batch
    if has_history(desk.table(table)):
        undo: str | None = url_for(".restore", install_id=desk.install_id, batch=batch)
    else:
        undo = move.undo(before, after.version)
    if undo:
        undo += ("&" if "?" in undo else "?") + carried(state_of(desk, name))
    trigger_toast("success", f"{title(desk, table, after.values)} is moved", move.text, undo=undo)


def _name(desk: Desk, table: str, record_id: UUID) -> str:
    try:
        return title(desk, table, desk.data.get(table, record_id).values)
    except AppError:
        return "The card"


def why_refused(desk: Desk, table: str, error: AppError) -> str:
    """Why a change was not made, in a sentence for people: with the labels of the fields it is about."""
    if not isinstance(error, Invalid) or not error.errors:
        return error.message
    spec, found = desk.table(table), []
    for one in error.errors:
        name = one.pointer.lstrip("/").partition("/")[0]
        detail = one.detail.rstrip(".")
        found.append(f"{field_label(spec, name)} {detail}." if name in spec.fields else f"{detail}.")
    return " ".join(found)
