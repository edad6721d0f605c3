"""Formulas: what they may say, and that PostgreSQL and Python compute the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from app.modules.expressions import Formula, FormulaInvalid, parse_aggregate, parse_formula, resolve_formulas
from app.modules.expressions.formula import FormulaOverflow
from app.modules.expressions.operations import OPERATIONS
from app.modules.expressions.tree import Node, children
from app.modules.kinds import Column, Kind

TYPES = {
    Kind.TEXT: "text", Kind.INTEGER: "bigint", Kind.DECIMAL: "numeric", Kind.BOOLEAN: "boolean", Kind.DATE: "date",
    Kind.DATETIME: "timestamptz", Kind.DURATION: "bigint", Kind.LIST: "text[]",
}  # fmt: skip
FIELDS = {
    "amount": Column(Kind.INTEGER),
    "probability": Column(Kind.DECIMAL),
    "name": Column(Kind.TEXT),
    "status": Column(Kind.TEXT, ("open", "won")),
    "done": Column(Kind.BOOLEAN),
    "due": Column(Kind.DATE),
    "starts_at": Column(Kind.DATETIME),
    "ends_at": Column(Kind.DATETIME),
    "pause": Column(Kind.DURATION),
    "tags": Column(Kind.LIST),
}
RECORD: dict[str, Any] = {
    "amount": 129900,
    "probability": Decimal("12.5"),
    "name": " Ada ",
    "status": "open",
    "done": True,
    "due": "2026-02-27",
    "starts_at": "2026-03-29T00:30:00.5Z",
    "ends_at": "2026-03-29T02:30:00.25Z",
    "pause": 900,
    "tags": ["vip"],
}
EXAMPLES: list[tuple[str, Any]] = [
    ("amount * probability / 100", Decimal("16237.5")),
    ("amount + 1 - 2 * 3", 129895),
    ("-amount % 1000", -900),
    ("amount / 0", None),
    ("amount % 0", None),
    ("1 / 3", Decimal("0.3333333333")),
    ("1000000000000 / 7", Decimal("142857142857.1428571429")),
    ("amount = 129900 and done", True),
    ("amount <> 1 or not done", True),
    ("amount < 5", False),
    ("amount <= 129900", True),
    ("amount > 5", True),
    ("amount >= 129901", False),
    ("name < 'a'", True),
    ("name <= 'B'", True),
    ("name > 'a'", False),
    ("name >= 'Z'", False),
    ("status in ('open', 'won')", True),
    ("status not in ('won')", True),
    ("due is null", False),
    ("due is not null", True),
    ("case when amount > 100 then 'big' when done then 'small' end", "big"),
    ("case when amount < 100 then 1 else 2.5 end", Decimal("2.5")),
    ("coalesce(nullif(amount, 129900), 7)", 7),
    ("least(amount, probability, 3)", Decimal(3)),
    ("greatest(due, due + 1)", date(2026, 2, 28)),
    ("concat(upper(trim(name)), '-', lower('X'))", "ADA-x"),
    ("'it''s ' || text(amount)", "it's 129900"),
    ("length(name)", 5),
    ("abs(-probability)", Decimal("12.5")),
    ("round(probability)", 13),
    ("round(-2.5)", -3),
    ("round(probability / 3, 2)", Decimal("4.17")),
    ("floor(-2.5) + ceil(2.1)", 0),
    ("due + 3", date(2026, 3, 2)),
    ("due - 58", date(2025, 12, 31)),
    ("due - date(starts_at)", -30),
    ("starts_at + hours(25)", datetime(2026, 3, 30, 1, 30, 0, 500000, tzinfo=UTC)),
    ("starts_at - pause", datetime(2026, 3, 29, 0, 15, 0, 500000, tzinfo=UTC)),
    ("ends_at - starts_at", 7199),
    ("starts_at - ends_at", -7199),
    ("in_minutes(ends_at - starts_at - pause)", Decimal("104.9833333333")),
    ("days(2) - minutes(3) + seconds(1) * 2", 172622),
    ("year(due) * 10000 + month(due) * 100 + day(starts_at)", 20260229),
    ("weekday(due)", 5),
]


def in_postgres(postgres: psycopg.Connection, formula: Formula, record: dict[str, Any]) -> Any:
    """The formula's value as PostgreSQL computes it for one row."""
    columns = sql.SQL(", ").join(
        sql.SQL("{}::{} AS {}").format(sql.Literal(record.get(name)), sql.SQL(TYPES[column.kind]), sql.Identifier(name))
        for name, column in FIELDS.items()
    )
    query = sql.SQL("SELECT {} FROM (SELECT {}) r").format(formula.to_sql(), columns)
    row = postgres.execute(query).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_a_formula_has_one_value_in_python_and_in_postgresql(
    postgres: psycopg.Connection, text: str, value: Any
) -> None:
    formula = parse_formula(text, FIELDS)

    assert formula.evaluate(RECORD) == value
    assert in_postgres(postgres, formula, RECORD) == value


