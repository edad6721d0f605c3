"""The rules a manifest states that PostgreSQL keeps: overlaps, capacity, ledgers, conditional requirements, history."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.modules.storage.objects import constraint_of
from tests.unit.modules_storage.conftest import SITE_A, SITE_B, Stored, manifest

BOOKINGS = """
  rooms: {fields: {name: {type: text}}}
  bookings:
    fields:
      room: {type: ref, to: rooms, required: true}
      starts_at: {type: datetime}
      ends_at: {type: datetime}
      status: {type: enum, options: [booked, cancelled], default: booked}
    no_overlap: {by: [room], from: starts_at, to: ends_at, unless: {status: cancelled}}
"""
COURSES = """
  sessions: {fields: {name: {type: text}, seats: {type: integer}}}
  places:
    fields:
      session: {type: ref, to: sessions, required: true}
      status: {type: enum, options: [taken, cancelled], default: taken}
    capacity: {of: sessions.seats, count: places, unless: {status: cancelled}}
"""
LEDGER = """
  entries:
    fields:
      entry: {type: text, required: true}
      debit: {type: money, default: 0}
      credit: {type: money, default: 0}
    ledger: {balance: [debit, credit], group: entry}
"""


def at(hour: int) -> datetime:
    return datetime(2026, 3, 14, hour, tzinfo=UTC)


def refused(stored: Stored, error: type[psycopg.Error], kind: str, table: str) -> Any:
    """Expects a refusal by a rule of this kind, as the data layer would look it up."""

    class Expecting:
        def __enter__(self) -> None:
            self.raises = pytest.raises(error)
            self.info = self.raises.__enter__()

        def __exit__(self, *exc: Any) -> bool:
            caught = self.raises.__exit__(*exc)
            name = self.info.value.diag.constraint_name or ""
            found = constraint_of(stored.layout.table(table), name)
            assert found is not None
            assert found.kind == kind
            return bool(caught)

    return Expecting()


def test_bookings_of_one_room_cannot_overlap(stored: Stored) -> None:
    stored.provision(manifest(BOOKINGS))
    with stored.site(SITE_A) as connection:
        room = stored.insert(connection, "rooms")
        other = stored.insert(connection, "rooms")
        stored.insert(connection, "bookings", room=room, starts_at=at(9), ends_at=at(11), status="booked")
        stored.insert(connection, "bookings", room=room, starts_at=at(11), ends_at=at(12), status="booked")
        stored.insert(connection, "bookings", room=other, starts_at=at(9), ends_at=at(11), status="booked")
        stored.insert(connection, "bookings", room=room, starts_at=at(9), ends_at=at(11), status="cancelled")
        stored.insert(connection, "bookings", room=room, starts_at=at(9), status="booked")  # not placed in time yet
    with (
        refused(stored, psycopg.errors.ExclusionViolation, "no_overlap", "bookings"),
        stored.site(SITE_A) as connection,
    ):
        stored.insert(connection, "bookings", room=room, starts_at=at(10), ends_at=at(12), status="booked")


def test_a_booking_cannot_end_before_it_starts(stored: Stored) -> None:
    stored.provision(manifest(BOOKINGS))
    with refused(stored, psycopg.errors.CheckViolation, "order", "bookings"), stored.site(SITE_A) as connection:
        room = stored.insert(connection, "rooms")
        stored.insert(connection, "bookings", room=room, starts_at=at(10), ends_at=at(9))


def _session(stored: Stored, seats: int | None) -> UUID:
    stored.provision(manifest(COURSES))
    with stored.site(SITE_A) as connection:
        return stored.insert(connection, "sessions", seats=seats)


def test_a_full_session_takes_nobody_more(stored: Stored) -> None:
    session = _session(stored, 2)
    with stored.site(SITE_A) as connection:
        first = stored.insert(connection, "places", session=session, status="taken")
        stored.insert(connection, "places", session=session, status="taken")
        stored.insert(connection, "places", session=session, status="cancelled")
    with refused(stored, psycopg.errors.CheckViolation, "capacity", "places"), stored.site(SITE_A) as connection:
        stored.insert(connection, "places", session=session, status="taken")
    with refused(stored, psycopg.errors.CheckViolation, "capacity", "places"), stored.site(SITE_A) as connection:
        connection.execute("UPDATE places SET status = 'taken' WHERE status = 'cancelled'")
    with stored.site(SITE_A) as connection:
        connection.execute("UPDATE places SET status = 'cancelled' WHERE id = %s", [first])
        stored.insert(connection, "places", session=session, status="taken")


def test_several_places_in_one_statement_count_each(stored: Stored) -> None:
    session = _session(stored, 2)
    with refused(stored, psycopg.errors.CheckViolation, "capacity", "places"), stored.site(SITE_A) as connection:
        connection.execute(
            "INSERT INTO places (site_id, session) SELECT %s, %s FROM generate_series(1, 3)", [SITE_A, session]
        )


def test_a_session_without_a_number_of_seats_has_no_limit(stored: Stored) -> None:
    session = _session(stored, None)
    with stored.site(SITE_A) as connection:
        for _ in range(3):
            stored.insert(connection, "places", session=session)


def test_seats_cannot_go_below_the_places_taken(stored: Stored) -> None:
    session = _session(stored, 2)
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "places", session=session)
        stored.insert(connection, "places", session=session)
        connection.execute("UPDATE sessions SET seats = 5")
    with refused(stored, psycopg.errors.CheckViolation, "capacity_of", "places"), stored.site(SITE_A) as connection:
        connection.execute("UPDATE sessions SET seats = 1")


def test_the_last_seat_goes_to_one_of_many_at_once(stored: Stored) -> None:
    session = _session(stored, 1)
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def take() -> None:
        start.wait()
        try:
            with stored.site(SITE_A) as connection:
                stored.insert(connection, "places", session=session)
            outcomes.append("taken")
        except psycopg.errors.CheckViolation:
            outcomes.append("full")

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["full"] * 5 + ["taken"]


def test_a_ledger_takes_balanced_entries_in_any_order(stored: Stored) -> None:
    stored.provision(manifest(LEDGER))
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "entries", entry="1", debit=500, credit=0)
        stored.insert(connection, "entries", entry="1", debit=0, credit=500)


def test_an_unbalanced_entry_is_refused_at_commit(stored: Stored) -> None:
    stored.provision(manifest(LEDGER))
    with refused(stored, psycopg.errors.CheckViolation, "balance", "entries"), stored.site(SITE_A) as connection:
        stored.insert(connection, "entries", entry="1", debit=500, credit=0)
        stored.insert(connection, "entries", entry="1", debit=0, credit=499)
    with stored.site(SITE_A) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)


@pytest.mark.parametrize("statement", ["UPDATE entries SET debit = 1", "DELETE FROM entries"])
def test_a_ledger_is_only_added_to(stored: Stored, statement: str) -> None:
    test_a_ledger_takes_balanced_entries_in_any_order(stored)
    with refused(stored, psycopg.errors.CheckViolation, "ledger", "entries"), stored.site(SITE_A) as connection:
        connection.execute("SELECT set_config('app.maintenance', 'on', true)")  # which only the owner can make count
        connection.execute(statement.encode())


def test_a_rule_requires_fields_in_a_state(stored: Stored) -> None:
    stored.provision(
        manifest(
            "  deals:\n    fields:\n      status: {type: enum, options: [open, won]}\n      closed_at: {type: datetime}\n"
            "    check: [{when: {status: won}, require: [closed_at]}]\n"
        )
    )
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "deals", status="open")
        stored.insert(connection, "deals")
        stored.insert(connection, "deals", status="won", closed_at=at(1))
    with refused(stored, psycopg.errors.CheckViolation, "rule", "deals"), stored.site(SITE_A) as connection:
        stored.insert(connection, "deals", status="won")


# -- history

FAMILY = """
  parents: {fields: {name: {type: text}}, audit: true}
  children: {fields: {parent: {type: ref, to: parents, on_delete: cascade}, friend: {type: refs, to: parents}}}
  guests: {fields: {parent: {type: ref, to: parents, on_delete: set_null}}}
