"""L1: nobody changes, takes out or adds lines of the audit trail unnoticed, not even the platform's own roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events.audit import faults, forget_old, verify
from app.events.outbox import record
from app.lib.ids import uuid7
from app.tenancy.models import Agency
from tests.security.conftest import Enter
from tests.support.world import Person, World
from tests.web.conftest import Browse, browse

__all__ = ["browse"]

LINES = 4


Tamper = Callable[[str], list[Any]]


@pytest.fixture
def tamper(wired: Config, agency: Agency) -> Tamper:
    """What somebody does who has the tables' owner: it takes the walls down for a moment."""

    def run(statements: str) -> list[Any]:
        with psycopg.connect(wired.database_url) as owner:
            for table in ("audit_log", "audit_heads"):
                owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")  # our names
            for statement in statements.split(";"):
                last = owner.execute(statement, {"a": agency.id})
            rows = last.fetchall() if last.description else []
            for table in ("audit_log", "audit_heads"):
                owner.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            return rows

    return run


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency()


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    person = world.person(agency)
    for number in range(LINES):
        with tenant_scope(agency.id), transaction(db.session()) as session:
            record(session, "site.created", by=person.actor, agency_id=agency.id, target_name=f"Site {number + 1}")
    return person


def found(agency: Agency) -> list[tuple[str, int]]:
    return [(fault.what, fault.number) for fault in faults() if fault.agency_id == agency.id]


def test_L1_an_untouched_trail_is_whole(agency: Agency, ada: Person, tamper: Tamper) -> None:
    assert found(agency) == []
    assert tamper("SELECT number FROM audit_heads WHERE agency_id = %(a)s") == [(LINES,)]


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'usr_x'", "actor_name = 'Eve'", "action = 'site.changed'", "target = 'ste_x'", "target_name = 'Other'",
        "changes = '{\"a\": [1, 2]}'", "ip = '192.0.2.9'", "user_agent = 'curl'", "request_id = 'req_x'",
        "at = at - interval '1 microsecond'", "id = uuidv7()", "site_id = uuidv7()",
    ],
)  # fmt: skip
def test_L1_a_change_of_any_column_shows(agency: Agency, ada: Person, tamper: Tamper, change: str) -> None:
    tamper(f"UPDATE audit_log SET {change} WHERE agency_id = %(a)s AND number = 2")
    assert found(agency) == [("changed", 2)]


def test_L1_the_site_of_a_line_is_part_of_it_and_lines_without_one_keep_their_hash(
    agency: Agency, ada: Person, tamper: Tamper
) -> None:
    with tenant_scope(agency.id), transaction(db.session()) as session:
        record(session, "key.created", by=ada.actor, agency_id=agency.id, target="key_x", site_id=uuid7())
    assert found(agency) == []
    before = """SELECT hash = sha256(convert_to(to_jsonb(ARRAY[id::text, agency_id::text, number::text,
        extract(epoch FROM at)::text, actor, actor_name, action, target, target_name, changes::text, host(ip), user_agent,
        request_id,
        encode(previous_hash, 'hex')])::text, 'UTF8')) FROM audit_log WHERE agency_id = %(a)s ORDER BY number"""
    assert tamper(before) == [(True,)] * LINES + [(False,)]
    tamper(f"UPDATE audit_log SET site_id = NULL WHERE agency_id = %(a)s AND number = {LINES + 1}")
    assert found(agency) == [("changed", LINES + 1)]


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("DELETE FROM audit_log WHERE agency_id = %(a)s AND number = 1", ("missing_before", 2)),
        ("DELETE FROM audit_log WHERE agency_id = %(a)s AND number = 3", ("missing_before", 4)),
        ("DELETE FROM audit_log WHERE agency_id = %(a)s AND number >= 3", ("cut_off", 2)),
        ("DELETE FROM audit_log WHERE agency_id = %(a)s", ("cut_off", 0)),
        # one who knows how rows are hashed makes the last line anew
        ("UPDATE audit_log SET actor = 'usr_x' WHERE agency_id = %(a)s AND number = 4;"
         "UPDATE audit_log a SET hash = audit_row_hash(a) WHERE agency_id = %(a)s AND number = 4", ("end_exchanged", 4)),
        ("UPDATE audit_log SET actor = 'usr_x' WHERE agency_id = %(a)s AND number = 2;"
         "UPDATE audit_log a SET hash = audit_row_hash(a) WHERE agency_id = %(a)s AND number = 2", ("out_of_chain", 3)),
        ("DELETE FROM audit_heads WHERE agency_id = %(a)s", ("end_exchanged", 4)),
    ],
)  # fmt: skip
def test_L1_lines_taken_out_and_made_anew_show(
    agency: Agency, ada: Person, tamper: Tamper, statement: str, shown: tuple[str, int]
) -> None:
    tamper(statement)
    assert found(agency) == [shown]