def operations_in(node: Node) -> set[str]:
    own = {node.operation} if hasattr(node, "operation") else set()
    return own.union(*(operations_in(child) for child in children(node)))


def test_the_examples_use_every_operation() -> None:
    used = set().union(*(operations_in(parse_formula(text, FIELDS).root) for text, _ in EXAMPLES))

    assert used == set(OPERATIONS)


def test_every_formula_can_be_a_stored_generated_column(postgres: psycopg.Connection) -> None:
    """PostgreSQL refuses a generated column whose expression is not IMMUTABLE."""
    own = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(TYPES[c.kind])) for n, c in FIELDS.items()]
    generated = []
    for index, (text, _) in enumerate(EXAMPLES):
        formula = parse_formula(text, FIELDS)
        kind = sql.SQL(TYPES[formula.kind])
        generated.append(
            sql.SQL("{} {} GENERATED ALWAYS AS ({}) STORED").format(sql.Identifier(f"x{index}"), kind, formula.to_sql())
        )
    with postgres.transaction(force_rollback=True):
        postgres.execute(sql.SQL("CREATE TEMP TABLE formulas ({})").format(sql.SQL(", ").join([*own, *generated])))
        names = sql.SQL(", ").join(map(sql.Identifier, FIELDS))
        values = sql.SQL(", ").join(sql.Literal(RECORD[name]) for name in FIELDS)
        postgres.execute(sql.SQL("INSERT INTO formulas ({}) VALUES ({})").format(names, values))
        columns = sql.SQL(", ").join(sql.Identifier(f"x{index}") for index in range(len(EXAMPLES)))
        row = postgres.execute(sql.SQL("SELECT {} FROM formulas").format(columns)).fetchone()

    assert row is not None
    assert list(row) == [value for _, value in EXAMPLES]


NUMBERS = st.recursive(
    st.sampled_from(["amount", "probability", "0", "1", "7", "2.5", "length(name)", "(pause / pause)", "year(due)"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/%"), inner).map(" ".join).map("({})".format),
        inner.map(lambda text: f"coalesce(amount + {text}, probability)"),
        st.tuples(inner, inner).map(lambda pair: f"least({pair[0]}, {pair[1]}, 3)"),
        st.tuples(inner, inner).map(lambda pair: f"nullif({pair[0]}, {pair[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"case when amount < {p[1]} then {p[2]} else {p[0]} end"),
        inner.map(lambda text: f"round({text}, 2)"),
        inner.map(lambda text: f"floor(-{text})"),
    ),
    max_leaves=6,
)
TRUTHS = st.recursive(
    st.one_of(
        st.tuples(NUMBERS, st.sampled_from(["=", "<>", "<", ">="]), NUMBERS).map(" ".join),
        st.sampled_from(
            ["done", "name > 'B'", "name is null", "starts_at <= ends_at", "due < date(ends_at)", "due in (due + 1)"]
        ),
    ),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join) | inner.map("not ({})".format),
    max_leaves=4,
)
MOMENTS = st.integers(631152000, 3786912000).map(lambda seconds: datetime.fromtimestamp(seconds + 0.25, tz=UTC))
ROWS = st.fixed_dictionaries(
    {
        "amount": st.none() | st.integers(-(10**6), 10**6),
        "probability": st.none() | st.decimals(-100, 100, places=2),
        "name": st.none() | st.text(alphabet="aBé ", max_size=4),
        "done": st.none() | st.booleans(),
        "due": st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1)),
        "starts_at": st.none() | MOMENTS,
        "ends_at": st.none() | MOMENTS,
        "pause": st.none() | st.integers(-(10**5), 10**5),
    }
)  # fmt: skip


