"""Programs that others wrote, against the running product, with a person in a real browser who lets them in."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from playwright.sync_api import Browser, Page, expect
from requests_oauthlib import OAuth2Session

from tests.e2e.test_journeys import OWNER, PASSWORD, sign_in
from tests.support.live import Live
from tests.support.node import clients, find_node

pytestmark = pytest.mark.timeout(180)
BACK = "http://127.0.0.1:47113/back"
SITE = "Harbour Dental"


@dataclass(frozen=True)
class Registered:
    client_id: str
    secret: str


@dataclass
class Owner:
    """Maya, signed in: registers applications and lets them in."""

    live: Live
    page: Page

    @property
    def resource(self) -> str:
        return f"{self.live.platform_url}/api/modules/enquiries/enquiries"

    def go(self, path: str) -> None:
        self.page.goto(f"{self.live.platform_url}{path}")

    def register(self, *, confidential: bool, alone: bool = False) -> Registered:
        page = self.page
        self.go("/applications/new")
        page.get_by_label("Name").fill("Ledger")
        page.get_by_label("On a server" if confidential else "In a browser, on a phone").check()
        page.get_by_label("Redirect addresses").fill(BACK)
        if alone:
            page.get_by_label("It may also work by itself").check()
        page.get_by_role("button", name="Register").click()
        page.wait_for_url(re.compile(r"/applications(/app_\w+)?$"))
        shown = page.locator("main").inner_text()
        secrets = re.findall(r"dmc_cs_[\w-]{43}", shown)
        assert len(secrets) == confidential
        return Registered(re.findall(r"app_[0-9a-z]{26}", shown)[0], "".join(secrets))

    def let_into_site(self, application: Registered) -> str:
        """By itself; the address of the site as the screen shows it."""
        self.go(f"/applications/{application.client_id}/sites/new")
        self.page.locator("select[name=target]").select_option(label=f"{SITE}: every module")
        self.page.get_by_role("button", name="Let it in").click()
        return self.page.locator("#own-sites tbody code").inner_text()

    def consent(self, address: str) -> str:
        """Where the browser is sent once the application is let in; nobody listens there."""
        page, gone = self.page, list[str]()
        page.route(f"{BACK}**", lambda route: (gone.append(route.request.url), route.fulfill(status=200, body="back")))
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("Let Ledger into a site of Studio Lumen?")
        page.locator("select[name=target]").select_option(label=f"{SITE}: every module")
        page.get_by_role("button", name="Let it in").click()
        page.wait_for_url(f"{BACK}**")
        assert page.locator("body").inner_text() == "back"  # no policy of ours held the redirect up
        return gone[0]

    def run(self, script: str, **given: Any) -> dict[str, Any]:
        """What a client for Node found. given: what it is told beside the issuer."""
        told = {"issuer": self.live.platform_url, "redirectUri": BACK, "resource": self.resource, **given}
        with subprocess.Popen(
            [find_node(), script, json.dumps(told)], cwd=clients(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as client:  # fmt: skip
            assert client.stdin
            assert client.stdout
            for line in client.stdout:
                said = json.loads(line)
                if "done" in said:
                    return dict(said["done"])
                client.stdin.write(self.consent(said["goTo"]) + "\n")
                client.stdin.flush()
        raise AssertionError(f"{script} ended with {client.returncode}; its words are above")


@pytest.fixture(scope="module")
def owner(live: Live, browser: Browser) -> Iterator[Owner]:
    page = browser.new_page()
    page.goto(f"{live.platform_url}/sign-in")
    sign_in(page)
    yield Owner(live, page)
    page.close()


@pytest.fixture
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' machine has no TLS; the libraries want to be told that this is meant."""
    for name in ("OAUTHLIB", "AUTHLIB"):
        monkeypatch.setenv(f"{name}_INSECURE_TRANSPORT", "1")


@pytest.fixture
def metadata(live: Live) -> dict[str, str]:
    return dict(httpx.get(f"{live.platform_url}/.well-known/oauth-authorization-server").json())


@pytest.fixture
def reads(owner: Owner) -> Callable[[str], int]:
    """The status of reading the site's enquiries with a token."""
    return lambda token: httpx.get(owner.resource, headers={"Authorization": f"Bearer {token}"}).status_code


