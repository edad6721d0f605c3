"""Short names from names."""

from __future__ import annotations

import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tenancy.slugs import PATTERN, candidates, slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Harbour Dental", "harbour-dental"),
        ("Café Zürich", "cafe-zurich"),
        ("Straße & Söhne", "strasse-sohne"),
        ("  Ada's  Garage!  ", "adas-garage"),
        ("24/7 Fitness", "fitness"),
        ("株式会社", "site"),
        ("A", "site"),
        ("x" * 60, "x" * 40),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_a_slug_is_what_people_would_write(name: str, slug: str) -> None:
    assert slug_of(name, fallback="site") == slug


@given(st.text(max_size=80))
def test_whatever_the_name_the_database_takes_the_slug_and_its_alternatives(name: str) -> None:
    for slug in islice(candidates(slug_of(name, fallback="site")), 7):
        assert re.fullmatch(PATTERN, slug), slug


def test_alternatives_are_numbered_then_random() -> None:
    found = list(candidates("harbour"))
    assert found[:4] == ["harbour", "harbour-2", "harbour-3", "harbour-4"]
    assert len(set(found)) == 7
