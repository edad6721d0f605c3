"""Two walls against forged requests: Flask-WTF's token, and the browser's own word on where a request comes from.

Sec-Fetch-Site where the browser sends it, else Origin, must say that one of our pages asked (security.md A2).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from app.errors import Forbidden
from app.web.errors import page

SAFE = {"GET", "HEAD", "OPTIONS"}


class ForgedRequest(Forbidden):
    """This request did not come from a page of ours. Reload the page and send the form again."""

    code = "forged_request"


csrf = CSRFProtect()


def register_csrf(app: Flask) -> None:
    """Refuse every unsafe request without a valid token and a same-origin source."""
    csrf.init_app(app)

    @app.before_request
    def check_source() -> None:
        if request.method not in SAFE and not _from_our_own_page():
            raise ForgedRequest()

    @app.errorhandler(CSRFError)
    def no_token(error: CSRFError) -> Response:
        return page(403, ForgedRequest().message)


def _from_our_own_page() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    # no browser omits both on an unsafe request; a tool without either has no cookie jar to abuse
    return origin is None or urlsplit(origin).netloc == request.host
