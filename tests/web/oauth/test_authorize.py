"""The authorize endpoint: who is answered where, and what a person is asked."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from app.access.permissions import Role
from app.lib.ids import encode
from app.tenancy.models import Agency
from tests.support.world import World
from tests.web.accounts.test_account import join, suspend
from tests.web.conftest import Browse
from tests.web.oauth.conftest import BACK, CHALLENGE, Flow, answer_of, registered

NEAR_MISSES = [
    BACK + "/", BACK + "?a=1", "https://ledger.example/BACK", "https://x@ledger.example/back", "https://ledger.example/a/../back",
    "https://ledger.example:8443/back", "https://www.ledger.example/back", "http://ledger.example/back", BACK + "#x", "",
]  # fmt: skip


@pytest.mark.parametrize("uri", NEAR_MISSES)
def test_O1_O2_an_address_that_is_not_exactly_registered_gets_a_page_and_no_redirect(
    server_flow: Flow, uri: str
) -> None:
    for page in (server_flow.ada.get(server_flow.query(redirect_uri=uri)), server_flow.consent(redirect_uri=uri)):
        assert (page.status, page.where) == (400, None)


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("http://127.0.0.1:51004/back", 200),
        ("http://127.0.0.1/back", 200),
        ("http://127.0.0.1:51004/other", 400),
        ("http://127.0.0.1.evil.example/back", 400),
        ("http://127.0.0.1:80@evil.example/back", 400),
        ("http://127.0.0.1:99999/back", 400),
    ],
)
def test_O1_only_the_port_of_a_loopback_address_is_free(server_flow: Flow, uri: str, status: int) -> None:
    server_flow.application, _ = registered(
        server_flow.publisher, kind="public", redirect_uris=["http://127.0.0.1:7000/back"]
    )
    assert server_flow.ada.get(server_flow.query(redirect_uri=uri)).status == status


@pytest.mark.parametrize("change", [{"client_id": "app_nobody"}, {"client_id": None}, {"redirect_uri": None}])
def test_O2_an_unknown_client_or_no_address_gets_a_page(server_flow: Flow, change: dict[str, str | None]) -> None:
    page = server_flow.ada.get(server_flow.query(**change))
    assert (page.status, page.where) == (400, None)


def test_O2_a_wrong_response_type_does_not_open_a_redirect_elsewhere(server_flow: Flow) -> None:
    page = server_flow.ada.get(server_flow.query(response_type="token", redirect_uri="https://evil.example/"))
    assert (page.status, page.where) == (400, None)


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge": None}, {"code_challenge_method": None}, {"code_challenge_method": "plain"},
        {"code_challenge": None, "code_challenge_method": None}, {"code_challenge": CHALLENGE[:-1]},
        {"code_challenge": CHALLENGE + "A"}, {"code_challenge": CHALLENGE[:-1] + "="}, {"code_challenge_method": "s256"},
    ],
)  # fmt: skip
def test_O3_every_client_needs_a_challenge_with_S256(flow: Flow, change: dict[str, str | None]) -> None:
    assert answer_of(flow.arrive(flow.query(**change)))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "state", "code_challenge", "code_challenge_method", "anything"]
)
def test_O4_a_repeated_parameter_is_refused(server_flow: Flow, name: str) -> None:
    page = server_flow.arrive(server_flow.query(anything="1") + "&" + urlencode({name: "again"}))
    assert answer_of(page)["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_O4_a_repeated_client_or_address_gets_a_page(server_flow: Flow, name: str) -> None:
    page = server_flow.ada.get(server_flow.query() + "&" + urlencode({name: "again"}))
    assert (page.status, page.where) == (400, None)


@pytest.mark.parametrize("kind", ["token", "id_token", "code token", "password", 'a"b\\c'])
def test_O4_O7_the_only_response_type_is_code_and_errors_repeat_nothing(server_flow: Flow, kind: str) -> None:
    found = answer_of(server_flow.arrive(server_flow.query(response_type=kind, state="s")))
    assert found == {
        "error": "unsupported_response_type", "error_description": "The only response_type is code.",
        "iss": "http://localhost:8000", "state": "s",
    }  # fmt: skip


@pytest.mark.parametrize("scope", ["admin", "read read2", 'read "', "delete"])
def test_O14_a_scope_that_is_not_registered_is_refused(server_flow: Flow, scope: str) -> None:
    assert answer_of(server_flow.arrive(server_flow.query(scope=scope)))["error"] == "invalid_scope"


@pytest.mark.parametrize("state", ["a%20b%2Fc", "%C3%A9%2B%2B", "%FF%00%22%3Cx%3E", ""])
@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_O5_state_comes_back_byte_for_byte_with_the_issuer(server_flow: Flow, state: str, decision: str) -> None:
    page = server_flow.ada.post(
        server_flow.query(state=None) + f"&state={state}",
        {"decision": decision, "target": encode("ste", server_flow.shop.site.id), "scopes": ["read"]},
    )
    assert page.where is not None
    assert page.where.partition("&iss=")[2] == f"http%3A%2F%2Flocalhost%3A8000&state={state}"
    assert ("code" in answer_of(page)) == (decision == "allow")


def test_O5_without_a_state_none_comes_back(server_flow: Flow) -> None:
    assert answer_of(server_flow.consent(state=None)).keys() == {"code", "iss"}


def test_O6_the_answer_is_a_303_and_consent_cannot_be_framed(server_flow: Flow) -> None:
    page = server_flow.ada.get(server_flow.query())
    policy = page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in policy.split("; ")
    assert "form-action 'self' https://ledger.example https:" in policy.split("; ")
    sent = server_flow.consent()
    assert (sent.status, sent.headers["Referrer-Policy"]) == (303, "no-referrer")


def test_O6_whoever_signs_in_first_cannot_be_framed_either_and_is_never_sent_on_with_307(
    server_flow: Flow, browse: Browse
) -> None:
    visitor = browse()
    page = visitor.get(server_flow.query())
    sign_in = visitor.get(str(page.where))
    assert (page.status, sign_in.status) == (303, 200)
    assert "frame-ancestors 'none'" in sign_in.headers["Content-Security-Policy"].split("; ")
    assert sign_in.one("form input[name=csrf_token]").get("value")
    visitor.token = "forged"
    assert visitor.post("/sign-in", {"email": server_flow.shop.ada.email, "password": "x"}).status == 403


def test_O6_consent_says_who_asks_for_what_for_how_long_and_where_the_person_goes(server_flow: Flow) -> None:
    page = server_flow.ada.get(server_flow.query())
    words = " ".join(page.one("main").get_text(" ").split())
    assert page.heading == "Let Ledger into a site of Studio Lumen?"
    for shown in ("made by Ledger Works", "Read records", "Create and change records", "ledger.example", "90 days"):
        assert shown in words
    assert "Delete records" not in words


def test_O6_consent_is_asked_every_time(server_flow: Flow) -> None:
    server_flow.tokens()
    assert server_flow.ada.get(server_flow.query()).status == 200


def test_O6_consent_needs_the_csrf_token(server_flow: Flow) -> None:
    server_flow.ada.token = "forged"
    page = server_flow.consent()
    assert (page.status, page.where, server_flow.grants()) == (403, None, [])


@pytest.mark.parametrize(
    "change",
    [{"scope": "admin"}, {"code_challenge": None}, {"response_type": "token"}, {"code_challenge_method": "plain"}],
)
@pytest.mark.parametrize(
    "came", [{"Sec-Fetch-Site": "same-origin"}, {"Referer": "http://localhost:8000/sign-in?next=/oauth/authorize"}]
)
def test_an_error_after_a_form_of_ours_goes_on_from_a_page_of_ours(
    server_flow: Flow, change: dict[str, str | None], came: dict[str, str]
) -> None:
    """Browsers hold every step of a form's redirects against its page's form-action, and would stay there without a word."""
    address = server_flow.query(**change)
    told = server_flow.ada.get(address, headers={"Sec-Fetch-Site": "cross-site"}).where
    page = server_flow.ada.get(address, headers=came)
    assert (page.status, page.where) == (200, None)
    assert page.one("meta[http-equiv=refresh]")["content"] == f"0; url={told}"
    assert page.one("main a.btn")["href"] == told
    assert (page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == ("no-referrer", "private, no-store")


def test_a_repeated_scope_is_asked_and_kept_once(server_flow: Flow) -> None:
    page = server_flow.ada.get(server_flow.query(scope="write read write read"))
    assert [box["value"] for box in page.html.select("input[name=scopes]")] == ["write", "read"]
    code = server_flow.code(scope="read write read", scopes=["write", "write", "read"])
    assert server_flow.redeem(code).get_json()["scope"] == "write read"
    assert [grant.scopes for grant in server_flow.grants()] == [["write", "read"]]


AWKWARD = "a%20b%2Fc+d~%C3%A9%2B%FF%00%22%3Cx%3E%26next%3D"


def test_the_agency_is_chosen_on_the_consent_page_and_the_request_stays_as_it_was(
    server_flow: Flow, world: World
) -> None:
    second, shut = world.agency("Second Studio"), world.agency("Shut Studio")
    for agency in (second, shut):
        join(server_flow.shop.ada, agency, Role.OWNER)
    suspend(shut.id)
    site = world.site(second)
    asked = server_flow.query(state=None) + f"&state={AWKWARD}"
    page = server_flow.ada.get(asked)
    words = " ".join(page.one("main").get_text(" ").split())
    assert server_flow.shop.ada.email in words
    assert page.texts("#agency option") == ["Second Studio", "Studio Lumen"]
    where = {box["name"]: box["value"] for box in page.html.select("#consent-agency input")}["next"]
    moved = server_flow.ada.post("/switch-agency", {"agency": second.public_id, "next": where})
    assert moved.where == asked
    chosen = server_flow.ada.get(str(moved.where))
    assert chosen.heading == "Let Ledger into a site of Second Studio?"
    assert chosen.one("#agency option[selected]").text == "Second Studio"
    given = {"decision": "allow", "target": encode("ste", site.id), "scopes": ["read"]}
    answer = server_flow.ada.post(str(chosen.one("#consent")["action"]), given)
    assert str(answer.where).endswith(f"&state={AWKWARD.replace('+', '%20')}")
    assert server_flow.redeem(answer_of(answer)["code"]).status_code == 200  # the challenge came along


def test_somebody_in_one_agency_has_none_to_choose(server_flow: Flow) -> None:
    assert server_flow.ada.get(server_flow.query()).html.select("#consent-agency") == []


def test_whoever_is_the_wrong_person_signs_out_and_another_goes_on_with_the_request(
    server_flow: Flow, browse: Browse
) -> None:
    asked = server_flow.query()
    page = server_flow.ada.get(asked)
    form = page.one("form[action='/sign-out']")
    left = server_flow.ada.post("/sign-out", {"next": form.select_one("input[name=next]")["value"]})  # type: ignore[index]
    assert left.where is not None
    signing_in = server_flow.ada.get(left.where)
    assert (signing_in.status, signing_in.one("input[name=next]")["value"]) == (200, asked)
    assert browse(server_flow.shop.ada).post("/sign-out", {"next": "//evil.example"}).where == "/sign-in"


def test_nobody_is_sent_to_another_host_by_switching(server_flow: Flow) -> None:
    agency = Agency(id=server_flow.shop.site.agency_id).public_id
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"):
        assert server_flow.ada.post("/switch-agency", {"agency": agency, "next": evil}).where == "/"


def test_refusing_tells_the_application_and_grants_nothing(server_flow: Flow) -> None:
    found = answer_of(server_flow.consent(decision="deny"))
    assert (found["error"], server_flow.grants()) == ("access_denied", [])


def test_a_person_may_leave_scopes_out_but_not_all(server_flow: Flow) -> None:
    assert server_flow.tokens(scopes=["read"])["scope"] == "read"
    assert server_flow.consent(scopes=[]).status == 422
    assert server_flow.consent(scopes=["read", "delete"]).status == 422


def test_a_site_of_another_agency_cannot_be_chosen(server_flow: Flow, world: World) -> None:
    foreign = world.site(world.agency("Elsewhere"))
    assert server_flow.consent(target=encode("ste", foreign.id)).status == 422


def test_somebody_who_is_not_signed_in_signs_in_first(server_flow: Flow, browse: Browse) -> None:
    page = browse().get(server_flow.query())
    assert (page.status, str(page.where).partition("?")[0]) == (303, "/sign-in")


def test_a_viewer_is_told_what_their_role_takes_away(server_flow: Flow, world: World, browse: Browse) -> None:
    vic = world.person(Agency(id=server_flow.shop.site.agency_id), Role.VIEWER, name="Vic")
    page = browse(vic).get(server_flow.query())
    assert re.search(r"Your role does not allow: create and change records", page.text)