def test_requests_oauthlib_connects_refreshes_and_is_shut_out(
    owner: Owner, plain_http: None, metadata: dict[str, str], reads: Callable[[str], int]
) -> None:
    application = owner.register(confidential=True)
    session = OAuth2Session(application.client_id, redirect_uri=BACK, scope=["read"], pkce="S256")
    address, state = session.authorization_url(metadata["authorization_endpoint"])
    token = session.fetch_token(
        metadata["token_endpoint"], authorization_response=owner.consent(address), client_secret=application.secret,
        state=state,
    )  # fmt: skip
    assert (token["token_type"], token["scope"], reads(token["access_token"])) == ("Bearer", ["read"], 200)
    again = session.refresh_token(
        metadata["token_endpoint"], client_id=application.client_id, client_secret=application.secret
    )
    assert again["access_token"] != token["access_token"]
    owner.go("/connected-apps")
    row = owner.page.locator("#connections tbody tr").first
    expect(row).to_contain_text("Ledger")
    grant = str(row.get_attribute("id"))
    row.get_by_role("button", name="Shut out").click()
    owner.page.get_by_role("alertdialog").get_by_role("button", name="Shut out").click()
    expect(owner.page.locator(f"#{grant}")).to_have_count(0)
    assert reads(again["access_token"]) == 401


def test_authlibs_client_connects_without_a_secret_and_revokes(
    owner: Owner, plain_http: None, metadata: dict[str, str], reads: Callable[[str], int]
) -> None:
    application, verifier = owner.register(confidential=False), "v" * 64
    with OAuth2Client(
        application.client_id, redirect_uri=BACK, scope="read", token_endpoint_auth_method="none",
        code_challenge_method="S256",
    ) as client:  # fmt: skip
        address, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        token = client.fetch_token(
            metadata["token_endpoint"],
            authorization_response=owner.consent(address),
            state=state,
            code_verifier=verifier,
        )
        assert reads(token["access_token"]) == 200
        fresh = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
        assert client.revoke_token(metadata["revocation_endpoint"], fresh["refresh_token"]).status_code == 200
        assert reads(fresh["access_token"]) == 401


def test_oauth4webapi_checks_the_issuer_refreshes_and_revokes(owner: Owner) -> None:
    application = owner.register(confidential=False)
    assert owner.run("oauth4webapi.mjs", clientId=application.client_id) == {
        "issuer": owner.live.platform_url, "scope": "read", "lasts": 3600, "before": 200, "rotated": True,
        "after": [["bearer", "invalid_token"]],
    }  # fmt: skip


def test_openid_client_introspects_and_works_by_itself(owner: Owner) -> None:
    application = owner.register(confidential=True, alone=True)
    site = owner.let_into_site(application)
    found = owner.run("openid-client.mjs", clientId=application.client_id, secret=application.secret, site=site)
    assert found == {
        "live": [True, "read", site, application.client_id], "dead": {"active": False}, "refused": "invalid_grant",
        "own": ["read", None, 200],
    }  # fmt: skip


@pytest.mark.parametrize("wrong", ["scope=admin", "scope=read&no-challenge"])
def test_an_error_reaches_the_application_also_when_somebody_signed_in_on_the_way(
    owner: Owner, browser: Browser, wrong: str
) -> None:
    application = owner.register(confidential=False)
    challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    address = (
        f"{owner.live.platform_url}/oauth/authorize?response_type=code&client_id={application.client_id}&redirect_uri={BACK}"
        f"&state=s1&{wrong}{'' if 'no-challenge' in wrong else challenge}"
    )
    context = browser.new_context()
    page, gone = context.new_page(), list[str]()
    page.route(f"{BACK}**", lambda route: (gone.append(route.request.url), route.fulfill(status=200, body="back")))
    page.goto(address)
    page.get_by_role("textbox", name="E-mail").fill(OWNER)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{BACK}**")
    assert page.locator("body").inner_text() == "back"
    assert "&state=s1" in gone[0]
    assert f"error=invalid_{'request' if 'no-challenge' in wrong else 'scope'}" in gone[0]
    context.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_consent_and_its_neighbours_are_accessible_and_fit(
    owner: Owner, visit: Callable[..., Any], theme: str, width: int
) -> None:
    application = owner.register(confidential=True, alone=True)
    owner.let_into_site(application)
    consent = (
        f"/oauth/authorize?response_type=code&client_id={application.client_id}&redirect_uri={BACK}&scope=read"
        + ("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256")
    )
    seen, wrong = visit(f"{owner.live.platform_url}/sign-in", theme=theme, width=width, many=True), {}
    sign_in(seen.page)
    for screen in (f"/applications/{application.client_id}", "/connected-apps", consent):
        seen.go(f"{owner.live.platform_url}{screen}")
        found = seen.faults()
        wrong.update({screen: found} if found else {})
    assert wrong == {}
