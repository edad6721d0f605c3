"""Revocation, introspection, metadata, what a token opens, and which pages may ask."""

from __future__ import annotations

import logging
from time import perf_counter

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.ids import encode
from app.oauth.jobs import forget_old
from app.oauth.models import Code, Grant, Token
from tests.support.world import World
from tests.web.conftest import Browse, new_address
from tests.web.oauth.conftest import BACK, VERIFIER, Flow, answer_of, registered, said, sql

ENDS = [
    "UPDATE users SET disabled_at = now() WHERE id = :user",
    "UPDATE users SET password_changed_at = now() WHERE id = :user",
    "DELETE FROM memberships WHERE user_id = :user",
    "UPDATE agencies SET suspended_at = now() WHERE id = :agency",
    "UPDATE sites SET archived_at = now() WHERE id = :site",
]


def test_O15_revoking_a_refresh_token_ends_its_family(flow: Flow) -> None:
    tokens = flow.tokens()
    assert flow.post("/oauth/revoke", {"token": tokens["refresh_token"]}).status_code == 200
    assert flow.reads(tokens["access_token"]) == 401
    assert said(flow.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert flow.post("/oauth/revoke", {"token": tokens["refresh_token"]}).status_code == 200


def test_O15_revoking_an_access_token_ends_it_alone(flow: Flow) -> None:
    tokens = flow.tokens()
    assert (
        flow.post("/oauth/revoke", {"token": tokens["access_token"], "token_type_hint": "refresh_token"}).status_code
        == 200
    )
    assert flow.reads(tokens["access_token"]) == 401
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_O15_unknown_and_foreign_tokens_are_answered_alike_without_effect(server_flow: Flow) -> None:
    tokens = server_flow.tokens()
    server_flow.application, server_flow.secret = registered(server_flow.publisher)
    for token in (tokens["access_token"], tokens["refresh_token"], "dmc_at_unknown"):
        answer = server_flow.post("/oauth/revoke", {"token": token})
        assert (answer.status_code, answer.get_json()) == (200, {})
    assert server_flow.reads(tokens["access_token"]) == 200


def test_O15_hints_and_clients_are_checked(server_flow: Flow) -> None:
    assert said(server_flow.post("/oauth/revoke", {"token": "x", "token_type_hint": "id_token"})) == (
        400,
        "unsupported_token_type",
    )
    assert said(server_flow.post("/oauth/revoke", {})) == (400, "invalid_request")
    server_flow.secret = ""
    assert said(server_flow.post("/oauth/revoke", {"token": "x"})) == (401, "invalid_client")


def test_O16_introspection_tells_an_application_of_its_own_tokens(server_flow: Flow) -> None:
    flow, tokens = server_flow, server_flow.tokens(target=encode("ins", server_flow.shop.install_id))
    answer = flow.post("/oauth/introspect", {"token": tokens["access_token"]})
    found = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert found.pop("exp") - found.pop("iat") == 3600
    site = encode("ste", flow.shop.site.id)
    assert found == {
        "active": True, "scope": "read write", "client_id": flow.client_id, "token_type": "Bearer", "iss": "http://localhost:8000",
        "sub": encode("usr", flow.shop.ada.id), "aud": f"http://localhost:8000/sites/{site}", "site": site,
        "install": encode("ins", flow.shop.install_id),
    }  # fmt: skip
    second = flow.post("/oauth/introspect", {"token": tokens["refresh_token"], "token_type_hint": "refresh_token"})
    assert (second.get_json()["active"], second.get_json()["token_type"]) == (True, "refresh_token")


def test_O16_what_is_not_valid_is_merely_not_active(server_flow: Flow) -> None:
    flow = server_flow
    first, other, late = (flow.tokens() for _ in range(3))
    flow.refresh(first["refresh_token"])
    flow.post("/oauth/revoke", {"token": other["refresh_token"]})
    sql("UPDATE external_oauth_tokens SET expires_at = now() WHERE grant_id = :id", id=flow.grants()[2].id)
    shown = {
        "unknown": "dmc_at_unknown", "no token": "é", "a used refresh token": first["refresh_token"],
        "revoked": other["access_token"], "expired": late["access_token"], "a code": flow.code(),
    }  # fmt: skip
    found = {name: flow.post("/oauth/introspect", {"token": token}) for name, token in shown.items()}
    assert {name: (one.status_code, one.get_json()) for name, one in found.items()} == dict.fromkeys(
        shown, (200, {"active": False})
    )
    assert {one.headers["Cache-Control"] for one in found.values()} == {"no-store"}
    flow.application, flow.secret = registered(flow.publisher)
    foreign = flow.post("/oauth/introspect", {"token": first["access_token"]})
    assert (foreign.status_code, foreign.get_json()) == (200, {"active": False})


def test_O16_every_no_takes_the_same_time(server_flow: Flow) -> None:
    """Whoever could tell them apart by the clock would learn which texts were tokens once, and whose they are."""
    flow = server_flow
    first, other, late = (flow.tokens() for _ in range(3))
    flow.refresh(first["refresh_token"])
    flow.post("/oauth/revoke", {"token": other["refresh_token"]})
    sql("UPDATE external_oauth_tokens SET expires_at = now() WHERE grant_id = :id", id=flow.grants()[2].id)
    mine = flow.application, flow.secret
    flow.application, flow.secret = registered(flow.publisher)
    foreign = flow.tokens()["access_token"]
    flow.application, flow.secret = mine
    shown = {
        "unknown": "dmc_at_" + "x" * 43, "no token": "x", "used": first["refresh_token"], "revoked": other["access_token"],
        "expired": late["access_token"], "foreign": foreign,
    }  # fmt: skip
    fastest = dict.fromkeys(shown, 1.0)
    for _ in range(25):  # in turns, and the fastest of each: what else the machine does then touches none of them
        for name, token in shown.items():
            began = perf_counter()
            answer = flow.post("/oauth/introspect", {"token": token})
            fastest[name] = min(fastest[name], perf_counter() - began)
            assert answer.get_json() == {"active": False}
    assert max(fastest.values()) < 1.5 * min(fastest.values()) + 0.001, fastest


def test_O16_introspection_is_for_applications_with_a_secret(flow: Flow) -> None:
    token, public = flow.tokens()["access_token"], flow.secret == ""
    assert flow.post("/oauth/introspect", {"token": token}).status_code == (401 if public else 200)
    flow.secret = "dmc_cs_guessed"
    assert said(flow.post("/oauth/introspect", {"token": token})) == (401, "invalid_client")
    assert said(flow.post("/oauth/introspect", {"token": token}, basic=True)) == (401, "invalid_client")


@pytest.mark.parametrize("happening", ENDS)
def test_O16_a_token_is_not_active_once_what_it_rests_on_ended(server_flow: Flow, happening: str) -> None:
    flow, token = server_flow, server_flow.tokens()["access_token"]
    sql(happening, user=flow.shop.ada.id, agency=flow.shop.site.agency_id, site=flow.shop.site.id)
    assert flow.post("/oauth/introspect", {"token": token}).get_json() == {"active": False}


def test_O17_metadata_says_what_there_is_and_every_address_answers(server_flow: Flow) -> None:
    found = server_flow.api.test_client().get("/.well-known/oauth-authorization-server").get_json()
    assert found == {
        "issuer": "http://localhost:8000",
        "authorization_endpoint": "http://localhost:8000/oauth/authorize",
        "token_endpoint": "http://localhost:8000/oauth/token",
        "revocation_endpoint": "http://localhost:8000/oauth/revoke",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "introspection_endpoint": "http://localhost:8000/oauth/introspect",
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["read", "write", "delete", "events", "functions"],
        "authorization_response_iss_parameter_supported": True,
    }
    assert server_flow.ada.get(server_flow.query()).status == 200
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/introspect"):
        assert server_flow.post(path, {}).status_code == 400


def test_O18_there_is_no_dynamic_registration(server_flow: Flow) -> None:
    assert server_flow.api.test_client().post("/oauth/register", json={"redirect_uris": [BACK]}).status_code == 404
    assert server_flow.ada.post("/oauth/register").status == 404


def test_O19_a_token_in_the_address_or_the_body_is_refused(server_flow: Flow) -> None:
    token = server_flow.tokens()["access_token"]
    assert server_flow.shop.get(f"/products?access_token={token}", token="").status_code == 400
    assert server_flow.shop.get(f"/products?q={token}", token=token).status_code == 400
    assert server_flow.shop.post("/products", {"access_token": token}, token="").status_code == 400


@pytest.mark.parametrize("token", ["dmc_at_unknown", "dmc_at_"])
def test_O19_an_unknown_token_is_401_invalid_token(server_flow: Flow, token: str) -> None:
    answer = server_flow.shop.get("/products", token=token)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (
        401,
        'Bearer realm="Dramac", error="invalid_token"',
    )


def test_O19_refresh_tokens_and_codes_open_nothing(server_flow: Flow) -> None:
    tokens = server_flow.tokens()
    assert [server_flow.reads(one) for one in (tokens["refresh_token"], server_flow.code())] == [401, 401]


def test_O19_a_token_never_reads_another_site(server_flow: Flow, world: World) -> None:
    other = world.site(world.agency("Elsewhere"))
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.query(Grant).filter_by(site_id=other.id).count() == 0
    token = server_flow.tokens(target=encode("ins", server_flow.shop.install_id))["access_token"]
    assert server_flow.reads(token) == 200
    assert server_flow.shop.get("/api/modules/other/products", token=token).status_code == 404


def test_O20_each_grant_is_listed_and_can_be_revoked(flow: Flow, browse: Browse) -> None:
    token = flow.tokens()["access_token"]
    flow.reads(token)
    page = flow.ada.get("/connected-apps")
    grant = flow.grants()[0]
    assert page.ids("tbody tr") == [grant.public_id]
    assert grant.last_used_at is not None
    flow.ada.post(f"/connected-apps/{grant.public_id}/revoke")
    assert flow.reads(token) == 401
    assert flow.ada.get("/connected-apps").ids("tbody tr") == []
    assert flow.ada.get("/connected-apps?past=1").ids("tbody tr") == [grant.public_id]


def test_O20_what_is_secret_reaches_no_log_and_no_referer(server_flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    flow, code = server_flow, server_flow.code()
    tokens = flow.redeem(code).get_json()
    again = flow.refresh(tokens["refresh_token"]).get_json()
    flow.reads(again["access_token"])
    flow.post("/oauth/introspect", {"token": again["access_token"]}, basic=True)
    flow.refresh(tokens["refresh_token"])  # a reuse, which is written down
    shown = [
        code,
        VERIFIER,
        flow.secret,
        *(one[f"{kind}_token"] for one in (tokens, again) for kind in ("access", "refresh")),
    ]
    assert [one for one in shown if one in caplog.text] == []
    with platform_scope("test"), transaction(db.session()) as session:
        for table in ("external_api_requests", "events", "audit_log", "mails"):
            kept = session.execute(
                text(f"SELECT t::text FROM {table} t WHERE agency_id = :id"), {"id": flow.shop.site.agency_id}
            )
            assert [one for one in shown if one in str(kept.all())] == []


def from_page(flow: Flow, path: str, body: dict[str, str], origin: str) -> TestResponse:
    return flow.post(path, body, headers={"Origin": origin})


def test_an_application_in_a_browser_is_answered_where_it_runs_and_nowhere_else(flow: Flow) -> None:
    """CORS (security.md P2): the exact origin of the application's addresses, only without a secret, never *."""
    public, home = flow.secret == "", "https://ledger.example"
    body = {"grant_type": "refresh_token", "refresh_token": flow.tokens()["refresh_token"]}
    answers = [from_page(flow, "/oauth/token", body, one) for one in ("https://evil.example", "null", home)]
    shown = [answer.headers.get("Access-Control-Allow-Origin") for answer in answers]
    assert shown == [None, None, home if public else None]
    assert [answer.headers["Vary"] for answer in answers] == ["Origin"] * 3
    client = flow.api.test_client()
    for path in ("/oauth/token", "/oauth/revoke"):
        ask = client.options(path, headers={"Origin": home, "Access-Control-Request-Method": "POST"})
        assert (ask.status_code, ask.headers.get("Access-Control-Allow-Credentials")) == (204, None)
        foreign = client.options(path, headers={"Origin": "https://evil.example"})
        assert (foreign.status_code, foreign.headers.get("Access-Control-Allow-Origin")) == (204, None)
        if public:
            assert ask.headers["Access-Control-Allow-Origin"] == home
            assert ask.headers["Access-Control-Max-Age"] == "7200"


def test_an_application_in_a_browser_may_read_what_its_token_opens(flow: Flow) -> None:
    home, public = "https://books.example", flow.secret == ""
    flow.application, flow.secret = registered(
        flow.publisher, kind="public" if public else "confidential", redirect_uris=[f"{home}:443/back", BACK]
    )
    token = flow.tokens()["access_token"]
    answer = flow.shop.get("/products", token=token, headers={"Origin": home})
    assert answer.headers.get("Access-Control-Allow-Origin") == (home if public else None)
    ask = flow.api.test_client().options("/api/modules/shop/products", headers={"Origin": home})
    assert ask.status_code == 204
    if public:
        assert ask.headers["Access-Control-Allow-Origin"] == home


def test_guessing_ends_after_60_refusals_a_minute_from_one_address(server_flow: Flow) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "dmc_rt_guess"}
    assert [server_flow.post("/oauth/token", body).status_code for _ in range(60)] == [400] * 60
    refused = server_flow.post("/oauth/token", body)
    assert (*said(refused), refused.headers["Retry-After"]) == (429, "temporarily_unavailable", "60")
    assert server_flow.post("/oauth/introspect", {"token": "x"}).status_code == 429
    server_flow.address = new_address()
    assert server_flow.post("/oauth/token", body).status_code == 400


def test_what_is_over_is_forgotten_and_what_lives_is_kept(server_flow: Flow, app_context: None) -> None:
    tokens = server_flow.tokens()
    sql(
        "UPDATE external_oauth_codes SET expires_at = now() - interval '2 days' WHERE client_id = :id",
        id=server_flow.application.id,
    )
    forget_old()
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.query(Code).filter_by(client_id=server_flow.application.id).count() == 0
        assert session.query(Token).filter_by(client_id=server_flow.application.id).count() == 2
    assert server_flow.refresh(tokens["refresh_token"]).status_code == 200
    sql(
        "UPDATE external_oauth_grants SET revoked_at = now() - interval '8 days' WHERE client_id = :id",
        id=server_flow.application.id,
    )
    forget_old()
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.query(Token).filter_by(client_id=server_flow.application.id).count() == 0


def test_the_application_reads_the_issuer_with_the_code(server_flow: Flow) -> None:
    assert answer_of(server_flow.consent())["iss"] == "http://localhost:8000"
