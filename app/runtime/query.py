"""The query language of the API: a query string to a checked Query.

    status=open&amount[gte]=100&q=boat&sort=-created_at,name&limit=25&cursor=…&fields=a,b&expand=contact&count=exact

A parameter with an operator in brackets always means a field, so a field called `limit` is filtered by `limit[eq]=3`.
Every fault is told at once, each under a pointer that is the parameter's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from app.errors import FieldError, Invalid
from app.modules.conditions import OPERATORS, All, Condition, ConditionInvalid, parse_condition
from app.modules.expressions import Aggregate
from app.modules.kinds import Column, Kind

DEFAULT_LIMIT, MAX_LIMIT = 25, 200
MAX_SORTS, MAX_EXPANDS, MAX_Q, MAX_WORDS = 5, 10, 200, 8
MAX_GROUPS, MAX_METRICS, MAX_GROUPED = 3, 10, 1000
BUCKETS = ("hour", "day", "week", "month", "quarter", "year")
METRICS = ("count", "sum", "avg", "min", "max")
First = Literal["", "largest", "smallest", "latest"]
GROUPS_OF = "/groups"  # no field is called so
LIST_WORDS = ("q", "sort", "limit", "cursor", "fields", "expand", "count")
GET_WORDS = ("fields", "expand")
AGGREGATE_WORDS = ("q", "group", "metrics")
_FILTER = re.compile(r"([a-z][a-z0-9_]{0,40})\[([a-z]{1,12})\]")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_UNSORTABLE = (Kind.LIST, Kind.JSON)


class QueryInvalid(Invalid):
    """The query cannot be answered as asked."""

    code = "query_invalid"


EVERYTHING = All(())
Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order."""

    field: str
    descending: bool = False

    @classmethod
    def of(cls, key: str) -> Sort:
        """As addresses and manifests write it: a field, or -field for the largest first."""
        return cls(key.removeprefix("-"), key.startswith("-"))


@dataclass(frozen=True, slots=True)
class Query:
    """What to find. where: tested values already in their types; fields: None for all; cursor: as it was given."""

    where: Condition = EVERYTHING
    q: str = ""
    sort: tuple[Sort, ...] = ()
    limit: int = DEFAULT_LIMIT
    cursor: str = ""
    fields: tuple[str, ...] | None = None
    expand: tuple[str, ...] = ()
    count: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What to group by; bucket: the length of time a moment or day falls in, "" for the value itself.

    currency: of a field that holds codes of currencies, the one records are in that name none; codes come in capitals.
    """

    field: str
    bucket: str = ""
    currency: str = ""

    @property
    def key(self) -> str:
        return f"{self.field}/{self.bucket}" if self.bucket else self.field


@dataclass(frozen=True, slots=True)
class Metric:
    """One number per group; field is "" for the count of records."""

    fn: Literal["count", "sum", "avg", "min", "max"]
    field: str = ""

    @property
    def key(self) -> str:
        return f"{self.fn}:{self.field}" if self.field else self.fn


@dataclass(frozen=True, slots=True)
class Figure:
    """One number per group as a manifest writes it, such as avg(amount * probability / 100). key: its name in the answer."""

    aggregate: Aggregate
    key: str = "figure"


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What to add up, over which records. limit: of groups; first: those come first whose first number is largest or
    smallest, or whose last key is latest; without it they come in the order of their keys.

    each: at most so many groups of the last key for each group of the keys before it, 0 for any number; then every group
    also says, as GROUPS_OF, how many there are.
    """

    group: tuple[Group, ...] = ()
    metrics: tuple[Metric | Figure, ...] = (Metric("count"),)
    where: Condition = EVERYTHING
    q: str = ""
    limit: int = MAX_GROUPED
    first: First = ""
    each: int = 0


@dataclass(frozen=True, slots=True)
class Searchable:
    """What a caller may use of a table: names it may filter and sort by, that it gets, that it may expand, whether q works."""

    columns: Mapping[str, Column]
    fields: frozenset[str]
    expandable: frozenset[str]
    search: bool


