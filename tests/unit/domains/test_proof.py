"""What counts as proof: the record or the tag, where they belong, with the right token (security.md S8, S9)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from app.domains.proof import PAGE_BYTES, Look, meta_tag, record_name, verification_tags
from tests.support.outside import Outside

TOKEN = "h7Jx2mPq9sTzKw4LrVbN3c8D"
RECORD = f"dramac-site-verification={TOKEN}"
TAG = meta_tag(TOKEN).encode()


def home(world: Outside, host: str, body: bytes, *, status: int = 200, path: str = "/", **headers: str) -> None:
    world.site.pages[(host, path)] = (status, headers, body)


@pytest.mark.parametrize(
    ("texts", "state", "values"),
    [
        (["v=spf1 -all", RECORD], "proven", []),
        ([f" {RECORD} "], "proven", []),
        ([RECORD[:-1]], "other", [RECORD[:-1]]),
        ([RECORD + "x"], "other", [RECORD + "x"]),
        ([TOKEN], "other", [TOKEN]),
        ([RECORD.upper()], "other", [RECORD.upper()]),
        (["x" * 300], "other", ["x" * 120]),
        ([f"{number}" * 250 for number in range(8)], "other", [f"{number}" * 120 for number in range(5)]),  # by TCP
        ([], "absent", []),
    ],
)
def test_S8_the_record_proves_with_exactly_its_token(
    world_outside: Outside, look: Look, host: str, texts: list[str], state: str, values: list[str]
) -> None:
    if texts:
        world_outside.zone.records[(record_name(host), "TXT")] = texts
    assert look.dns(host, TOKEN) == {"state": state, "values": values}


def test_S8_a_record_at_the_name_itself_proves_nothing(world_outside: Outside, look: Look, host: str) -> None:
    world_outside.zone.records[(host, "TXT")] = [RECORD]
    assert look.dns(host, TOKEN)["state"] == "absent"


@pytest.mark.parametrize(("aliases", "state"), [(5, "proven"), (6, "silent")])
def test_S8_a_record_may_be_five_aliases_away(
    world_outside: Outside, look: Look, host: str, aliases: int, state: str
) -> None:
    names = [record_name(host), *(f"a{number}.{host}" for number in range(aliases))]
    for name, alias in pairwise(names):
        world_outside.zone.records[(name, "CNAME")] = [alias]
    world_outside.zone.records[(names[-1], "TXT")] = [RECORD]
    assert look.dns(host, TOKEN)["state"] == state


def test_S8_a_name_server_in_trouble_says_nothing_either_way(world_outside: Outside, look: Look, host: str) -> None:
    world_outside.zone.broken.add(record_name(host))
    home(world_outside, host, b"<title>Shop</title>")
    assert look.dns(host, TOKEN)["state"] == "silent"
    assert [look.at(host, TOKEN, before=method).certain for method in ("dns", "meta")] == [False, True]


@pytest.mark.parametrize(
    ("page", "tags"),
    [
        (b"<!doctype html><html><head>" + TAG + b"<title>x</title></head><body></body></html>", [TOKEN]),
        (b"<title>x</title>" + TAG + b"<p>Hello", [TOKEN]),  # the head ends where the text begins
        (b"<META CONTENT='" + TOKEN.encode() + b"' NAME=dramac-site-verification>", [TOKEN]),
        (b"<head><title>x</title></head><body><p>comment: " + TAG + b"</p></body>", []),
        (b"<head></head><body>" + TAG, []),
        (b"<p>text</p><head>" + TAG + b"</head>", []),
        (b"<head><!-- " + TAG + b" --></head>", []),
        (b"<head><script>'" + TAG + b"'</script></head>", []),
        (b"<head><title>" + TAG + b"</title></head>", []),
        (b"<head><template>" + TAG + b"</template></head>", []),
        (b'<head><meta name="other" content="' + TOKEN.encode() + b'"></head>', []),
        (b'<head><meta name="dramac-site-verification"></head>', [""]),
        (b"", []),
        (b"\xff\xfe\x00<", []),
    ],
)
def test_S9_only_a_tag_within_the_head_counts(page: bytes, tags: list[str]) -> None:
    assert verification_tags(page) == tags


@pytest.mark.parametrize(
    ("body", "status", "found"),
    [
        (TAG, 200, {"state": "proven", "values": []}),
        (meta_tag("another").encode(), 200, {"state": "other", "values": ["another"]}),
        (b"<title>Shop</title>", 200, {"state": "absent", "values": []}),
        (TAG, 404, {"state": "status", "values": [], "detail": "404"}),
        (b"<head>" + b" " * (PAGE_BYTES - 6) + TAG, 200, {"state": "absent", "values": []}),
        (b"<head>" + b" " * (PAGE_BYTES - 1000) + TAG + b"</head>" + b"x" * 2_000_000, 200, {"state": "proven", "values": []}),
    ],
)  # fmt: skip
def test_S9_the_home_page_is_read_as_far_as_256_kB(
    world_outside: Outside, look: Look, host: str, body: bytes, status: int, found: dict[str, object]
) -> None:
    home(world_outside, host, body, status=status)
    assert look.meta(host, TOKEN) == found


def test_S9_a_redirect_is_followed_on_the_host_and_nowhere_else(world_outside: Outside, look: Look, host: str) -> None:
    port = world_outside.site.port
    elsewhere = f"evil-{host}"
    world_outside.zone.records[(elsewhere, "A")] = ["127.0.0.1"]
    home(world_outside, elsewhere, TAG)
    home(world_outside, host, TAG, path="/en/")
    seen = []
    for location in ("/en/", f"https://{host}:{port}/en/", f"https://{elsewhere}:{port}/", f"//{elsewhere}:{port}/", "/",
                     f"http://{host}/en/", f"https://{host}/en/", "https://[bad/"):  # fmt: skip
        home(world_outside, host, b"", status=302, Location=location)
        found = look.meta(host, TOKEN)
        seen.append((found["state"], found.get("detail")))
    assert seen == [
        ("proven", None), ("proven", None), ("moved", f"{elsewhere}:{port}"), ("moved", f"{elsewhere}:{port}"),
        ("silent", "protocol"), ("moved", host), ("moved", host), ("moved", "https://[bad/"),
    ]  # fmt: skip
    assert [one for one in world_outside.site.asked if one[0] == elsewhere] == []


@pytest.mark.parametrize(
    ("addresses", "kind"), [([], "dns"), (["10.0.0.5"], "blocked"), (["127.0.0.1", "169.254.169.254"], "blocked")]
)
def test_S2_a_home_page_inside_our_network_is_never_asked_for(
    world_outside: Outside, look: Look, host: str, addresses: list[str], kind: str
) -> None:
    world_outside.zone.records[(host, "A")] = addresses
    home(world_outside, host, TAG)
    assert look.meta(host, TOKEN) == {"state": "silent", "values": [], "detail": kind}
    assert [one for one in world_outside.site.asked if one[0] == host] == []


def test_S2_a_name_that_turns_private_between_two_checks_is_not_asked_again(
    world_outside: Outside, look: Look, host: str
) -> None:
    home(world_outside, host, TAG)
    first = look.meta(host, TOKEN)["state"]
    world_outside.egress.pool.close()  # days later
    world_outside.zone.records[(host, "A")] = ["127.0.0.53"]
    assert (first, look.meta(host, TOKEN).get("detail")) == ("proven", "blocked")
    assert world_outside.site.asked.count((host, "/")) == 1


def test_S2_a_name_server_that_turns_round_with_each_question_never_leads_into_our_network(
    world_outside: Outside, look: Look, host: str
) -> None:
    home(world_outside, host, TAG)
    world_outside.zone.turns[(host, "A")] = ["127.0.0.1", "10.0.0.5"]  # a judged address first, then one of ours
    seen = []
    for _ in range(4):
        world_outside.egress.pool.close()
        found = look.meta(host, TOKEN)
        seen.append((found["state"], found.get("detail")))
    assert seen == [("proven", None), ("silent", "blocked"), ("proven", None), ("silent", "blocked")]
    assert world_outside.site.asked.count((host, "/")) == 2


def test_in_development_a_name_of_this_machine_needs_no_proof(look: Look) -> None:
    assert replace(look, development=True).at("localhost:5500", TOKEN).method == "local"
    assert look.at("localhost:5500", TOKEN).method == ""
