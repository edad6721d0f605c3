"""Inboxes: a list, and beside it the record that is chosen in it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request
from werkzeug.datastructures import MultiDict

from app.errors import NotFound
from app.installs.models import Install
from app.modules.manifest.views import InboxView
from app.runtime.trials.models import Trial
from app.web.htmx import htmx_target, is_htmx
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.inboxes import Inbox, find_record, read_inbox
from app.workspace.listing import ListState, at_cursor
from app.workspace.orders import orders
from app.workspace.screens import panels_of, view_of
from app.workspace.views.common import CHOSEN, PAGE, carried, page, screen, show_screen, state_of, view_context
from app.workspace.views.going import BACK, beside_url, opened_url
from app.workspace.views.records import record_context

RECORD, FURTHER = "inbox-record", "inbox-more"
"""Ids of the parts of the page that htmx asks for by themselves."""


def inbox_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/inbox.html shows: where the address names no record of the list, its first one is beside it."""
    view, state = view_of(desk, name, InboxView), _state(desk, name)
    inbox, state = read_inbox(desk, view, state)
    wanted = request.args.get(CHOSEN, "")
    chosen = find_record(desk, state, wanted) if wanted else None
    shown = chosen
    if chosen is None and inbox.entries:
        shown = find_record(desk, state, inbox.entries[0].card.id)
    return {
        **view_context(desk, state, kept=("col", "limit")),
        "orders": orders(desk, state),
        **_list_context(desk, state, inbox, str(shown["id"]) if shown else ""),
        **_record_context(desk, state, shown),
        "opened": chosen is not None,
        "missed": _missed(desk, view.table, wanted) if wanted and chosen is None and not is_htmx() else None,
    }


@screen("inbox", inbox_context)
def inbox_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """An inbox; for htmx its record alone, without a question about the list, or the next records of the list alone."""
    if is_htmx() and htmx_target() == RECORD:
        state = _state(desk, name)
        view_of(desk, name, InboxView)
        found = find_record(desk, state, request.args.get(CHOSEN, ""))
        return page(
            "workspace/_inbox_record.html", desk, opened=True, missed=None, **_record_context(desk, state, found)
        )
    if is_htmx() and htmx_target() == FURTHER:
        inbox, state = read_inbox(desk, view_of(desk, name, InboxView), _state(desk, name))
        return page("workspace/_inbox_rows.html", desk, further=True, **_list_context(desk, state, inbox, ""))
    return show_screen(install, desk, name)


def _state(desk: Desk, name: str) -> ListState:
    return at_cursor(state_of(desk, name), request.args.get(PAGE, ""))


def _list_context(desk: Desk, state: ListState, inbox: Inbox, chosen: str) -> dict[str, Any]:
    """What workspace/_inbox_rows.html shows. chosen: the id of the record beside the list."""
    key, query = state.screen.key, carried(state)
    others = MultiDict([pair for pair in request.args.items(multi=True) if pair[0] != PAGE])
    start = beside_url(desk, key, carried(state, others))
    further = f"{start}{'&' if '?' in start else '?'}{PAGE}={inbox.next_cursor}"
    return {
        "inbox": inbox,
        "chosen": chosen,
        "rows": [(entry, beside_url(desk, key, query, entry.card.id)) for entry in inbox.entries],
        "further_url": further if inbox.next_cursor else "",
        "start_url": start if state.cursor else "",
    }


def _record_context(desk: Desk, state: ListState, record: dict[str, Any] | None) -> dict[str, Any]:
    """What workspace/_inbox_record.html shows."""
    carry = carried(state)
    given = {"list_url": beside_url(desk, state.screen.key, carry), "record": None}
    if record is None:
        return given
    view = view_of(desk, state.screen.key, InboxView)
    given |= {"added_from": urlencode({BACK: f"{carry}&{CHOSEN}={record['id']}"})}
    return given | record_context(
        desk, view.table, record, state=state, screen=panels_of(desk, view), link=partial(opened_url, desk, view.table)
    )


def _missed(desk: Desk, table: str, record_id: str) -> tuple[str, str] | None:
    """(id, title) of a record that an address names and that somebody may read, though the list has it not, or no more."""
    try:
        found = desk.data.get(table, UUID(record_id)).values
    except (ValueError, NotFound):
        return None
    return str(found["id"]), title(desk, table, found)
