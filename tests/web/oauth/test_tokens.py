"""The token, revocation and metadata endpoints, and what a token opens."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events.models import AuditRow
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.lib.ids import decode, encode
from app.oauth.actions import delete_application, end_earlier_secret, rotate_secret
from app.oauth.models import Application, Code, Token
from tests.support.letters import Postbox
from tests.web.oauth.conftest import BACK, VERIFIER, Flow, registered, s256, said, sql


def test_a_code_becomes_tokens_that_open_the_chosen_site(flow: Flow) -> None:
    answer = flow.redeem(flow.code())
    found = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (found["token_type"], found["expires_in"], found["scope"]) == ("Bearer", 3600, "read write")
    assert flow.reads(found["access_token"]) == 200
    assert flow.shop.post("/products", {"name": "Lamp"}, token=found["access_token"]).status_code == 201


def test_O3_O9_the_RFC_7636_appendix_B_vector(server_flow: Flow) -> None:
    assert s256(VERIFIER) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert server_flow.redeem(server_flow.code(), code_verifier=VERIFIER).status_code == 200


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
def test_O8_only_forms_by_post(server_flow: Flow, path: str) -> None:
    assert server_flow.api.test_client().get(path).status_code == 405
    assert said(server_flow.post(path, None, json={"grant_type": "refresh_token"})) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["password", "implicit", 'x"\\', ""])
def test_O4_O8_other_grants_do_not_exist(server_flow: Flow, kind: str) -> None:
    answer = server_flow.post("/oauth/token", {"grant_type": kind})
    assert said(answer) == (400, "unsupported_grant_type")
    assert answer.headers["Cache-Control"] == "no-store"


def test_O4_a_repeated_field_is_refused(server_flow: Flow) -> None:
    body = f"grant_type=refresh_token&client_id={server_flow.client_id}&refresh_token=a&refresh_token=b"
    answer = server_flow.post("/oauth/token", body, content_type="application/x-www-form-urlencoded")
    assert said(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    "header", ["Basic !!!", "Basic /////w==", "Basic", "Bearer x", f"Basic {base64.b64encode(b'app_x:y').decode()}"]
)
def test_O8_a_client_that_does_not_prove_itself_gets_401(server_flow: Flow, header: str) -> None:
    body = "grant_type=authorization_code&code=x"
    answer = server_flow.post(
        "/oauth/token", body, content_type="application/x-www-form-urlencoded", headers={"Authorization": header}
    )
    assert said(answer) == (401, "invalid_client")


def test_O8_basic_is_challenged_with_basic(server_flow: Flow) -> None:
    server_flow.secret = "wrong"
    answer = server_flow.post("/oauth/token", {"grant_type": "authorization_code", "code": "x"}, basic=True)
    assert (*said(answer), answer.headers["WWW-Authenticate"]) == (401, "invalid_client", 'Basic realm="Dramac"')


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": BACK + "/"}, {"redirect_uri": ""}, {"code": "dmc_ac_unknown"}, {"code_verifier": "A" * 43},
    ],
)  # fmt: skip
def test_O9_O10_a_code_is_bound_to_its_address_and_challenge(flow: Flow, change: dict[str, str]) -> None:
    code = flow.code()
    assert said(flow.redeem(**{"code": code, **change})) == (400, "invalid_grant")
    assert flow.redeem(code).status_code == 200  # who has not the verifier does not spoil it for who has


@pytest.mark.parametrize("verifier", ["", "A" * 42, "A" * 129, "A" * 42 + "/", "é" * 43])
def test_O10_a_malformed_verifier_is_refused(flow: Flow, verifier: str) -> None:
    assert said(flow.redeem(flow.code(), code_verifier=verifier)) == (400, "invalid_request")


def test_O10_no_code_is_ever_without_a_challenge(server_flow: Flow) -> None:
    """Else a verifier could be sent for a code that never had one (RFC 9700 2.1.1)."""
    code = server_flow.code()
    with pytest.raises(IntegrityError):
        sql("UPDATE external_oauth_codes SET code_challenge = NULL WHERE code_hash = :code", code=token_hash(code))


def test_O9_a_code_lasts_a_minute(server_flow: Flow) -> None:
    code = server_flow.code()
    sql("UPDATE external_oauth_codes SET expires_at = now() WHERE code_hash = :code", code=token_hash(code))
    assert said(server_flow.redeem(code)) == (400, "invalid_grant")
    with platform_scope("test"), transaction(db.session()) as session:
        row = session.query(Code).filter_by(code_hash=token_hash(server_flow.code())).one()
        assert row.expires_at - row.created_at == timedelta(seconds=60)


def test_O9_a_code_is_bound_to_its_client(server_flow: Flow) -> None:
    code = server_flow.code()
    first = server_flow.application, server_flow.secret
    server_flow.application, server_flow.secret = registered(server_flow.publisher)
    assert said(server_flow.redeem(code)) == (400, "invalid_grant")
    server_flow.application, server_flow.secret = first
    assert server_flow.redeem(code).status_code == 200


def test_O9_a_code_used_twice_ends_what_it_was_redeemed_for(flow: Flow, postbox: Postbox) -> None:
    code = flow.code()
    tokens = flow.redeem(code).get_json()
    assert said(flow.redeem(code)) == (400, "invalid_grant")
    assert flow.reads(tokens["access_token"]) == 401
    assert said(flow.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def at_once(call: Callable[[], TestResponse]) -> list[int]:
    """The answers to two equal requests of two threads, each with a connection of its own."""
    together = Barrier(2)

    def run(_: int) -> int:
        together.wait(timeout=10)
        return call().status_code

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(run, range(2)))


def test_O9_of_two_redemptions_at_once_one_succeeds(flow: Flow) -> None:
    for _ in range(3):
        code = flow.code()
        assert at_once(lambda code=code: flow.redeem(code)) == [200, 400]  # type: ignore[misc]
    assert len(flow.grants()) == 3


def test_O11_two_refreshes_at_once_never_leave_two_branches(flow: Flow) -> None:
    for _ in range(3):
        token = flow.tokens()["refresh_token"]
        assert at_once(lambda token=token: flow.refresh(token)) == [200, 400]  # type: ignore[misc]
    assert [grant.revoked_at is not None for grant in flow.grants()] == [True] * 3


def test_O11_refresh_tokens_rotate(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).get_json()
    third = flow.refresh(second["refresh_token"]).get_json()
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert flow.reads(third["access_token"]) == 200


def test_O11_a_used_refresh_token_ends_the_family_and_tells_the_person(flow: Flow, postbox: Postbox) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).get_json()
    assert said(flow.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert said(flow.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert [flow.reads(one["access_token"]) for one in (first, second)] == [401, 401]
    with platform_scope("test"), transaction(db.session()) as session:
        rows = session.query(AuditRow).filter_by(agency_id=flow.shop.site.agency_id, action="access.token_reused").all()
    assert [row.target for row in rows] == [flow.grants()[0].public_id]
    letters = postbox.to(flow.shop.ada.email)
    assert [str(letter["Subject"]) for letter in letters] == ["Ledger was shut out of " + flow.shop.site.name]


def test_O11_scope_only_narrows(flow: Flow) -> None:
    token = flow.tokens(scopes=["read"])["refresh_token"]
    assert said(flow.refresh(token, scope="read write")) == (400, "invalid_scope")
    assert flow.refresh(token, scope="read").get_json()["scope"] == "read"


def test_O11_refresh_tokens_end_idle_after_30_days_and_grants_after_90(flow: Flow) -> None:
    tokens = flow.tokens()
    grant = flow.grants()[0]
    with platform_scope("test"), transaction(db.session()) as session:
        row = session.query(Token).filter_by(token_hash=token_hash(tokens["refresh_token"])).one()
        assert row.expires_at - row.created_at == timedelta(days=30)
        assert timedelta(days=90) <= grant.expires_at - grant.created_at < timedelta(days=90, minutes=2)
    sql("UPDATE external_oauth_grants SET expires_at = now() + interval '100 s' WHERE id = :id", id=grant.id)
    assert 90 <= flow.refresh(tokens["refresh_token"]).get_json()["expires_in"] <= 100
    sql("UPDATE external_oauth_tokens SET expires_at = now() WHERE grant_id = :id", id=grant.id)
    assert flow.reads(tokens["access_token"]) == 401


@pytest.mark.parametrize(
    "happening",
    [
        "UPDATE users SET disabled_at = now() WHERE id = :user",
        "UPDATE users SET password_changed_at = now() WHERE id = :user",
        "DELETE FROM memberships WHERE user_id = :user",
        "UPDATE agencies SET suspended_at = now() WHERE id = :publisher",
        "UPDATE external_oauth_clients SET deleted_at = now() WHERE id = :client",
    ],
)
def test_O12_tokens_end_at_once_with_what_they_rest_on(server_flow: Flow, happening: str) -> None:
    """A new password ends them too: whoever knew the old one may have been the one who consented."""
    flow, tokens = server_flow, server_flow.tokens()
    assert flow.reads(tokens["access_token"]) == 200
    names = {"user": flow.shop.ada.id, "publisher": flow.publisher.agency_id, "client": flow.application.id}
    sql(happening, **names)
    assert flow.reads(tokens["access_token"]) == 401
    assert flow.refresh(tokens["refresh_token"]).status_code in (400, 401)


def test_O12_nothing_is_stored_in_clear(server_flow: Flow) -> None:
    code = server_flow.code()
    shown = [code, *(value for name, value in server_flow.redeem(code).get_json().items() if name.endswith("_token"))]
    with platform_scope("test"), transaction(db.session()) as session:
        for table in ("clients", "grants", "codes", "tokens"):
            kept = str(session.execute(text(f"SELECT t::text FROM external_oauth_{table} t")).all())
            assert [one for one in [*shown, server_flow.secret] if one in kept] == []
        assert {len(one) for one in shown} == {len("dmc_at_") + 43}  # 256 random bits


def test_O12_the_role_of_the_person_bounds_the_token(server_flow: Flow) -> None:
    token = server_flow.tokens()["access_token"]
    sql("UPDATE memberships SET role = 'viewer' WHERE user_id = :user", user=server_flow.shop.ada.id)
    assert server_flow.reads(token) == 200
    refused = server_flow.shop.post("/products", {"name": "Lamp"}, token=token)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (
        403, 'Bearer realm="Dramac", error="insufficient_scope", scope="write"',
    )  # fmt: skip


def test_O13_two_secrets_are_valid_while_one_is_changed(server_flow: Flow) -> None:
    flow, first = server_flow, server_flow.secret

    def on_application(act: Callable[..., str | None]) -> str:
        publisher = flow.publisher
        with tenant_scope(publisher.agency_id, user_id=publisher.id), transaction(db.session()) as session:
            return act(session, session.get_one(Application, flow.application.id)) or ""

    second = on_application(lambda s, a: rotate_secret(s, application=a, by=flow.publisher.actor, now=utcnow()))
    for flow.secret in (first, second):
        assert flow.tokens()["scope"] == "read write"
    on_application(lambda s, a: end_earlier_secret(s, application=a, by=flow.publisher.actor))
    flow.secret = first
    assert said(flow.redeem(flow.code())) == (401, "invalid_client")
    on_application(lambda s, a: delete_application(s, application=a, by=flow.publisher.actor, now=utcnow()))
    flow.secret = second
    assert said(flow.refresh("dmc_rt_x")) == (401, "invalid_client")


def test_O13_basic_credentials_are_form_url_decoded(server_flow: Flow) -> None:
    secret = "".join(f"%{ord(char):02X}" for char in server_flow.secret)
    code, plain = server_flow.code(), server_flow.secret
    server_flow.secret = secret
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert server_flow.post("/oauth/token", body, basic=True).status_code == 200
    assert plain != secret


def test_O14_an_application_without_refresh_gets_none(server_flow: Flow) -> None:
    server_flow.application, server_flow.secret = registered(server_flow.publisher, refresh=False)
    assert server_flow.tokens().keys() == {"token_type", "access_token", "expires_in", "scope"}
    assert said(server_flow.refresh("dmc_rt_x")) == (400, "unauthorized_client")


def test_O14_a_client_id_never_looks_like_a_person(server_flow: Flow) -> None:
    assert server_flow.client_id == encode("app", decode("app", server_flow.client_id))
    assert not server_flow.client_id.startswith("usr_")
