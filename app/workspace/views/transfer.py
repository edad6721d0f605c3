"""Export as CSV, and import from CSV: choose a file, see what it would do, then do it or not."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for

from app.access.permissions import Permission
from app.errors import Conflict, Forbidden, NotFound
from app.events.catalog import RECORDS_EXPORTED, RECORDS_IMPORTED, EventType
from app.events.outbox import publish
from app.installs.models import Install
from app.lib.crypto import random_token
from app.modules.manifest import FieldSpec
from app.queue.enqueue import redis
from app.web.filters import plural
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.workspace.desk import Desk
from app.workspace.exports import csv_lines, first_page
from app.workspace.imports import (
    MOST_BYTES,
    MOST_PROBLEMS,
    FileUnreadable,
    RowProblem,
    RowsRefused,
    Sheet,
    guess_mapping,
    heading_label,
    import_hint,
    importable,
    problems_by_line,
    read_sheet,
    try_rows,
    write_rows,
)
from app.workspace.labels import field_label, inside, many, one
from app.workspace.listing import ListState
from app.workspace.screens import ListScreen, has_history, list_screen, screen_kind
from app.workspace.views.common import BASE, bp, desk_of, list_url, page, state_of
from app.workspace.views.reports import report_file

KEPT_S = 1800
PREVIEWED = 5


@bp.get(f"{BASE}/<name>/export.csv")
@requires(Permission.RECORDS_EXPORT, install=Install)
def export(install: Install, name: str) -> Response:
    """The records of a list, or the lines of a report as it is shown."""
    desk = desk_of(install)
    if screen_kind(desk, name) != "report":
        return csv_answer(desk, state_of(desk, name))
    content = report_file(desk, name)
    _tell(desk, RECORDS_EXPORTED, list_screen(desk, name), records=None)
    return _file(desk, name, content)


def csv_answer(desk: Desk, state: ListState, *, ids: Sequence[UUID] = ()) -> Response:
    """The list, or the chosen records of it, as a file that is sent while it is read. Told in the audit trail."""
    table = state.screen.table
    if not desk.can_export(table) or not (state.screen.export or (ids and "export" in state.screen.bulk)):
        raise Forbidden()
    query, found = first_page(desk, state, ids=ids)
    _tell(desk, RECORDS_EXPORTED, state.screen, records=len(ids) or None)
    return _file(desk, state.screen.key, csv_lines(desk, table, query, found))


def _file(desk: Desk, key: str, content: bytes | Iterator[bytes]) -> Response:
    answer = Response(content, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{desk.context.site.slug}-{key}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get(f"{BASE}/<name>/import")
@requires(Permission.RECORDS_EDIT, install=Install)
def import_file(install: Install, name: str) -> Response:
    desk, screen = _importing(install, name)
    return _choose_page(desk, screen)


@bp.post(f"{BASE}/<name>/import")
@requires(Permission.RECORDS_EDIT, install=Install)
def take_file(install: Install, name: str) -> Response:
    """Keep the file for half an hour and go on to its preview; what cannot be read is told at once."""
    desk, screen = _importing(install, name)
    sent = request.files.get("file")
    content = sent.stream.read(MOST_BYTES + 1) if sent and sent.filename else b""
    if not content:
        return _choose_page(desk, screen, error="Choose a CSV file.")
    if len(content) > MOST_BYTES:
        return _choose_page(desk, screen, error=f"The file is larger than {MOST_BYTES >> 20} MiB.")
    try:
        read_sheet(content)
    except FileUnreadable as error:
        return _choose_page(desk, screen, error=error.message)
    token = random_token()
    redis().set(_key(desk, token), zlib.compress(content), ex=KEPT_S)
    return respond(redirect_to=url_for(".preview", install_id=desk.install_id, name=name, token=token))


@bp.get(f"{BASE}/<name>/import/<token>")
@requires(Permission.RECORDS_EDIT, install=Install)
def preview(install: Install, name: str, token: str) -> Response:
    """What the file would do, with the mapping of the address (`map` once for each column) or a guessed one."""
    desk, screen = _importing(install, name)
    return _preview_page(desk, screen, token, _sheet(desk, token))


@bp.post(f"{BASE}/<name>/import/<token>")
@requires(Permission.RECORDS_EDIT, install=Install)
def import_rows(install: Install, name: str, token: str) -> Response:
    desk, screen = _importing(install, name)
    sheet = _sheet(desk, token)
    tried = try_rows(desk, screen.table, sheet, _mapping(desk, screen.table, sheet, request.form.getlist("map")))
    if tried.problems:
        return _preview_page(desk, screen, token, sheet, problems=tried.problems, status=422)
    try:
        batch = write_rows(desk, screen.table, tried)
    except RowsRefused as error:
        return _preview_page(desk, screen, token, sheet, problems=error.problems, status=422)
    except Conflict as error:
        return _preview_page(desk, screen, token, sheet, problems=[RowProblem(0, "", error.message)], status=409)
    _tell(desk, RECORDS_IMPORTED, screen, records=len(tried.values))
    redis().delete(_key(desk, token))
    words = plural(
        len(tried.values), inside(one(desk.manifest, screen.table)), inside(many(desk.manifest, screen.table))
    )
    can_undo = has_history(desk.table(screen.table)) and desk.can(screen.table, "delete")
    undo = url_for(".restore", install_id=desk.install_id, batch=batch) if can_undo else None
    trigger_toast("success", f"{words} imported", undo=undo)
    return respond(redirect_to=list_url(desk, screen.key))


def _tell(desk: Desk, event: EventType, screen: ListScreen, *, records: int | None) -> None:
    """Leave in the audit trail what went out or came in. records: how many; None for a whole list."""
    publish(
        g.db, event, by=g.actor, agency_id=desk.context.agency_id, site_id=desk.context.site_id,
        install_id=desk.context.install_id, target=desk.install_id,
        target_name=f"{desk.context.module_name}: {screen.label}", data={"table": screen.table, "records": records},
    )  # fmt: skip


def _importing(install: Install, name: str) -> tuple[Desk, ListScreen]:
    """Raises NotFound where the list takes no import, Forbidden for people who may not add records."""
    desk = desk_of(install)
    screen = list_screen(desk, name)
    if not screen.imports:
        raise NotFound()
    desk.data.table(screen.table, "create")
    return desk, screen


def _key(desk: Desk, token: str) -> str:
    """Bound to the person and the install: a token alone opens nothing."""
    return f"dramac:import:{desk.install_id}:{desk.me.ref}:{token[:80]}"


def _sheet(desk: Desk, token: str) -> Sheet:
    kept = redis().get(_key(desk, token))
    if kept is None:
        raise NotFound("The file is not kept any longer. Choose it again.")
    return read_sheet(zlib.decompress(kept))  # type: ignore[arg-type]  # the client is synchronous


def _mapping(desk: Desk, table: str, sheet: Sheet, asked: list[str]) -> list[str]:
    """A field for each column, each field once; what is not asked for is guessed."""
    if len(asked) != len(sheet.headings):
        return guess_mapping(desk, table, sheet.headings)
    known, found = importable(desk, table), []
    for name in asked:
        found.append(name if name in known and name not in found else "")
    return found


def _choose_page(desk: Desk, screen: ListScreen, *, error: str = "") -> Response:
    names = importable(desk, screen.table)
    spec = desk.table(screen.table)
    return page(
        "workspace/import.html",
        desk,
        status=422 if error else 200,
        screen=screen,
        nouns=many(desk.manifest, screen.table),
        error=error,
        fields=[
            (field_label(spec, name), import_hint(desk, spec.fields[name]), _needed(spec.fields[name]))
            for name in names
        ],
    )


def _needed(field: FieldSpec) -> bool:
    return field.required and field.default is None


def _preview_page(
    desk: Desk,
    screen: ListScreen,
    token: str,
    sheet: Sheet,
    *,
    problems: list[RowProblem] | None = None,
    status: int = 200,
) -> Response:
    table = screen.table
    spec = desk.table(table)
    mapping = _mapping(desk, table, sheet, request.values.getlist("map"))
    if problems is None:
        problems = try_rows(desk, table, sheet, mapping).problems
    bad_lines = {one.line for one in problems}
    context: dict[str, Any] = {
        "screen": screen,
        "token": token,
        "nouns": many(desk.manifest, table),
        "headings": [heading_label(text, number) for number, text in enumerate(sheet.headings, 1)],
        "mapping": mapping,
        "choices": [("", "Leave out"), *((name, field_label(spec, name)) for name in importable(desk, table))],
        "rows": sheet.rows[:PREVIEWED],
        "total": len(sheet.rows),
        "problems": list(problems_by_line(problems[:MOST_PROBLEMS])),
        "more_problems": max(0, len(problems) - MOST_PROBLEMS),
        "bad": len(bad_lines),
        "unused": not any(mapping),
    }
    return page("workspace/import_preview.html", desk, status=status, **context)
