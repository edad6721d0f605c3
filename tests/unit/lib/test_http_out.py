"""Outgoing calls reach public addresses only, whatever the address looks like or becomes (security.md S1 to S7)."""

from __future__ import annotations

import contextlib
import gzip
import ipaddress
import re
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.lib import http_out, judged, own, resolving
from app.lib.http_out import Egress
from app.lib.judged import OutgoingFailed, check_url

APP = Path(__file__).parents[3] / "app"


class Receiver(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
        elif self.path == "/bomb":
            body = gzip.compress(b"0" * 5_000_000)
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):  # the caller hangs up, as it should
                for _ in range(30):
                    self.wfile.write(b".")
                    time.sleep(0.1)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.headers["Host"].encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def receiver() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def egress(receiver: ThreadingHTTPServer, **options: object) -> Egress:
    return Egress(schemes=("http",), ports=(receiver.server_port,), **options)  # type: ignore[arg-type]


def url(receiver: ThreadingHTTPServer, path: str = "/", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{receiver.server_port}{path}"


def test_S1_nothing_else_in_the_product_opens_http_connections() -> None:
    imports = re.compile(r"^\s*(import|from) (requests|httpx|urllib\.request|http\.client|aiohttp|httpcore)\b", re.M)
    found = [
        str(p.relative_to(APP))
        for p in APP.rglob("*.py")
        if imports.search(p.read_text()) and not p.is_relative_to(APP / "dev")
    ]
    assert found == ["lib/http_out.py"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.8", "192.168.1.1", "198.18.0.1",
        "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "::", "::127.0.0.1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fc00::1", "fe80::1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_S3_S4_every_address_that_is_not_public_is_refused(receiver: ThreadingHTTPServer, address: str) -> None:
    client = egress(receiver, resolver=lambda host, port: [address])
    with pytest.raises(OutgoingFailed) as caught:
        client.request("GET", url(receiver, host="innocent.example"))
    assert caught.value.kind == "blocked"


@pytest.mark.parametrize("address", ["::127.0.0.1", "fec0::1", "192.0.0.8", "198.18.0.1", "240.0.0.1"])
def test_S4_what_other_guards_let_through_is_refused_as_a_literal_as_well(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(OutgoingFailed) as caught:
        Egress().request("GET", f"https://{host}/")
    assert caught.value.kind == "blocked"


def test_S7_blocked_tells_neither_by_its_words_nor_by_its_time_whether_something_is_there(
    receiver: ThreadingHTTPServer,
) -> None:
    """A name of a private address where something answers, and one where nothing does; no connection is made to either."""
    there = {"there.example": "127.0.0.1", "nothing.example": "127.0.0.77", "far.example": "10.255.255.1"}
    client = egress(receiver, resolver=lambda host, port: [there[host]])
    told: dict[str, set[tuple[str, str]]] = {name: set() for name in there}
    took: dict[str, list[float]] = {name: [] for name in there}
    seen = len(receiver.seen)  # type: ignore[attr-defined]
    for _ in range(40):
        for name in there:
            started = time.monotonic()
            with pytest.raises(OutgoingFailed) as caught:
                client.request("GET", url(receiver, host=name))
            took[name].append(time.monotonic() - started)
            told[name].add((caught.value.kind, str(caught.value)))
    assert list(told.values()) == [{("blocked", "The address is not on the public internet.")}] * 3
    middle = [statistics.median(times) for times in took.values()]
    assert max(middle) - min(middle) < 0.01  # one that waited for a connection would differ by far more
    assert receiver.seen[seen:] == []  # type: ignore[attr-defined]


def test_S6_a_name_that_is_not_answered_ends_at_the_deadline() -> None:
    asked = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        asked.wait(8)
        return ["93.184.215.14"]

    started = time.monotonic()
    with pytest.raises(OutgoingFailed) as caught:
        Egress(resolver=slow).request("GET", "https://slow.example/", timeout_s=0.5)
    assert (caught.value.kind, time.monotonic() - started < 2) == ("timeout", True)
    started = time.monotonic()
    with pytest.raises(OutgoingFailed) as caught:
        Egress(resolver=slow).certificate("slow.example", timeout_s=0.5)
    assert (caught.value.kind, time.monotonic() - started < 2) == ("timeout", True)
    asked.set()


def test_S6_questions_that_are_never_answered_use_up_their_room_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "_room", threading.BoundedSemaphore(2))
    over = threading.Event()
    stuck = Egress(resolver=lambda host, port: (over.wait(8) and []) or [])
    for _ in range(4):
        with pytest.raises(OutgoingFailed, match=r"No answer within"):
            stuck.request("GET", "https://stuck.example/", timeout_s=0.1)
    assert sum(one.name == "resolve" and one.is_alive() for one in threading.enumerate()) <= 3
    over.set()


def test_each_address_of_a_name_is_tried_within_the_time(receiver: ThreadingHTTPServer) -> None:
    """The first refuses, or swallows what is sent to it; the second answers."""
    for dead in ("127.0.0.2", "127.0.0.3"):  # nothing listens there
        client = egress(receiver, resolver=lambda host, port, dead=dead: [dead, "127.0.0.1"], allowed=["127.0.0.0/8"])
        assert client.request("GET", url(receiver, host="two.example"), timeout_s=2).status == 200
    with socket.socket() as full:  # its one place is taken, so that the next call of it is left without an answer
        full.bind(("127.0.0.4", receiver.server_port))
        full.listen(0)
        places = [socket.socket() for _ in range(3)]
        for one in places:
            one.setblocking(False)
            one.connect_ex(("127.0.0.4", receiver.server_port))
        client = egress(receiver, resolver=lambda host, port: ["127.0.0.4", "127.0.0.1"], allowed=["127.0.0.0/8"])
        started = time.monotonic()
        assert client.request("GET", url(receiver, host="two.example"), timeout_s=3).status == 200
        assert 1 < time.monotonic() - started < 3
        for one in places:
            one.close()


@pytest.mark.parametrize(
    ("names", "addresses"), [((), ("203.0.114.7",)), (("app.example.com",), ()), (("203.0.114.7", "localhost"), ())]
)
def test_S3_a_name_of_anybodys_that_stands_for_our_own_public_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], addresses: tuple[str, ...]
) -> None:
    looked: list[str] = []

    def system(host: str, port: int) -> list[str]:
        looked.append(host)
        return {"app.example.com": ["203.0.114.7", "2a00:1450::7"], "localhost": ["127.0.0.1"]}[host]

    monkeypatch.setattr(http_out, "system_resolver", system)
    monkeypatch.setitem(own._own, "process", own.OwnAddresses(names=names, addresses=addresses))
    for answer in (["203.0.114.7"], ["::ffff:203.0.114.7"], ["203.0.114.9", "203.0.114.7"]):
        client = Egress(resolver=lambda host, port, answer=answer: answer)
        with pytest.raises(OutgoingFailed, match=r"an address of the platform itself") as caught:
            client.request("GET", "https://shop.customer.example/", timeout_s=1)
        assert caught.value.kind == "blocked"
    with pytest.raises(OutgoingFailed, match=r"an address of the platform itself"):
        Egress().request("GET", "https://203.0.114.7:8443/", timeout_s=1)
    assert looked == [name for name in names if not name[0].isdigit()]  # once, not for each call
    Egress(fronts=True).backend._judge(["203.0.114.7"], None)  # the check of domains that lead to us
    known = own.own_addresses().known(lambda name: [])
    assert ipaddress.ip_address("127.0.0.1") not in known  # what is private is refused as such, and allowed as such


