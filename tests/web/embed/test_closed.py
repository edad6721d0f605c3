"""Pages that open only with an embed token: tokens made and revoked, sessions for one origin, and nothing without them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.access.actors import SYSTEM
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.embed import api
from app.embed.actions import NewToken, create_token, revoke_token, set_closed
from app.embed.models import EmbedToken
from app.embed.tokens import SESSION_S, make_session, make_token
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.runtime.context import forget_install
from app.runtime.own_pages import give_leave
from app.runtime.pages import spam
from tests.support.domains import verified_domain
from tests.support.modules import Installed
from tests.web.embed.conftest import Visitor

Act = Callable[..., Any]
Fill = Callable[..., dict[str, str]]


@pytest.fixture
def host(enquiries: Installed) -> str:
    """A verified origin of the site."""
    name = f"shop-{uuid7().hex[-12:]}.example.com"
    verified_domain(enquiries.site, name)
    return f"https://{name}"


@pytest.fixture
def within(enquiries: Installed) -> Act:
    """Call an action with the session and the install of the test."""

    def act(action: Act, **given: Any) -> Any:
        with tenant_scope(enquiries.site.agency_id), transaction(db.session()) as session:
            return action(session, install=session.get_one(Install, enquiries.id), by=SYSTEM, now=utcnow(), **given)

    return act


@pytest.fixture
def token(enquiries: Installed, within: Act, host: str, config: Config) -> NewToken:
    """A token for a closed contact page."""
    within(set_closed, page="contact", pages=["contact"], closed=True)
    forget_install(enquiries.id)
    made: NewToken = within(
        create_token, name="Members", origins=[host], verified=[host], keys=config.secret_keys,
        expires_at=utcnow() + timedelta(days=30),
    )  # fmt: skip
    return made


def _path(install: Installed, rest: str = "contact") -> str:
    return f"/embed/{install.public_id}/{rest}"


def _ask(visitor: Visitor, install: Installed, token: str, origin: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}", "Origin": origin}
    return visitor.post(_path(install, "sessions"), None, headers=headers)


def _row(token: NewToken) -> EmbedToken:
    with tenant_scope(token.row.agency_id), transaction(db.session()) as session:
        row = session.get_one(EmbedToken, token.row.id, populate_existing=True)
        session.expunge(row)
        return row


def test_E5_a_closed_page_shows_nothing_until_a_session_opens_it(
    visitor: Visitor, enquiries: Installed, token: NewToken, host: str, fill: Fill
) -> None:
    door = visitor.get(_path(enquiries))
    assert (door.status_code, door.headers["X-Robots-Tag"]) == (200, "noindex")
    assert "Write to us" not in door.text
    assert "data-opens" in door.text
    assert f"frame-ancestors {host}" in door.headers["Content-Security-Policy"]
    assert visitor.get(_path(enquiries, "contact.html")).status_code == 404
    answer = _ask(visitor, enquiries, token.text, host)
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["expires_in"] == SESSION_S == 300
    assert answer.headers["Access-Control-Allow-Origin"] == host
    assert answer.headers["Vary"] == "Origin"
    session = {"dramac_session": answer.json["session"]}
    page = visitor.post(_path(enquiries), session)
    assert "<h1>Write to us</h1>" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    words = {"name": "Ann", "email": "ann@example.com", "message": "Hello", "answers__topic": "A"}
    unopened = visitor.post(_path(enquiries), fill(page, enquiries, **words))
    assert "data-refused" in unopened.text
    assert enquiries.records("enquiries") == []
    sent = visitor.post(_path(enquiries), {**fill(page, enquiries, **words), **session})
    assert sent.status_code == 303
    assert [record["name"] for record in enquiries.records("enquiries")] == ["Ann"]
    row = _row(token)
    assert row.usage_count == 1
    assert row.last_used_at is not None
    assert token.text.encode() not in row.token_hash


def test_a_closed_page_stays_open_in_its_sites_own_page_as_it_was_put_there(
    visitor: Visitor, enquiries: Installed, token: NewToken, config: Config, fill: Fill
) -> None:
    def leave(now: datetime = utcnow(), **changed: Any) -> str:  # noqa: B008  # the same for all of them
        told = {"install": enquiries.public_id, "page": "contact", "params": {"form": "contact"}, **changed}
        return give_leave(config.secret_keys, now=now, **told)

    def shows(query: str, dest: str = "iframe") -> bool:
        answer = visitor.get(_path(enquiries) + f"?{query}", headers={"Sec-Fetch-Dest": dest})
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        return "<h1>Write to us</h1>" in answer.text

    good = f"form=contact&theme=auto&_page={leave()}"
    assert shows(good)
    refused = {
        "no leave": shows("form=contact&_page=1"),
        "alone in a window": shows(good, "document"),
        "with other parameters": shows(f"form=contact&accent=x&_page={leave(params={'form': 'other'})}"),
        "of another install": shows(f"form=contact&_page={leave(install='ins_' + '0' * 26)}"),
        "of another page": shows(f"form=contact&_page={leave(page='survey')}"),
        "of the day before yesterday": shows(f"form=contact&_page={leave(utcnow() - timedelta(days=2))}"),
    }
    assert refused == dict.fromkeys(refused, False)
    page = visitor.get(_path(enquiries) + f"?{good}", headers={"Sec-Fetch-Dest": "iframe"})
    assert "data-closed" not in page.text
    words = {"name": "Ann", "email": "ann@example.com", "message": "Hello", "answers__topic": "A"}
    sent = visitor.post(_path(enquiries) + f"?{good}", fill(page, enquiries, **words))
    assert (sent.status_code, "_page=" in sent.headers["Location"]) == (303, True)
    assert shows(sent.headers["Location"].partition("?")[2]) is False  # it says thank you
    assert [record["name"] for record in enquiries.records("enquiries")] == ["Ann"]


def test_E5_a_revoked_token_and_its_sessions_open_nothing(
    visitor: Visitor, enquiries: Installed, token: NewToken, host: str, within: Act
) -> None:
    answer = _ask(visitor, enquiries, token.text, host)
    assert answer.json is not None
    within(lambda db, install, by, now: revoke_token(db, token=db.get_one(EmbedToken, token.row.id), by=by, now=now))
    refused_page = visitor.post(_path(enquiries), {"dramac_session": answer.json["session"]})
    assert "data-refused" in refused_page.text
    refused = _ask(visitor, enquiries, token.text, host)
    assert refused.status_code == 401
    assert refused.json is not None
    assert refused.json["code"] == "embed_token_refused"
    assert _row(token).usage_count == 1


@pytest.mark.parametrize("origin", ["https://elsewhere.example.com", "null", "", "{host}.evil.example", "{host}:8443"])
def test_E5_only_the_tokens_own_verified_origins_get_a_session(
    visitor: Visitor, enquiries: Installed, token: NewToken, host: str, origin: str
) -> None:
    answer = _ask(visitor, enquiries, token.text, origin.replace("{host}", host))
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert _row(token).usage_count == 0


def test_E5_a_token_named_for_one_origin_does_not_work_at_another_verified_one(
    visitor: Visitor, enquiries: Installed, token: NewToken, host: str
) -> None:
    verified_domain(enquiries.site, f"also-{host.removeprefix('https://')}")
    answer = _ask(visitor, enquiries, token.text, host.replace("://", "://also-"))
    assert answer.status_code == 403
    assert answer.headers["Access-Control-Allow-Origin"] == host.replace("://", "://also-")  # it may read why


def test_E5_what_we_did_not_sign_or_for_another_install_opens_nothing(
    visitor: Visitor, enquiries: Installed, workshop: Installed, token: NewToken, host: str, config: Config
) -> None:
    soon, keys = utcnow() + timedelta(days=1), config.secret_keys
    unknown = make_token(keys, token_id=uuid7(), install_id=enquiries.id, origins=[host], expires_at=soon)
    others = make_token(keys, token_id=token.row.id, install_id=workshop.id, origins=[], expires_at=soon)
    strangers = make_token(("k" * 40,), token_id=token.row.id, install_id=enquiries.id, origins=[host], expires_at=soon)
    expired = make_token(keys, token_id=token.row.id, install_id=enquiries.id, origins=[host], expires_at=utcnow())
    changed = token.text[:40] + ("A" if token.text[40] != "A" else "B") + token.text[41:]
    for text in (unknown, others, strangers, expired, changed, "", "dmc_et_.", "dmc_et_x.y", "é", "x" * 9000):
        assert _ask(visitor, enquiries, text, host).status_code == 401, text[:60]
    assert _row(token).usage_count == 0
    sessions = [
        make_session(("k" * 40,), install_id=enquiries.id, origin=host, token_id=token.row.id, now=utcnow()),
        make_session(keys, install_id=workshop.id, origin=host, token_id=token.row.id, now=utcnow()),
        make_session(keys, install_id=enquiries.id, origin=host, token_id=uuid7(), now=utcnow()),
        make_session(keys, install_id=enquiries.id, origin="https://gone.example", token_id=token.row.id, now=utcnow()),
        make_session(keys, install_id=enquiries.id, origin=host, token_id=None, now=utcnow()),
        make_session(keys, install_id=enquiries.id, origin=host, token_id=token.row.id, now=_ago(SESSION_S)),
        token.text,
    ]  # fmt: skip
    for session in sessions:
        assert "Write to us" not in visitor.post(_path(enquiries), {"dramac_session": session}).text


def test_the_platforms_own_preview_needs_no_token(
    visitor: Visitor, enquiries: Installed, token: NewToken, config: Config
) -> None:
    own = make_session(
        config.secret_keys, install_id=enquiries.id, origin=config.platform_url, token_id=None, now=utcnow()
    )
    page = visitor.post(f"{_path(enquiries)}?_preview=1", {"dramac_session": own})
    assert "<h1>Write to us</h1>" in page.text
    assert f"frame-ancestors {config.platform_url}" in page.headers["Content-Security-Policy"]


def test_browsers_ask_first_and_only_verified_pages_are_answered(
    visitor: Visitor, enquiries: Installed, host: str
) -> None:
    def preflight(origin: str) -> TestResponse:
        return visitor._client().options(_path(enquiries, "sessions"), headers={"Origin": origin})

    answer = preflight(host)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == host
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in preflight("https://elsewhere.example.com").headers


def test_an_opened_page_is_everybodys_again(
    visitor: Visitor, enquiries: Installed, token: NewToken, within: Act
) -> None:
    within(set_closed, page="contact", pages=["contact"], closed=False)
    forget_install(enquiries.id)
    assert "<h1>Write to us</h1>" in visitor.get(_path(enquiries)).text


def _ago(seconds: int) -> datetime:
    return utcnow() - timedelta(seconds=seconds)


def test_sessions_of_one_address_are_counted(
    visitor: Visitor, enquiries: Installed, token: NewToken, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PER_MINUTE", 1)
    monkeypatch.setattr(spam.time, "time", lambda: 1_700_000_010.0)  # both in one minute
    assert _ask(visitor, enquiries, token.text, host).status_code == 201
    refused = _ask(visitor, enquiries, token.text, host)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    assert refused.headers["Access-Control-Allow-Origin"] == host  # the SDK may read when to come again