@pytest.mark.parametrize("login", ["dramac_app", "dramac_staff", "dramac_runtime"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log WHERE agency_id = %(a)s",
        "UPDATE audit_log SET actor = 'x' WHERE agency_id = %(a)s",
        "TRUNCATE audit_log",
        "DELETE FROM audit_heads WHERE agency_id = %(a)s",
        "UPDATE audit_heads SET number = 1 WHERE agency_id = %(a)s",
        "INSERT INTO audit_heads (agency_id, number, hash) VALUES (uuidv7(), 0, '')",
        "ALTER TABLE audit_log DISABLE TRIGGER audit_chain",
        "SELECT audit_chain()",
    ],
)
def test_L1_no_role_of_the_platform_can(agency: Agency, ada: Person, enter: Enter, login: str, statement: str) -> None:
    with enter(login, agency_id=agency.id) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement, {"a": agency.id})


def test_L1_what_the_nightly_check_finds_is_told_in_words(
    agency: Agency, ada: Person, tamper: Tamper, browse: Browse, caplog: pytest.LogCaptureFixture
) -> None:
    verify()
    page = browse(ada).get("/audit")
    assert [text.endswith(": whole") for text in page.texts(".page-meta span")] == [True]
    tamper("DELETE FROM audit_log WHERE agency_id = %(a)s AND number >= 3")
    verify()
    words = "lines after line 2 were taken out"
    assert f"audit trail of agency {agency.id}: {words}" in caplog.messages
    assert words in browse(ada).get("/audit").texts(".callout")[0]


def test_L1_lines_written_at_once_stand_one_after_the_other(agency: Agency, ada: Person, enter: Enter) -> None:
    with enter("dramac_app", agency_id=agency.id) as one, enter("dramac_app", agency_id=agency.id) as two:
        one.execute("INSERT INTO audit_log (agency_id, actor, action) VALUES (%s, 'x', 'a.b')", [agency.id])
        two.execute("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(errors.LockNotAvailable):
            two.execute("INSERT INTO audit_log (agency_id, actor, action) VALUES (%s, 'x', 'a.b')", [agency.id])


def aged(tamper: Tamper, agency: Agency, most: int) -> None:
    """The first lines as if written long ago, by the trigger: hashes are of what they say."""
    tamper(
        "ALTER TABLE audit_log DISABLE TRIGGER audit_chain;"
        f"UPDATE audit_log SET at = at - interval '400 days' WHERE agency_id = %(a)s AND number <= {most};"
        "ALTER TABLE audit_log ENABLE TRIGGER audit_chain"
    )
    for number in range(1, LINES + 1):
        tamper(
            "UPDATE audit_log a SET previous_hash = coalesce((SELECT b.hash FROM audit_log b "
            "WHERE b.agency_id = a.agency_id AND b.number = a.number - 1), '\\x00') "
            f"WHERE a.agency_id = %(a)s AND number = {number};"
            f"UPDATE audit_log a SET hash = audit_row_hash(a) WHERE agency_id = %(a)s AND number = {number};"
            "UPDATE audit_heads h SET hash = (SELECT hash FROM audit_log a WHERE a.agency_id = h.agency_id "
            "ORDER BY number DESC LIMIT 1) WHERE agency_id = %(a)s"
        )


def left(tamper: Tamper) -> list[int]:
    return [number for (number,) in tamper("SELECT number FROM audit_log WHERE agency_id = %(a)s ORDER BY number")]


@pytest.mark.parametrize(("old", "kept"), [(0, [1, 2, 3, 4]), (2, [3, 4]), (LINES, [4])])
def test_L1_lines_go_after_a_year_and_the_rest_is_still_a_chain(
    agency: Agency, ada: Person, tamper: Tamper, old: int, kept: list[int]
) -> None:
    aged(tamper, agency, old)
    assert found(agency) == []
    forget_old()
    assert (left(tamper), found(agency)) == (kept, [])
    forget_old()
    assert left(tamper) == kept
    with tenant_scope(agency.id), transaction(db.session()) as session:
        record(session, "site.created", by=ada.actor, agency_id=agency.id, target_name="One more")
    assert (left(tamper), found(agency)) == ([*kept, LINES + 1], [])
    tamper(f"DELETE FROM audit_log WHERE agency_id = %(a)s AND number = {kept[0]}")
    assert found(agency) == [("missing_before", [*kept, LINES + 1][1])]


def test_L1_nothing_goes_from_a_chain_at_fault(agency: Agency, ada: Person, tamper: Tamper) -> None:
    aged(tamper, agency, 3)
    tamper("UPDATE audit_log SET actor_name = 'Eve' WHERE agency_id = %(a)s AND number = 2")
    verify()
    forget_old()
    assert left(tamper) == [1, 2, 3, 4]


def test_L1_nobody_lets_go_of_younger_lines(agency: Agency, ada: Person, tamper: Tamper) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_scope(agency.id),
        transaction(db.session()) as session,
    ):
        session.execute(text("SELECT audit_let_go(:a, now() - interval '400 days')"), {"a": agency.id})
    with pytest.raises(DBAPIError, match="365 days"), platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("SELECT audit_let_go(:a, now())"), {"a": agency.id})
    assert left(tamper) == [1, 2, 3, 4]
