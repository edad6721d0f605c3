"""Which names may be somebody's domain (security.md S5, S8)."""

from __future__ import annotations

import pytest

from app.domains.hosts import HostRefused, origin_of, parse_host

OURS = ("app.dramac.io", "run.dramac-pages.net:8443", "127.0.0.1:8001")


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("shop.harbour-dental.com", "shop.harbour-dental.com"),
        ("  HTTPS://Harbour-Dental.com/contact?x=1 ", "harbour-dental.com"),
        ("harbour-dental.com.", "harbour-dental.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("praxis.xn--bcher-kva.de", "praxis.xn--bcher-kva.de"),
        ("somebody.github.io", "somebody.github.io"),
        ("dramac.io", "dramac.io"),  # above our own address: whose it is, its owner can prove
    ],
)
def test_S8_a_host_has_one_written_form(typed: str, host: str) -> None:
    assert parse_host(typed, reserved=OURS, development=False) == host


@pytest.mark.parametrize(
    "typed",
    [
        "", "com", "co.uk", "github.io", "unknowntld", "localhost", "localhost:5500", "shop.localhost", "printer.local",
        "db.internal", "x.onion", "127.0.0.1", "127.1", "0x7f.0x1", "2130706433", "[::1]", "::1", "10.0.0.1", "①②⑦.⓪.⓪.①",
        "*.example.com", "example.com:8443", "user@example.com", "a..b.com", "-a.com", "exa mple.com", "example.com%2e",
        "exam\x00ple.com", "a" * 64 + ".com", ".".join(["a" * 60] * 5) + ".com", "app.dramac.io", "x.app.dramac.io",
        "run.dramac-pages.net", "a.b.run.dramac-pages.net",
    ],
)  # fmt: skip
def test_S8_what_is_nobodys_or_ours_is_refused(typed: str) -> None:
    with pytest.raises(HostRefused):
        parse_host(typed, reserved=OURS, development=False)


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("http://localhost:5500/index.html", "http://localhost:5500"),
        ("127.0.0.1:5500", "http://127.0.0.1:5500"),
        ("shop.localhost:8001", "http://shop.localhost:8001"),
        ("[::1]:5500", "http://[::1]:5500"),
        ("harbour-dental.com", "https://harbour-dental.com"),
    ],
)
def test_in_development_this_machine_counts_too_by_plain_http(typed: str, origin: str) -> None:
    assert origin_of(parse_host(typed, reserved=OURS, development=True), development=True) == origin


def test_the_platforms_own_address_is_refused_in_development_too() -> None:
    with pytest.raises(HostRefused):
        parse_host("127.0.0.1:8001", reserved=OURS, development=True)


def test_a_row_of_this_machine_is_no_origin_in_production() -> None:
    assert origin_of("localhost:5500", development=False) is None