Pairs = Iterable[tuple[str, str]]


def parse_query(pairs: Pairs, table: Searchable) -> Query:
    """The query of a list: (name, value) pairs of a query string, in their order. Raises QueryInvalid with every fault."""
    reader = _Reader(pairs, table, LIST_WORDS)
    query = Query(
        where=reader.where(),
        q=reader.q(),
        sort=reader.sort(),
        limit=reader.limit(),
        cursor=reader.word("cursor", most=4000),
        fields=reader.fields(),
        expand=reader.expand(),
        count=reader.count(),
    )
    return reader.done(query)


def parse_get(pairs: Pairs, table: Searchable) -> Query:
    """The query of one record: fields and expand only. Raises QueryInvalid."""
    reader = _Reader(pairs, table, GET_WORDS, filters=False)
    return reader.done(Query(fields=reader.fields(), expand=reader.expand()))


def parse_aggregation(pairs: Pairs, table: Searchable) -> Aggregation:
    """The query of …/aggregate: group, metrics, q and filters. Raises QueryInvalid."""
    reader = _Reader(pairs, table, AGGREGATE_WORDS)
    return reader.done(Aggregation(group=reader.group(), metrics=reader.metrics(), where=reader.where(), q=reader.q()))


def pointer(name: str) -> str:
    """The pointer of a parameter (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _keepable(text: str) -> bool:
    """Whether PostgreSQL can take it: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


