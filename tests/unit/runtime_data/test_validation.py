"""Each wrong value with its sentence, all of them at once; each right one in the form it is kept in."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from app.errors import Invalid
from app.runtime.data import Access, Data, Surface
from app.runtime.validation.texts import slug_from

BASE = {"name": "Boat"}
FILE = {"id": "0190a0a0-0000-7000-8000-000000000001", "name": "a.pdf", "type": "application/pdf", "size": 10}
DEEP: list = []
for _ in range(25):
    DEEP = [DEEP]


def errors(call, *args):
    with pytest.raises(Invalid) as caught:
        call(*args)
    return [(error.pointer, error.code) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", None, "required"),
        ("name", "", "required"),
        ("name", "   ", "required"),
        ("name", 7, "value"),
        ("name", "x", "min"),
        ("name", "x" * 161, "max"),
        ("name", "two\nlines", "value"),
        ("name", "a\x00b", "value"),
        ("name", "\ud800", "value"),
        ("body", ["x"], "value"),
        ("handle", "Not A Slug", "value"),
        ("handle", "a--b", "value"),
        ("email", "nobody", "value"),
        ("email", "a@b", "value"),
        ("email", "a@b.c\nBcc: x@y.z", "value"),
        ("phone", "12", "value"),
        ("phone", "call me", "value"),
        ("phone", "912345678", "value"),  # the site's locale has no country
        ("site", "javascript:alert(1)", "value"),
        ("site", "ftp://example.com", "value"),
        ("site", "https://", "value"),
        ("site", "https://exa mple.com", "value"),
        ("site", "https://example.com:port", "value"),
        ("pieces", "3", "value"),
        ("pieces", 1.5, "value"),
        ("pieces", True, "value"),
        ("pieces", -1, "min"),
        ("pieces", 1000001, "max"),
        ("pieces", 2**70, "value"),
        ("weight", "1.2345", "scale"),
        ("weight", "heavy", "value"),
        ("weight", "1e400", "value"),
        ("weight", float("nan"), "value"),
        ("weight", "9" * 35, "max"),
        ("weight", "1" + "0" * 30, "max"),
        ("weight", "9" * 30 + ".1234", "scale"),
        ("amount", -1, "min"),
        ("amount", "12.50", "value"),
        ("probability", "lots", "value"),
        ("hot", "yes", "value"),
        ("due", "14.03.2026", "value"),
        ("due", "2026-02-30", "value"),
        ("at_time", "25:00", "value"),
        ("closed_at", "2026-03-14T10:00:00", "value"),
        ("closed_at", "now", "value"),
        ("takes", "1h", "value"),
        ("status", "Open", "option"),
        ("tags", "a,b", "value"),
        ("tags", [1], "value"),
        ("tags", [f"t{number}" for number in range(101)], "max"),
        ("color", "red", "value"),
        ("color", "#12345", "value"),
        ("stars", 0, "range"),
        ("stars", 6, "range"),
        ("address", "Main Street", "value"),
        ("address", {"street": "x"}, "value"),
        ("address", {"country": "Portugal"}, "value"),
        ("address", {"country": "XX"}, "value"),
        ("place", {"lat": 91, "lng": 0}, "value"),
        ("place", {"lat": 1}, "value"),
        ("place", [1, 2], "value"),
        ("attachment", "x", "value"),
        ("attachment", {**FILE, "url": "http://x"}, "value"),
        ("attachment", {"name": "a.pdf"}, "value"),
        ("attachment", FILE, "unknown_file"),
        ("papers", [FILE] * 2, "twice"),
        ("papers", [{"id": f"0190a0a0-0000-7000-8000-{n:012}"} for n in range(101)], "max"),
        ("extra", {"a": "x" * 70_000}, "max"),
        ("extra", DEEP, "max"),
        ("extra", {"a": "\x00"}, "value"),
        ("extra", {"a": float("inf")}, "value"),
        ("opening", {"monday": []}, "value"),
        ("opening", {"mon": [["17:00", "09:00"]]}, "value"),
        ("opening", {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}, "value"),
        ("opening", {"mon": [["9", "12"]]}, "value"),
        ("repeats", "every day", "value"),
        ("repeats", "FREQ=HOURLYISH", "value"),
        ("repeats", "FREQ=DAILY\nDTSTART:20260101", "value"),
        ("owner", "ada", "value"),
        ("company", "acme", "value"),
        ("labels", "x", "value"),
        ("labels", [str(FILE["id"])] * 2, "twice"),
        ("token", "x" * 4001, "max"),
        ("number", "D-1", "read_only"),
        ("expected", 5, "read_only"),
        ("id", str(FILE["id"]), "read_only"),
        ("site_id", str(FILE["id"]), "read_only"),
        ("version", 9, "read_only"),
        ("created_by", "usr_x", "read_only"),
        ("custom", {}, "read_only"),
        ("nmae", "x", "unknown_field"),
        ("lost_why", "because", "hidden"),
    ],
)
def test_a_wrong_value_is_refused_under_its_name(here, field, value, code):
    assert errors(here.staff.insert, "deals", {**BASE, field: value}) == [(f"/{field}", code)]
    assert (here.staff.count("deals"), here.events()) == (0, [])


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("name", "  Boat  ", "Boat"),
        ("body", '<p onclick="x()">Hi <script>alert(1)</script><a href="javascript:x">l</a></p>',
         '<p>Hi <a rel="noopener noreferrer">l</a></p>'),
        ("handle", "a-b-2", "a-b-2"),
        ("email", " Ada@EXAMPLE.com ", "Ada@example.com"),
        ("phone", "+351 912 345 678", "+351912345678"),
        ("site", "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("weight", "1.5", 1.5),
        ("weight", 2, 2),
        ("hot", False, False),
        ("closed_at", "2026-03-14T10:00:00+02:00", "2026-03-14T08:00:00.000000Z"),
        ("tags", [" a ", "a", "b", ""], ["a", "b"]),
        ("color", "#AABBCC", "#aabbcc"),
        ("address", {"line1": " Main St ", "city": "", "country": "pt"}, {"line1": "Main St", "country": "PT"}),
        ("extra", [1, {"a": None}], [1, {"a": None}]),
        ("extra", False, False),
        ("opening", {"tue": [["13:00", "24:00"], ["09:00", "12:00"]], "mon": []},
         {"tue": [["09:00", "12:00"], ["13:00", "24:00"]]}),
        ("repeats", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270101T000000Z", "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270101T000000Z"),
        ("internal", "for staff", "for staff"),
        ("email", "", None),
    ],
)  # fmt: skip
def test_a_right_value_is_kept_in_one_form(here, field, value, kept):
    made = here.staff.insert("deals", {**BASE, field: value})
    assert made.values[field] == kept
    assert here.staff.get("deals", made.id).values[field] == kept
    assert here.staff.update("deals", made.id, {field: value}).version == 1


@pytest.mark.parametrize("value", ["9" * 30 + ".125", "-" + "9" * 30 + ".000"])
def test_a_number_of_thirty_digits_is_kept_exactly(here, value):
    made = here.staff.insert("deals", {**BASE, "weight": value})
    assert f'"weight":{value}' in here.staff.get("deals", made.id).text


def test_every_wrong_value_is_told_at_once(here):
    values = {"email": "x", "pieces": -1, "nope": 1, "status": "done", "place": 3}
    assert errors(here.staff.insert, "deals", values) == [
        ("/email", "value"),
        ("/pieces", "min"),
        ("/nope", "unknown_field"),
        ("/status", "option"),
        ("/place", "value"),
        ("/name", "required"),
    ]


@pytest.mark.parametrize("values", [None, [], "x", 3])
def test_a_record_is_an_object(here, values):
    assert errors(here.staff.insert, "plain", values) == [("", "type")]


def test_sentences_say_what_is_wanted(here):
    with pytest.raises(Invalid) as caught:
        here.staff.insert("deals", {"name": "Boat", "stauts": "open", "status": "opne"})
    assert [error.detail for error in caught.value.errors] == [
        'there is no field "stauts"; did you mean "status"?',
        'must be one of open, won, lost; did you mean "open"?',
    ]


def test_a_telephone_number_is_read_with_the_country_of_the_site(place):
    assert (
        place(locale="pt-PT").staff.insert("deals", {**BASE, "phone": "912 345 678"}).values["phone"] == "+351912345678"
    )


def test_defaults_and_slugs_of_new_records(here):
    values = here.staff.insert("deals", {"name": "Café Crème & Co."}).values
    assert (values["status"], values["probability"], values["hot"], values["handle"]) == (
        "open",
        50,
        False,
        "cafe-creme-co",
    )
    assert here.staff.insert("deals", {"name": "日本"}).values["handle"] is None
    assert slug_from("a" * 50 + " b", 51) == "a" * 50


def test_states_allow_only_their_moves(here):
    deal = here.staff.insert("deals", BASE)
    now = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    won = here.staff.update("deals", deal.id, {"status": "won", "closed_at": now})
    assert won.values["status"] == "won"
    assert errors(here.staff.update, "deals", deal.id, {"status": "lost", "lost_why": "x"}) == [("/status", "move")]
    assert here.staff.update("deals", deal.id, {"status": "won"}).version == 2


def test_checks_hold_for_the_record_as_it_will_be(here):
    assert errors(here.staff.insert, "deals", {**BASE, "status": "won"}) == [("/closed_at", "required")]
    deal = here.staff.insert("deals", {**BASE, "closed_at": "2026-01-01T00:00:00Z"})
    here.staff.update("deals", deal.id, {"status": "won"})
    assert errors(here.staff.update, "deals", deal.id, {"closed_at": None}) == [("/closed_at", "required")]


def test_a_field_that_is_not_shown_is_neither_needed_nor_taken(here):
    deal = here.staff.insert("deals", BASE)
    assert errors(here.staff.update, "deals", deal.id, {"lost_why": "x"}) == [("/lost_why", "hidden")]
    assert errors(here.staff.insert, "deals", {**BASE, "status": "lost"}) == [("/lost_why", "required")]
    lost = here.staff.update("deals", deal.id, {"status": "lost", "lost_why": "price"})
    assert lost.values["lost_why"] == "price"


def test_a_change_needs_only_what_it_touches(here):
    deal = here.staff.insert("deals", BASE)
    assert here.staff.update("deals", deal.id, {"amount": 1}).version == 2
    assert errors(here.staff.update, "deals", deal.id, {"name": None}) == [("/name", "required")]
    assert errors(here.staff.update, "deals", deal.id, {"id": str(uuid4()), "zzz": 1}) == [
        ("/id", "read_only"),
        ("/zzz", "unknown_field"),
    ]


def test_unique_fields_and_formulas_out_of_range(here):
    here.staff.insert("deals", {**BASE, "email": "ada@example.com"})
    assert errors(here.staff.insert, "deals", {**BASE, "email": "ada@example.com"}) == [("/email", "unique")]
    huge = {**BASE, "amount": 9_000_000_000_000_000_000, "probability": 1000}
    api = Data(here.context, Access(Surface.API, here.ada))
    with pytest.raises(Invalid):
        api.insert("deals", huge)
