"""Nobody reaches another site's or another module's records, by any of the ways in; foreign ids are as good as none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest

from app.errors import Forbidden, Invalid, NotFound
from app.modules.conditions import parse_condition
from app.runtime.context import load_install
from app.runtime.data import Access, Data, Surface
from app.runtime.data.compile import get_statement, list_statement
from app.runtime.data.scoped import Scope, run
from app.runtime.data.writes import foreign_access
from app.runtime.query import Query, QueryInvalid, Sort
from tests.unit.runtime_data.conftest import install

CANARY = "canary-of-the-other-site"


@pytest.fixture
def theirs(there):
    """Records of another agency's site, each text with a canary in it."""
    company = there.staff.insert("companies", {"name": CANARY, "secret_note": CANARY})
    label = there.staff.insert("labels", {"name": CANARY})
    deal = there.staff.insert("deals", {"name": CANARY, "company": str(company.id), "labels": [str(label.id)]})
    plain = there.staff.insert("plain", {"name": CANARY, "amount": 5, "tags": [CANARY]})
    return {"companies": company.id, "labels": label.id, "deals": deal.id, "plain": plain.id}


def answer(call):
    """What a caller can see of a refusal."""
    with pytest.raises((NotFound, Invalid)) as caught:
        call()
    return type(caught.value), str(caught.value), getattr(caught.value, "errors", None)


@pytest.mark.parametrize("surface", list(Surface))
def test_lists_counts_and_groups_hold_only_own_records(here, theirs, surface):
    data = here.data(surface)
    for table in ("companies", "plain", "deals"):
        if not data.access.allowed(here.context.manifest, table) & {"read"}:
            continue
        page = data.list(table, Query(count=True))
        assert (page.texts, page.count) == ((), 0)
        assert data.aggregate(table, data.parse_aggregation(table, [])) == b'[{"count":0}]'
        for pair in (
            ("id", str(theirs[table])),
            ("name", CANARY),
            ("name[contains]", "canary"),
            ("id[ne]", str(uuid4())),
        ):
            assert data.list(table, data.parse_list(table, [pair])).texts == ()
    assert here.staff.list("plain", here.staff.parse_list("plain", [("q", "canary"), ("sort", "name")])).texts == ()


@pytest.mark.parametrize("table", ["companies", "labels", "deals", "plain"])
def test_another_sites_id_answers_as_one_that_nobody_has(here, theirs, table):
    mine = here.staff.insert("plain", {"name": "mine"})
    for act in (
        lambda record: here.staff.get(table, record),
        lambda record: here.staff.update(table, record, {"name": "taken over"}),
        lambda record: here.staff.update(table, record, {"name": "taken over"}, if_version=1),
        lambda record: here.staff.delete(table, record),
        lambda record: here.staff.restore(record),
    ):
        assert answer(lambda act=act: act(theirs[table])) == answer(lambda act=act: act(uuid4()))
    with here.staff.transaction() as tx:
        assert answer(lambda: tx.lock(table, theirs[table])) == answer(lambda: tx.lock(table, uuid4()))
    assert here.staff.get("plain", mine.id).version == 1


def test_references_to_another_site_answer_as_references_to_nothing(here, theirs):
    deal = here.staff.insert("deals", {"name": "mine"})
    for field, wrap in (("company", str), ("partner", str), ("labels", lambda one: [str(one)])):
        foreign = theirs["labels" if field == "labels" else "companies"]
        for act in (
            lambda value: here.staff.insert("deals", {"name": "mine", field: value}),  # noqa: B023  # called at once
            lambda value: here.staff.update("deals", deal.id, {field: value}),  # noqa: B023  # called at once
            lambda value: here.staff.insert_many("deals", [{"name": "mine", field: value}]),  # noqa: B023  # called at once
        ):
            assert answer(lambda act=act: act(wrap(foreign))) == answer(lambda act=act: act(wrap(uuid4())))  # noqa: B023  # as above
    assert here.staff.count("deals") == 1


def test_another_sites_batch_cannot_be_undone(here, there, theirs):
    batch = there.staff.delete("plain", theirs["plain"])
    assert answer(lambda: here.staff.restore(batch)) == answer(lambda: here.staff.restore(uuid4()))
    assert there.staff.restore(batch) == [("plain", theirs["plain"])]


