"""The endpoints that programs ask: token, revocation, introspection, metadata. Forms in, JSON out, never kept by a cache."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Blueprint, Response, current_app, jsonify, make_response, request
from flask_limiter import RateLimitExceeded
from sqlalchemy.orm import Session

from app.config import Config
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.oauth.access import knows_origin
from app.oauth.clients import find_client
from app.oauth.models import SCOPES
from app.oauth.request import AUTH_METHODS, WORDS, ProtocolRequest, Reply
from app.oauth.server import Server
from app.web.guard import public
from app.web.limits import program_limiter

bp = Blueprint("oauth_api", __name__)
server = Server()
MOST_BYTES, MOST_FIELDS = 16_384, 30
PREFLIGHT_S = 7200
_AGENCY_OF = "SELECT oauth_agency_of(%b)"
_calls = program_limiter.shared_limit("1200 per minute", scope="oauth")
# also counted: nobody needs to be refused this often, unless by guessing
_failures = program_limiter.shared_limit(
    "60 per minute", scope="oauth refused", deduct_when=lambda answer: 400 <= answer.status_code < 500
)


@bp.post("/oauth/token", provide_automatic_options=False)
@public
@_calls
@_failures
def token() -> Response:
    return _answered(server.create_token_response, "code", "refresh_token")


@bp.post("/oauth/revoke", provide_automatic_options=False)
@public
@_calls
@_failures
def revoke() -> Response:
    return _answered(lambda asked: server.create_endpoint_response("revocation", asked), "token")


@bp.post("/oauth/introspect")
@public
@_calls
@_failures
def introspect() -> Response:
    return _answered(lambda asked: server.create_endpoint_response("introspection", asked))


@bp.route("/oauth/token", methods=["OPTIONS"])
@bp.route("/oauth/revoke", methods=["OPTIONS"])
@public
def preflight() -> Response:
    """Applications in browsers ask from where they run; which one does is known only with the request itself."""
    answer, origin = make_response("", 204), request.headers.get("Origin", "")
    answer.headers["Allow"] = "OPTIONS, POST"
    if origin not in ("", "null") and len(origin) <= 300 and knows_origin(origin):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Allow-Methods"] = "POST"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
        answer.headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return answer


@bp.get("/.well-known/oauth-authorization-server")
@public
def metadata() -> Response:
    issuer = _config().platform_url
    answer = jsonify(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        introspection_endpoint=f"{issuer}/oauth/introspect",
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=["authorization_code", "refresh_token", "client_credentials"],
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=AUTH_METHODS,
        revocation_endpoint_auth_methods_supported=AUTH_METHODS,
        introspection_endpoint_auth_methods_supported=AUTH_METHODS[:-1],
        scopes_supported=list(SCOPES),
        authorization_response_iss_parameter_supported=True,
    )
    answer.headers["Access-Control-Allow-Origin"] = "*"  # the same for everybody, and no cookie matters to it
    return answer


@bp.after_request
def for_browsers(answer: Response) -> Response:
    """Let the page read the answer when its origin is one that the application without a secret is registered at."""
    if request.method != "POST":
        return answer
    answer.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    client = find_client(dict(_form() or ()).get("client_id", "")) if origin else None
    if client is not None and client.kind == "public" and origin in client.origins:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-Id"
    return answer


@bp.errorhandler(RateLimitExceeded)
def too_often(error: RateLimitExceeded) -> Response:
    seconds = error.limit.limit.get_expiry() if error.limit is not None else 60
    body = {"error": "temporarily_unavailable", "error_description": f"Too many requests. Wait {seconds} seconds."}
    return _sent(Reply(429, body, (("Retry-After", str(seconds)),)))


def _answered(answer: Callable[[ProtocolRequest], Reply], *secrets: str) -> Response:
    """Answer in the scope of the agency whose code or token was sent; whatever is refused is committed too.

    secrets: the fields that may hold it. A reuse that is found out must stay found out, so only a failure rolls back.
    """
    pairs = _form()
    if pairs is None or len({name for name, _ in pairs}) < len(pairs):
        return _sent(Reply(400, {"error": "invalid_request", "error_description": WORDS["invalid_request"]}))
    with ExitStack() as held:

        def enter(agency_id: UUID) -> Session:
            held.enter_context(tenant_scope(agency_id))
            return held.enter_context(transaction(db.session.session_factory()))

        asked = ProtocolRequest(
            method="POST", pairs=pairs, issuer=_config().platform_url, now=utcnow(), keys=_config().secret_keys,
            authorization=request.headers.get("Authorization", ""), enter=enter,
        )  # fmt: skip
        agency_id = _agency_behind([asked.form[name] for name in secrets if name in asked.form])
        if agency_id is not None:
            asked.db = enter(agency_id)
        reply = answer(asked)
    return _sent(reply)


def _agency_behind(shown: list[str]) -> UUID | None:
    """The agency of the first of these codes or tokens that anybody has."""
    if not shown:
        return None
    with runtime_pool().connection() as connection:
        found = (connection.execute(_AGENCY_OF, [token_hash(one)]).fetchone() for one in shown)
        return next((row[0] for row in found if row and row[0]), None)


def _form() -> list[tuple[str, str]] | None:
    if request.mimetype != "application/x-www-form-urlencoded" or (request.content_length or 0) > MOST_BYTES:
        return None
    try:
        return parse_qsl(
            request.get_data().decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:
        return None


def _sent(reply: Reply) -> Response:
    response = jsonify(reply.body)
    response.status_code = reply.status
    response.headers.extend([pair for pair in reply.headers if pair[0] in ("WWW-Authenticate", "Retry-After")])
    response.headers["Cache-Control"] = "no-store"
    return response


def _config() -> Config:
    found: Config = current_app.config["DRAMAC"]
    return found
