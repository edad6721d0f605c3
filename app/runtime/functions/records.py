"""ctx.db: records of the install's own tables and of the foreign ones it was granted, in the current transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.errors import NotFound
from app.modules.conditions import All, Condition, parse_condition
from app.runtime.data import Access, Surface, Transaction
from app.runtime.data.model import TableModel
from app.runtime.data.writes import foreign_access
from app.runtime.functions.asked import Question, note
from app.runtime.query import Aggregation, Metric, Query, Sort
from app.runtime.sandbox.pool import HostError

if TYPE_CHECKING:  # host knows this module
    from app.runtime.functions.host import Session

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
_KEYS = ("where", "sort", "limit", "fields")


def find(session: Session, table: Any, query: Any) -> list[dict[str, Any]]:
    """Records that match, at most `limit` (50; 1 to 500)."""
    tx, name = _place(session, table)
    model = tx.table(name)
    wanted = _query(model, tx.access, query)
    if tx is session.tx:  # of another module's tables this module can add no index
        note(Question(session.running, "find", name, wanted.where, wanted.sort, wanted.limit))
    found = tx.list(name, wanted)
    return found.records


def get(session: Session, table: Any, record_id: Any) -> dict[str, Any] | None:
    """One record, or null."""
    tx, name = _place(session, table)
    tx.table(name)
    known = _uuid(record_id)
    try:
        return tx.get(name, known).values if known else None
    except NotFound:
        return None


def insert(session: Session, table: Any, values: Any) -> dict[str, Any]:
    """The new record."""
    tx, name = _place(session, table)
    with tx.savepoint():  # an author may catch what is refused here and go on
        return tx.insert(name, _object(values, "The record")).values


def update(session: Session, table: Any, record_id: Any, values: Any) -> dict[str, Any]:
    """The record as it is now."""
    tx, name = _place(session, table)
    with tx.savepoint():
        return tx.update(name, _known(record_id), _object(values, "The change")).values


def remove(session: Session, table: Any, record_id: Any) -> None:
    """Delete a record and what goes with it."""
    tx, name = _place(session, table)
    with tx.savepoint():
        tx.delete(name, _known(record_id))


def count(session: Session, table: Any, where: Any) -> int:
    """How many records match."""
    tx, name = _place(session, table)
    condition = _condition(tx.table(name), tx.access, where)
    if tx is session.tx:
        note(Question(session.running, "count", name, condition))
    return tx.count(name, Query(where=condition))


def total(session: Session, table: Any, field: Any, where: Any) -> Any:
    """The sum of a number field over the records that match; 0 when there are none."""
    tx, name = _place(session, table)
    if not isinstance(field, str):
        raise HostError("invalid_argument", None, "Name the field to add up.")
    condition = _condition(tx.table(name), tx.access, where)
    if tx is session.tx:
        note(Question(session.running, "sum", name, condition))
    [row] = json.loads(tx.aggregate(name, Aggregation(metrics=(Metric("sum", field),), where=condition)))
    return row[f"sum:{field}"]


def lock(session: Session, table: Any, record_id: Any) -> dict[str, Any]:
    """The record, which nobody else can change until this transaction ends."""
    tx, name = _place(session, table)
    return tx.lock(name, _known(record_id)).values


def _place(session: Session, table: Any) -> tuple[Transaction, str]:
    """The transaction and name of a table: an own one, or `module.table` of another module that was granted."""
    if not isinstance(table, str) or len(table) > 120:
        raise HostError("invalid_argument", None, "ctx.db has no such table.")
    module, dot, name = table.rpartition(".")
    if not dot and table in session.context.manifest.tables:
        return session.tx, table
    wanted = [
        one
        for one in session.context.manifest.permissions.tables
        if one.table == name and (not dot or one.module == module)
    ]
    if len(wanted) != 1:
        raise HostError("unknown_table", None, f"ctx.db has no table {table[:60]}.")
    try:
        # what the manifest asks for is not enough: foreign_access() holds it to what was consented to
        context, access = foreign_access(session.context, Access(Surface.FUNCTION, session.actor), wanted[0].module)
    except NotFound:
        raise HostError("not_granted", None, f"This site does not give access to {table[:60]}.") from None
    tx = session.tx.beside(context, access)
    if not access.allowed(context.manifest, name):
        raise HostError("not_granted", None, f"This site does not give access to {table[:60]}.")
    return tx, name


def _query(model: TableModel, access: Access, given: Any) -> Query:
    query = _object(given, "The query")
    if unknown := [key for key in query if key not in _KEYS]:
        raise HostError("invalid_argument", None, f"A query takes {', '.join(_KEYS)}, not {unknown[0][:60]}.")
    limit = query.get("limit", DEFAULT_LIMIT)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise HostError("invalid_argument", None, f"limit must be a whole number from 1 to {MAX_LIMIT}.")
    return Query(
        where=_condition(model, access, query.get("where")),
        sort=_sort(model, access, query.get("sort")),
        limit=limit,
        fields=_fields(model, access, query.get("fields")),
    )


def _condition(model: TableModel, access: Access, where: Any) -> Condition:
    return parse_condition(where, model.filterable(access)) if where else All(())


def _sort(model: TableModel, access: Access, given: Any) -> tuple[Sort, ...]:
    names = [given] if isinstance(given, str) else given or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > 5:
        raise HostError("invalid_argument", None, 'sort is a field name or a list of them, such as "-created_at".')
    columns = model.filterable(access)
    keys = tuple(map(Sort.of, names))
    for name, key in zip(names, keys, strict=True):
        if key.field not in columns:
            raise HostError("invalid_argument", None, f"There is no field {name[:60]} to sort by.")
    return keys


def _fields(model: TableModel, access: Access, given: Any) -> tuple[str, ...] | None:
    if given is None:
        return None
    known = {*model.visible(access), *model.system(access)}
    if not isinstance(given, list) or not all(isinstance(name, str) and name in known for name in given):
        raise HostError("invalid_argument", None, "fields is a list of fields of this table.")
    return tuple(given)


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise HostError("invalid_argument", None, f"{what} must be an object.")
    return value


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _known(value: Any) -> UUID:
    found = _uuid(value)
    if found is None:
        raise NotFound()
    return found
