"""The exchange with the database: failures leave a usable connection, forgotten statements are prepared again."""

from __future__ import annotations

import psycopg
import pytest

from app.runtime.data import wire
from app.runtime.data.wire import exchange, exchange_apart


@pytest.fixture
def connection(database_url):
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


def test_rows_of_every_statement_in_order(connection):
    assert exchange(
        connection, [("SELECT 1", []), ("SELECT $1::text, $2::int", ["é", 2]), ("SELECT 1 WHERE false", [])]
    ) == [
        [(1,)],
        [("é", 2)],
        [],
    ]


def test_a_failure_undoes_what_came_before_it_and_leaves_the_connection_usable(connection):
    connection.execute("CREATE TEMP TABLE t (a int)")
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            exchange(connection, [("INSERT INTO t VALUES (1)", []), ("SELECT 1 / $1::int", [0]), ("SELECT 2", [])])
    assert exchange(connection, [("SELECT count(*) FROM t", [])]) == [[(0,)]]
    with pytest.raises(psycopg.errors.SyntaxError):
        exchange(connection, [("SELECT 1", []), ("SELEC", [])])
    assert exchange(connection, [("SELECT 1", [])]) == [[(1,)]]


def test_local_settings_end_with_the_exchange(connection):
    seen = exchange(
        connection, [("SELECT set_config('app.x', 'in', true)", []), ("SELECT current_setting('app.x')", [])]
    )
    assert seen[1] == [("in",)]
    assert exchange(connection, [("SELECT current_setting('app.x', true)", [])]) == [[("",)]]


def test_statements_the_server_forgot_are_prepared_again(connection):
    for forget in ("DEALLOCATE ALL", "DISCARD ALL"):
        assert exchange(connection, [("SELECT 1", []), ("SELECT 2", [])]) == [[(1,)], [(2,)]]
        connection.execute(forget.encode())
        assert exchange(connection, [("BEGIN", []), ("SELECT 1", []), ("COMMIT", [])])[1] == [(1,)]
        assert exchange(connection, [("SELECT 2", [])]) == [[(2,)]]


def test_statements_over_changed_tables_are_prepared_again(connection):
    connection.execute("CREATE TEMP TABLE t AS SELECT 1 AS a")
    assert exchange(connection, [("SELECT * FROM t", [])]) == [[(1,)]]
    connection.execute("ALTER TABLE t ADD b text DEFAULT 'x'")
    assert exchange(connection, [("SELECT * FROM t", [])]) == [[(1, "x")]]


def test_prepared_statements_do_not_pile_up(connection, monkeypatch):
    monkeypatch.setattr(wire, "MOST_PREPARED", 5)
    for number in range(20):
        assert exchange(connection, [(f"SELECT {number}", [])]) == [[(number,)]]
    [(held,)] = exchange(connection, [("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'd%'", [])])[0]
    assert held <= 5


def test_large_parameters_and_answers_pass(connection):
    text = "x" * 3_000_000
    assert exchange(connection, [("SELECT $1::text", [text]), ("SELECT length($1::text)", [text])]) == [
        [(text,)],
        [(3_000_000,)],
    ]


def test_a_connection_that_dies_is_given_up(connection, database_url):
    pid = connection.info.backend_pid
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(psycopg.OperationalError):
        exchange(connection, [("SELECT 1", [])])
    assert connection.closed


def test_groups_fail_apart_in_one_round_trip(connection):
    before = [("SELECT set_config('app.x', 'in', true)", [])]
    for _ in range(2):
        one, two, three = exchange_apart(
            connection, before,
            [
                [("SELECT current_setting('app.x')", [])],
                [("SELECT 1 / $1::int", [0]), ("SELECT 2", [])],
                [("SELECT 2", []), ("SELECT 1 / $1::int", [1])],
            ],
        )  # fmt: skip
        assert (one, three) == ([[("in",)]], [[(2,)], [(1,)]])
        assert isinstance(two, psycopg.errors.DivisionByZero)
    assert exchange(connection, [("SELECT current_setting('app.x', true)", [])]) == [[("",)]]


def test_a_group_that_takes_too_long_is_ended_by_its_own_patience(connection):
    before = [("SELECT set_config('statement_timeout', '30ms', true)", [])]
    slow, quick = exchange_apart(connection, before, [[("SELECT pg_sleep(5)", [])], [("SELECT 1", [])]])
    assert isinstance(slow, psycopg.errors.QueryCanceled)
    assert quick == [[(1,)]]


def test_groups_survive_what_the_server_forgot_and_what_cannot_be_prepared(connection):
    for forget in ("DEALLOCATE ALL", "DISCARD ALL"):
        assert exchange_apart(connection, [], [[("SELECT 1", [])]]) == [[[(1,)]]]
        connection.execute(forget.encode())
        assert exchange_apart(connection, [("SELECT 3", [])], [[("SELECT 1", [])], []]) == [[[(1,)]], []]
    for _ in range(2):
        with pytest.raises(psycopg.errors.SyntaxError):
            exchange_apart(connection, [], [[("SELECT 7", [])], [("SELEC", [])]])
    assert exchange_apart(connection, [], [[("SELECT 7", [])]]) == [[[(7,)]]]


def test_no_more_is_kept_prepared_than_agreed(connection, monkeypatch):
    monkeypatch.setattr(wire, "MOST_PREPARED", 3)
    for number in range(5):
        assert exchange_apart(connection, [("SELECT 0", [])], [[(f"SELECT {number} + 1", [])]]) == [[[(number + 1,)]]]
    [(kept,)] = connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'd%'").fetchall()
    assert kept == 3
