"""Making, changing, deleting and bringing back records, and the events of it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from app.access.actors import Actor
from app.access.permissions import Role
from app.db.pools import owner_connection
from app.errors import Conflict, Forbidden, Invalid, NotFound, VersionMismatch
from app.runtime.data import Access, Data, Surface, configure_data
from app.runtime.data.faults import AppendOnly, StillReferenced
from app.runtime.data.restore import ChangedSince
from app.runtime.data.scoped import Locked
from app.runtime.data.writes import FunctionsMissing
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.query import Query
from app.tenancy.models import Agency


def errors(call, *args, **how):
    with pytest.raises(Invalid) as caught:
        call(*args, **how)
    return [(error.pointer, error.code) for error in caught.value.errors]


def test_a_record_is_kept_in_one_round_trip_with_its_event(here, round_trips):
    with round_trips() as seen:
        record = here.staff.insert("plain", {"name": "Boat", "amount": 3})
    assert seen == [4]  # begin, scope, insert and event, commit
    values = record.values
    assert (values["name"], values["amount"], values["version"], values["created_by"]) == ("Boat", 3, 1, here.ada.ref)
    assert here.staff.get("plain", record.id).text == record.text
    [(kind, data)] = here.events()
    assert (kind, data["record"]["id"], data["record"]["name"]) == ("plain.created", str(record.id), "Boat")


def test_events_carry_neither_secrets_nor_private_fields(here):
    record = here.staff.insert("deals", {"name": "Boat", "token": "hush", "internal": "psst"})
    here.staff.update("deals", record.id, {"token": "other", "internal": "psst!", "amount": 5})
    here.staff.delete("deals", record.id)
    events = here.events()
    assert [kind for kind, _ in events] == ["deal.created", "deal.updated", "deal.deleted"]
    assert events[1][1]["changed"] == ["amount"]
    assert [{"token", "internal"} & set(data["record"]) for _, data in events] == [set()] * 3
    assert "hush" not in json.dumps(events)
    assert "psst" not in json.dumps(events)


def test_secrets_are_sealed_where_they_lie(here):
    record = here.staff.insert("deals", {"name": "Boat", "token": "hush"})
    with here.staff.transaction() as tx:
        [[row]] = tx.send([(f'SELECT token FROM "{here.context.schema}".deals WHERE id = $1', [record.id])])
    assert row[0].startswith("v1.")
    assert "hush" not in row[0]


def test_unchanged_values_change_nothing(here):
    record = here.staff.insert(
        "plain", {"name": "Boat", "at": "2026-03-14T10:00:00+01:00", "tags": ["a"], "ratio": "1.5"}
    )
    same = {"name": " Boat ", "at": "2026-03-14T09:00:00Z", "tags": ["a"], "ratio": 1.50, "amount": None, "day": ""}
    after = here.staff.update("plain", record.id, same)
    assert (after.version, after.text) == (1, record.text)
    assert [kind for kind, _ in here.events()] == ["plain.created"]


def test_an_update_counts_the_version_and_names_what_changed(here):
    record = here.staff.insert("plain", {"name": "Boat", "amount": 1})
    after = here.staff.update("plain", record.id, {"amount": 2, "name": "Boat"}, if_version=1)
    assert (after.version, after.values["version"], after.values["amount"]) == (2, 2, 2)
    assert after.values["updated_at"] > after.values["created_at"]
    assert here.events()[1][1]["changed"] == ["amount"]


@pytest.mark.parametrize("act", ["update", "delete"])
def test_a_write_on_a_version_that_is_gone_is_refused(here, act):
    record = here.staff.insert("plain", {"name": "Boat"})
    here.staff.update("plain", record.id, {"name": "Ship"})
    how = {
        "update": lambda: here.staff.update("plain", record.id, {"name": "Raft"}, if_version=1),
        "delete": lambda: here.staff.delete("plain", record.id, if_version=1),
    }
    with pytest.raises(VersionMismatch):
        how[act]()
    assert here.staff.get("plain", record.id).values["name"] == "Ship"


def test_of_two_who_change_the_same_version_one_wins(here):
    record = here.staff.insert("plain", {"name": "Boat", "amount": 0})
    outcomes = []
    together = threading.Barrier(2)

    def change(amount):
        together.wait()
        try:
            here.staff.update("plain", record.id, {"amount": amount}, if_version=1)
            outcomes.append("won")
        except VersionMismatch:
            outcomes.append("lost")

    threads = [threading.Thread(target=change, args=[amount]) for amount in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost", "won"]
    assert here.staff.get("plain", record.id).version == 2


def test_a_locked_record_waits_for_nobody_long(here):
    record = here.staff.insert("plain", {"name": "Boat"})
    with here.staff.transaction() as tx:
        tx.lock("plain", record.id)
        with pytest.raises(Locked):
            here.staff.update("plain", record.id, {"name": "Ship"})
    assert here.staff.update("plain", record.id, {"name": "Ship"}).version == 2


def test_a_batch_is_all_or_nothing(here):
    made = here.staff.insert_many("plain", [{"name": str(number)} for number in range(500)])
    assert [record.values["name"] for record in made] == [str(number) for number in range(500)]
    assert here.staff.count("plain") == 500
    bad = [{"name": "fine"}, {"nope": 1, "amount": "x"}, {"kind": "z"}, 7]
    assert errors(here.staff.insert_many, "plain", bad) == [
        ("/1/nope", "unknown_field"),
        ("/1/amount", "value"),
        ("/2/kind", "option"),
        ("/3", "type"),
    ]
    assert errors(here.staff.insert_many, "plain", [{}] * 501) == [("", "max")]
    assert here.staff.insert_many("plain", []) == []
    assert (here.staff.count("plain"), len(here.events())) == (500, 500)


def test_what_the_database_refuses_of_a_batch_is_told_row_by_row(here):
    here.staff.insert("deals", {"name": "first", "email": "taken@example.com"})
    rows = [
        {"name": "fine"},
        {"name": "same mail", "email": "taken@example.com"},
        {"name": "no company", "company": str(uuid4())},
        {"name": "no label", "labels": [str(uuid4())]},
    ]
    assert errors(here.staff.insert_many, "deals", rows) == [
        ("/1/email", "unique"),
        ("/2/company", "reference"),
        ("/3/labels", "reference"),
    ]
    assert (here.staff.count("deals"), len(here.events())) == (1, 1)


def test_a_transaction_that_fails_leaves_nothing(here):
    def fail():
        with here.staff.transaction() as tx:
            company = tx.insert("companies", {"name": "Acme"})
            tx.insert("deals", {"name": "Boat", "company": str(company.id)})
            tx.emit("deal.opened", {"deal": "x"})
            assert tx.count("deals") == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (here.staff.count("deals"), here.staff.count("companies"), here.events()) == (0, 0, [])


def test_a_transaction_spans_tables_and_tells_of_declared_events(here):
    with here.staff.transaction() as tx:
        company = tx.insert("companies", {"name": "Acme"})
        tx.insert("deals", {"name": "Boat", "company": str(company.id)})
        tx.emit("deal.opened", {"by": "hand"})
        with pytest.raises(Invalid):
            tx.emit("deal.eaten", {})
    assert [kind for kind, _ in here.events()] == ["company.created", "deal.created", "deal.opened"]
    assert here.events()[-1][1] == {"by": "hand"}


def test_a_part_of_a_transaction_can_fail_alone(here):
    with here.staff.transaction() as tx:
        tx.insert("companies", {"name": "Acme"})
        with pytest.raises(Invalid), tx.savepoint():
            tx.insert("companies", {"name": "Acme"})
        tx.insert("companies", {"name": "Other"})
    assert here.staff.count("companies") == 2


def test_numbers_have_no_gaps(here):
    now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    data = Data(here.context, Access(Surface.STAFF, here.ada), now=now)
    first = data.insert("deals", {"name": "one"})
    with pytest.raises(Invalid):
        data.insert("deals", {"name": "bad", "company": str(uuid4())})
    batch = data.insert_many("deals", [{"name": "two"}, {"name": "three"}])
    assert [record.values["number"] for record in (first, *batch)] == ["D-2026-0001", "D-2026-0002", "D-2026-0003"]
    later = Data(here.context, Access(Surface.STAFF, here.ada), now=datetime(2027, 1, 1, 12, tzinfo=UTC))
    assert later.insert("deals", {"name": "new year"}).values["number"] == "D-2027-0001"
    assert errors(data.insert, "deals", {"name": "mine", "number": "D-1"}) == [("/number", "read_only")]


def test_references_keep_their_order_and_can_be_replaced(here):
    labels = [str(here.staff.insert("labels", {"name": name}).id) for name in "abc"]
    deal = here.staff.insert("deals", {"name": "Boat", "labels": labels[:2]})
    assert deal.values["labels"] == labels[:2]
    changed = here.staff.update("deals", deal.id, {"labels": [labels[2], labels[0]]})
    assert (changed.values["labels"], changed.version) == ([labels[2], labels[0]], 2)
    assert here.staff.update("deals", deal.id, {"labels": [labels[2], labels[0]]}).version == 2
    assert here.staff.update("deals", deal.id, {"labels": None}).values["labels"] == []
    assert here.events()[-1][1]["changed"] == ["labels"]
    assert errors(here.staff.update, "deals", deal.id, {"labels": [str(uuid4())]}) == [("/labels", "reference")]


def test_a_reference_in_use_holds_its_record(here):
    room = here.staff.insert("rooms", {"name": "Blue", "seats": 1})
    times = {"starts_at": "2026-03-01T10:00:00Z", "ends_at": "2026-03-01T11:00:00Z"}
    here.staff.insert("bookings", {"room": str(room.id), **times})
    with pytest.raises(StillReferenced):
        here.staff.delete("rooms", room.id)
    assert here.staff.get("rooms", room.id).version == 1


def test_no_overlap_order_and_capacity_are_sentences_about_fields(here):
    room = here.staff.insert("rooms", {"name": "Blue", "seats": 2})
    hour = {"starts_at": "2026-03-01T10:00:00Z", "ends_at": "2026-03-01T11:00:00Z"}
    first = here.staff.insert("bookings", {"room": str(room.id), "desk": "A", **hour})
    assert errors(here.staff.insert, "bookings", {"desk": "A", **hour}) == [("/starts_at", "no_overlap")]
    wrong_way = {"starts_at": hour["ends_at"], "ends_at": hour["starts_at"]}
    assert errors(here.staff.insert, "bookings", wrong_way) == [("/ends_at", "order")]
    here.staff.insert("bookings", {"room": str(room.id), "desk": "B", **hour})
    full = {"room": str(room.id), "desk": "C", **hour}
    assert errors(here.staff.insert, "bookings", full) == [("/room", "capacity")]
    assert errors(here.staff.update, "rooms", room.id, {"seats": 1}) == [("/seats", "capacity")]
    here.staff.update("bookings", first.id, {"status": "cancelled"})
    assert here.staff.insert("bookings", {**full, "desk": "A"}).version == 1


def test_a_ledger_balances_and_only_grows(here):
    with here.staff.transaction() as tx:
        entry = tx.insert("entries", {"booking_group": "g", "debit": 100})
        tx.insert("entries", {"booking_group": "g", "credit": 100})
    assert errors(here.staff.insert, "entries", {"booking_group": "h", "debit": 1}) == [
        ("/booking_group", "unbalanced")
    ]
    with pytest.raises(AppendOnly):
        here.staff.update("entries", entry.id, {"debit": 5})
    with pytest.raises(AppendOnly):
        here.staff.delete("entries", entry.id)
    assert here.staff.count("entries") == 2


def test_a_delete_takes_along_and_tells_of_everything_and_comes_back_whole(here):
    staff = here.staff
    company = staff.insert("companies", {"name": "Acme", "secret_note": "n"})
    label = staff.insert("labels", {"name": "hot"})
    mine = staff.insert(
        "deals", {"name": "Mine", "company": str(company.id), "labels": [str(label.id)], "token": "hush"}
    )
    other = staff.insert("deals", {"name": "Other", "partner": str(company.id)})
    line = staff.insert("lines", {"deal": str(mine.id), "text": "x"})
    before = len(here.events())
    batch = staff.delete("companies", company.id)
    assert [record["name"] for record in staff.list("deals").records] == ["Other"]
    assert staff.get("deals", other.id).values["partner"] is None
    assert staff.count("lines") == 0
    told = [(kind, data["record"]["id"], data.get("changed")) for kind, data in here.events()[before:]]
    assert sorted(told) == [
        ("company.deleted", str(company.id), None),
        ("deal.deleted", str(mine.id), None),
        ("deal.updated", str(other.id), ["partner"]),
        ("line.deleted", str(line.id), None),
    ]

    touched = staff.restore(batch)
    assert sorted(touched) == sorted(
        [("companies", company.id), ("deals", mine.id), ("deals", other.id), ("lines", line.id)]
    )
    back = staff.get("deals", mine.id).values
    assert (back["name"], back["company"], back["labels"]) == ("Mine", str(company.id), [str(label.id)])
    assert here.data(Surface.FUNCTION).get("deals", mine.id).values["token"] == "hush"
    assert staff.get("deals", other.id).values["partner"] == str(company.id)
    assert staff.get("companies", company.id).values["secret_note"] == "n"
    assert staff.get("lines", line.id).values["text"] == "x"
    restored = [(kind, data["restored"]) for kind, data in here.events()[before + 4 :]]
    assert sorted(restored) == [
        ("company.created", True),
        ("deal.created", True),
        ("deal.updated", True),
        ("line.created", True),
    ]
    with pytest.raises((ChangedSince, Invalid, Conflict)):
        staff.restore(batch)
    assert staff.count("deals") == 2


def test_what_cannot_come_back_says_why_and_changes_nothing(here):
    first = here.staff.insert("companies", {"name": "Acme"})
    batch = here.staff.delete("companies", first.id)
    here.staff.insert("companies", {"name": "Acme"})
    assert errors(here.staff.restore, batch) == [("/name", "unique")]
    assert here.staff.count("companies") == 1
    with pytest.raises(NotFound):
        here.staff.restore(uuid4())


def test_changes_of_a_table_with_a_timeline_are_undone_unless_changed_since(here):
    deal = here.staff.insert("deals", {"name": "Boat"})
    with here.staff.transaction() as tx:
        tx.update("deals", deal.id, {"name": "Ship", "amount": 5})
    here.staff.restore(tx.batch)
    values = here.staff.get("deals", deal.id).values
    assert (values["name"], values["amount"], values["version"]) == ("Boat", None, 3)
    with here.staff.transaction() as tx:
        tx.update("deals", deal.id, {"name": "Raft"})
    here.staff.update("deals", deal.id, {"name": "Canoe"})
    with pytest.raises(ChangedSince):
        here.staff.restore(tx.batch)
    assert here.staff.get("deals", deal.id).values["name"] == "Canoe"


def test_restoring_needs_the_right_it_amounts_to(here):
    record = here.staff.insert("plain", {"name": "Boat"})
    batch = here.staff.delete("plain", record.id)
    for rights in (frozenset(), frozenset({"read", "update", "delete"})):
        with pytest.raises(NotFound):
            here.data(rights=rights).restore(batch)
    assert here.data(rights=frozenset({"create"})).restore(batch) == [("plain", record.id)]


# -- who may


def test_a_table_without_any_right_is_not_there(here):
    public = here.data(Surface.PUBLIC)
    record = here.staff.insert("plain", {"name": "x"})
    for table in ("lines", "nope", "_history", "pg_class", 'plain"; DROP TABLE plain; --'):
        for call in (
            lambda table=table: public.list(table),
            lambda table=table: public.get(table, record.id),
            lambda table=table: public.insert(table, {}),
            lambda table=table: public.update(table, record.id, {}),
            lambda table=table: public.delete(table, record.id),
            lambda table=table: public.insert_many(table, [{}]),
            lambda table=table: public.parse_list(table, []),
        ):
            with pytest.raises(NotFound):
                call()


def test_who_may_only_look_is_told_so(here):
    public = here.data(Surface.PUBLIC)
    company = here.staff.insert("companies", {"name": "Acme"})
    assert public.get("companies", company.id).values["name"] == "Acme"
    with pytest.raises(Forbidden):
        public.insert("companies", {"name": "x"})
    with pytest.raises(Forbidden):
        public.update("companies", company.id, {"name": "x"})
    with pytest.raises(Forbidden):
        public.delete("companies", company.id)


def test_who_may_only_add_gets_an_id_and_nothing_else(here):
    public = here.data(Surface.PUBLIC)
    made = public.insert("deals", {"name": "From the form"})
    assert made.values == {"id": str(made.id)}
    with pytest.raises(NotFound):
        public.get("deals", made.id)
    with pytest.raises(NotFound):
        public.list("deals")
    assert errors(public.insert, "deals", {"name": "x y", "internal": "z", "token": "t"}) == [
        ("/internal", "unknown_field"),
        ("/token", "unknown_field"),
    ]


def test_the_scopes_of_a_key_narrow_what_the_manifest_gives(here):
    actor = Actor(kind="key", id=here.ada.id)
    reading = Data(here.context, Access.for_key(actor, scopes={"read"}, publishable=False))
    record = here.staff.insert("plain", {"name": "x"})
    assert reading.get("plain", record.id).version == 1
    for call in (
        lambda: reading.insert("plain", {}),
        lambda: reading.update("plain", record.id, {}),
        lambda: reading.delete("plain", record.id),
    ):
        with pytest.raises(Forbidden):
            call()
    writing = Data(here.context, Access.for_key(actor, scopes={"write"}, publishable=False))
    assert writing.insert("plain", {"name": "y"}).values.keys() == {"id"}
    nothing = Data(here.context, Access.for_key(actor, scopes={"events"}, publishable=False))
    with pytest.raises(NotFound):
        nothing.list("plain")
    public = Data(here.context, Access.for_key(actor, scopes={"read", "write", "delete"}, publishable=True))
    with pytest.raises(NotFound):
        public.list("plain")


def test_a_role_of_the_module_may_be_held_to_its_own_records(here, world):
    bob = world.person(Agency(id=here.context.agency_id), Role.MEMBER, name="Bob").actor
    agent = Data(here.context, Access(Surface.STAFF, bob, role="agent"))
    foreign = here.staff.insert("plain", {"name": "Ada's"})
    given = here.staff.insert("plain", {"name": "for Bob", "owner": str(bob.id)})
    own = agent.insert("plain", {"name": "Bob's"})
    assert {record["name"] for record in agent.list("plain").records} == {"for Bob", "Bob's"}
    assert agent.list("plain", Query(count=True)).count == 2
    assert json.loads(agent.aggregate("plain", agent.parse_aggregation("plain", []))) == [{"count": 2}]
    assert agent.get("plain", given.id).version == 1
    assert agent.update("plain", own.id, {"amount": 1}).version == 2
    for call in (
        lambda: agent.get("plain", foreign.id),
        lambda: agent.update("plain", foreign.id, {"name": "mine now"}),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        agent.delete("plain", own.id)
    with pytest.raises(NotFound):
        agent.list("companies")
    nobody = Data(here.context, Access(Surface.STAFF, bob, role="gone"))
    with pytest.raises(NotFound):
        nobody.list("plain")


class Recorder:
    """Hooks of a test: keeps what it is told, answers what it is made with."""

    def __init__(self, answer=None):
        self.answer, self.told = answer, []

    def before(self, tx, table, event, old, new):
        self.told.append((table, event, old and old["name"], new and new["name"]))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_function_sees_a_change_first_and_may_change_or_refuse_it(here, hooked_context):
    def data(hooks):
        return Data(hooked_context, Access(Surface.STAFF, here.ada), hooks=hooks)

    recorder = Recorder({"name": "Renamed", "amount": 7})
    made = data(recorder).insert("plain", {"name": "Boat"})
    assert (made.values["name"], made.values["amount"]) == ("Renamed", 7)
    changed = data(Recorder({"amount": 9})).update("plain", made.id, {"name": "Ship"})
    assert (changed.values["name"], changed.values["amount"]) == ("Ship", 9)
    refusal = Invalid.field("name", "not today")
    assert errors(data(Recorder(refusal)).insert, "plain", {"name": "x"}) == [("/name", "invalid")]
    assert errors(data(Recorder(refusal)).delete, "plain", made.id) == [("/name", "invalid")]
    assert errors(data(Recorder({"kind": "z"})).insert, "plain", {"name": "x"}) == [("/kind", "option")]
    watcher = Recorder()
    data(watcher).update("plain", made.id, {"name": "Raft"})
    data(watcher).delete("plain", made.id)
    assert watcher.told == [
        ("plain", "before_update", "Ship", "Raft"),
        ("plain", "before_delete", "Raft", None),
    ]


def test_a_change_that_a_function_must_see_is_refused_where_functions_do_not_run(here, hooked_context, config, wired):
    configure_data(secret_keys=config.secret_keys)
    try:
        with pytest.raises(FunctionsMissing):
            Data(hooked_context, Access(Surface.STAFF, here.ada)).insert("plain", {"name": "nobody looks"})
    finally:
        configure_data(secret_keys=config.secret_keys, hooks=FunctionHooks())
    assert here.staff.count("plain") == 0


def test_a_record_names_nobody_from_outside_the_agency(here, world):
    olga = world.person(world.agency("Elsewhere"))
    made = here.staff.insert("plain", {"name": "Boat", "owner": str(here.ada.id)})
    for stranger in (str(olga.id), str(uuid4())):
        assert errors(here.staff.insert, "plain", {"name": "x", "owner": stranger}) == [("/owner", "unknown_person")]
        assert errors(here.staff.update, "plain", made.id, {"owner": stranger}) == [("/owner", "unknown_person")]
    rows = [{"name": "a"}, {"name": "b", "owner": str(olga.id)}]
    assert errors(here.staff.insert_many, "plain", rows) == [("/1/owner", "unknown_person")]
    assert here.staff.count("plain") == 1


def test_nothing_is_sent_that_the_role_may_not_do(here):
    """The module's role cannot reach beyond its schema even with SQL of its own."""
    with here.staff.transaction() as tx:
        for text in (
            "SELECT * FROM users", "SELECT * FROM modules_v2", "SELECT * FROM events", "DELETE FROM events",
            f'TRUNCATE "{here.context.schema}".plain', f'DROP TABLE "{here.context.schema}".plain',
            f'UPDATE "{here.context.schema}"._history SET actor = \'\'',
        ):  # fmt: skip
            with pytest.raises(Exception, match=r"permission denied|must be owner"), tx.savepoint():
                tx.send([(text, [])])
    with owner_connection() as owner:
        found = owner.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [here.context.role]).fetchall()
    assert found == [(False,)]
