"""The endpoints that programs ask: token, revocation, metadata. Forms in, JSON out, never kept by a cache."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from flask import Blueprint, Response, current_app, jsonify, request

from app.config import Config
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.oauth.models import SCOPES
from app.oauth.protocol import AUTH_METHODS, WORDS, ProtocolRequest, Reply, Server
from app.web.guard import public

bp = Blueprint("oauth_api", __name__)
server = Server()
MOST_BYTES, MOST_FIELDS = 16_384, 30
_AGENCY_OF = "SELECT oauth_agency_of(%b)"


@bp.post("/oauth/token")
@public
def token() -> Response:
    return _answered(server.create_token_response, "code", "refresh_token")


@bp.post("/oauth/revoke")
@public
def revoke() -> Response:
    return _answered(lambda asked: server.create_endpoint_response("revocation", asked), "token")


@bp.get("/.well-known/oauth-authorization-server")
@public
def metadata() -> Response:
    issuer = _config().platform_url
    return jsonify(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=["authorization_code", "refresh_token"],
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=AUTH_METHODS,
        revocation_endpoint_auth_methods_supported=AUTH_METHODS,
        scopes_supported=list(SCOPES),
        authorization_response_iss_parameter_supported=True,
    )


def _answered(answer: Callable[[ProtocolRequest], Reply], *secrets: str) -> Response:
    """Answer in the scope of the agency whose code or token was sent; whatever is refused is committed too.

    secrets: the fields that may hold it. A reuse that is found out must stay found out, so only a failure rolls back.
    """
    pairs = _form()
    if pairs is None or len({name for name, _ in pairs}) < len(pairs):
        return _sent(Reply(400, {"error": "invalid_request", "error_description": WORDS["invalid_request"]}))
    asked = ProtocolRequest(
        method="POST", pairs=pairs, issuer=_config().platform_url, now=utcnow(), keys=_config().secret_keys,
        authorization=request.headers.get("Authorization", ""),
    )  # fmt: skip
    with runtime_pool().connection() as connection:
        places = [
            connection.execute(_AGENCY_OF, [token_hash(asked.form[name])]).fetchone()
            for name in secrets
            if name in asked.form
        ]
    agency_id = next((place[0] for place in places if place and place[0]), None)
    if agency_id is None:
        return _sent(answer(asked))
    with tenant_scope(agency_id), transaction(db.session.session_factory()) as session:
        asked.db = session
        reply = answer(asked)
    return _sent(reply)


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
    response.headers.extend([pair for pair in reply.headers if pair[0] == "WWW-Authenticate"])
    response.headers["Cache-Control"] = "no-store"
    return response


def _config() -> Config:
    found: Config = current_app.config["DRAMAC"]
    return found
