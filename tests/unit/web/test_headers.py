"""Security headers: the whole set on every surface, a nonce that is new each time, framing only where allowed."""

from __future__ import annotations

import re

import pytest
from flask import Flask, Response

from app.web.headers import NOT_A_DOCUMENT, PERMISSIONS_POLICY, Surface, allow_framing, nonce, register_headers


def make_app(surface: Surface) -> Flask:
    app = Flask(__name__, static_folder=None)
    register_headers(app, surface, frame_src=["https://run.example"])

    @app.get("/page")
    def page() -> str:
        return f"<p>{nonce()}</p>"

    @app.get("/data")
    def data() -> dict[str, int]:
        return {"one": 1}

    @app.get("/framed")
    def framed() -> str:
        allow_framing(["https://shop.example", "https://blog.example"])
        return "<p>"

    @app.get("/own")
    def own() -> Response:
        return Response("<p>", headers={"Cache-Control": "public, max-age=60"}, mimetype="text/html")

    return app


def without_nonce(policy: str) -> str:
    return re.sub(r"'nonce-[\w-]{24}'", "'nonce-R'", policy)


def test_a_platform_page_carries_exactly_these_headers() -> None:
    answer = make_app("platform").test_client().get("/page")
    headers = dict(answer.headers)
    assert without_nonce(headers.pop("Content-Security-Policy")) == (
        "default-src 'none'; script-src 'nonce-R'; style-src 'self' 'nonce-R'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; frame-src 'self' https://run.example; manifest-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert headers == {
        "Cache-Control": "private, no-store",
        "Content-Length": "31",
        "Content-Type": "text/html; charset=utf-8",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS_POLICY,
        "Referrer-Policy": "same-origin",
        "Vary": "HX-Request, HX-Request-Type",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize("surface", ["platform", "api", "runtime"])
@pytest.mark.parametrize("path", ["/page", "/missing"])
def test_errors_and_pages_of_every_surface_have_a_policy_without_loopholes(surface: Surface, path: str) -> None:
    policy = make_app(surface).test_client().get(path).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert [word for word in ("unsafe", "strict-dynamic", "*", "http:") if word in policy] == []


def test_the_nonce_in_the_page_is_the_one_of_its_policy_and_new_each_time() -> None:
    client = make_app("platform").test_client()
    seen = []
    for _ in range(3):
        answer = client.get("/page")
        value = answer.text.removeprefix("<p>").removesuffix("</p>")
        assert answer.headers["Content-Security-Policy"].count(f"'nonce-{value}'") == 2
        seen.append(value)
    assert len(set(seen)) == 3


def test_data_is_never_a_document() -> None:
    for surface in ("platform", "api", "runtime"):
        answer = make_app(surface).test_client().get("/data")
        assert answer.headers["Content-Security-Policy"] == NOT_A_DOCUMENT


def test_only_the_runtime_may_be_framed_and_only_by_whom_it_names() -> None:
    runtime = make_app("runtime").test_client()
    allowed = "frame-ancestors https://shop.example https://blog.example"
    assert runtime.get("/framed").headers["Content-Security-Policy"].endswith(allowed)
    assert runtime.get("/page").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    platform = make_app("platform").test_client()
    assert platform.get("/framed").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_the_runtime_lets_popups_and_other_origins_have_it() -> None:
    headers = make_app("runtime").test_client().get("/page").headers
    assert "Cross-Origin-Opener-Policy" not in headers
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_strict_transport_security_is_sent_over_https_only() -> None:
    client = make_app("platform").test_client()
    assert "Strict-Transport-Security" not in client.get("/page").headers
    secure = client.get("/page", base_url="https://dramac.example")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_headers_of_a_view_stay() -> None:
    assert make_app("platform").test_client().get("/own").headers["Cache-Control"] == "public, max-age=60"
