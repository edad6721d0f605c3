"""Countries of addresses, read from a file in the MaxMind format."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.analytics.places import Countries
from tests.support.addresses import address_database

NETWORKS = {
    "198.51.100.0/24": {"country": {"iso_code": "PT", "names": {"en": "Portugal"}}},
    "203.0.113.0/25": {"country": {"iso_code": "BR"}},
    "203.0.113.64/26": {"country": {"iso_code": "DE"}},  # within the one before
    "2001:db8::/32": {"country": {"iso_code": "JP"}},
    "192.0.2.0/24": {"continent": {"code": "EU"}},
    "192.0.3.0/24": {"country": {"iso_code": 5}},
}


@pytest.fixture
def countries(tmp_path: Path) -> Countries:
    file = tmp_path / "countries.mmdb"
    file.write_bytes(address_database(NETWORKS))
    return Countries(file)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("198.51.100.0", "PT"), ("198.51.100.255", "PT"), ("198.51.101.0", ""), ("203.0.113.1", "BR"), ("203.0.113.64", "DE"),
        ("203.0.113.127", "DE"), ("203.0.113.128", ""), ("2001:db8::1", "JP"), ("2001:db9::1", ""),
        ("192.0.2.1", ""), ("192.0.3.1", ""), ("", ""), ("no address", ""), ("127.0.0.1", ""),
    ],
)  # fmt: skip
def test_the_country_where_an_address_is_registered(countries: Countries, address: str, country: str) -> None:
    assert countries.of(address) == country


def test_without_a_file_or_with_a_broken_one_nothing_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(b"no database")
    assert [Countries(path).of("198.51.100.1") for path in (None, tmp_path / "none.mmdb", broken)] == ["", "", ""]
