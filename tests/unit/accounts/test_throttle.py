"""How long one has to wait after wrong passwords."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.accounts.throttle import OVERALL, PER_ADDRESS, PER_NETWORK, Recent, is_throttled, network_of, wait_after

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [(0, 0), (4, 0), (5, 2), (6, 4), (7, 8), (10, 64), (13, 512), (14, 900), (100, 900), (10**6, 900)],
)
def test_A4_waits_double_from_the_fifth_try_up_to_a_quarter_of_an_hour(tries: int, seconds: int) -> None:
    assert wait_after(tries) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:12:34ff:aaaa::1", "2001:db8:12:3400::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        (None, None),
    ],
)
def test_A4_a_network_is_a_24_or_a_56(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        (Recent(0, None, 0, 0, 0), False),
        (Recent(4, NOW, 4, 4, 4), False),
        (Recent(5, NOW - timedelta(seconds=1), 5, 5, 5), True),
        (Recent(5, NOW - timedelta(seconds=2), 5, 5, 5), False),
        (Recent(0, None, PER_ADDRESS, 0, 0), True),
        (Recent(0, None, 0, PER_NETWORK, 0), True),
        (Recent(0, None, 0, 0, OVERALL), True),
        (Recent(0, None, PER_ADDRESS - 1, PER_NETWORK - 1, OVERALL - 1), False),
    ],
)
def test_A4_account_address_network_and_everybody_are_counted(recent: Recent, expected: bool) -> None:
    assert is_throttled(recent, now=NOW) is expected
