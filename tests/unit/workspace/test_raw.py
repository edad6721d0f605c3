"""Texts of controls to values: amounts, lengths of time, moments of the site, opening hours."""

from __future__ import annotations

from typing import Any

import pytest

from app.runtime.validation.problems import Wrong
from app.workspace.exports import harmless
from app.workspace.forms.raw import Place, from_raw, read_decimal, read_duration, read_money, to_raw
from app.workspace.imports import FileUnreadable, read_sheet

LISBON = Place("EUR", "Europe/Lisbon")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1299.5", "1299.5"), ("1,299.50", "1299.50"), ("1.299,50", "1299.50"), ("1 299,5", "1299.5"), ("1,299", "1299"),
        ("12,5", "12.5"), ("-0.5", "-0.5"), ("1'299.5", "1299.5"), (".5", "0.5"), ("1,299,000", "1299000"), ("1.5", "1.5"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_of_any_country_write_them(text: str, number: str) -> None:
    assert str(read_decimal(text)) == number


@pytest.mark.parametrize("text", ["", "a lot", "1e9", "1.2.3", "NaN", "Infinity", "--1", "1,2,3", "9" * 41])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        read_decimal(text)


@pytest.mark.parametrize(
    ("text", "currency", "minor"), [("12.5", "EUR", 1250), ("1299", "JPY", 1299), ("1.234", "KWD", 1234)]
)
def test_amounts_become_minor_units_of_their_currency(text: str, currency: str, minor: int) -> None:
    assert read_money(text, currency) == minor


@pytest.mark.parametrize(("text", "currency"), [("1.005", "EUR"), ("1.5", "JPY")])
def test_an_amount_with_too_many_digits_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Wrong):
        read_money(text, currency)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:30", 5400),
        ("0:05", 300),
        ("1:30:20", 5420),
        ("-1:00", -3600),
        ("2h", 7200),
        ("1h 30m", 5400),
        ("45min", 2700),
    ],
)
def test_lengths_of_time_are_read(text: str, seconds: int) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "1:60", "soon", "1:3"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        read_duration(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("money", 129950), ("boolean", True), ("duration", 5400), ("datetime", "2026-07-01T09:00:00Z"), ("tags", ["a", "b"]),
        ("address", {"line1": "Rua 1", "country": "PT"}), ("geo", {"lat": 1.5, "lng": -2.0}), ("rrule", "FREQ=WEEKLY"),
        ("hours", {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}), ("json", {"a": [1, None]}), ("rrule", "FREQ=DAILY;COUNT=3"),
    ],
)  # fmt: skip
def test_a_value_written_into_controls_is_read_back_the_same(kind: str, value: Any) -> None:
    assert from_raw(kind, "x", to_raw(kind, "x", value, LISBON), LISBON) == value


@pytest.mark.parametrize(("text", "safe"), [("=1", "'=1"), ("\t=1", "'\t=1"), ("a=1", "a=1"), ("", ""), ("'=1", "'=1")])
def test_only_what_begins_like_a_formula_gets_an_apostrophe(text: str, safe: str) -> None:
    assert harmless(text) == safe


@pytest.mark.parametrize(
    "content",
    [
        "name,größe\r\nA,ß\r\n".encode(), "\ufeffname;größe\nA;ß".encode(), "name\tgröße\nA\tß".encode("utf-16"),
        "name;größe\nA;ß\n".encode("cp1252"),
    ],
    ids=["utf-8", "mark", "utf-16", "cp1252"],
)  # fmt: skip
def test_files_of_every_usual_kind_are_read(content: bytes) -> None:
    sheet = read_sheet(content)
    assert (sheet.headings, sheet.rows) == (("name", "größe"), ((2, ("A", "ß")),))


def test_lines_are_counted_as_the_file_has_them() -> None:
    sheet = read_sheet(b'name\n"two\nlines"\n\nlast\n')
    assert [line for line, _ in sheet.rows] == [3, 5]


def test_a_field_as_large_as_a_book_is_refused() -> None:
    with pytest.raises(FileUnreadable):
        read_sheet(b'name\n"' + b"x" * 200_000 + b'"\n')
