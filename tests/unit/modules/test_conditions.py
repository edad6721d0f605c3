"""Conditions: one meaning in Python and in PostgreSQL, and clear words for what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from app.modules.conditions import (
    Condition,
    ConditionInvalid,
    fields_of,
    matches,
    parse_condition,
    to_sql,
    to_sql_literal,
)
from app.modules.kinds import Column, Kind
from app.modules.values import read_value

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "conditions.json").read_text())
TYPES = {
    Kind.TEXT: "text", Kind.INTEGER: "bigint", Kind.DECIMAL: "numeric", Kind.BOOLEAN: "boolean", Kind.DATE: "date",
    Kind.TIME: "time", Kind.DATETIME: "timestamptz", Kind.UUID: "uuid", Kind.LIST: "text[]", Kind.JSON: "jsonb",
}  # fmt: skip


def row_of(record: dict[str, Any], fields: dict[str, Column]) -> tuple[sql.Composable, list[Any]]:
    """A one-row table expression `r` of a record, and its parameters."""
    values, parts = [], []
    for name, column in fields.items():
        value = read_value(column.kind, record.get(name))
        value = list(value) if isinstance(value, tuple) else Jsonb(value) if isinstance(value, dict) else value
        values.append(value)
        parts.append(
            sql.SQL("{}::{} AS {}").format(sql.Placeholder(), sql.SQL(TYPES[column.kind]), sql.Identifier(name))
        )
    return sql.SQL("(SELECT {}) r").format(sql.SQL(", ").join(parts) if parts else sql.SQL("1")), values


def in_postgres(
    postgres: psycopg.Connection, condition: Condition, record: dict[str, Any], fields: dict[str, Column]
) -> tuple[int, int]:
    """How many rows WHERE finds of one row, with parameters and with values written in."""
    where, parameters = to_sql(condition)
    table, values = row_of(record, fields)
    bound = postgres.execute(sql.SQL("SELECT 1 FROM {} WHERE {}").format(table, where), [*values, *parameters])
    count = len(bound.fetchall())
    literal = sql.SQL("SELECT 1 FROM {} WHERE {}").format(table, to_sql_literal(condition))
    return count, len(postgres.execute(psycopg.sql.SQL(_escaped(literal, postgres)), values).fetchall())


def _escaped(query: sql.Composable, postgres: psycopg.Connection) -> Any:
    """A literal % would be taken for a placeholder next to the row's own parameters."""
    text = query.as_string(postgres)
    return text.replace("%s", "\0").replace("%", "%%").replace("\0", "%s")


def columns_of(fields: dict[str, str]) -> dict[str, Column]:
    return {name: Column(Kind(kind)) for name, kind in fields.items()}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: json.dumps(vector["condition"]))
def test_vector_is_the_same_in_python_and_in_postgresql(postgres: psycopg.Connection, vector: dict[str, Any]) -> None:
    fields = columns_of(vector["fields"])
    condition = parse_condition(vector["condition"], fields)
    count = int(vector["expected"])

    assert matches(condition, vector["record"]) is vector["expected"]
    assert in_postgres(postgres, condition, vector["record"], fields) == (count, count)


FIELDS = {
    "name": Column(Kind.TEXT),
    "amount": Column(Kind.INTEGER),
    "rate": Column(Kind.DECIMAL),
    "done": Column(Kind.BOOLEAN),
    "day": Column(Kind.DATE),
    "tags": Column(Kind.LIST),
}
TEXTS = st.text(alphabet="abAB%_é\\'", max_size=3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXTS,
    "amount": st.integers(-3, 3),
    "rate": st.sampled_from([0, 0.1, 0.3, -1.5, 2]),
    "done": st.booleans(),
    "day": st.sampled_from(["2026-01-01", "2026-02-28", "2027-01-01"]),
}
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.none() | values for name, values in VALUES.items()},
        "tags": st.none() | st.lists(TEXTS, max_size=3),
    },
)


