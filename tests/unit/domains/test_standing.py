"""Where customers' hosts lead and which certificate is shown there, through the guarded client."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from app.domains.standing import Front
from app.domains.words import standing_steps
from app.lib.http_out import Egress
from app.lib.judged import OutgoingFailed
from tests.support.outside import Outside


@pytest.mark.parametrize(
    ("host", "addresses", "records"),
    [
        ("shop.example.com", (), [("CNAME", "front.example.net")]),
        ("shop.example.com", ("203.0.113.7",), [("CNAME", "front.example.net")]),
        ("example.co.uk", (), [("ALIAS", "front.example.net")]),
        ("example.co.uk", ("203.0.113.7", "2001:db8::7"), [("A", "203.0.113.7"), ("AAAA", "2001:db8::7")]),
    ],
)
def test_the_top_of_a_domain_needs_addresses_and_all_below_an_alias(
    host: str, addresses: tuple[str, ...], records: list[tuple[str, str]]
) -> None:
    assert Front("", ("203.0.113.7",)).records(host) == [("A", "203.0.113.7")]
    assert Front("front.example.net", addresses).records(host) == records


def test_a_certificate_is_read_from_what_is_presented(world_outside: Outside, host: str) -> None:
    found = world_outside.egress.certificate(host, port=world_outside.site.port)
    assert found.issuer == "Test authority"


@pytest.mark.parametrize(
    ("presented", "days", "fault"),
    [(None, -3, "expired"), ("other.com", 60, "other_host"), ("untrusted", 60, "untrusted")],
)
def test_a_certificate_that_browsers_would_refuse_says_why(
    world_outside: Outside, host: str, presented: str | None, days: int, fault: str
) -> None:
    world_outside.site.presented[host] = (host if presented in (None, "untrusted") else presented, days)
    client = world_outside.egress
    if presented == "untrusted":
        client = Egress(
            resolver=world_outside.names.resolve, allowed=["127.0.0.1/32"], ports=[world_outside.site.port],
            verify=ssl.create_default_context(),
        )  # fmt: skip
    with pytest.raises(OutgoingFailed) as caught:
        client.certificate(host, port=world_outside.site.port)
    assert (caught.value.kind, str(caught.value)) == ("tls", fault)


def test_S2_no_certificate_is_read_inside_our_network(world_outside: Outside, host: str, tmp_path: Path) -> None:
    guarded = Egress(resolver=world_outside.names.resolve, ports=[world_outside.site.port])
    with pytest.raises(OutgoingFailed) as caught:
        guarded.certificate(host, port=world_outside.site.port)
    assert caught.value.kind == "blocked"


def test_what_stands_in_the_way_of_visitors_is_said_in_words() -> None:
    found = {"standing": [
        {"host": "a.com", "address": {"state": "here", "values": []},
         "certificate": {"state": "valid", "issuer": "Let's Encrypt", "until": "2027-02-01T00:00:00+00:00"}},
        {"host": "www.a.com", "address": {"state": "elsewhere", "values": ["203.0.113.9"]}, "certificate": None},
    ]}  # fmt: skip
    assert standing_steps(found, ["a.com", "www.a.com"], running=False, when=lambda at: f"{at:%Y-%m-%d}") == [
        ("Address of a.com", "done", "It leads here."),
        ("Certificate of a.com", "done", "By Let's Encrypt, until 2027-02-01."),
        ("Address of www.a.com", "failed", "It leads to 203.0.113.9."),
        ("Certificate of www.a.com", "todo", None),
    ]
