"""Several statements in one round trip, straight on libpq.

What psycopg's own pipeline does, for the one case that is the hot path: known statements with parameters, always prepared,
always read whole. It costs half of it: one wait per answer instead of several, no cursor per statement.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq
from psycopg.abc import Transformer as Adapter
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGconn, PGresult

Statement = tuple[str, Sequence[Any]]
Rows = list[tuple[Any, ...]]

MOST_PREPARED = 300  # per connection
PATIENCE_MS = 60_000  # statements end by their own time limit long before
_AUTO = PyFormat.AUTO
_GOOD = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY})

_FORGOTTEN = (psycopg.errors.InvalidSqlStatementName, psycopg.errors.FeatureNotSupported)

Key = tuple[bytes, tuple[int, ...]]
Bound = tuple[Adapter, Key, Any]
"""A statement with its values: what reads its rows, the text and types it is prepared by, the values as they are sent."""

_prepared: WeakKeyDictionary[psycopg.Connection, dict[Key, bytes]] = WeakKeyDictionary()


def exchange(connection: psycopg.Connection, statements: Sequence[Statement]) -> list[Rows]:
    """The rows of each statement. Without BEGIN among them they are one implicit transaction, ended by the Sync.

    The first that fails raises its psycopg error; those after it are not run. The connection stays usable.
    """
    idle = connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
    try:
        return _exchange(connection, statements)
    except _FORGOTTEN:
        # psycopg sends DEALLOCATE ALL after some commands of its own, and a change of tables outdates what was prepared
        _prepared.pop(connection, None)
        if not idle:
            raise
        connection.pgconn.exec_(b"ROLLBACK")  # nothing of it has happened
        return _exchange(connection, statements)


def exchange_apart(
    connection: psycopg.Connection, before: Sequence[Statement], groups: Sequence[Sequence[Statement]]
) -> list[list[Rows] | psycopg.Error]:
    """The rows of each group's statements in one round trip, or the error of the first that failed in it.

    Each group is an implicit transaction of its own, begun with the statements `before` and ended by its own Sync. For
    reads on an idle connection.
    """
    try:
        found = _exchange_apart(connection, before, groups)
        if not any(isinstance(one, _FORGOTTEN) for one in found):
            return found
    except _FORGOTTEN:
        pass
    _prepared.pop(connection, None)
    return _exchange_apart(connection, before, groups)


def _exchange_apart(
    connection: psycopg.Connection, before: Sequence[Statement], groups: Sequence[Sequence[Statement]]
) -> list[list[Rows] | psycopg.Error]:
    pgconn, known = connection.pgconn, _prepared.setdefault(connection, {})
    first = [_bound(connection, statement) for statement in before]
    bound = [[_bound(connection, statement) for statement in [*before, *group]] for group in groups]
    wanted = list(dict.fromkeys(key for part in [first, *bound] for _, key, _ in part))
    fresh = [key for key in wanted if key not in known]
    spare = [key for key in known if key not in wanted][: max(0, len(known) + len(fresh) - MOST_PREPARED)]
    names = {key: known.get(key) or b"d%d" % _next_number(connection) for key in wanted}

    def prepare(key: Key) -> None:
        pgconn.send_prepare(names[key], key[0], param_types=key[1] or None)

    def execute(parts: Sequence[Bound]) -> None:
        for adapter, key, dumped in parts:
            pgconn.send_query_prepared(
                names[key], dumped or None, adapter.formats or None, result_format=pq.Format.BINARY
            )

    try:
        pgconn.enter_pipeline_mode()
        for old in spare:
            pgconn.send_close_prepared(known.pop(old))
        # all are prepared before any group runs, by whom `before` makes it: what one group fails at is there for the next
        opening = [key for key in fresh if any(key == used for _, used, _ in first)]
        rest = [key for key in fresh if key not in opening]
        for key in opening:
            prepare(key)
        execute(first)
        for key in rest:
            prepare(key)
        pgconn.pipeline_sync()
        for group in bound:
            execute(group)
            pgconn.pipeline_sync()
        steps = [*[None] * len(spare), *opening, *[None] * len(first), *rest]
        prepared, *answers = _answers(pgconn, [len(steps), *(len(group) for group in bound)])
        pgconn.exit_pipeline_mode()
    except BaseException:
        connection.close()  # in the middle of the protocol: the pool makes another
        raise
    for made, result in zip(steps, prepared, strict=False):
        if result.status not in _GOOD:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
        if made is not None:
            known[made] = names[made]
    found = [_rows_or_error(group, results) for group, results in zip(bound, answers, strict=True)]
    return [one if isinstance(one, psycopg.Error) else one[len(before) :] for one in found]


def _bound(connection: psycopg.Connection, statement: Statement) -> Bound:
    text, values = statement
    adapter = Transformer(connection)
    dumped = adapter.dump_sequence(values, [_AUTO] * len(values)) if values else ()
    return adapter, (text.encode(), tuple(adapter.types or ())), dumped


def _rows_or_error(group: Sequence[Bound], results: list[PGresult]) -> list[Rows] | psycopg.Error:
    rows: list[Rows] = []
    for (adapter, _, _), result in zip(group, results, strict=False):
        if result.status not in _GOOD:
            return psycopg.errors.error_from_result(result, encoding="utf-8")
        adapter.set_pgresult(result)
        rows.append(adapter.load_rows(0, result.ntuples, tuple) if result.nfields else [])
    if len(rows) < len(group):
        return psycopg.OperationalError("the database ended the connection in the middle of an answer")
    return rows


def _exchange(connection: psycopg.Connection, statements: Sequence[Statement]) -> list[Rows]:
    pgconn = connection.pgconn
    known = _prepared.setdefault(connection, {})
    try:
        pgconn.enter_pipeline_mode()
        adapters, sent = _send(connection, pgconn, known, statements)
        [answers] = _answers(pgconn, [sum(len(parts) for parts in sent)])
        pgconn.exit_pipeline_mode()
    except BaseException:
        connection.close()  # in the middle of the protocol: the pool makes another
        raise
    return _read(pgconn, known, adapters, sent, answers)


# What was sent for one statement: the key it gets prepared under, None where the part is an execution.
Sent = list[tuple[Key, bytes] | None]


def _send(
    connection: psycopg.Connection, pgconn: PGconn, known: dict[Any, bytes], statements: Sequence[Statement]
) -> tuple[list[Adapter], list[Sent]]:
    adapters, sent = [], []
    coming: dict[Any, bytes] = {}
    for statement in statements:
        adapter, key, dumped = _bound(connection, statement)
        parts: Sent = []
        name = known.get(key) or coming.get(key)
        if name is None:
            if len(known) + len(coming) >= MOST_PREPARED and known:
                oldest = next(iter(known))
                pgconn.send_close_prepared(known.pop(oldest))
                parts.append(None)
            coming[key] = name = b"d%d" % _next_number(connection)
            pgconn.send_prepare(name, key[0], param_types=key[1] or None)
            parts.append((key, name))
        pgconn.send_query_prepared(name, dumped or None, adapter.formats or None, result_format=pq.Format.BINARY)
        parts.append(None)
        adapters.append(adapter)
        sent.append(parts)
    pgconn.pipeline_sync()
    return adapters, sent


_numbers: WeakKeyDictionary[psycopg.Connection, int] = WeakKeyDictionary()


def _next_number(connection: psycopg.Connection) -> int:
    number = _numbers.get(connection, 0) + 1
    _numbers[connection] = number
    return number


def _answers(pgconn: PGconn, counts: Sequence[int]) -> list[list[PGresult]]:
    """The results up to each Sync, one per part that was sent before it. Leaves the connection at the last Sync."""
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        if _wait(poll) & select.POLLIN:
            pgconn.consume_input()
    poll.modify(pgconn.socket, select.POLLIN)
    found: list[list[PGresult]] = []
    for count in counts:
        part: list[PGresult] = []
        while (result := _next(pgconn, poll)).status != pq.ExecStatus.PIPELINE_SYNC:
            part.append(result)
            if len(part) > count:
                raise psycopg.InterfaceError("more answers than statements")
        found.append(part)
    return found


def _next(pgconn: PGconn, poll: select.poll) -> PGresult:
    while True:
        while pgconn.is_busy():
            _wait(poll)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is not None:
            return result


def _wait(poll: select.poll) -> int:
    ready = poll.poll(PATIENCE_MS)
    if not ready:
        raise psycopg.OperationalError("the database did not answer")
    return ready[0][1]


def _read(
    pgconn: PGconn, known: dict[Any, bytes], adapters: list[Adapter], sent: list[Sent], answers: list[PGresult]
) -> list[Rows]:
    rows: list[Rows] = []
    failed: PGresult | None = None
    following = iter(answers)
    for adapter, parts in zip(adapters, sent, strict=True):
        for part in parts:
            result = next(following, None)
            if result is None or result.status not in _GOOD:
                failed = failed or result
                continue
            if part is not None:
                known[part[0]] = part[1]
                continue
            last = result
        if failed is None:
            adapter.set_pgresult(last)
            rows.append(adapter.load_rows(0, last.ntuples, tuple) if last.nfields else [])
    if failed is not None:
        raise psycopg.errors.error_from_result(failed, encoding="utf-8")
    if len(rows) < len(adapters):
        raise psycopg.OperationalError("the database ended the connection in the middle of an answer")
    return rows
