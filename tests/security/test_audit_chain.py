"""L1: nobody changes, takes out or adds lines of the audit trail unnoticed, not even the platform's own roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import errors

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.events.audit import faults, verify
from app.events.outbox import record
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
        "at = at - interval '1 microsecond'", "id = uuidv7()",
    ],
)  # fmt: skip
def test_L1_a_change_of_any_column_shows(agency: Agency, ada: Person, tamper: Tamper, change: str) -> None:
    tamper(f"UPDATE audit_log SET {change} WHERE agency_id = %(a)s AND number = 2")
    assert found(agency) == [("changed", 2)]


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