"""


def test_a_delete_is_recorded_with_everything_it_takes_along(stored: Stored) -> None:
    stored.provision(manifest(FAMILY))
    batch = uuid4()
    with stored.site(SITE_A) as connection:
        parent = stored.insert(connection, "parents", name="Ann")
        child = stored.insert(connection, "children", parent=parent)
        guest = stored.insert(connection, "guests", parent=parent)
        connection.execute(
            "INSERT INTO children__friend (site_id, record_id, target_id) VALUES (%s, %s, %s)", [SITE_A, child, parent]
        )
    with stored.site(SITE_A) as connection:
        connection.execute(
            "SELECT set_config('app.batch', %s, true), set_config('app.actor', 'usr_1', true)", [str(batch)]
        )
        connection.execute("DELETE FROM parents")
        rows = connection.execute(
            "SELECT table_name, record_id, op, actor, site_id FROM _history WHERE batch = %s", [batch]
        ).fetchall()
        kept = connection.execute("SELECT before ->> 'parent', after ->> 'parent' FROM _history WHERE op = 'update'")
        assert kept.fetchall() == [(str(parent), None)]
    assert sorted(rows) == sorted(
        [
            ("parents", parent, "delete", "usr_1", SITE_A),
            ("children", child, "delete", "usr_1", SITE_A),
            ("children__friend", child, "delete", "usr_1", SITE_A),
            ("guests", guest, "update", "usr_1", SITE_A),
        ]
    )


def test_an_audited_table_records_every_change_that_changes_something(stored: Stored) -> None:
    stored.provision(manifest(FAMILY))
    with stored.site(SITE_A) as connection:
        parent = stored.insert(connection, "parents", name="Ann")
        connection.execute("UPDATE parents SET name = 'Anna', version = version + 1")
        connection.execute("UPDATE parents SET updated_at = now(), version = version + 1")
        stored.insert(connection, "guests")
        rows = connection.execute("SELECT table_name, record_id, op, before ->> 'name', after ->> 'name' FROM _history")
        assert rows.fetchall() == [
            ("parents", parent, "insert", None, "Ann"),
            ("parents", parent, "update", "Ann", "Anna"),
        ]


def test_a_record_put_back_is_recorded_as_restored(stored: Stored) -> None:
    stored.provision(manifest(FAMILY))
    with stored.site(SITE_B) as connection:
        connection.execute("SELECT set_config('app.restoring', 'on', true)")
        stored.insert(connection, "parents", SITE_B, name="Ann")
        assert connection.execute("SELECT op FROM _history").fetchall() == [("restore",)]
