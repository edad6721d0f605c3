"""Acts on the ticked records of a list: all of them, or none. Sent to the list's own address, so that it can come back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Response, request, url_for

from app.access.permissions import Permission
from app.errors import BadRequest, Forbidden, Invalid
from app.installs.models import Install
from app.runtime.trials.models import Trial
from app.web.filters import plural
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.workspace.desk import Desk
from app.workspace.labels import inside, many, one
from app.workspace.opened import Opened
from app.workspace.records import BulkRefused, NothingChosen, chosen_ids, delete_many, read_choice, set_many, tag_many
from app.workspace.screens import has_history
from app.workspace.views.common import BASE, bp, desk_of, here, state_of
from app.workspace.views.lists import list_page
from app.workspace.views.transfer import csv_answer

RIGHTS = {"set": "update", "tag": "update", "delete": "delete", "export": "read"}
DONE = {"set": "changed", "tag": "tagged", "delete": "deleted"}


@bp.post(f"{BASE}/<name>")
@requires(Permission.RECORDS_VIEW, install=Opened)
def act(install: Install | Trial, name: str) -> Response:
    """_act: set, tag, delete or export; each needs its own right on the table, which the agency's role has to give too."""
    desk = desk_of(install)
    screen, asked = state_of(desk, name).screen, request.form.get("_act", "")
    if asked not in RIGHTS:
        raise BadRequest("Choose what to do with the chosen records.")
    if not desk.can(screen.table, RIGHTS[asked]) or (asked == "export" and not desk.can_export(screen.table)):
        raise Forbidden()
    try:
        ids = chosen_ids(request.form.getlist("ids"))
        if asked == "export":
            return csv_answer(desk, state_of(desk, name), ids=ids)
        batch = _acts(desk, screen.table)[asked](ids)
    except (BulkRefused, NothingChosen, Invalid) as error:
        return _refused(install, desk, name, error.message, getattr(error, "lines", ()))
    _tell(desk, screen.table, asked, len(ids), batch)
    return respond(redirect_to=here())


def _acts(desk: Desk, table: str) -> dict[str, Callable[[list[UUID]], UUID]]:
    fields = desk.table(table).fields
    tags = next((key for key, spec in fields.items() if spec.type == "tags"), "")
    return {
        "set": lambda ids: set_many(desk, table, ids, read_choice(desk, table, request.form.get("_set", ""))),
        "tag": lambda ids: tag_many(desk, table, ids, tags, request.form.get("_tag", "")),
        "delete": lambda ids: delete_many(desk, table, ids),
    }


def _tell(desk: Desk, table: str, asked: str, number: int, batch: UUID) -> None:
    words = plural(number, inside(one(desk.manifest, table)), inside(many(desk.manifest, table)))
    can_undo = asked == "delete" or has_history(desk.table(table))
    undo = url_for(".restore", install_id=desk.install_id, batch=batch) if can_undo else None
    trigger_toast("success", f"{words} {DONE[asked]}", undo=undo)


def _refused(install: Install | Trial, desk: Desk, name: str, problem: str, lines: tuple[str, ...]) -> Response:
    """The same list again with the same rows ticked, and why nothing happened."""
    chosen = tuple(request.form.getlist("ids"))
    return list_page(install, desk, state_of(desk, name), status=422, problem=problem, failed=lines, chosen=chosen)
