"""Security headers of every answer, per surface, and the nonce that lets our own scripts run.

Sources: OWASP Secure Headers, CSP level 3. Three decisions that are easy to undo by accident:
- script-src has the nonce alone. With 'self' an uploaded file could be run as a script, and with 'strict-dynamic'
  htmx, which re-creates script elements of swapped HTML, would run an injected one.
- fragments carry the policy too: hx-csp reads their nonce from it and rewrites it to the page's.
- nothing but HTML gets to be a document: every other answer is sandboxed.
"""

import secrets
from collections.abc import Iterable
from typing import Literal

from flask import Flask, Response, g, has_request_context, request

Surface = Literal["platform", "api", "runtime"]

PERMISSIONS_POLICY = (
    "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), microphone=(), midi=(), payment=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()"
)
NOT_A_DOCUMENT = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


def nonce() -> str:
    """This answer's nonce: 144 random bits, the same for every call while one request is answered."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    return str(g.csp_nonce)


def allow_framing(origins: Iterable[str]) -> None:
    """Let these origins (`https://shop.example`) frame the answer now being made; only the runtime surface obeys."""
    g.frame_ancestors = tuple(origins)


def allow_sending(*sources: str) -> None:
    """Let a form of the answer now being made end there too: browsers check every step of the redirects it leads to."""
    g.form_actions = sources


def allow_images(*sources: str) -> None:
    """Let the answer now being made show images of these origins too."""
    g.image_sources = sources


def _frame_ancestors(surface: Surface) -> str:
    allowed = g.get("frame_ancestors", ()) if surface == "runtime" else ()
    return " ".join(allowed) or "'none'"


def content_security_policy(surface: Surface, *, frame_src: Iterable[str] = ()) -> str:
    """The policy of one HTML answer. frame_src: further origins that may be shown in iframes of the platform."""
    frames = " ".join(["'self'", *frame_src])
    images = " ".join(["'self' data: https:" if surface == "runtime" else "'self' data:", *g.get("image_sources", ())])
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'nonce-{nonce()}'",
            f"style-src 'self' 'nonce-{nonce()}'",
            f"img-src {images}",
            "font-src 'self'",
            "connect-src 'self'",
            f"frame-src {frames}",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            " ".join(["form-action 'self'", *g.get("form_actions", ())]),
            f"frame-ancestors {_frame_ancestors(surface)}",
        ]
    )


def _common(surface: Surface, *, secure: bool) -> list[tuple[str, str]]:
    found = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin" if surface == "runtime" else "same-origin"),
        ("Permissions-Policy", PERMISSIONS_POLICY),
        ("Cross-Origin-Resource-Policy", "cross-origin" if surface == "runtime" else "same-origin"),
    ]
    if surface != "runtime":  # on the runtime it would cut the tie between a host page and its popup
        found.append(("Cross-Origin-Opener-Policy", "same-origin"))
    if secure:
        found.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    return found


def plain_headers(surface: Surface, *, secure: bool) -> list[tuple[str, str]]:
    """The headers of an answer that is no document, for what answers without Flask."""
    caching = [("Cache-Control", "no-store")] if surface == "api" else []
    return [*_common(surface, secure=secure), ("Content-Security-Policy", NOT_A_DOCUMENT), *caching]


def _html(response: Response, surface: Surface, frame_src: tuple[str, ...]) -> None:
    response.headers.setdefault("Content-Security-Policy", content_security_policy(surface, frame_src=frame_src))
    if surface == "platform":
        # the same address answers a page to a browser and a part of it to htmx
        response.vary.update(["HX-Request", "HX-Request-Type"])


def register_headers(app: Flask, surface: Surface, *, frame_src: Iterable[str] = ()) -> None:
    """Set the headers of `surface` on every answer, errors included, and offer `nonce()` to templates.

    frame_src: origins whose pages the platform shows in iframes (the runtime's). Headers a view has set stay.
    """
    frames = tuple(frame_src)

    @app.after_request
    def set_headers(response: Response) -> Response:
        for name, value in _common(surface, secure=request.is_secure):
            response.headers.setdefault(name, value)
        if response.mimetype == "text/html":
            _html(response, surface, frames)
        else:
            response.headers.setdefault("Content-Security-Policy", NOT_A_DOCUMENT)
        if surface == "api":
            response.headers.setdefault("Cache-Control", "no-store")
        elif surface == "platform":  # downloads are as personal as pages
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    app.jinja_env.globals["nonce"] = _template_nonce


def _template_nonce() -> str:
    # mail templates are rendered outside a request and have no scripts to allow
    return nonce() if has_request_context() else ""
