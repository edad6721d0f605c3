"""Where somebody goes on after an act on a record: on its page, or in the inbox that it was done in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from app.modules.manifest.views import InboxView
from app.workspace.desk import Desk
from app.workspace.inboxes import find_record
from app.workspace.neighbours import neighbours
from app.workspace.views.common import CHOSEN, list_url, record_url, state_of

BACK = "back"
"""The inbox from where a record is added to the one that is chosen there, as carried() gave it, with that one."""


def inbox_of(desk: Desk, table: str, query: str) -> str:
    """The inbox of a table that a carried query comes from; "" for any other screen."""
    key = (parse_qs(query).get("in") or [""])[0]
    view = desk.manifest.views.get(key)
    return key if isinstance(view, InboxView) and view.table == table and desk.can(table, "read") else ""


def beside_url(desk: Desk, key: str, query: str, record_id: object = "") -> str:
    """The address of an inbox with a record chosen, or with none. query: as carried() gave it."""
    pairs = [pair for pair in parse_qsl(query) if pair[0] not in ("in", CHOSEN)]
    return list_url(desk, key, urlencode([*pairs, *([(CHOSEN, str(record_id))] if record_id else [])]))


def opened_url(desk: Desk, table: str, record_id: object, query: str) -> str:
    """Where a record is looked at: beside the list of the inbox that it was opened in, else on its page."""
    key = inbox_of(desk, table, query)
    return beside_url(desk, key, query, record_id) if key else record_url(desk, table, record_id, query)


def came_from(desk: Desk, query: str) -> str:
    """The address of the record in an inbox that another one was added to from there; "" where there was none."""
    inside = (parse_qs(query).get(BACK) or [""])[0]
    key, record_id = ((parse_qs(inside).get(name) or [""])[0] for name in ("in", CHOSEN))
    view = desk.manifest.views.get(key)
    known = isinstance(view, InboxView) and desk.can(view.table, "read")
    return beside_url(desk, key, inside, record_id) if known else ""


def next_url(desk: Desk, table: str, record: Mapping[str, Any], query: str) -> str:
    """The same after a record was changed or deleted: in an inbox that it is not in any more, at the next one there.

    record: its values before, which say where it stood.
    """
    key = inbox_of(desk, table, query)
    if not key:
        return record_url(desk, table, record["id"], query)
    state = state_of(desk, key, MultiDict(parse_qsl(query)))
    if find_record(desk, state, str(record["id"])) is not None:
        return beside_url(desk, key, query, record["id"])
    before, after = neighbours(desk, state, record)
    beside = after or before
    return beside_url(desk, key, query, beside[0] if beside else "")
