"""Names: short ids, schemas, identifiers, event nouns."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from app.modules import naming
from app.modules.cron import cron_problem
from app.modules.manifest.tables import Table, TableLabel

MODULE_ID = UUID("0190a1b2-c3d4-7000-8000-000000000001")


def test_the_short_id_is_the_start_of_the_uuid_and_names_schema_and_role() -> None:
    assert naming.short_id(MODULE_ID) == "0190a1b2"
    assert naming.schema_name("0190a1b2") == naming.role_name("0190a1b2") == "mod_0190a1b2"


def test_a_clash_is_solved_by_publisher_and_slug() -> None:
    # printf acme:crm | sha256sum | head -c 8
    assert naming.clash_short_id("acme", "crm") == "4b7db20c"


@pytest.mark.parametrize("short", ["0190A1B2", "0190a1b", "0190a1b2c", '0190a1b"', "0190a1b2\n", ""])
def test_nothing_but_a_short_id_becomes_a_schema(short: str) -> None:
    with pytest.raises(ValueError, match="not a short id"):
        naming.schema_name(short)


def test_the_reserved_words_are_those_of_the_server(postgres: psycopg.Connection) -> None:
    rows = postgres.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')").fetchall()

    assert {word for (word,) in rows} == naming.RESERVED_WORDS


@pytest.mark.parametrize(
    "name",
    ["Deals", "1st", "a-b", "a b", "é", "", "a" * 42, "user", "select", 'a"', "a\n", "events", "docs", "fn", "a__b"],
)
def test_what_cannot_name_a_table(name: str) -> None:
    assert naming.identifier_problem(name, what="table") is not None


@pytest.mark.parametrize("name", ["deals", "a", "a1_b", "a" * 41, "name", "value", "id", "version"])
def test_what_can_name_a_table(name: str) -> None:
    assert naming.identifier_problem(name, what="table") is None


@pytest.mark.parametrize("name", sorted(naming.SYSTEM_FIELDS))
def test_the_columns_of_the_server_are_no_fields(name: str) -> None:
    assert naming.identifier_problem(name, what="field") == (
        f'"{name}" is added to every table by the server; choose another field name'
    )


@pytest.mark.parametrize("slug", ["crm", "a-b", "my-module-2", "a" * 40])
def test_good_slugs(slug: str) -> None:
    assert naming.slug_problem(slug) is None


@pytest.mark.parametrize("slug", ["a", "ab", "-ab", "ab-", "Crm", "crm_1", "a" * 41, "admin", "dramac", "crm\n"])
def test_bad_slugs(slug: str) -> None:
    assert naming.slug_problem(slug) is not None


@pytest.mark.parametrize(
    ("table", "label", "noun"),
    [
        ("deals", None, "deal"),
        ("companies", None, "company"),
        ("boxes", None, "box"),
        ("addresses", None, "address"),
        ("status", None, "status"),
        ("staff", None, "staff"),
        ("movies", None, "movy"),
        ("persons", "Person", "person"),
        ("staff", "Staff member", "staff_member"),
        ("orte", "Ört", "rt"),
        ("deals", "交易", "deal"),
    ],
)
def test_the_event_noun_is_the_label_or_the_singular(table: str, label: str | None, noun: str) -> None:
    names = TableLabel(one=label, many="x") if label else None

    assert naming.event_noun(table, Table.model_validate({"label": names, "fields": {"a": {"type": "text"}}})) == noun


def test_object_names_stay_in_63_bytes_and_never_meet() -> None:
    long = [naming.object_name("ix", "t" * 41, "a" * 41, f"b{number}") for number in range(3)]

    assert naming.object_name("ix", "deals", "status", "owner") == "ix_deals_status_owner"
    assert [len(name) for name in long] == [63, 63, 63]
    assert len(set(long)) == 3
    assert long == [naming.object_name("ix", "t" * 41, "a" * 41, f"b{number}") for number in range(3)]


@pytest.mark.parametrize("expression", ["0 6 * * *", "*/5 * * * *", "0 9-17 * * mon-fri", "0 0 1,15 jan *"])
def test_good_cron(expression: str) -> None:
    assert cron_problem(expression) is None


@pytest.mark.parametrize(
    "expression", ["@daily", "0 6 * *", "0 6 * * * *", "0 24 * * *", "R * * * *", "0 6 L * *", "a b c d e"]
)
def test_bad_cron(expression: str) -> None:
    assert cron_problem(expression) is not None