def conditions_on(name: str) -> st.SearchStrategy[dict[str, Any]]:
    value = VALUES[name]
    operators: list[st.SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries({"eq": st.none() | value}),
        st.fixed_dictionaries({"ne": st.none() | value}),
        st.fixed_dictionaries({"in": st.lists(st.none() | value, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"nin": st.lists(st.none() | value, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"is": st.sampled_from([None, "not_null"])}),
    ]
    if name != "done":
        operators += [st.fixed_dictionaries({op: value}) for op in ("gt", "gte", "lt", "lte")]
    if name == "name":
        operators += [st.fixed_dictionaries({op: value}) for op in ("contains", "starts")]
    return st.fixed_dictionaries({name: st.one_of(operators)})


LEAVES = st.one_of(
    *(conditions_on(name) for name in VALUES),
    st.fixed_dictionaries({"tags": st.fixed_dictionaries({"contains": TEXTS})}),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=6,
)


@given(data=CONDITIONS, record=RECORDS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_python_and_postgresql_agree_on_any_condition(
    postgres: psycopg.Connection, data: dict[str, Any], record: dict[str, Any]
) -> None:
    condition = parse_condition(data, FIELDS)
    count = int(matches(condition, record))

    assert in_postgres(postgres, condition, record, FIELDS) == (count, count)


@given(data=CONDITIONS, record=RECORDS)
@settings(max_examples=100, deadline=None)
def test_not_is_always_the_opposite(data: dict[str, Any], record: dict[str, Any]) -> None:
    plain, negated = parse_condition(data, FIELDS), parse_condition({"not": data}, FIELDS)

    assert matches(negated, record) is not matches(plain, record)


@pytest.mark.parametrize(
    ("data", "path", "code", "message"),
    [
        ("open", (), "condition", "must be a condition: {field: value}"),
        ({"nme": "a"}, ("nme",), "unknown_field", 'no field "nme"'),
        ({"name": 3}, ("name",), "value", "must be a text"),
        ({"name": "a\x00"}, ("name",), "value", "must be a text"),
        ({"amount": "3"}, ("amount",), "value", "must be a whole number"),
        ({"amount": True}, ("amount",), "value", "must be a whole number"),
        ({"amount": 2**63}, ("amount",), "value", "must be a whole number"),
        ({"rate": float("nan")}, ("rate",), "value", "must be a number"),
        ({"day": "2026-02-30"}, ("day",), "value", "must be a day such as 2026-03-14"),
        ({"amount": {"gt": None}}, ("amount", "gt"), "value", '"gt" needs a value; use {is: null} to test for no value'),
        ({"amount": {"between": 1}}, ("amount", "between"), "operator",
         'an integer has no operator "between"; it has eq, ne, in, nin, is, gt, gte, lt, lte'),
        ({"tags": "vip"}, ("tags",), "operator", 'a list has no operator "eq"; it has contains, is'),
        ({"amount": {}}, ("amount",), "condition", "needs an operator: eq, ne, in, nin, is, gt, gte, lt, lte"),
        ({"amount": [1]}, ("amount",), "value", "a list needs an operator: {in: [...]}"),
        ({"amount": {"in": []}}, ("amount", "in"), "value", '"in" needs a list of 1 to 500 values'),
        ({"amount": {"is": 3}}, ("amount", "is"), "value", '"is" takes null or not_null'),
        ({"any": []}, ("any",), "condition", '"any" needs a list of at least one condition'),
        ({"not": [1]}, ("not",), "condition", "must be a condition: {field: value}"),
        ({"any": [{"name": "a"}, {"all": [{"nme": 1}]}]}, ("any", 1, "all", 0, "nme"), "unknown_field", 'no field "nme"'),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_used_says_where_and_why(
    data: Any, path: tuple[str | int, ...], code: str, message: str
) -> None:
    with pytest.raises(ConditionInvalid) as refused:
        parse_condition(data, FIELDS)

    assert [(fault.path, fault.code, fault.message) for fault in refused.value.faults] == [(path, code, message)]


def test_every_fault_of_a_condition_is_reported() -> None:
    with pytest.raises(ConditionInvalid) as refused:
        parse_condition({"nme": 1, "amount": "x", "not": {"done": 3}}, FIELDS)

    assert [error.pointer for error in refused.value.errors] == ["/nme", "/amount", "/not/done"]


def test_a_condition_is_bounded_in_depth_and_size() -> None:
    deep: dict[str, Any] = {"name": "a"}
    for _ in range(7):
        deep = {"not": deep}
    with pytest.raises(ConditionInvalid, match="nested deeper than 6 levels"):
        parse_condition(deep, FIELDS)
    with pytest.raises(ConditionInvalid, match="more than 60 tests"):
        parse_condition({"any": [{"name": "a"}] * 61}, FIELDS)


def test_options_limit_the_values() -> None:
    fields = {"status": Column(Kind.TEXT, ("open", "won"))}

    with pytest.raises(ConditionInvalid, match='"wonn" is not an option; it has open, won'):
        parse_condition({"status": {"in": ["open", "wonn"]}}, fields)


def test_values_of_a_query_string_are_read_by_the_kind_of_the_field() -> None:
    data = {
        "amount": {"gte": "10"},
        "done": "true",
        "rate": {"lt": "2.5"},
        "name": {"in": "a,b"},
        "day": {"is": "null"},
    }

    condition = parse_condition(data, FIELDS, text_values=True)

    assert matches(condition, {"amount": 10, "done": True, "rate": 2, "name": "b", "day": None}) is True
    assert fields_of(condition) == {"amount", "done", "rate", "name", "day"}