@given(text=NUMBERS | TRUTHS, record=ROWS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_python_and_postgresql_agree_on_any_formula(
    postgres: psycopg.Connection, text: str, record: dict[str, Any]
) -> None:
    formula = parse_formula(text, FIELDS)
    try:
        value = formula.evaluate(record)
    except FormulaOverflow:
        with pytest.raises(psycopg.errors.NumericValueOutOfRange):
            in_postgres(postgres, formula, record)
        return

    assert in_postgres(postgres, formula, record) == value


@given(text=st.text(alphabet="amount()+-*/%<>='\"| ,.1casewhndl\n;\\$", max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_formula_or_a_clear_refusal(text: str) -> None:
    try:
        known = parse_formula(text, FIELDS).fields_used <= FIELDS.keys()
    except FormulaInvalid as error:
        known = 1 <= error.column <= len(text) + 1

    assert known


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the formula ends too early (column 1)"),
        ("amount +", "the formula ends too early (column 9)"),
        ("amount amount", '"amount" is not expected here (column 8)'),
        ("amont", 'no field "amont"; did you mean "amount"? (column 1)'),
        ("(amount", '")" is expected here, not the end (column 8)'),
        ("'open", "a text starts here and does not end; close it with ' (column 1)"),
        ('"open"', '""" has no place in a formula; write texts in single quotes (column 1)'),
        ("amount; drop table x", '";" has no place in a formula (column 7)'),
        ("amount -- name", "- needs a number; this is text (column 11)"),
        ("pg_sleep(1)", 'no function "pg_sleep"; there are '),
        ("lenght(name)", 'no function "lenght"; did you mean "length"? (column 1)'),
        ("length()", "length takes 1 argument, not 0 (column 1)"),
        ("round(1, 2, 3)", "round takes 1 to 2 arguments, not 3 (column 1)"),
        ("round(1, amount)", "round takes 0 to 10 digits, written as a number (column 10)"),
        ("name + 1", "+ needs numbers; this is text (column 1)"),
        ("name || amount", "|| joins texts; this is integer (column 9)"),
        ("amount and done", "a condition is needed; this is integer (column 1)"),
        ("amount = name", "integer and text cannot be compared with = (column 8)"),
        ("done < done", "boolean and boolean cannot be compared with < (column 6)"),
        ("amount = null", "nothing equals null; write: is null (column 10)"),
        ("null", "the formula is always null (column 1)"),
        ("coalesce(amount, null)", "null has no place in coalesce (column 18)"),
        ("case when done then 1 else 'a' end", "the results of case are integer and text; they must be of one kind (column 28)"),
        ("case done end", '"when" is expected after case (column 6)'),
        ("due + hours(1)", "+ needs numbers; this is date (column 1)"),
        ("starts_at + 3", "+ needs numbers; this is datetime (column 1)"),
        ("coalesce('X', name)", "coalesce never gets past a value that is always the same; put it last (column 10)"),
        ("case when 1 = 1 then name end", "this is always the same; a case needs a field (column 13)"),
        ("amount in ()", "in needs at least one value (column 8)"),
        ("tags", "a formula cannot give list (column 1)"),
        ("1" * 21, '"1" has no place in a formula (column 1)'),
        ("(" * 60 + "1" + ")" * 60, "the formula is nested too deeply (column 51)"),
        ("1+" * 1001 + "1", "the formula has more than 2000 characters (column 1)"),
    ],
)  # fmt: skip
def test_a_formula_that_cannot_be_used_says_where_and_why(text: str, message: str) -> None:
    with pytest.raises(FormulaInvalid) as refused:
        parse_formula(text, FIELDS)

    assert str(refused.value)[: len(message)] == message


def test_a_formula_may_use_others_which_are_written_out_in_it(postgres: psycopg.Connection) -> None:
    texts = {
        "expected": ("amount * probability / 100", Kind.INTEGER),
        "tax": ("expected * 0.2", None),
        "total": ("expected + tax", Kind.INTEGER),
    }

    formulas, failed = resolve_formulas(texts, FIELDS)

    assert failed == {}
    assert formulas["total"].fields_used == {"amount", "probability"}
    assert formulas["total"].evaluate(RECORD) == 16238 + 3248  # expected is rounded before the tax is taken of it
    assert in_postgres(postgres, formulas["total"], RECORD) == 19486


def test_formulas_in_a_circle_are_refused() -> None:
    formulas, failed = resolve_formulas({"a": ("b", None), "b": ("a", None), "c": ("amount", None)}, FIELDS)

    assert sorted(formulas) == ["c"]
    assert failed["b"].reason == "formulas use each other in a circle: a → b → a"


def test_formulas_that_double_each_other_are_refused_before_they_fill_the_memory() -> None:
    texts = {"f0": ("amount + amount", None), **{f"f{n}": (f"f{n - 1} + f{n - 1}", None) for n in range(1, 60)}}

    _, failed = resolve_formulas(texts, FIELDS)

    assert failed["f8"].reason == "the formula, with the formulas it uses written out, is too long"


def test_a_formula_gives_only_what_it_can_be_turned_into() -> None:
    assert parse_formula("probability", FIELDS).as_kind(Kind.INTEGER).evaluate({"probability": Decimal("2.5")}) == 3
    with pytest.raises(FormulaInvalid, match="the formula gives text, not date"):
        parse_formula("name", FIELDS).as_kind(Kind.DATE)


def test_a_result_outside_its_range_is_an_error_and_not_a_wrong_number() -> None:
    with pytest.raises(FormulaOverflow):
        parse_formula("amount * 10", FIELDS).evaluate({"amount": 2**62})
    with pytest.raises(FormulaOverflow):
        parse_formula("due + 1", FIELDS).evaluate({"due": "9999-12-31"})


ROWS_OF_DEALS: list[dict[str, Any]] = [
    {"amount": 100, "probability": Decimal(50)},
    {"amount": 25, "probability": Decimal("0.5")},
    {"amount": None, "probability": Decimal(10)},
]


@pytest.mark.parametrize(
    ("text", "kind", "value", "of_nothing"),
    [
        ("count", Kind.INTEGER, 3, 0),
        ("count(amount)", Kind.INTEGER, 2, 0),
        ("sum(amount)", Kind.INTEGER, 125, 0),
        ("sum(amount * probability / 100)", Kind.DECIMAL, Decimal("50.125"), Decimal(0)),
        ("avg(amount)", Kind.DECIMAL, Decimal("62.5"), None),
        ("min(amount)", Kind.INTEGER, 25, None),
        ("max(probability)", Kind.DECIMAL, Decimal(50), None),
    ],
)
def test_an_aggregate_has_one_value_in_python_and_in_postgresql(
    postgres: psycopg.Connection, text: str, kind: Kind, value: Any, of_nothing: Any
) -> None:
    aggregate = parse_aggregate(text, FIELDS)
    rows = sql.SQL(", ").join(
        sql.SQL("({amount}::bigint, {probability}::numeric)").format(**row) for row in ROWS_OF_DEALS
    )
    query = sql.SQL("SELECT {} FROM (VALUES {}) r (amount, probability) WHERE {}")

    found = [
        postgres.execute(query.format(aggregate.to_sql(), rows, sql.SQL(where))).fetchone()
        for where in ("true", "false")
    ]

    assert aggregate.result_type is kind
    assert [aggregate.evaluate(ROWS_OF_DEALS), aggregate.evaluate([])] == [value, of_nothing]
    assert found == [(value,), (of_nothing,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("total(amount)", "write count, or sum, avg, min or max of a field, such as sum(amount) (column 1)"),
        ("sum", "sum needs a field, such as sum(amount) (column 1)"),
        ("sum(amout)", 'no field "amout"; did you mean "amount"? (column 5)'),
        ("sum(name)", "sum cannot take text (column 5)"),
        ("max(done)", "max cannot take boolean (column 5)"),
    ],
)
def test_an_aggregate_that_cannot_be_used_says_where_and_why(text: str, message: str) -> None:
    with pytest.raises(FormulaInvalid) as refused:
        parse_aggregate(text, FIELDS)

    assert str(refused.value) == message
