"""Modules as OAuth clients: connect, act, renew, break, reconnect, end. The service is a real OAuth 2.0 server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from app.access.permissions import Role
from app.connections import jobs, views
from app.connections.models import Connection
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.queue.worker import perform
from app.runtime.context import forget_install
from app.tenancy.models import Agency
from tests.support.domains import platform_domain
from tests.support.letters import Postbox
from tests.support.world import World
from tests.web.conftest import Browse
from tests.web.connections.conftest import API, Link, asked
from tests.web.oauth.conftest import sql


def states(link: Link) -> list[str]:
    return link.mia.get(link.path).texts("[id=connection-books] .status")


def renew(link: Link) -> Connection:
    """What the timed job orders, done at once; the connection afterwards."""
    row = link.row()
    perform("connections.renew", str(row.agency_id), {"connection_id": str(row.id)})
    forget_install(link.install.id)
    return link.row()


def test_a_module_connects_and_its_functions_act_in_somebodys_name(link: Link) -> None:
    assert states(link) == ["Not registered"]
    assert link.look(f"{API}/products") == {"code": "not_connected"}
    assert link.register().status == 303
    assert states(link) == ["Not connected"]
    begun = link.begin()
    assert {name: asked(begun)[name] for name in ("response_type", "client_id", "redirect_uri", "scope")} == {
        "response_type": "code", "client_id": link.client_id, "redirect_uri": "http://localhost:8000/connections/callback",
        "scope": "read",
    }  # fmt: skip
    assert (len(asked(begun)["state"]), asked(begun)["code_challenge_method"]) == (43, "S256")
    page = link.mia.get(link.agree(begun))
    assert (page.status, page.where, page.headers["Referrer-Policy"]) == (303, link.path, "no-referrer")
    assert states(link) == ["Connected"]
    assert link.look() == {"books": {"connected": True, "scopes": ["read"]}}
    assert link.look(f"{API}/products")["status"] == 200
    assert link.install.events()[-2:] == ["connection.client_changed", "connection.made"]


def test_who_connects_at_the_agencys_own_host_comes_back_there(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    host = f"desk-{uuid7().hex[-10:]}.example.org"
    platform_domain(link.install.site.agency_id, host)
    link.register()
    with monkeypatch.context() as there:
        there.setattr(views, "own_platform_host", lambda asked: host)  # where the session's cookie is
        state = asked(link.begin())["state"]
    assert state.partition(".")[2] == host
    back = link.mia.get(f"/connections/callback?code=x&state={quote(state)}")
    assert (back.status, back.headers["Referrer-Policy"]) == (303, "no-referrer")
    assert back.where == f"https://{host}/connections/answered?code=x&state={quote(state)}"
    strange = link.mia.get("/connections/callback?code=x&state=abc.evil.example.com")
    assert strange.where == "/connections/answered?code=x&state=abc.evil.example.com"


def test_what_is_sealed_under_keys_that_are_gone_can_still_be_forgotten(link: Link) -> None:
    link.connect()
    link.change(refresh_sealed="v1.gone.gone", access_sealed="v1.gone.gone")
    assert link.mia.post(f"{link.path}/books/disconnect").status == 303
    assert (link.row().state, link.row().refresh_sealed) == ("new", "")


def test_the_token_never_reaches_the_module(link: Link) -> None:
    link.connect()
    assert link.look(f"{API}/echo", headers={"authorization": "Bearer own"})["body"] == "Bearer [token]"
    sent = link.wires.sent[-1][1]["authorization"]
    assert sent.startswith("Bearer dmc_at_")
    assert sent.removeprefix("Bearer ") not in str([link.look(), link.look(f"{API}/products"), link.install.context])


@pytest.mark.parametrize(
    ("asks", "code"),
    [
        ({"url": "https://other.example.com/x"}, "not_granted"),  # it may be called, but not with this token
        ({"url": "https://elsewhere.example.com/x"}, "not_granted"),
        ({"url": f"{API}/products", "connection": "bank"}, "unknown_connection"),
        ({"url": f"{API}/products", "connection": 7}, "unknown_connection"),
    ],
)
def test_the_token_goes_to_declared_hosts_alone(link: Link, asks: dict[str, Any], code: str) -> None:
    link.connect()
    before = len(link.wires.sent)
    assert link.look(**asks) == {"code": code}
    assert len(link.wires.sent) == before


def test_what_the_site_did_not_consent_to_gets_no_token(link: Link) -> None:
    link.connect()
    link.install.change(granted={**link.install.context.granted, "connections": {}})
    assert link.look(f"{API}/products") == {"code": "not_granted"}


def test_a_version_that_means_another_service_gets_no_token(link: Link) -> None:
    link.connect()
    link.change(token_url="https://old.example.com/oauth/token")
    forget_install(link.install.id)
    assert (link.look(f"{API}/products"), states(link)) == ({"code": "not_connected"}, ["Not connected"])


def test_nothing_of_it_is_stored_in_clear(link: Link) -> None:
    link.connect()
    token = link.look(f"{API}/products") and link.wires.sent[-1][1]["authorization"].removeprefix("Bearer ")
    with platform_scope("test"), transaction(db.session()) as session:
        kept = str(session.execute(text("SELECT c::text FROM module_connections c")).all())
    assert [one for one in (token, link.secret, "dmc_rt_", "dmc_at_") if one in kept] == []


def test_the_answer_is_taken_once_in_the_browser_that_asked(link: Link, browse: Browse) -> None:
    link.register()
    back = link.agree(link.begin())
    other = browse(link.person)  # the same person, another session
    sql("UPDATE user_sessions SET id = uuidv7() WHERE user_id = :user", user=link.person.id)
    assert other.get(back).where == "/installs"
    assert link.row().state == "new"


def test_an_answer_is_used_up_and_ends_after_ten_minutes(link: Link) -> None:
    link.register()
    back = link.agree(link.begin())
    assert [link.mia.get(back).where, link.mia.get(back).where] == [link.path, "/installs"]
    link.mia.post(f"{link.path}/books/disconnect")
    late = link.agree(link.begin())
    link.change(asked_at=utcnow() - timedelta(minutes=11))
    assert [link.mia.get(late).where, link.mia.get("/connections/answered?code=x&state=").where] == ["/installs"] * 2
    assert link.row().state == "new"


def test_refusing_and_a_wrong_secret_connect_nothing(link: Link) -> None:
    link.register()
    assert link.mia.get(link.agree(link.begin(), decision="deny")).status == 303
    assert states(link) == ["Not connected"]
    link.register(**{"books-secret": "wrong"})
    assert link.mia.get(link.agree(link.begin())).status == 303
    assert states(link) == ["Not connected"]
    link.wires.silent = True
    link.register()
    assert link.mia.get(link.agree(link.begin())).status == 303
    assert states(link) == ["Not connected"]


def test_a_job_renews_the_token_before_it_ends(link: Link) -> None:
    link.connect()
    before = link.row()
    assert before.expires_at is not None
    assert before.refresh_at == before.expires_at - timedelta(minutes=5)
    jobs.due()
    assert link.row().refresh_at == before.refresh_at  # not yet
    link.change(refresh_at=utcnow())
    jobs.due()
    assert timedelta(seconds=100) < link.row().refresh_at - utcnow() < timedelta(seconds=121)  # type: ignore[operator]  # claimed
    after = renew(link)
    assert (after.state, after.refresh_sealed != before.refresh_sealed) == ("connected", True)
    assert link.look(f"{API}/products")["status"] == 200
    assert renew(link).state == "connected"  # with the rotated refresh token


def test_a_connection_that_dies_says_so_and_can_be_made_again(link: Link, postbox: Postbox) -> None:
    link.connect()
    sql("UPDATE external_oauth_grants SET revoked_at = now() WHERE site_id = :site", site=link.shop.site.id)
    assert link.look(f"{API}/products")["status"] == 401
    row = renew(link)
    assert (row.state, row.access_sealed, row.refresh_at) == ("broken", "", None)
    assert states(link) == ["Connect again"]
    assert link.look(f"{API}/products") == {"code": "not_connected"}
    letters = postbox.to(link.person.email)
    name = link.install.context.site.name
    assert [str(one["Subject"]).strip() for one in letters] == [
        f"Books link on {name} has to be connected to Ledger Books again"
    ]
    assert link.install.events()[-1] == "connection.broken"
    link.mia.get(link.agree(link.begin()))
    assert states(link) == ["Connected"]


def test_a_silent_service_is_asked_again_for_three_days(link: Link, postbox: Postbox) -> None:
    link.connect()
    link.wires.silent = True
    row = renew(link)
    assert (row.state, states(link)) == ("connected", ["No answer"])
    assert row.refresh_at is not None
    assert row.refresh_at - utcnow() < timedelta(minutes=1, seconds=1)
    assert renew(link).failing_since == row.failing_since
    link.change(expires_at=utcnow())
    forget_install(link.install.id)
    assert link.look(f"{API}/products") == {"code": "connection_expired"}
    link.wires.silent = False
    assert renew(link).failing_since is None
    assert states(link) == ["Connected"]
    link.wires.silent = True
    link.change(failing_since=utcnow() - timedelta(days=3))
    assert renew(link).state == "broken"
    assert len(postbox.to(link.person.email)) == 1


def test_disconnecting_gives_the_tokens_back(link: Link) -> None:
    link.connect()
    assert link.look(f"{API}/products")["status"] == 200
    token = link.wires.sent[-1][1]["authorization"].removeprefix("Bearer ")
    assert link.mia.post(f"{link.path}/books/disconnect").status == 303
    forget_install(link.install.id)
    assert (link.row().state, link.look(f"{API}/products")) == ("new", {"code": "not_connected"})
    assert link.shop.get("/products", token=token).status_code == 401
    assert link.install.events()[-1] == "connection.ended"


def test_connections_belong_to_who_configures_installs_of_the_agency(link: Link, world: World, browse: Browse) -> None:
    link.connect()
    vic = browse(world.person(Agency(id=link.person.agency_id), Role.VIEWER, name="Vic"))
    olga = browse(world.person(world.agency("Other Place"), name="Olga"))
    for path in ("", "/books/connect", "/books/disconnect", "/books/client"):
        answers = [one.get(link.path) if path == "" else one.post(link.path + path) for one in (vic, olga)]
        assert [one.status for one in answers] == [403, 404]
    assert [link.mia.post(f"{link.path}/bank/{act}").status for act in ("connect", "disconnect")] == [404, 404]
    with tenant_scope(world.agency("Third").id), transaction(db.session()) as session:
        assert session.query(Connection).count() == 0


@pytest.mark.parametrize("form", [{"books-client_id": ""}, {"books-client_id": "x" * 501}, {"books-client_id": " "}])
def test_a_registration_needs_its_client_id(link: Link, form: dict[str, str]) -> None:
    page = link.register(**form)
    assert (page.status, len(page.errors)) == (422, 1)
    assert link.mia.post(f"{link.path}/books/connect").status == 303  # back to the screen, which says why
    assert states(link) == ["Not registered"]