def test_their_records_are_as_they_were(here, there, theirs):
    for table, record in theirs.items():
        with pytest.raises(NotFound):
            here.staff.delete(table, record)
        assert there.staff.get(table, record).version == 1
    assert there.staff.get("deals", theirs["deals"]).values["company"] == str(theirs["companies"])


def test_a_cursor_of_another_site_leads_nowhere_else(here, there):
    for number in range(3):
        there.staff.insert("plain", {"name": f"{CANARY} {number}"})
        here.staff.insert("plain", {"name": f"mine {number}"})
    query = Query(limit=1, sort=(Sort("name"),))
    cursor = there.staff.list("plain", query).next_cursor
    page = here.staff.list("plain", Query(limit=5, sort=(Sort("name"),), cursor=cursor))
    assert [record["name"] for record in page.records] == ["mine 0", "mine 1", "mine 2"]


@pytest.mark.parametrize("setting", ["app.site_id", "app.agency_id"])
def test_without_its_scope_a_statement_finds_and_writes_nothing(here, there, theirs, pool, setting):
    schema = here.context.schema
    with pool.connection() as connection:
        for value in ("", None):
            with connection.transaction():
                connection.execute("SELECT set_config('role', %s, true)", [here.context.role])
                if value is not None:
                    connection.execute("SELECT set_config(%s, %s, true)", [setting, value])
                for table in ("plain", "deals", "companies", "deals__labels", "_history", "_series"):
                    assert connection.execute(f'SELECT count(*) FROM "{schema}"."{table}"').fetchone() == (0,)
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(f'INSERT INTO "{schema}".plain (site_id) VALUES (%s)', [there.context.site_id])


def test_without_the_modules_role_there_is_no_way_in(here, pool):
    with pool.connection() as connection:
        for statement in ("SELECT * FROM {}.plain", "INSERT INTO {}.plain (site_id) VALUES (uuidv7())"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.format(f'"{here.context.schema}"'))


def test_the_scope_is_gone_when_the_connection_goes_back(here, pool):
    here.staff.insert("plain", {"name": "x"})
    here.staff.list("plain")
    with pytest.raises(Invalid):
        here.staff.insert("companies", {})
    with pytest.raises(NotFound):
        here.staff.get("plain", uuid4())
    setting = "coalesce(current_setting('app.{}', true), '')"
    state = f"SELECT current_user, {setting.format('site_id')}, {setting.format('actor')}"
    for _ in range(5):
        with pool.connection() as connection:
            assert connection.execute(state).fetchone() == ("dramac_runtime", "", "")


def test_row_security_holds_when_the_site_in_the_query_is_another(here, there, theirs):
    """The first wall alone: a statement that asks for the other site by name."""
    scope = Scope.of(here.context, here.ada, uuid4())
    [rows] = run(scope, [(f'SELECT id FROM "{here.context.schema}".plain WHERE site_id = $1', [there.context.site_id])])
    assert rows == []


def test_the_query_names_its_site_when_row_security_does_not(here, there, theirs):
    """The second wall alone: the same statements with row security bound to nothing, run by who sees every site."""
    data = here.staff
    model = data.model.tables["plain"]
    for text, values in (
        list_statement(model, data.access, here.context.site_id, Query()),
        get_statement(model, data.access, theirs["plain"], here.context.site_id, Query()),
    ):
        assert "t.site_id = $1::uuid" in text
        assert here.context.site_id in values


# -- other modules


def test_another_module_is_out_of_reach_without_consent(here):
    with pytest.raises(NotFound):
        here.staff.foreign("other-module")
    with here.staff.transaction() as tx, pytest.raises(NotFound):
        tx.foreign(here.context.module_slug)


@pytest.fixture
def consented(modules, place):
    """(the module with consent to read notes of the other one, the other one's own data, a person) on one site."""
    first, other = place(), modules[1]
    other_install = install(other, SimpleNamespace(id=first.context.site_id, agency_id=first.context.agency_id))
    granted = {"tables": [{"module": other.slug, "table": "notes", "fields": ["title"], "access": ["read"]}]}
    context = replace(first.context, granted=granted)
    return context, Data(load_install(other_install), Access(Surface.STAFF, first.ada)), first.ada