def test_S3_while_our_own_names_are_not_answered_what_was_known_of_them_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "KEPT_S", -1.0)
    monkeypatch.setattr(own, "RETRY_S", -1.0)
    known = own.OwnAddresses(names=["app.example.com"])

    def silent(name: str) -> list[str]:
        raise OutgoingFailed("dns", "not in time")

    found = known.known(lambda name: ["203.0.114.7"])
    assert {str(one) for one in found} == {"203.0.114.7"}
    assert known.known(silent) == found
    assert known.known(lambda name: ["203.0.114.8"]) != found


def test_S2_one_private_address_among_public_ones_is_refused(receiver: ThreadingHTTPServer) -> None:
    client = egress(receiver, resolver=lambda host, port: ["93.184.215.14", "127.0.0.1"])
    with pytest.raises(OutgoingFailed) as caught:
        client.request("GET", url(receiver, host="mixed.example"))
    assert caught.value.kind == "blocked"


def test_S2_a_name_that_turns_private_between_calls_never_reaches_loopback(receiver: ThreadingHTTPServer) -> None:
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    client = egress(receiver, resolver=lambda host, port: next(answers), allowed=["127.0.0.2/32"])
    seen = len(receiver.seen)  # type: ignore[attr-defined]
    with pytest.raises(OutgoingFailed):  # nothing listens there
        client.request("GET", url(receiver, "/rebound", host="rebind.example"), timeout_s=2)
    with pytest.raises(OutgoingFailed) as caught:
        client.request("GET", url(receiver, "/rebound", host="rebind.example"))
    assert (caught.value.kind, receiver.seen[seen:]) == ("blocked", [])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address",
    [
        "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://017700000001/", "https://localhost/",
        "https://ⓛocalhost/", "https://user@example.com/",
        "https://example.com\\@evil.example/", "https://example.com./", "https://exa mple.com/", "https://example.com%2e/",
        "http://example.com/", "ftp://example.com/", "https://example.com:22/", "https://[::1]x/", "https://-a.example/",
        "https://" + "a" * 2100 + ".example/", "https:///path", "https://example.com:99999/",
    ],
)  # fmt: skip
def test_S5_addresses_with_two_readings_are_refused(address: str) -> None:
    with pytest.raises(OutgoingFailed) as caught:
        check_url(address)
    assert caught.value.kind == "url"


