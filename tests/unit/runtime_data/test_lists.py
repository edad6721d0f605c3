"""Finding records: filters, search, order, paging, fields, references, counts, groups."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.conditions import parse_condition
from app.runtime.data import Surface
from app.runtime.query import Query, QueryInvalid, Sort


def names(data, *pairs, table="plain"):
    return [record["name"] for record in data.list(table, data.parse_list(table, pairs)).records]


@pytest.fixture
def fruit(here):
    rows = [
        {"name": "Apple pie", "amount": 5, "flag": True, "ratio": "1.5", "day": "2026-01-05",
         "kind": "a", "tags": ["x", "y"], "at": "2026-01-05T10:00:00Z"},
        {"name": "banana", "amount": 10, "flag": False, "ratio": "2", "day": "2026-01-12",
         "kind": "b", "tags": ["y"], "at": "2026-01-12T23:30:00Z"},
        {"name": "Cherry", "amount": 5, "kind": "b", "at": "2026-02-01T00:00:00Z"},
        {"name": "100% juice_x", "amount": None, "tags": []},
    ]  # fmt: skip
    here.staff.insert_many("plain", rows)
    return here


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("amount", "5")], ["Apple pie", "Cherry"]),
        ([("amount[ne]", "5")], ["100% juice_x", "banana"]),
        ([("amount[gt]", "5")], ["banana"]),
        ([("amount[gte]", "5"), ("amount[lt]", "10")], ["Apple pie", "Cherry"]),
        ([("amount[lte]", "10")], ["Apple pie", "Cherry", "banana"]),
        ([("amount[in]", "10,11")], ["banana"]),
        ([("amount[nin]", "10,11")], ["100% juice_x", "Apple pie", "Cherry"]),
        ([("amount[is]", "null")], ["100% juice_x"]),
        ([("amount[is]", "not_null")], ["Apple pie", "Cherry", "banana"]),
        ([("flag", "true")], ["Apple pie"]),
        ([("flag[is]", "null")], ["100% juice_x", "Cherry"]),
        ([("ratio[gt]", "1.49")], ["Apple pie", "banana"]),
        ([("ratio", "2.0")], ["banana"]),
        ([("day[lte]", "2026-01-05")], ["Apple pie"]),
        ([("at[gt]", "2026-01-05T10:00:00Z")], ["Cherry", "banana"]),
        ([("kind[in]", "b,c")], ["Cherry", "banana"]),
        ([("tags[contains]", "y")], ["Apple pie", "banana"]),
        ([("name[contains]", "PP")], ["Apple pie"]),
        ([("name[contains]", "%")], ["100% juice_x"]),
        ([("name[starts]", "Ch")], ["Cherry"]),
        ([("name[starts]", "ch")], []),
        ([("name[gt]", "a")], ["banana"]),
        ([("q", "PIE apple")], ["Apple pie"]),
        ([("q", "_")], ["100% juice_x"]),
        ([("q", "e r")], ["Cherry"]),
        ([("version", "1"), ("name", "Cherry")], ["Cherry"]),
        ([("amount", "5"), ("kind", "b")], ["Cherry"]),
    ],
)
def test_filters(fruit, pairs, found):
    assert names(fruit.staff, *pairs, ("sort", "name")) == found


def test_an_id_finds_its_record(fruit):
    record = fruit.staff.insert("plain", {"name": "one"})
    assert names(fruit.staff, ("id", str(record.id))) == ["one"]


def test_without_an_order_the_newest_come_first(here):
    for name in "abc":
        here.staff.insert("plain", {"name": name})
    assert names(here.staff) == ["c", "b", "a"]


def test_records_without_a_value_come_last_both_ways(fruit):
    assert names(fruit.staff, ("sort", "amount,name")) == ["Apple pie", "Cherry", "banana", "100% juice_x"]
    assert names(fruit.staff, ("sort", "-amount,name")) == ["banana", "Apple pie", "Cherry", "100% juice_x"]


def test_formulas_and_rollups_can_be_sorted_and_filtered(here):
    one, other = (here.staff.insert("companies", {"name": name}) for name in ("one", "other"))
    here.staff.insert("deals", {"name": "d1", "company": str(one.id), "amount": 3000})
    here.staff.insert("deals", {"name": "d2", "company": str(one.id), "amount": 500, "probability": 100})
    assert names(here.staff, ("sort", "-deal_sum"), table="companies") == ["one", "other"]
    assert names(here.staff, ("deal_count", "0"), table="companies") == ["other"]
    assert names(here.staff, ("big", "true"), table="companies") == ["one"]
    assert names(here.staff, ("expected[gt]", "501"), table="deals") == ["d1"]
    assert here.staff.get("companies", one.id).values["deal_sum"] == 3500
    assert here.staff.get("companies", other.id).values["deal_sum"] == 0


def test_fields_cut_the_answer_down(fruit):
    page = fruit.staff.list("plain", fruit.staff.parse_list("plain", [("fields", "amount,name"), ("name", "banana")]))
    assert [set(record) for record in page.records] == [{"id", "name", "amount"}]


def test_the_body_of_a_page(here):
    empty = here.staff.list("plain")
    assert empty.body == b'{"data":[],"has_more":false,"next_cursor":null}'
    here.staff.insert("plain", {"name": "a"})
    here.staff.insert("plain", {"name": "b"})
    query = here.staff.parse_list("plain", [("limit", "1"), ("count", "exact"), ("fields", "name")])
    page = here.staff.list("plain", query)
    body = json.loads(page.body)
    assert [record["name"] for record in body["data"]] == ["b"]
    assert (body["has_more"], body["count"], body["next_cursor"]) == (True, 2, page.next_cursor)


def test_values_of_every_kind_in_json(here):
    company = here.staff.insert("companies", {"name": "Acme"})
    label = here.staff.insert("labels", {"name": "hot"})
    given_values = {
        "name": "Boat", "weight": "12.500", "amount": 129900, "due": "2026-03-14", "at_time": "14:30",
        "closed_at": "2026-03-14T10:26:53+01:00", "takes": 90, "tags": ["a"], "stars": 4,
        "place": {"lat": 38.7, "lng": -9.1}, "extra": {"a": [1, None]}, "company": str(company.id), "labels": [str(label.id)],
        "token": "hush",
    }  # fmt: skip
    record = here.staff.insert("deals", given_values)
    text = here.staff.get("deals", record.id).text
    found = json.loads(text, parse_float=Decimal)
    assert '"weight":12.500' in text
    expected = {
        **given_values, "weight": Decimal("12.500"), "at_time": "14:30:00", "closed_at": "2026-03-14T09:26:53.000000Z",
        "place": {"lat": Decimal("38.7"), "lng": Decimal("-9.1")}, "token": {"set": True}, "version": 1, "probability": 50,
        "expected": 64950, "hot": False, "handle": "boat", "papers": [], "id": str(record.id), "body": None,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    created = datetime.fromisoformat(found["created_at"])
    assert found["created_at"].endswith("Z")
    assert abs(created - datetime.now(UTC)) < timedelta(minutes=1)


def test_expand_puts_the_record_in_the_place_of_its_id(here):
    company = here.staff.insert("companies", {"name": "Acme"})
    labels = [here.staff.insert("labels", {"name": name}) for name in ("one", "two")]
    here.staff.insert(
        "deals", {"name": "Boat", "company": str(company.id), "labels": [str(labels[1].id), str(labels[0].id)]}
    )
    query = here.staff.parse_list("deals", [("expand", "company,labels,partner")])
    [deal] = here.staff.list("deals", query).records
    assert (deal["company"]["id"], deal["company"]["name"], deal["company"]["deal_count"]) == (
        str(company.id),
        "Acme",
        1,
    )
    assert [label["name"] for label in deal["labels"]] == ["two", "one"]
    assert deal["partner"] is None


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_with_everything_is_one_round_trip_for_any_number_of_rows(here, round_trips, rows):
    company = here.staff.insert("companies", {"name": "Acme"})
    for number in range(rows):
        here.staff.insert("deals", {"name": f"d{number}", "company": str(company.id)})
    query = here.staff.parse_list("deals", [("expand", "company,labels,partner"), ("count", "exact"), ("q", "d")])
    with round_trips() as seen:
        page = here.staff.list("deals", query)
    assert (len(page.texts), page.count) == (rows, rows)
    assert seen == [3]  # the scope, the page, the count: all in one round trip
    with round_trips() as seen:
        here.staff.get("deals", json.loads(page.texts[0])["id"])
    assert seen == [2]


ROW = st.fixed_dictionaries(
    {
        "name": st.one_of(st.none(), st.sampled_from(["a", "b", "B", "é", "zz"])),
        "amount": st.one_of(st.none(), st.integers(-2, 2)),
        "flag": st.one_of(st.none(), st.booleans()),
        "day": st.one_of(st.none(), st.sampled_from(["2026-01-01", "2026-01-02"])),
        "ratio": st.one_of(st.none(), st.sampled_from(["1", "1.5", "-3"])),
    }
)
SORTS = st.lists(
    st.tuples(st.sampled_from(["name", "amount", "flag", "day", "ratio", "created_at"]), st.booleans()),
    min_size=0,
    max_size=3,
    unique_by=lambda key: key[0],
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rows=st.lists(ROW, min_size=1, max_size=14), sorts=SORTS, limit=st.integers(1, 5))
def test_pages_put_together_are_the_sorted_list(place, rows, sorts, limit):
    here = place()
    made = here.staff.insert_many("plain", rows)
    records = [record.values for record in made]
    keys = [Sort(field, descending) for field, descending in sorts]
    order = keys or [Sort("created_at", True)]
    expected = sorted(records, key=lambda record: record["id"], reverse=order[-1].descending)
    for key in reversed(order):
        present = [record for record in expected if record[key.field] is not None]
        missing = [record for record in expected if record[key.field] is None]
        number = key.field in ("amount", "ratio", "flag")
        present.sort(
            key=lambda record, key=key, number=number: float(record[key.field]) if number else record[key.field],
            reverse=key.descending,
        )
        expected = present + missing
    found, cursor = [], ""
    for _ in range(len(rows) + 2):
        page = here.staff.list("plain", Query(sort=tuple(keys), limit=limit, cursor=cursor))
        found += page.records
        cursor = page.next_cursor
        if not cursor:
            break
    assert [record["id"] for record in found] == [record["id"] for record in expected]


def test_a_cursor_belongs_to_its_list(fruit):
    data = fruit.staff
    cursor = data.list("plain", Query(limit=1, sort=(Sort("amount"),))).next_cursor
    others = [
        Query(limit=1, sort=(Sort("amount", True),), cursor=cursor),
        Query(limit=1, cursor=cursor),
        Query(limit=1, sort=(Sort("amount"),), q="a", cursor=cursor),
        Query(
            limit=1,
            sort=(Sort("amount"),),
            where=parse_condition({"amount": 5}, data.searchable("plain").columns),
            cursor=cursor,
        ),
    ]
    for query in others:
        with pytest.raises(QueryInvalid) as caught:
            data.list("plain", query)
        assert [(error.pointer, error.code) for error in caught.value.errors] == [("/cursor", "cursor")]
    with pytest.raises(QueryInvalid):
        data.list("companies", Query(limit=1, cursor=cursor))
    assert len(data.list("plain", Query(limit=3, sort=(Sort("amount"),), cursor=cursor)).texts) == 3


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "bnVsbA", "e30", "WzFd", "WyJhIiwiYiJd", "//8", "[[[["])
def test_a_made_up_cursor_is_refused(here, cursor):
    with pytest.raises(QueryInvalid):
        here.staff.list("plain", Query(cursor=cursor))


def test_groups(fruit):
    data = fruit.staff

    def groups(*pairs):
        return json.loads(data.aggregate("plain", data.parse_aggregation("plain", pairs)))

    assert groups() == [{"count": 4}]
    assert groups(("group", "kind"), ("metrics", "count,sum:amount,avg:amount")) == [
        {"kind": "a", "count": 1, "sum:amount": 5, "avg:amount": 5},
        {"kind": "b", "count": 2, "sum:amount": 15, "avg:amount": 7.5},
        {"kind": None, "count": 1, "sum:amount": 0, "avg:amount": None},
    ]
    assert groups(("metrics", "min:at,max:day,count:amount"), ("kind[is]", "not_null")) == [
        {"min:at": "2026-01-05T10:00:00.000000Z", "max:day": "2026-01-12", "count:amount": 3}
    ]
    assert groups(("group", "at/month,flag"), ("q", "an")) == [{"at/month": "2026-01-01", "flag": False, "count": 1}]
    assert groups(("group", "day/year")) == [{"day/year": "2026-01-01", "count": 2}, {"day/year": None, "count": 2}]
    assert groups(("group", "at/hour"), ("name", "banana")) == [{"at/hour": "2026-01-12T23:00:00.000000Z", "count": 1}]


def test_days_of_moments_are_those_of_the_site(place):
    lisbon, auckland = place(time_zone="Europe/Lisbon"), place(time_zone="Pacific/Auckland")
    for site in (lisbon, auckland):
        site.staff.insert("plain", {"name": "late", "at": "2026-01-12T23:30:00Z"})

    def day(site):
        return json.loads(site.staff.aggregate("plain", site.staff.parse_aggregation("plain", [("group", "at/day")])))

    assert day(lisbon) == [{"at/day": "2026-01-12", "count": 1}]
    assert day(auckland) == [{"at/day": "2026-01-13", "count": 1}]


def test_private_fields_and_secrets_are_not_there_for_programs(here):
    company = here.staff.insert("companies", {"name": "Acme", "secret_note": "under the table"})
    here.staff.insert("deals", {"name": "Boat", "token": "hush", "internal": "x", "company": str(company.id)})
    for surface in (Surface.API, Surface.PUBLIC):
        data = here.data(surface)
        [record] = data.list("companies").records
        assert "secret_note" not in record
        assert ("created_by" in record) == (surface is Surface.API)
        for word in (("secret_note", "x"), ("sort", "secret_note"), ("fields", "secret_note")):
            with pytest.raises(QueryInvalid):
                data.parse_list("companies", [word])
        assert names(data, ("q", "table"), table="companies") == []
    assert names(here.staff, ("q", "table"), table="companies") == ["Acme"]
    [deal] = here.data(Surface.API).list("deals", Query(expand=("company",))).records
    assert {"token", "internal"} & set(deal) == set()
    assert "secret_note" not in deal["company"]
    for surface in (Surface.STAFF, Surface.FUNCTION, Surface.SYSTEM):
        for word in (("token", "hush"), ("sort", "token"), ("token[starts]", "h")):
            with pytest.raises(QueryInvalid):
                here.data(surface).parse_list("deals", [word])


def test_a_function_of_the_module_reads_its_secrets_in_the_open(here):
    made = here.staff.insert("deals", {"name": "Boat", "token": "hush"})
    function = here.data(Surface.FUNCTION)
    assert function.get("deals", made.id).values["token"] == "hush"
    assert [record["token"] for record in function.list("deals").records] == ["hush"]
    assert "hush" not in function.get("deals", made.id).text
    assert made.values["token"] == {"set": True}


def test_the_first_page_of_each_group_comes_in_one_go_and_goes_on_like_a_list(here):
    rows = [{"name": f"{kind}{number}", "kind": kind or None} for kind in ("a", "b", "") for number in range(5)]
    here.staff.insert_many("plain", rows)
    data, query = here.staff, Query(sort=(Sort("name"),), limit=3)
    pages = data.list_groups("plain", query, "kind", ["b", None, "c", "a"])
    found = [[record["name"] for record in page.records] for page in pages]
    assert found == [["b0", "b1", "b2"], ["0", "1", "2"], [], ["a0", "a1", "a2"]]
    assert [page.has_more for page in pages] == [True, True, False, True]
    for page, value, rest in ((pages[0], "b", ["b3", "b4"]), (pages[1], None, ["3", "4"])):
        further = replace(data.group_query("plain", query, "kind", value), cursor=page.next_cursor)
        assert [record["name"] for record in data.list("plain", further).records] == rest
    narrowed = replace(query, where=parse_condition({"name": {"ne": "a1"}}, data.model.tables["plain"].columns), q="a")
    [page] = data.list_groups("plain", narrowed, "kind", ["a"])
    assert [record["name"] for record in page.records] == ["a0", "a2", "a3"]
    assert data.list_groups("plain", query, "kind", []) == ()


def test_groups_are_those_of_the_own_site_and_of_fields_the_caller_sees(here, there):
    there.staff.insert("plain", {"name": "theirs", "kind": "a"})
    [page] = here.staff.list_groups("plain", Query(), "kind", ["a"])
    assert page.records == []
    with pytest.raises(QueryInvalid, match="nothing"):
        here.staff.list_groups("plain", Query(), "nothing", ["a"])
