"""Whoever pulls events passes over none, in whatever order transactions begin, write and end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config import Config
from app.db.base import db
from app.db.roles import STAFF, role_url
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.restored import place_restored
from app.lib.ids import decode, encode
from tests.web.gateway.conftest import Shop

WRITERS = 3


@dataclass
class Stream:
    """Transactions that write events of one install, and a client that pulls them from where it was, one at a time."""

    shop: Shop
    writers: list[psycopg.Connection]
    after: str = ""
    pulled: list[str] = field(default_factory=list)

    def write(self, writer: int) -> str:
        query = "INSERT INTO events (agency_id, site_id, install_id, type) VALUES (%s, %s, %s, 'product.created') RETURNING id"
        row = self.writers[writer].execute(
            query, [self.shop.site.agency_id, self.shop.site.id, self.shop.install_id]
        ).fetchone()  # fmt: skip
        assert row is not None
        event_id: UUID = row[0]
        return encode("evt", event_id)

    def pull(self) -> list[str]:
        """What is new to the client."""
        found: list[str] = []
        while True:
            answer = self.shop.get(f"/events?limit=1{self.after and f'&after={self.after}'}").get_json()
            found += [one["id"] for one in answer["data"]]
            self.after = answer["next_cursor"] or self.after
            if not answer["has_more"]:
                self.pulled += found
                return found

    def pull_all(self, number: int) -> list[str]:
        """The next `number` of events, all of them committed. Others' transactions on this server, which end, may hold them up."""
        found, until = self.pull(), time.monotonic() + 30
        while len(found) < number and time.monotonic() < until:
            time.sleep(0.02)
            found += self.pull()
        return found


@pytest.fixture
def stream(shop: Shop, config: Config) -> Iterator[Stream]:
    with ExitStack() as open_now:
        url = role_url(config.database_url, config.secret_keys[0], STAFF)
        yield Stream(shop, [open_now.enter_context(psycopg.connect(url)) for _ in range(WRITERS)])


def test_an_event_whose_transaction_ends_later_is_not_passed_over(stream: Stream) -> None:
    """The first one gets the smaller number and is committed last: a cursor by numbers or times would have gone past it."""
    first = stream.write(0)
    second = stream.write(1)
    stream.writers[1].commit()
    assert stream.pull() == []  # the second waits for the first, whose place is before it
    third = stream.write(0)
    stream.writers[0].commit()
    assert stream.pull_all(3) == [first, third, second]
    assert stream.pull() == []


def test_an_event_that_is_taken_back_holds_up_nobody(stream: Stream) -> None:
    stream.write(0)
    kept = stream.write(1)
    stream.writers[1].commit()
    assert stream.pull() == []
    stream.writers[0].rollback()
    assert stream.pull_all(1) == [kept]


def test_events_of_a_restored_dump_are_before_all_new_ones(stream: Stream) -> None:
    """As pg_restore leaves them on a server that has counted fewer transactions than the one they come from."""
    old = [stream.write(0), stream.write(0)]
    staff = stream.writers[0]
    places = "UPDATE events SET transaction = (pg_current_xact_id()::text::bigint + %s)::text::xid8 WHERE id = %s"
    for place, event in zip(
        (9_000_000, 8_000_000), old, strict=True
    ):  # the one with the smaller number was committed later
        staff.execute(places, [place, decode("evt", event)])
    staff.commit()
    with platform_scope("test"), transaction(db.session()) as session:
        assert (place_restored(session), place_restored(session)) == (True, False)
    assert stream.pull_all(2) == old
    new = stream.write(1)
    stream.writers[1].commit()
    assert stream.pull_all(1) == [new]
    with platform_scope("test"), transaction(db.session()) as session:
        assert not place_restored(session)


STEPS = st.lists(
    st.tuples(st.integers(0, WRITERS - 1), st.sampled_from(["write", "commit", "undo", "pull"])), max_size=25
)


@given(steps=STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_committed_event_is_pulled_once_whatever_the_order(
    stream: Stream, steps: list[tuple[int, str]]
) -> None:  # fmt: skip
    committed: set[str] = set(stream.pulled)
    open_now: dict[int, set[str]] = {writer: set() for writer in range(WRITERS)}
    for writer, step in [*steps, *((writer, "commit") for writer in range(WRITERS))]:
        if step == "write":
            open_now[writer].add(stream.write(writer))
        elif step == "pull":
            stream.pull()
        else:
            stream.writers[writer].commit() if step == "commit" else stream.writers[writer].rollback()
            committed |= open_now[writer] if step == "commit" else set()
            open_now[writer] = set()
        assert set(stream.pulled) <= committed
    stream.pull_all(len(committed) - len(stream.pulled))
    assert sorted(stream.pulled) == sorted(committed)