@pytest.mark.parametrize("address", ["https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/"])
def test_S5_spellings_of_an_address_are_judged_as_that_address(address: str) -> None:
    with pytest.raises(OutgoingFailed) as caught:
        Egress().request("GET", address)
    assert caught.value.kind in ("url", "blocked")


def test_S6_redirects_are_answers_and_not_followed(receiver: ThreadingHTTPServer) -> None:
    answer = egress(receiver, allowed=["127.0.0.0/8"]).request("GET", url(receiver, "/redirect"))
    assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")


def test_S6_the_size_is_counted_after_decompression(receiver: ThreadingHTTPServer) -> None:
    with pytest.raises(OutgoingFailed) as caught:
        egress(receiver, allowed=["127.0.0.0/8"]).request("GET", url(receiver, "/bomb"), max_bytes=100_000)
    assert caught.value.kind == "too_large"


def test_S6_a_dripping_answer_ends_at_the_deadline(receiver: ThreadingHTTPServer) -> None:
    started = time.monotonic()
    with pytest.raises(OutgoingFailed) as caught:
        egress(receiver, allowed=["127.0.0.0/8"]).request("GET", url(receiver, "/drip"), timeout_s=0.5)
    assert (caught.value.kind, time.monotonic() - started < 2.5) == ("timeout", True)


def test_the_host_header_is_the_name_and_the_connection_goes_to_the_address(receiver: ThreadingHTTPServer) -> None:
    client = egress(receiver, resolver=lambda host, port: ["127.0.0.1"], allowed=["127.0.0.0/8"])
    answer = client.request("GET", url(receiver, host="named.example"))
    assert answer.body.decode() == f"named.example:{receiver.server_port}"


@pytest.mark.parametrize(
    ("ours", "asked", "refused"),
    [
        ("https://app.example.com", "https://app.example.com/", True),
        ("https://app.example.com", "https://APP.example.com:8443/x", True),
        ("https://app.example.com", "https://app.example.com.evil.example/", False),
        ("http://127.0.0.1:8001", "https://127.0.0.1:8443/", False),  # another server beside it, for what may call it
    ],
)
def test_S3_the_platforms_own_addresses_are_refused_before_anything_is_resolved(
    monkeypatch: pytest.MonkeyPatch, ours: str, asked: str, refused: bool
) -> None:
    monkeypatch.setattr(judged, "_own", set())
    judged.refuse_own_hosts([ours])
    resolved = []
    client = Egress(resolver=lambda host, port: resolved.append(host) or ["127.0.0.1"])  # type: ignore[func-returns-value]
    with pytest.raises(OutgoingFailed) as caught:
        client.request("GET", asked)
    assert (caught.value.kind, str(caught.value).startswith("This is an address of the platform")) == (
        "blocked",
        refused,
    )
    with pytest.raises(OutgoingFailed):
        client.certificate(judged.check_url(asked).host, port=judged.check_url(asked).port)
    assert (resolved == []) is (refused or "127.0.0.1" in asked)
