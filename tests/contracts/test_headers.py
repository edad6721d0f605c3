"""The security headers of the three applications as they are put together, on every kind of answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.test import TestResponse

from app.config import Config
from app.db.base import db
from app.errors import Forbidden
from app.runtime.pages.spam import TRAP
from app.web.headers import NOT_A_DOCUMENT, PERMISSIONS_POLICY
from tests.support.browser import Browser
from tests.support.everything import Everything, make_everything
from tests.support.world import World

COMMON = {"Permissions-Policy": PERMISSIONS_POLICY, "X-Content-Type-Options": "nosniff"}
POLICY = (
    "default-src 'none'; script-src 'nonce-R'; style-src 'self' 'nonce-R'; img-src {images}; font-src 'self'; "
    "connect-src 'self'; frame-src {frames}; manifest-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors {ancestors}"
)
PLATFORM = {
    **COMMON,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": POLICY.format(
        images="'self' data:", frames="'self' http://127.0.0.1:8001", ancestors="'none'"
    ),
}
API = {
    **COMMON,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": NOT_A_DOCUMENT,
}
RUNTIME = {
    **COMMON,
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}


def security_headers(answer: TestResponse) -> dict[str, str]:
    """Everything of the answer that browsers obey for safety, nonces replaced; not its length, kind, id and place."""
    others = {
        "content-length",
        "content-type",
        "x-request-id",
        "location",
        "set-cookie",
        "vary",
        "allow",
        "date",
        "etag",
    }
    found = {name: value for name, value in answer.headers.items() if name.lower() not in others}
    assert re.fullmatch(r"req_[0-9a-z]{26}", answer.headers["X-Request-Id"])
    policy = found.get("Content-Security-Policy", "")
    return {**found, "Content-Security-Policy": re.sub(r"'nonce-[\w-]{24}'", "'nonce-R'", policy)}


@pytest.fixture
def everything(world: World, config: Config, platform_app: Flask) -> Everything:
    return make_everything(world, config, platform_app)


def _fails(error: Exception) -> Any:
    def view(**_: Any) -> Response:
        db.session.remove()
        raise error

    return view


@pytest.mark.parametrize(("asked", "status"), [("/sites", 200), ("/sites/ste_0", 404), ("/settings", 403)])
def test_platform_pages(platform_app: Flask, everything: Everything, asked: str, status: int) -> None:
    answer = Browser(platform_app, everything.vic).get(asked).response
    assert answer.status_code == status
    assert security_headers(answer) == PLATFORM


def test_platform_pages_of_a_failure(
    platform_app: Flask, everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(platform_app.view_functions, "tenancy.home", _fails(RuntimeError("broken")))
    answer = Browser(platform_app, everything.ada).get("/").response
    assert answer.status_code == 500
    assert security_headers(answer) == PLATFORM


def test_platform_redirects(platform_app: Flask) -> None:
    answer = Browser(platform_app).get("/sites").response
    assert answer.status_code == 303
    assert security_headers(answer) == PLATFORM


@pytest.mark.parametrize(
    ("asked", "status", "more"),
    [
        ("/api/health", 200, {}),
        ("/api/nothing", 404, {}),
        ("/api/modules/crm/deals", 401, {"WWW-Authenticate": 'Bearer realm="Dramac"'}),
        ("/schemas/module-v1.json", 200, {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=3600"}),
    ],
)
def test_api_answers(api_app: Flask, app_context: None, asked: str, status: int, more: dict[str, str]) -> None:
    answer = api_app.test_client().get(asked)
    assert answer.status_code == status
    assert security_headers(answer) == {**API, **more}


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("broken"), 500), (Forbidden(), 403)])
def test_api_answers_of_a_failure(
    api_app: Flask, app_context: None, error: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api_app.view_functions, "health.health", _fails(error))
    answer = api_app.test_client().get("/api/health")
    assert answer.status_code == status
    assert security_headers(answer) == API


def runtime_policy(ancestors: str) -> str:
    return POLICY.format(images="'self' data: https:", frames="'self'", ancestors=ancestors)


def test_runtime_pages(runtime_app: Flask, everything: Everything) -> None:
    answer = runtime_app.test_client().get(f"/embed/{everything.install.public_id}/write")
    assert answer.status_code == 200
    policy = runtime_policy("'none'")  # until a domain of the site is verified
    assert security_headers(answer) == {**RUNTIME, "Cache-Control": "no-store", "Content-Security-Policy": policy}


def test_runtime_redirects(runtime_app: Flask, everything: Everything) -> None:
    sent = {"title": "Hello", TRAP: "a machine fills this"}
    answer = runtime_app.test_client().post(f"/embed/{everything.install.public_id}/write", data=sent)
    assert answer.status_code == 303
    assert security_headers(answer) == {**RUNTIME, "Content-Security-Policy": runtime_policy("'none'")}


def test_runtime_pages_that_are_not_there(runtime_app: Flask, app_context: None) -> None:
    answer = runtime_app.test_client().get("/embed/ins_00000000000000000000000000/contact")
    assert answer.status_code == 404
    assert security_headers(answer) == {**RUNTIME, "Content-Security-Policy": runtime_policy("'none'")}


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("broken"), 500), (Forbidden(), 403)])
def test_runtime_pages_of_a_failure(
    runtime_app: Flask, app_context: None, error: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(runtime_app.view_functions, "embed.page", _fails(error))
    answer = runtime_app.test_client().get("/embed/ins_00000000000000000000000000/contact")
    assert answer.status_code == status
    assert security_headers(answer) == {**RUNTIME, "Content-Security-Policy": runtime_policy("'none'")}
