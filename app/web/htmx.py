"""htmx 4 on the server: what kind of request it is, fragments, redirects, toasts, and the `hx()` template helper."""

import json
from typing import Any, Literal
from urllib.parse import urlsplit

from flask import Flask, Response, after_this_request, flash, g, make_response, redirect, render_template, request
from jinja2_fragments.flask import render_block
from markupsafe import Markup
from werkzeug.datastructures import Headers

from app.errors import AppError
from app.web.headers import nonce

ToastLevel = Literal["success", "info", "warning", "error"]


def is_htmx() -> bool:
    """Whether the answer replaces a part of a page. False for plain browsers, boosted links and history restores."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") != "full"


def htmx_target() -> str | None:
    """Id of the element the answer goes into, without '#'; None when it has none. htmx 4 sends `tag#id`."""
    _, _, element_id = request.headers.get("HX-Target", "").partition("#")
    return element_id or None


def trigger_toast(level: ToastLevel, title: str, text: str = "", undo: str | None = None) -> None:
    """Show a toast with the answer now being made, or after the redirect for a plain browser.

    undo: address that a POST undoes the act at; the toast then has an Undo button.
    """
    detail = {"level": level, "title": title, "text": text, "undo": undo}
    if not is_htmx():
        flash(json.dumps(detail), "toast")
        return
    toasts = g.setdefault("toasts", [])
    toasts.append(detail)
    if len(toasts) == 1:
        after_this_request(_send_toasts)


def say_not_done(error: AppError, title: str = "That was not done") -> None:
    """An expected refusal, said as a toast; whatever was begun is taken back."""
    g.db.rollback()
    trigger_toast("error", title, error.message)


def _send_toasts(response: Response) -> Response:
    if "HX-Redirect" in response.headers:  # the page goes away with its toasts, so they wait for the next one
        for detail in g.toasts:
            flash(json.dumps(detail), "toast")
    else:
        # json.dumps leaves only ASCII, which is all that a header value can carry
        # aimed at body: the element that asked may be gone after the swap
        response.headers["HX-Trigger"] = json.dumps({"toasts": {"target": "body", "items": g.toasts}})
    return response


def fragment(template: str, block: str | None = None, /, **context: Any) -> str:
    """HTML of a part of a page: a `_part.html`, or one block of a page's template.

    A block is rendered alone: what it uses must be imported inside it, not at the top of the file.
    """
    return render_block(template, block, **context) if block else render_template(template, **context)


def _same_origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme or parts.netloc or not url.startswith("/") or url.startswith(("//", "/\\")):
        raise ValueError(f"redirects stay on this host, as a path: {url!r}")
    return url


def respond(
    *, fragment: str | None = None, block: str | None = None, redirect_to: str, status: int = 200, **context: Any
) -> Response:
    """After a write: the fragment for htmx, a 303 for a plain browser.

    Without a fragment htmx is sent to `redirect_to` as well (by HX-Redirect, a full load). `redirect_to` is a path.
    """
    where = _same_origin(redirect_to)
    if not is_htmx():
        return make_response(redirect(where, code=303))
    if fragment is None:
        return make_response("", 200, Headers({"HX-Redirect": where}))
    body = render_block(fragment, block, **context) if block else render_template(fragment, **context)
    return make_response(body, status)


def hx(**attributes: Any) -> Markup:
    """hx-* attributes with this page's nonce, escaped: {{ hx(get='/x', target='#y', push_url=True) }}.

    Underscores become hyphens; `status_5xx=` becomes `hx-status:5xx`; True/False become words; a dict or list becomes
    JSON; None is left out. Raises ValueError for what would need eval (hx-on, js: values, trigger filters).
    """
    pairs = [("hx-nonce", nonce())]
    for key, value in attributes.items():
        if value is not None:
            pairs.append((_attribute_name(key), _attribute_value(key, value)))
    return Markup(" ").join(Markup('{}="{}"').format(name, value) for name, value in pairs)


def _attribute_name(key: str) -> str:
    if key.startswith("on"):
        raise ValueError("hx-on runs code from an attribute; put the behaviour into frontend/src/js")
    if key.startswith("status_"):
        return f"hx-status:{key.removeprefix('status_')}"
    return "hx-" + key.replace("_", "-")


def _attribute_value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    if text.lstrip().lower().startswith(("js:", "javascript:")) or (key == "trigger" and "[" in text):
        raise ValueError(f"hx-{key}={text!r} needs eval, which the content security policy forbids")
    return text


def register_htmx(app: Flask) -> None:
    """Jinja globals `hx` and `is_htmx`."""
    app.jinja_env.globals.update(hx=hx, is_htmx=is_htmx)
