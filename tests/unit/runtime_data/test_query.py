"""What a query string means, and what is said about one that means nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.modules import conditions
from app.modules.conditions import All, parse_condition, to_sql
from app.modules.kinds import Column, Kind
from app.runtime.data.shapes import shape_of, values_of
from app.runtime.query import (
    Aggregation,
    Group,
    Metric,
    Query,
    QueryInvalid,
    Searchable,
    Sort,
    parse_aggregation,
    parse_get,
    parse_query,
)

COLUMNS = {
    "name": Column(Kind.TEXT),
    "status": Column(Kind.TEXT, ("open", "won")),
    "amount": Column(Kind.INTEGER),
    "ratio": Column(Kind.DECIMAL),
    "at": Column(Kind.DATETIME),
    "day": Column(Kind.DATE),
    "flag": Column(Kind.BOOLEAN),
    "tags": Column(Kind.LIST),
    "extra": Column(Kind.JSON),
    "contact": Column(Kind.UUID),
    "limit": Column(Kind.INTEGER),
    "id": Column(Kind.UUID),
}
TABLE = Searchable(COLUMNS, frozenset(COLUMNS), frozenset({"contact"}), search=True)


def faults(parse, *pairs):
    with pytest.raises(QueryInvalid) as caught:
        parse(pairs, TABLE)
    return [(error.pointer, error.code) for error in caught.value.errors]


def test_an_empty_query_is_the_first_25_of_everything():
    assert parse_query([], TABLE) == Query(
        where=All(()), q="", sort=(), limit=25, cursor="", fields=None, expand=(), count=False
    )


def test_every_parameter_has_its_place():
    query = parse_query(
        [
            ("status", "open"),
            ("amount[gte]", "100"),
            ("q", " big   boat "),
            ("sort", "-at,name"),
            ("limit", "3"),
            ("fields", "name,amount"),
            ("expand", "contact"),
            ("count", "exact"),
        ],
        TABLE,
    )
    assert query == Query(
        where=All(
            (conditions.Test("status", "eq", "open", Kind.TEXT), conditions.Test("amount", "gte", 100, Kind.INTEGER))
        ),
        q="big boat",
        sort=(Sort("at", True), Sort("name")),
        limit=3,
        fields=("name", "amount"),
        expand=("contact",),
        count=True,
    )


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        (("amount", "7"), 7),
        (("ratio[gt]", "1.50"), Decimal("1.50")),
        (("at[lt]", "2026-03-14T09:26:53+01:00"), datetime(2026, 3, 14, 8, 26, 53, tzinfo=UTC)),
        (("flag", "true"), True),
        (("status[in]", "open,won"), ("open", "won")),
        (("name[starts]", "a"), "a"),
        (("tags[contains]", "x"), "x"),
        (("name[is]", "null"), "null"),
        (("limit[eq]", "3"), 3),
    ],
)
def test_values_are_read_by_the_type_of_their_field(pair, value):
    assert parse_query([pair], TABLE).where.value == value


@pytest.mark.parametrize(
    ("pair", "fault"),
    [
        (("nope", "1"), ("/nope", "unknown_parameter")),
        (("nope[gt]", "1"), ("/nope[gt]", "unknown_parameter")),
        (("amount[like]", "1"), ("/amount[like]", "unknown_operator")),
        (("amount[starts]", "1"), ("/amount[starts]", "operator")),
        (("amount", "many"), ("/amount", "value")),
        (("amount", "99999999999999999999"), ("/amount", "value")),
        (("ratio", "NaN"), ("/ratio", "value")),
        (("at", "yesterday"), ("/at", "value")),
        (("at", "2026-03-14T09:26:53"), ("/at", "value")),
        (("day", "2026-02-30"), ("/day", "value")),
        (("flag", "1"), ("/flag", "value")),
        (("status", "opne"), ("/status", "option")),
        (("contact", "1"), ("/contact", "value")),
        (("tags", "x"), ("/tags", "operator")),
        (("extra", "x"), ("/extra", "operator")),
        (("name[is]", "maybe"), ("/name[is]", "value")),
        (("name", "a\x00b"), ("/name", "value")),
        (("name", "\ud800"), ("/name", "value")),
        (("limit", "0"), ("/limit", "value")),
        (("limit", "201"), ("/limit", "value")),
        (("limit", "-1"), ("/limit", "value")),
        (("limit", "٣"), ("/limit", "value")),
        (("sort", "nope"), ("/sort", "unknown_field")),
        (("sort", "tags"), ("/sort", "not_sortable")),
        (("sort", "name,-name"), ("/sort", "twice")),
        (("sort", ""), ("/sort", "value")),
        (("fields", "nope"), ("/fields", "unknown_field")),
        (("expand", "name"), ("/expand", "unknown_field")),
        (("count", "yes"), ("/count", "value")),
        (("q", "x" * 201), ("/q", "value")),
        (("cursor", "x" * 4001), ("/cursor", "value")),
        (("a/b~c", "1"), ("/a~1b~0c", "unknown_parameter")),
        (("name[eq]; DROP TABLE x", "1"), ("/name[eq]; DROP TABLE x", "unknown_parameter")),
    ],
)
def test_a_parameter_that_means_nothing_is_named(pair, fault):
    assert faults(parse_query, pair) == [fault]


def test_every_fault_is_told_at_once():
    assert faults(parse_query, ("limit", "x"), ("nope", "1"), ("sort", "nope")) == [
        ("/nope", "unknown_parameter"),
        ("/sort", "unknown_field"),
        ("/limit", "value"),
    ]


@pytest.mark.parametrize("name", ["sort", "status", "status[eq]"])
def test_a_parameter_given_twice_is_refused(name):
    assert faults(parse_query, (name, "open"), (name, "won"))[0][1] == "twice"


def test_q_needs_a_searchable_field():
    with pytest.raises(QueryInvalid):
        parse_query([("q", "x")], Searchable(COLUMNS, frozenset(), frozenset(), search=False))


def test_one_record_takes_fields_and_expand_only():
    assert parse_get([("fields", "name"), ("expand", "contact")], TABLE) == Query(fields=("name",), expand=("contact",))
    assert faults(parse_get, ("status", "open")) == [("/status", "unknown_parameter")]


def test_an_aggregation_groups_and_adds_up():
    assert parse_aggregation(
        [("group", "status,at/week"), ("metrics", "count,sum:amount"), ("status", "open")], TABLE
    ) == Aggregation(
        group=(Group("status"), Group("at", "week")),
        metrics=(Metric("count"), Metric("sum", "amount")),
        where=conditions.Test("status", "eq", "open", Kind.TEXT),
    )


@pytest.mark.parametrize(
    ("pair", "fault"),
    [
        (("group", "nope"), ("/group", "unknown_field")),
        (("group", "tags"), ("/group", "not_groupable")),
        (("group", "at/decade"), ("/group", "bucket")),
        (("group", "name/week"), ("/group", "bucket")),
        (("group", "name,status,flag,day"), ("/group", "value")),
        (("metrics", "median:amount"), ("/metrics", "metric")),
        (("metrics", "sum"), ("/metrics", "metric")),
        (("metrics", "sum:name"), ("/metrics", "metric")),
        (("metrics", "sum:nope"), ("/metrics", "metric")),
        (("metrics", "max:flag"), ("/metrics", "metric")),
        (("sort", "name"), ("/sort", "unknown_parameter")),
    ],
)
def test_an_aggregation_that_means_nothing_is_named(pair, fault):
    assert faults(parse_aggregation, pair) == [fault]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"amount": 3},
        {"amount": None},
        {"amount": {"ne": None}},
        {"amount": {"gte": 1, "lt": 9}},
        {"status": {"in": ["open", None]}, "name": {"nin": ["a", "b"]}},
        {"name": {"contains": "x", "starts": "y", "gt": "z"}},
        {"tags": {"contains": "x"}},
        {"any": [{"flag": True}, {"not": {"all": [{"day": "2026-01-01"}, {"flag": {"is": "null"}}]}}]},
    ],
)
def test_the_parameters_of_a_shape_are_those_of_its_sql(data):
    condition = parse_condition(data, COLUMNS)
    assert values_of(condition) == to_sql(condition)[1]


def test_a_shape_forgets_values_and_nothing_else():
    def shape(data):
        return shape_of(parse_condition(data, COLUMNS))

    assert shape({"amount": 3}) == shape({"amount": 4})
    assert shape({"name": {"in": ["a"]}}) == shape({"name": {"in": ["b", "c"]}})
    different = [
        {"amount": 3}, {"amount": None}, {"amount": {"gt": 3}}, {"limit": 3}, {"not": {"amount": 3}},
        {"name": {"in": ["a"]}}, {"name": {"in": ["a", None]}}, {"name": {"nin": ["a"]}}, {"any": [{"amount": 3}]},
        {"amount": 3, "limit": 3}, {"any": [{"amount": 3}, {"limit": 3}]}, {"name": {"is": "not_null"}},
    ]  # fmt: skip
    assert len({shape(data) for data in different}) == len(different)
