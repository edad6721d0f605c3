"""Times in the reader's zone, money by its currency, sizes, names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask, g

from app.web import filters

WHEN = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)


def test_times_are_the_readers(gallery: Flask) -> None:
    with gallery.app_context():
        assert filters.exact_time(WHEN) == "1 Jul 2026, 22:30 UTC"
        g.zone, g.locale = "Europe/Berlin", "de_DE"
        assert filters.exact_time(WHEN) == "2 Juli 2026, 00:30 MESZ"
        assert filters.day(WHEN) == "2 Juli 2026"
        assert filters.input_time(WHEN) == "2026-07-02T00:30"


def test_outside_a_request_times_are_utc() -> None:
    assert filters.exact_time(WHEN) == "1 Jul 2026, 22:30 UTC"


def test_a_date_is_nobodys_zone(gallery: Flask) -> None:
    with gallery.app_context():
        g.zone = "Pacific/Auckland"
        assert filters.day(date(2026, 7, 1)) == "1 Jul 2026"


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(seconds=-10), "just now"),
        (timedelta(seconds=30), "just now"),
        (timedelta(minutes=-5), "5 minutes ago"),
        (timedelta(hours=-3), "3 hours ago"),
        (timedelta(days=2), "in 2 days"),
    ],
)
def test_relative_times(gap: timedelta, words: str) -> None:
    assert filters.ago(WHEN + gap, now=WHEN) == words


def test_a_time_element_has_the_exact_time_on_hover() -> None:
    assert filters.time_tag(WHEN, "exact") == (
        '<time datetime="2026-07-01T22:30:00+00:00" title="1 Jul 2026, 22:30 UTC">1 Jul 2026, 22:30 UTC</time>'
    )
    assert " data-ago>" in filters.time_tag(WHEN)
    assert filters.time_tag(None) == '<span class="muted">–</span>'


@pytest.mark.parametrize(
    ("units", "currency", "shown"),
    [
        (129900, "GBP", "£1,299.00"),
        (-5, "EUR", "-€0.05"),
        (1299, "JPY", "JP¥1,299"),
        (1299, "KWD", "KWD\u00a01.299"),
        (-70000, "CHF", "-CHF\u00a0700.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(units: int, currency: str, shown: str) -> None:
    assert filters.money(units, currency) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (412_000, "412 kB"),
        (9_960_000, "10 MB"),
        (3_200_000_000, "3.2 GB"),
    ],
)
def test_sizes(size: int, shown: str) -> None:
    assert filters.file_size(size) == shown


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Maya Okafor", "MO"),
        ("Ada", "A"),
        ("anne marie de vries", "AV"),
        ("", "?"),
        ("ada@example.org", "AE"),
        ("–", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert filters.initials(name) == letters


def test_numbers_and_plurals() -> None:
    assert filters.number(1284) == "1,284"
    assert filters.compact(12_700) == "12.7K"
    assert filters.percent(0.042) == "4.2%"
    assert filters.plural(1, "site") == "1 site"
    assert filters.plural(1204, "site") == "1,204 sites"
    assert filters.plural(0, "agency", "agencies") == "0 agencies"


def test_a_hue_belongs_to_a_text_and_all_are_used() -> None:
    assert filters.hue_of("Harbour Dental") == filters.hue_of("Harbour Dental")
    assert {filters.hue_of(str(n)) for n in range(200)} == set(range(1, 11))


@pytest.mark.parametrize("value", ["red", "#fff", "#12345g", "#123456;}", "#123456 ", "", "var(--x)"])
def test_only_a_plain_colour_gets_into_a_style_sheet(value: str) -> None:
    with pytest.raises(ValueError, match="not a colour"):
        filters.css_color(value)


@pytest.mark.parametrize(
    ("colour", "on"), [("#000000", "#ffffff"), ("#ffffff", "#111318"), ("#0f766e", "#ffffff"), ("#facc15", "#111318")]
)
def test_text_on_a_colour_can_be_read(colour: str, on: str) -> None:
    assert filters.on_color(colour) == on


def test_json_for_people_is_escaped_as_text_and_not_for_scripts(in_request: Flask) -> None:
    shown = in_request.jinja_env.from_string("{{ {'name': 'Müller & <Söhne>'} | as_json }}").render()
    assert shown == "{&#34;name&#34;: &#34;Müller &amp; &lt;Söhne&gt;&#34;}"
