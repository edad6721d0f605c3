"""Reading records of one install as one caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from json import loads
from typing import Any
from uuid import UUID

from app.errors import AppError, Forbidden, NotFound
from app.modules.conditions import All, Test, fields_of
from app.runtime.context import InstallContext
from app.runtime.data import keyset
from app.runtime.data.access import DELETE, READ, Access
from app.runtime.data.compile import (
    Statement,
    aggregate_statement,
    count_statement,
    get_statement,
    groups_statement,
    list_statement,
    readable_references,
)
from app.runtime.data.history import HistoryEntry, entry_of, history_of_record
from app.runtime.data.model import TableModel, model_of
from app.runtime.data.results import Opener, Page, Record, Records, as_is
from app.runtime.data.secret_fields import open_secrets
from app.runtime.data.trees import lineage_statement, tops_statement
from app.runtime.data.wire import Rows
from app.runtime.query import (
    EVERYTHING,
    Aggregation,
    Figure,
    Query,
    QueryInvalid,
    Searchable,
    metric_problem,
    parse_aggregation,
    parse_get,
    parse_query,
)

Pairs = Iterable[tuple[str, str]]
Tried = list[Statement]
Question = tuple[str, Query | Aggregation]
"""A list of a table or figures over it."""
Answer = Page | list[dict[str, Any]]
"""A page of a list; the groups of an aggregation, with decimals as Decimal."""
Answers = list[Answer]
_Asked = tuple[Tried, Callable[[Sequence[Rows]], Answer]]
_Read = list[_Asked]


class Reader:
    """Reads through `_send`, which subclasses give: one round trip of their own, or part of a transaction."""

    def __init__(self, context: InstallContext, access: Access) -> None:
        self.context = context
        self.access = access
        self.model = model_of(context)

    def _send(self, statements: Tried) -> list[Rows]:
        raise NotImplementedError

    def _send_apart(self, groups: Sequence[Tried], each_ms: int) -> Sequence[list[Rows] | AppError]:
        """The rows of each group of statements. Where groups can fail apart a subclass sends them so."""
        rows = iter(self._send([statement for group in groups for statement in group]))
        return [[next(rows) for _ in group] for group in groups]

    # -- what a caller may ask

    def table(self, name: str, right: str = READ) -> TableModel:
        """A table the caller has this right on. NotFound when it may not know of it, Forbidden when it may only look."""
        allowed = self.access.allowed(self.context.manifest, name)
        if not allowed:
            raise NotFound()
        if right not in allowed:
            if right == READ or (right == DELETE and READ not in allowed):
                raise NotFound()
            raise Forbidden()
        return self.model.tables[name]

    def searchable(self, name: str) -> Searchable:
        """What the caller may name in a query string for this table. Raises NotFound."""
        model, view = self.table(name), self.access.view
        found: Searchable | None = model.kept.get(view)
        if found is None:
            found = Searchable(
                columns=model.filterable(self.access),
                fields=frozenset({*model.visible(self.access), *model.system(self.access)}),
                expandable=readable_references(model, self.access),
                search=bool(model.search_fields(self.access)),
            )
            model.keep(view, found)
        return found

    def parse_list(self, name: str, pairs: Pairs) -> Query:
        """A list's query string, checked for this caller. Raises NotFound, QueryInvalid."""
        table, asked = self.searchable(name), tuple(pairs)
        key = (self.access.view, asked)
        found: Query | None = self.model.tables[name].kept.get(key)
        if found is None:  # clients ask the same again and again: reading it costs more than finding the first record
            found = parse_query(asked, table)
            self.model.tables[name].keep(key, found)
        return found

    def parse_get(self, name: str, pairs: Pairs) -> Query:
        """A record's query string, checked for this caller. Raises NotFound, QueryInvalid."""
        return parse_get(pairs, self.searchable(name))

    def parse_aggregation(self, name: str, pairs: Pairs) -> Aggregation:
        """A query string of …/aggregate, checked for this caller. Raises NotFound, QueryInvalid."""
        return parse_aggregation(pairs, self.searchable(name))

    # -- reads

    def list(self, name: str, query: Query = Query()) -> Page:  # noqa: B008  # frozen
        """A page of records. One round trip, for any number of rows and references. Raises NotFound, QueryInvalid."""
        model = self._checked(name, query)
        return self._page(model, query, self._send(self._list_statements(model, query)))

    def _list_statements(self, model: TableModel, query: Query) -> Tried:
        statements: Tried = [list_statement(model, self.access, self.context.site_id, query)]
        if query.count:
            statements.append(count_statement(model, self.access, self.context.site_id, query.where, query.q))
        return statements

    def _page(self, model: TableModel, query: Query, found: Sequence[Rows]) -> Page:
        rows, *counted = found
        cursor = ""
        if len(rows) > query.limit:
            cursor = keyset.encode_cursor(keyset.fingerprint(model, query), rows[query.limit - 1][1:])
        texts = tuple(row[0] for row in rows[: query.limit])
        return Page(texts, cursor, counted[0][0][0] if counted else None, self._opener(model))

    def group_query(self, name: str, query: Query, by: str, value: object) -> Query:
        """The query narrowed to the records whose field `by` has a value; None: has none. Raises NotFound, QueryInvalid."""
        columns = self.table(name).filterable(self.access)
        _refuse_unknown([] if by in columns else [by])
        kind = columns[by].kind
        test = Test(by, "is", "null", kind) if value is None else Test(by, "eq", value, kind)
        return replace(query, where=All((query.where, test)))

    def list_groups(self, name: str, query: Query, by: str, values: Sequence[object]) -> tuple[Page, ...]:
        """The first page of group_query() for each of some values, in their order. One round trip for any number of them.

        Each page's cursor goes on in list() with group_query(). Raises NotFound, QueryInvalid.
        """
        model = self._checked(name, query)
        queries = [self.group_query(name, query, by, value) for value in values]
        named = [value for value in values if value is not None]
        statements: Tried = (
            [groups_statement(model, self.access, self.context.site_id, query, by, named)] if named else []
        )
        if len(named) < len(values):
            without = self.group_query(name, query, by, None)
            statements.append(list_statement(model, self.access, self.context.site_id, without))
        answers = self._send(statements) if statements else []
        found: dict[object, Rows] = {value: [] for value in named}
        for place, *row in answers[0] if named else ():
            found[named[place - 1]].append(tuple(row))
        if len(named) < len(values):
            found[None] = answers[-1]
        return tuple(self._page(model, one, [found[value]]) for one, value in zip(queries, values, strict=True))

    def tops(self, name: str, query: Query, by: str) -> Page:
        """What the query finds that is, by its field `by`, below nothing else that it finds; without cursor and text.

        Raises NotFound, QueryInvalid.
        """
        model = self._checked(name, query)
        return self._page(
            model, query, self._send([tops_statement(model, self.access, self.context.site_id, query, by)])
        )

    def lineage(self, name: str, query: Query, by: str, ids: Sequence[UUID]) -> Page:
        """Of some records those the query finds, and what it finds above them, in its order: one page, 50 levels up.

        Raises NotFound, QueryInvalid.
        """
        model = self._checked(name, query)
        [rows] = self._send([lineage_statement(model, self.access, self.context.site_id, query, by, ids)])
        return Page(tuple(text for (text,) in rows), opened=self._opener(model))

    def get(self, name: str, record_id: UUID, query: Query = Query()) -> Record:  # noqa: B008  # frozen
        """One record. Raises NotFound for a record that is not there, another site's or not the caller's alike."""
        model = self._checked(name, query)
        [rows] = self._send([get_statement(model, self.access, record_id, self.context.site_id, query)])
        if not rows:
            raise NotFound()
        return Record(record_id, rows[0][1], rows[0][0], self._opener(model))

    def history(self, name: str, record_id: UUID, *, limit: int = 50) -> tuple[HistoryEntry, ...]:
        """What happened to a record, newest first, at most `limit`. Empty for one that is not there or not the caller's."""
        model = self.table(name)
        [rows] = self._send([history_of_record(model, self.access, self.context.site_id, record_id, limit)])
        return tuple(entry_of(model, self.access, row) for row in rows)

    def count(self, name: str, query: Query = Query()) -> int:  # noqa: B008  # frozen
        """The exact number of records that match. Raises NotFound, QueryInvalid."""
        model = self._checked(name, query)
        [rows] = self._send([count_statement(model, self.access, self.context.site_id, query.where, query.q)])
        number: int = rows[0][0]
        return number

    def aggregate(self, name: str, query: Aggregation) -> bytes:
        """The groups as a JSON array of at most 1,000, ordered by their keys. Raises NotFound, QueryInvalid."""
        [rows] = self._send([self._aggregate_statement(name, query)])
        text: str = rows[0][0]
        return text.encode()

    def _aggregate_statement(self, name: str, query: Aggregation) -> Statement:
        model = self.table(name)
        columns = model.filterable(self.access)
        asked = [group.field for group in query.group]
        asked += [used for one in query.metrics if isinstance(one, Figure) for used in one.aggregate.fields_used]
        _refuse_unknown([name for name in [*asked, *_tested(query)] if name not in columns])
        plain = [one for one in query.metrics if not isinstance(one, Figure)]
        _refuse([problem for one in plain if (problem := metric_problem(one.fn, one.field, columns))])
        return aggregate_statement(model, self.access, self.context.site_id, query, self.context.site.time_zone)

    def ask(self, groups: Sequence[Sequence[Question]], *, each_ms: int) -> Sequence[Answers | AppError]:
        """The answers of each group of questions, or why it failed: one too slow or refused leaves the others. In one
        round trip; each_ms: the longest one statement may take.
        """
        read = [self._read(group) for group in groups]
        sent = [[one for part, _ in group for one in part] for group in read if not isinstance(group, AppError)]
        answers = iter(self._send_apart(sent, each_ms) if sent else ())
        return [group if isinstance(group, AppError) else _finished(group, next(answers)) for group in read]

    def _read(self, group: Sequence[Question]) -> _Read | AppError:
        try:
            return [self._asked(name, query) for name, query in group]
        except AppError as error:
            return error

    def _asked(self, name: str, query: Query | Aggregation) -> _Asked:
        if isinstance(query, Aggregation):
            return [self._aggregate_statement(name, query)], _groups
        model = self._checked(name, query)
        return self._list_statements(model, query), partial(self._page, model, query)

    def _opener(self, model: TableModel) -> Opener:
        """Gives a function the secrets of its records; everybody else only learns whether there is one."""
        names = model.secrets if self.access.opens_secrets else ()
        return partial(open_secrets, model, names, self.keys) if names else as_is

    def _records(self, model: TableModel, rows: Rows) -> Records:
        opener = self._opener(model)
        return [Record(record_id, version, text, opener) for record_id, version, text in rows]

    @property
    def keys(self) -> tuple[str, ...]:
        """What opens secret fields."""
        raise NotImplementedError

    def _checked(self, name: str, query: Query) -> TableModel:
        """The table, and the query held to what this caller may name; queries are also made by our own code."""
        model = self.table(name)
        if query.where is EVERYTHING and not query.sort and not query.expand:
            return model
        columns = model.filterable(self.access)
        _refuse_unknown(
            [used for used in [*_tested(query), *(key.field for key in query.sort)] if used not in columns]
            + [used for used in query.expand if used not in readable_references(model, self.access)]
        )
        return model


def _finished(group: _Read, rows: Sequence[Rows] | AppError) -> Answers | AppError:
    if isinstance(rows, AppError):
        return rows
    left = iter(rows)
    return [finish([next(left) for _ in part]) for part, finish in group]


def _groups(found: Sequence[Rows]) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = loads(found[0][0][0], parse_float=Decimal)
    return groups


def _tested(query: Query | Aggregation) -> frozenset[str]:
    return fields_of(query.where)


def _refuse_unknown(names: list[str]) -> None:
    _refuse([f'there is no field "{name}"' for name in names])


def _refuse(problems: list[str]) -> None:
    if problems:
        raise QueryInvalid("; ".join(problems))