class _Reader:
    def __init__(self, pairs: Pairs, table: Searchable, words: tuple[str, ...], *, filters: bool = True) -> None:
        self.table = table
        self.errors: list[FieldError] = []
        self.words: dict[str, str] = {}
        self.filters: dict[str, dict[str, str]] = {}
        for name, value in pairs:
            self._take(name, value, words, filters)

    def _take(self, name: str, value: str, words: tuple[str, ...], filters: bool) -> None:
        if not _keepable(name) or not _keepable(value):
            self.fault(name[:60].encode(errors="replace").decode(), "value", "is not a text that can be looked for")
        elif name in words:
            if name in self.words:
                self.fault(name, "twice", f'"{name}" is given twice')
            self.words[name] = value
        else:
            self._filter(name, value, filters)

    def _filter(self, name: str, value: str, filters: bool) -> None:
        match = _FILTER.fullmatch(name)
        field, op = match.groups() if match else (name, "eq")
        if not filters or field not in self.table.columns:
            self.fault(name, "unknown_parameter", f'there is no field or parameter "{field[:60]}"')
        elif op not in OPERATORS:
            self.fault(name, "unknown_operator", f'there is no operator "{op}"; there are {", ".join(OPERATORS)}')
        elif op in self.filters.get(field, {}):
            self.fault(name, "twice", f'"{name}" is given twice; use {field}[in]=a,b for either value')
        else:
            self.filters.setdefault(field, {})[op] = value

    def fault(self, name: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(pointer(name), code, detail))

    def done(self, query: Asked) -> Asked:
        if self.errors:
            raise QueryInvalid("; ".join(dict.fromkeys(error.detail for error in self.errors)), errors=self.errors)
        return query

    def where(self) -> Condition:
        try:
            return parse_condition(self.filters, self.table.columns, text_values=True)
        except ConditionInvalid as invalid:
            for fault in invalid.faults:
                field, op = str(fault.path[0]), str(fault.path[1]) if len(fault.path) > 1 else "eq"
                self.fault(f"{field}[{op}]" if op != "eq" else field, fault.code, f"{field}: {fault.message}")
            return All(())

    def word(self, name: str, *, most: int) -> str:
        value = self.words.get(name, "")
        if len(value) > most:
            self.fault(name, "value", f'"{name}" takes at most {most} characters')
        return value

    def q(self) -> str:
        text = " ".join(self.word("q", most=MAX_Q).split()[:MAX_WORDS])
        if text and not self.table.search:
            self.fault("q", "not_searchable", "no field of this table is searchable")
        return text

    def limit(self) -> int:
        text = self.words.get("limit")
        if text is None:
            return DEFAULT_LIMIT
        if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= MAX_LIMIT:
            self.fault("limit", "value", f"must be a whole number from 1 to {MAX_LIMIT}")
            return DEFAULT_LIMIT
        return int(text)

    def count(self) -> bool:
        value = self.words.get("count")
        if value not in (None, "exact"):
            self.fault("count", "value", "only count=exact is known")
        return value == "exact"

    def _names(self, word: str, most: int) -> list[str] | None:
        if word not in self.words:
            return None
        names = [name.strip() for name in self.words[word].split(",") if name.strip()]
        if not names or len(names) > most:
            self.fault(word, "value", f'"{word}" takes 1 to {most} names')
            return None
        if len(set(names)) < len(names):
            self.fault(word, "twice", f'"{word}" names a field twice')
        return names

    def fields(self) -> tuple[str, ...] | None:
        names = self._names("fields", 200)
        for name in names or ():
            if name not in self.table.fields:
                self.fault("fields", "unknown_field", f'there is no field "{name[:60]}"')
        return tuple(names) if names is not None else None

    def expand(self) -> tuple[str, ...]:
        names = self._names("expand", MAX_EXPANDS) or []
        for name in names:
            if name not in self.table.expandable:
                self.fault("expand", "unknown_field", f'there is no reference "{name[:60]}" to expand')
        return tuple(names)

    def sort(self) -> tuple[Sort, ...]:
        found: list[Sort] = []
        for name in self._names("sort", MAX_SORTS) or ():
            key = Sort.of(name)
            column = self.table.columns.get(key.field)
            if column is None:
                self.fault("sort", "unknown_field", f'there is no field "{key.field[:60]}"')
            elif column.kind in _UNSORTABLE:
                self.fault("sort", "not_sortable", f'"{key.field}" cannot be sorted by')
            elif any(other.field == key.field for other in found):
                self.fault("sort", "twice", f'"{key.field}" is sorted by twice')
            else:
                found.append(key)
        return tuple(found)

    def group(self) -> tuple[Group, ...]:
        found = []
        for name in self._names("group", MAX_GROUPS) or ():
            field, _, bucket = name.partition("/")
            column = self.table.columns.get(field)
            if column is None:
                self.fault("group", "unknown_field", f'there is no field "{field[:60]}"')
            elif column.kind in _UNSORTABLE:
                self.fault("group", "not_groupable", f'"{field}" cannot be grouped by')
            elif bucket and (bucket not in BUCKETS or column.kind not in (Kind.DATE, Kind.DATETIME)):
                self.fault("group", "bucket", f"a day or moment can be grouped by {', '.join(BUCKETS)}")
            else:
                found.append(Group(field, bucket))
        return tuple(found)

    def metrics(self) -> tuple[Metric, ...]:
        found = []
        for name in self._names("metrics", MAX_METRICS) or ["count"]:
            fn, _, field = name.partition(":")
            if problem := metric_problem(fn, field, self.table.columns):
                self.fault("metrics", "metric", problem)
            else:
                found.append(Metric(fn, field))  # type: ignore[arg-type]  # metric_problem() knows the functions
        return tuple(found)


def metric_problem(fn: str, field: str, columns: Mapping[str, Column]) -> str:
    """Why fn:field cannot be computed, or "" when it can."""
    if fn not in METRICS:
        return f'there is no metric "{fn[:60]}"; there are {", ".join(METRICS)}'
    if not field:
        return "" if fn == "count" else f"{fn} needs a field, such as {fn}:amount"
    column = columns.get(field)
    if column is None:
        return f'there is no field "{field[:60]}"'
    numbers = (Kind.INTEGER, Kind.DECIMAL, Kind.DURATION)
    if (fn in ("sum", "avg") and column.kind not in numbers) or (column.kind in _UNSORTABLE and fn != "count"):
        return f'"{field}" has no {fn}'
    if fn in ("min", "max") and column.kind in (Kind.UUID, Kind.BOOLEAN):
        return f'"{field}" has no {fn}'
    return ""
