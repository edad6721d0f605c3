"""Keys, visitors, agents, the queue: what is let in and what is kept of it."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from app.analytics import visitors, writing
from app.analytics.agents import language_of, read_agent
from app.analytics.forms import read_batch
from app.analytics.keys import LASTS_S, PageKey, make_key, read_key
from app.analytics.visitors import SALT, forget_salts, visitor_of
from app.analytics.writing import EventQueue, Happened
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import Invalid
from app.lib.crypto import sign
from app.queue.enqueue import redis
from tests.unit.analytics.conftest import Count, Counted

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEYS = ("first key of the tests, long enough", "an earlier key of the tests, as long")
_KIT = "AppleWebKit"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
KEY = PageKey(uuid4(), "1.2.0", "contact", "n0nce", False, "frame", "shop.example", "", NOW)


def test_a_key_says_which_page_of_which_version_it_is_for() -> None:
    assert read_key(KEYS, make_key(KEYS, KEY), now=NOW + timedelta(seconds=LASTS_S - 1)) == KEY
    assert read_key(KEYS, make_key(KEYS[1:], KEY), now=NOW) == KEY  # signed before the keys were changed


def _tampered(text: str) -> str:
    body, _, signature = text.removeprefix("dmc_ak_").partition(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["ver"] = "9.0.0"
    return f"dmc_ak_{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.{signature}"


def _signed_as(text: str, purpose: str) -> str:
    head = text.split(".")[0]
    return f"{head}.{sign(KEYS[0], purpose, head.removeprefix('dmc_ak_').encode())}"


@pytest.mark.parametrize(
    "spoil",
    [
        _tampered, lambda key: key[:-1], lambda key: key + "A", lambda key: key.replace("dmc_ak_", "dmc_et_"), lambda key: "",
        lambda key: key.split(".")[0], lambda key: _signed_as(key, "dmc_es"),
        lambda key: make_key(("a stranger's key, which is long as well",), KEY), lambda key: "é" + key, lambda key: "A" * 5000,
    ],
)  # fmt: skip
def test_any_other_key_is_none(spoil: Any) -> None:
    assert read_key(KEYS, spoil(make_key(KEYS, KEY)), now=NOW) is None


def test_a_key_runs_out() -> None:
    assert read_key(KEYS, make_key(KEYS, KEY), now=NOW + timedelta(seconds=LASTS_S)) is None
    assert read_key(KEYS, make_key(KEYS, KEY), now=NOW - timedelta(minutes=5)) is None


def test_a_visitor_is_the_same_all_day_and_on_one_site(wired: object) -> None:
    site = uuid4()
    first = visitor_of(site, "192.0.2.7", FIREFOX, now=NOW)
    assert visitor_of(site, "192.0.2.7", FIREFOX, now=NOW + timedelta(hours=11)) == first
    others = {
        visitor_of(site, "192.0.2.8", FIREFOX, now=NOW), visitor_of(site, "192.0.2.7", FIREFOX + "!", now=NOW),
        visitor_of(uuid4(), "192.0.2.7", FIREFOX, now=NOW), visitor_of(site, "192.0.2.7", FIREFOX, now=NOW + timedelta(days=1)),
    }  # fmt: skip
    assert len(others | {first}) == 5
    # a device keeps its network, not its address within it
    assert visitor_of(site, "2001:db8::1", FIREFOX, now=NOW) == visitor_of(site, "2001:db8::2", FIREFOX, now=NOW)
    assert visitor_of(site, "2001:db8::1", FIREFOX, now=NOW) != visitor_of(site, "2001:db8:0:1::1", FIREFOX, now=NOW)


def test_the_salt_of_a_day_that_is_over_is_gone(wired: object) -> None:
    now = datetime.now(UTC)
    today, before = f"{SALT}{now.date()}", f"{SALT}{(now - timedelta(days=1)).date()}"
    redis().set(before, b"x" * 32)
    visitor_of(uuid4(), "192.0.2.7", FIREFOX, now=now)
    assert 0 < redis().ttl(today) <= 86_400 + visitors.GRACE_S
    assert forget_salts(now=now) >= 1
    assert (redis().exists(before), redis().exists(today)) == (0, 1)
    visitor_of(uuid4(), "192.0.2.7", FIREFOX, now=now + timedelta(days=1))
    assert list(visitors._kept) == [(now + timedelta(days=1)).date().isoformat()]
    redis().delete(f"{SALT}{(now + timedelta(days=1)).date()}")


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (FIREFOX, ("computer", "Firefox", "Linux")),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_KIT}/605.1 Version/18 Mobile Safari/604",
         ("phone", "Safari", "iPhone")),
        (f"Mozilla/5.0 (Linux; Android 15; SM-X910) {_KIT}/537.36 Chrome/140.0 Safari/537.36", ("tablet", "Chrome", "Android")),
        (f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {_KIT}/537 Chrome/140.0 Mobile Safari/537", ("phone", "Chrome", "Android")),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KIT}/537 Chrome/140 Safari/537 Edg/140", ("computer", "Edge", "Windows")),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604",
         ("tablet", "Safari", "iPad")),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", None),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", None),
        (f"Mozilla/5.0 (X11; Linux x86_64) {_KIT}/537.36 HeadlessChrome/140.0.0.0 Safari/537.36", None),
        ("facebookexternalhit/1.1", None), ("curl/8.5.0", None), ("python-requests/2.32", None), ("", None), ("\x00" * 50, None),
    ],
)  # fmt: skip
def test_programs_and_what_people_look_with(agent: str, kind: tuple[str, str, str] | None) -> None:
    assert read_agent(agent) == kind


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("pt-PT,pt;q=0.9,en;q=0.8", "pt"), ("en", "en"), ("*", ""), ("", ""), ("FR;q=1", "fr"), ("xxxxx", "")],
)  # fmt: skip
def test_the_first_language_counts(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


GOOD: dict[str, Any] = {"key": "k", "events": [{"event": "mount", "n": 0}]}


@pytest.mark.parametrize(
    "events",
    [
        [], "x", [{"event": "view", "n": 0}], [{"event": "submit", "n": 0}], [{"event": "mount"}], [{"event": "mount", "n": 256}],
        [{"event": "mount", "n": -1}], [{"event": "mount", "n": "1"}], [{"event": "mount", "n": 0, "email": "a@b.example"}],
        [{"event": "click", "n": 0}], [{"event": "click", "n": 0, "name": "Buy <now>"}], [{"event": "mount", "n": 0, "name": "x"}],
        [{"event": "time", "n": 0, "value": 1.5}], [{"event": "time", "n": 0, "value": 10**9}],
        [{"event": "start", "n": 0, "value": 3}],
        [{"event": "mount", "n": 0, "ago": -5}], [{"event": "mount", "n": i % 256} for i in range(51)],
    ],
)  # fmt: skip
def test_what_is_not_in_the_schema_is_refused(events: Any) -> None:
    with pytest.raises(Invalid):
        read_batch(json.dumps({**GOOD, "events": events}).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 20_000, b'{"key": "k", "events": [], "more": 1}']
)
def test_what_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_batch(body)


def test_what_an_error_says_is_kept_without_secrets() -> None:
    told = read_batch(
        json.dumps(
            {**GOOD, "events": [{"event": "error", "n": 1, "name": "No\n token dmc_sk_abcdefghijklmnop1234"}]}
        ).encode()
    )
    assert told.events[0].words.startswith("No token ")
    assert "abcdefgh" not in told.events[0].words


def _happened(counted: Counted, event: str = "view", **more: Any) -> Happened:
    values: dict[str, Any] = {
        "at": datetime.now(UTC), "agency_id": counted.site.agency_id, "site_id": counted.site.id,
        "install_id": counted.install.id, "module_id": counted.install.released.module_id,
        "event": event, "name": "", "version": "1", "page": "contact",
        "page_id": None, "visitor": 5, "value": 0, "surface": "frame", "place": "", "referrer": "",
        "language": "en", "country": "", "user_agent": FIREFOX,
    }  # fmt: skip
    return Happened(**(values | more))


def _written(counted: Counted) -> list[tuple[Any, ...]]:
    return counted.ask(
        "SELECT event, page, device FROM module_analytics_events WHERE site_id = :site ORDER BY event, page"
    )


def test_the_queue_keeps_people_and_drops_programs_and_repeats(counted: Count) -> None:
    here, queue = counted(), EventQueue()
    queue.add(_happened(here))
    queue.add(_happened(here))  # the same page again at once
    queue.add(_happened(here, page="thanks"))
    queue.add(_happened(here, visitor=6))
    queue.add(_happened(here, "click"))
    queue.add(_happened(here, "click"))
    queue.add(_happened(here, visitor=7, user_agent="Mozilla/5.0 (compatible; Googlebot/2.1)"))
    queue.stop()
    assert _written(here) == [
        ("click", "contact", "computer"), ("click", "contact", "computer"), ("view", "contact", "computer"),
        ("view", "contact", "computer"), ("view", "thanks", "computer"),
    ]  # fmt: skip
    queue.add(_happened(here, page="late"))  # an answer that was made while the process stopped
    assert ("view", "late", "computer") in _written(here)


def test_what_the_database_does_not_take_waits(
    counted: Count, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here, queue = counted(), EventQueue()
    through = writing.write_rows

    def away(*given: Any) -> None:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(writing, "write_rows", away)
    queue.add(_happened(here))
    with caplog.at_level(logging.CRITICAL):
        queue.flush()
    assert _written(here) == []
    monkeypatch.setattr(writing, "write_rows", through)
    queue.stop()
    assert _written(here) == [("view", "contact", "computer")]


def test_a_full_queue_drops_and_counts(counted: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST_QUEUED", 3)
    here, queue = counted(), EventQueue()
    queue.every_s = 60
    for number in range(4):
        queue.add(_happened(here, page=f"p{number}"))
    assert (queue.dropped, queue.queued) == (1, 3)
    queue.stop()
    assert [page for _, page, _ in _written(here)] == ["p0", "p1", "p2"]


def test_no_address_is_in_any_table(counted: Count) -> None:
    """What a visit leaves behind holds neither its address nor the words of its browser."""
    here, queue = counted(), EventQueue()
    queue.add(_happened(here, visitor=visitor_of(here.site.id, "198.51.100.77", FIREFOX, now=datetime.now(UTC))))
    queue.stop()
    with platform_scope("test"), transaction(db.session()) as session:
        tables = session.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
                "AND relname LIKE 'module_analytics%' AND NOT relispartition"
            )
        ).all()  # fmt: skip
        kinds = session.scalars(
            text("SELECT DISTINCT data_type FROM information_schema.columns WHERE table_name LIKE 'module_analytics%'")
        ).all()
        kept = " ".join(
            str(row) for table in tables for row in session.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t"))
        )
    assert "inet" not in kinds
    assert "198.51.100.77" not in kept
    assert "Gecko" not in kept
