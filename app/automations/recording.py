"""The step that makes or changes a record: done in one transaction, or rehearsed in one that is rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.access.permissions import ROLE_PERMISSIONS, Permission, Role
from app.automations.fields import wanted
from app.automations.models import Automation
from app.automations.steps import Step, at_path, filled, values_of
from app.errors import Conflict, Invalid
from app.events.models import Event
from app.runtime.context import InstallContext, load_install
from app.runtime.data import Access, Data, Record, Surface, Transaction
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.run import ONCE
from app.workspace.forms.raw import Place

_RIGHTS = {
    Permission.RECORDS_VIEW: ("read",),
    Permission.RECORDS_EDIT: ("create", "update"),
    Permission.RECORDS_DELETE: ("delete",),
}


class TableGone(Conflict):
    """The installed version of the module has no such table any more."""


class _Undone(Exception):
    """Ends a rehearsal."""


def record(automation: Automation, step: Step, event: Event, once: str) -> str:
    """Make or change the record in one transaction, which also keeps that it was done."""
    context = load_install(UUID(step["install"]))
    key = [context.install_id, once, context.agency_id, context.site_id]
    with _data(context, automation, event).transaction() as tx:
        [rows] = tx.beside_tables((ONCE, key))
        if not rows:
            return "was done before"
        written = _write(tx, step, values_of(event))
    return f"{step['table']} {written.id} {'made' if step['act'] == 'create' else 'changed'}"


def rehearse(automation: Automation, step: Step, event: Event) -> str:
    """What record() would write, and nothing kept of it. Raises what it would raise.

    Functions that see the change first run too, with everything outside the transaction closed to them.
    """
    context, values = load_install(UUID(step["install"])), values_of(event)
    data = _data(context, automation, event, hooks=FunctionHooks([], dry=True))
    try:
        with data.transaction() as tx:
            _write(tx, step, values)
            tx.send([("SET CONSTRAINTS ALL IMMEDIATE", [])])  # what is otherwise checked at commit
            raise _Undone
    except _Undone:
        which = "new" if step["act"] == "create" else str(record_id(step, values))
    lines = [f"{name} = {filled(text, values)}" for name, text in step["values"].items()]
    return "\n".join([f"{context.module_name}: {step['table']} ({which})", *lines])


def record_id(step: Step, values: dict[str, Any]) -> UUID:
    """Raises Invalid when the event has no id at the step's path."""
    try:
        return UUID(str(at_path(step["path"], values)))
    except ValueError:
        raise Invalid(f"The event has no record's id at {step['path']}.") from None


def rights_of(role: Role) -> frozenset[str]:
    """What steps may do with records that a person of this role saved."""
    allowed = ROLE_PERMISSIONS[role]
    return frozenset(right for need, rights in _RIGHTS.items() if need in allowed for right in rights)


def _data(context: InstallContext, automation: Automation, event: Event, hooks: FunctionHooks | None = None) -> Data:
    access = Access(Surface.STAFF, automation.actor, rights=rights_of(automation.granted_role))
    return Data(context, access, hooks=hooks, depth=event.depth + 1)


def _write(tx: Transaction, step: Step, values: dict[str, Any]) -> Record:
    table = tx.context.manifest.tables.get(step["table"])
    if table is None:
        raise TableGone()
    place = Place(tx.context.site.currency, tx.context.site.time_zone)
    if step["act"] == "create":
        return tx.insert(step["table"], wanted(step, table, place, values))
    found = record_id(step, values)
    before: Mapping[str, Any] = {}
    if any(getattr(field, "currency", None) for field in table.fields.values()):  # amounts are of the record's own
        before = tx.lock(step["table"], found).values
    return tx.update(step["table"], found, wanted(step, table, place, values, before))
