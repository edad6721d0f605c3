"""What the SDK on a host's page asks: a session for an embed token. Its answers are for verified origins alone."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, make_response, request

from app.config import Config
from app.domains.known import verified_origins
from app.embed.access import visitor
from app.embed.closed import open_session
from app.embed.tokens import SESSION_S
from app.errors import AppError, RateLimited
from app.lib.clock import utcnow
from app.runtime.context import InstallContext
from app.runtime.pages import spam
from app.web.errors import status_of

PER_MINUTE = 300  # of one address for one install: a page with 20 embeds in an office behind one address

bp = Blueprint("embed_api", __name__, url_prefix="/embed")


@bp.post("/<public_id:install_id>/sessions", provide_automatic_options=False)
@visitor
def create_session(context: InstallContext) -> Response:
    """`Authorization: Bearer dmc_et_…` and the browser's own Origin; {"session", "expires_in"} for five minutes."""
    config: Config = current_app.config["DRAMAC"]
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    origin = request.headers.get("Origin", "")
    try:
        if wait_s := spam.wait_s(context.install_id, request.remote_addr or "", what="session", most=PER_MINUTE):
            raise RateLimited(retry_after_s=wait_s)
        session = open_session(
            context, keys=config.secret_keys, token=token.strip() if scheme.lower() == "bearer" else "", origin=origin, now=utcnow()
        )  # fmt: skip
    except AppError as error:
        answer = _for_origin(context, jsonify(detail=error.message, code=error.code), status_of(error))
        if isinstance(error, RateLimited):
            answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    return _for_origin(context, jsonify(session=session, expires_in=SESSION_S), 201)


@bp.route("/<public_id:install_id>/sessions", methods=["OPTIONS"])
@visitor
def session_preflight(context: InstallContext) -> Response:
    answer = _for_origin(context, make_response(""), 204)
    answer.headers["Access-Control-Allow-Methods"] = "POST"
    answer.headers["Access-Control-Allow-Headers"] = "Authorization"
    answer.headers["Access-Control-Max-Age"] = "600"
    return answer


def _for_origin(context: InstallContext, answer: Response, status: int) -> Response:
    """Readable by the page that asked when its origin is verified, exactly; never by any other."""
    answer.status_code = status
    origin = request.headers.get("Origin", "")
    if origin in verified_origins(context.site_id):
        answer.headers["Access-Control-Allow-Origin"] = origin
    answer.headers["Cache-Control"] = "no-store"
    answer.vary.add("Origin")
    return answer