def test_a_granted_table_gives_its_granted_fields_and_nothing_more(consented):
    context, notes, ada = consented
    note = notes.insert("notes", {"title": "seen", "hidden": "unseen"})
    slug = notes.context.module_slug
    foreign = Data(context, Access(Surface.FUNCTION, ada)).foreign(slug)
    [record] = foreign.list("notes").records
    assert record.keys() == {"id", "title", "created_at", "updated_at", "version"}
    assert foreign.get("notes", note.id).values["title"] == "seen"
    for pair in (("hidden", "unseen"), ("sort", "hidden"), ("fields", "hidden")):
        with pytest.raises(QueryInvalid):
            foreign.parse_list("notes", [pair])
    with pytest.raises(QueryInvalid):
        foreign.list("notes", Query(where=parse_condition({"hidden": "unseen"}, notes.searchable("notes").columns)))
    for call in (
        lambda: foreign.insert("notes", {"title": "x"}),
        lambda: foreign.update("notes", note.id, {"title": "x"}),
    ):
        with pytest.raises(Forbidden):
            call()
    with Data(context, Access(Surface.FUNCTION, ada)).transaction() as tx:
        tx.insert("plain", {"name": "own"})
        assert len(tx.foreign(slug).list("notes").texts) == 1
        assert tx.count("plain") == 1  # back in its own role


def test_a_module_cannot_name_the_schema_of_another(consented):
    context, notes, ada = consented
    with Data(context, Access(Surface.FUNCTION, ada)).transaction() as tx:
        tx.count("plain")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), tx.savepoint():
            tx.send([(f'SELECT * FROM "{notes.context.schema}".notes', [])])


def test_consent_names_tables_one_by_one(consented):
    context, notes, ada = consented
    _, access = foreign_access(context, Access(Surface.FUNCTION, ada), notes.context.module_slug)
    assert access.allowed(notes.context.manifest, "notes") == {"read"}
    assert access.allowed(notes.context.manifest, "others") == frozenset()
    with pytest.raises(NotFound):  # consent to one module says nothing of another one's tables
        foreign_access(context, Access(Surface.FUNCTION, ada), context.module_slug)


# -- SQL in every place a caller can write


INJECTIONS = [
    "'; DROP TABLE plain; --",
    '" OR 1=1 --',
    "$1",
    "%s",
    "{}",
    "\\'; SELECT pg_sleep(5); --",
    "1) OR (1=1",
    "%(x)s",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_a_value_is_a_value(here, text):
    data = here.staff
    made = data.insert("plain", {"name": text, "tags": [text]})
    data.insert("plain", {"name": "other"})
    [many] = data.insert_many("plain", [{"name": text + "2"}])
    assert made.values["name"] == text
    for pair in (("name", text), ("name[in]", text.replace(",", "")), ("tags[contains]", text)):
        found = data.list("plain", data.parse_list("plain", [pair])).records
        assert [record["id"] for record in found] == (
            [str(made.id)] if "," not in text or pair[0] != "name[in]" else []
        )
    assert len(data.list("plain", data.parse_list("plain", [("name[starts]", text)])).texts) == 2
    data.list("plain", data.parse_list("plain", [("q", text)]))
    data.update("plain", many.id, {"name": text})
    assert data.count("plain") == 3


@pytest.mark.parametrize(
    "text", [*INJECTIONS, "name; DROP TABLE plain", 'name"', "name::text", "(select 1)", "t.name", "pg_sleep(1)"]
)
@pytest.mark.parametrize(
    "parameter",
    ["{}", "{}[eq]", "name[{}]", "sort", "fields", "expand", "group", "metrics", "limit", "cursor", "count"],
)
def test_sql_in_the_place_of_a_name_is_refused(here, parameter, text):
    data = here.staff
    if "{}" in parameter:
        pair = (parameter.replace("{}", text), "1")
    else:
        pair = (parameter, f"sum:{text}" if parameter == "metrics" else text)
    parse = data.parse_aggregation if parameter in ("group", "metrics") else data.parse_list
    with pytest.raises(QueryInvalid):
        data.list("plain", parse("plain", [pair]))


@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_the_name_of_a_field_is_an_unknown_field(here, text):
    with pytest.raises(Invalid) as caught:
        here.staff.insert("plain", {text: 1})
    assert [error.code for error in caught.value.errors] == ["unknown_field"]


def test_a_query_made_by_our_own_code_is_held_to_the_same_names(here):
    for query in (
        Query(sort=(Sort('name"; DROP TABLE plain; --'),)),
        Query(sort=(Sort("token"),)),
        Query(expand=("name",)),
    ):
        with pytest.raises(QueryInvalid):
            here.staff.list("deals", query)
