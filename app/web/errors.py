"""The one place where a failure becomes an answer: a page, a fragment or problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
from typing import Any, Literal

import psycopg
from flask import Flask, Response, g, make_response, render_template, request, url_for
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from app import errors
from app.access.permissions import Permission
from app.web.guard import recognise
from app.web.htmx import is_htmx
from app.web.links import has_endpoint

log = logging.getLogger(__name__)

STATUS: dict[type[errors.AppError], int] = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Unauthenticated: 401,
    errors.VersionMismatch: 412,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.BadRequest: 400,
    errors.RateLimited: 429,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Unavailable: 503,
}
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported kind of content",
    422: "Not acceptable as it is",
    429: "Too many requests",
    500: "Something broke",
    503: "Not available right now",
}
CODES = {400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
         413: "payload_too_large", 415: "unsupported_media_type", 429: "rate_limited", 500: "internal",
         503: "unavailable"}  # fmt: skip
UNKEPT = (
    "What was sent has a character that no text here can hold: one with the code 0, or half of a character. Take it out, "
    "and send it again. Nothing was changed."
)
PAGES = {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 503}


def status_of(error: errors.AppError) -> int:
    """The HTTP status of an expected failure; 500 for one that has none."""
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def problem_document(
    status: int,
    code: str,
    detail: str,
    *,
    request_id: str,
    items: list[dict[str, str]] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """The members of a problem+json answer (RFC 9457). items: [{pointer, code, detail}] of wrong fields."""
    return {
        "type": f"/errors/{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": items or [],
        "request_id": request_id,
        **extra,
    }


def problem(
    status: int, code: str, detail: str, *, items: list[dict[str, str]] | None = None, **extra: Any
) -> Response:
    """An application/problem+json answer."""
    body = problem_document(status, code, detail, request_id=g.get("request_id", ""), items=items, **extra)
    answer = make_response(json.dumps(body, ensure_ascii=False), status)
    answer.mimetype = "application/problem+json"
    return answer


def problem_of(error: errors.AppError) -> Response:
    """problem+json of an expected failure."""
    items = [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in getattr(error, "errors", [])]
    answer = problem(status_of(error), error.code, error.message, items=items)
    return _with_headers(answer, error)


def _with_headers(answer: Response, error: errors.AppError) -> Response:
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(max(1, retry_after_s))
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Dramac"'
    return answer


def page(status: int, detail: str) -> Response:
    """The designed page of a status, or its fragment for htmx; with the request's id where a line of the logs tells of it."""
    recognise()
    g.error_page = True
    # a visitor's 404 says the same whether or not there is such an install, so it does not say what is known of it
    known = status >= 500 or g.get("agency") is not None or (g.get("site_known", False) and status != 404)
    template = f"errors/{status if status in PAGES else 500 if status >= 500 else 400}.html"
    context = {
        "status": status,
        "title": TITLES.get(status, "Error"),
        "detail": detail,
        "request_id": g.get("request_id", "") if known else "",
        "logs_url": _logs_url(),
    }
    if is_htmx():
        return make_response(render_template("errors/_fragment.html", **context), status)
    return make_response(render_template(template, **context), status)


def _logs_url() -> str:
    """Where the logs tell of this request, for who may read them; "" for everybody else."""
    actor = g.get("actor")
    reads = actor is not None and g.get("agency") is not None and actor.can(Permission.LOGS_VIEW)
    if not reads or not has_endpoint("support.logs"):
        return ""
    return url_for("support.logs", request=g.get("request_id", ""))


def register_errors(app: Flask, surface: Literal["platform", "api", "runtime"]) -> None:
    """Answer every failure of an app in the manner of its surface."""

    @app.errorhandler(errors.AppError)
    def expected(error: errors.AppError) -> Response:
        status = status_of(error)
        if status == 503:  # a state that passes, such as a paused module; the answer says so
            log.info("%s %s: %s", request.method, request.path, error)
        elif status >= 500:
            log.error("%s %s: %s", request.method, request.path, error, exc_info=error)
        if surface == "api":
            return problem_of(error)
        return _with_headers(page(status, error.message), error)

    @app.errorhandler(HTTPException)
    def of_http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return make_response(error.get_response())
        detail = error.description or TITLES.get(status, "Error")
        answer = problem(status, CODES.get(status, "error"), detail) if surface == "api" else page(status, detail)
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(DataError)
    @app.errorhandler(psycopg.DataError)
    def unkept(error: Exception) -> Response:
        if not _is_unkept(error):
            return unexpected(error)
        log.info("%s %r: %s", request.method, request.path, UNKEPT)
        return problem(400, "bad_request", UNKEPT) if surface == "api" else page(400, UNKEPT)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error("%s %s [%s] failed", request.method, request.path, g.get("request_id", ""), exc_info=error)
        g.failed_with = error
        detail = "We have logged it. Nothing you sent was half-saved; try again, or give support the request id."
        return problem(500, "internal", detail) if surface == "api" else page(500, detail)


def _is_unkept(error: Exception) -> bool:
    """Whether the database refused a text for a character that somebody sent. Forms that tidy texts never come to this."""
    cause = error.orig if isinstance(error, DataError) else error
    if getattr(cause, "sqlstate", None) != "22P05" and "NUL" not in str(
        cause
    ):  # untranslatable_character: \u0000 in JSON
        return False
    sent = [request.path, *(text for pair in request.values.items(multi=True) for text in pair)]
    return any("\0" in text or "\\u" in text for text in sent)
