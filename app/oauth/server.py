"""Authlib held to our rules: S256 for everybody, exact addresses, rotation with reuse detection, fixed words in errors."""

from __future__ import annotations

import logging
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, UnsupportedResponseTypeError

from app.accounts.models import User
from app.lib.crypto import random_token
from app.oauth.clients import Client, find_client
from app.oauth.endpoints import Introspection, Revocation
from app.oauth.families import keep_token, locked_grant, start_family
from app.oauth.grants import S256, CodeGrant, OwnGrant, RefreshGrant
from app.oauth.models import ACCESS_LASTS, ACCESS_PREFIX, REFRESH_PREFIX, SCOPES, Grant
from app.oauth.request import WORDS, CannotReturn, ProtocolRequest, Reply

logging.getLogger("authlib").setLevel(logging.INFO)  # its lines for debugging carry tokens


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """The provider; without state of its own, one per process."""

    def __init__(self) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.register_token_generator("default", _new_tokens)
        self.register_grant(CodeGrant, [S256()])
        self.register_grant(RefreshGrant)
        self.register_grant(OwnGrant)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)

    def query_client(self, client_id: str) -> Client | None:
        return find_client(client_id)

    def create_oauth2_request(self, request: ProtocolRequest) -> ProtocolRequest:
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens: the audit trail is written where things happen."""

    def save_token(self, token: dict[str, Any], request: ProtocolRequest) -> None:
        assert request.db is not None
        db, now, grant = request.db, request.now, _grant_for(request)
        access = keep_token(
            db, grant=grant, kind="access", token=token["access_token"], scopes=token["scope"].split(), now=now
        )
        token["expires_in"] = int((access.expires_at - now).total_seconds())
        if "refresh_token" in token:
            whole = request.refresh_token.scopes if request.refresh_token is not None else grant.scopes
            keep_token(db, grant=grant, kind="refresh", token=token["refresh_token"], scopes=whole, now=now)

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Reply:
        return Reply(status, body if isinstance(body, dict) else {}, tuple(headers))

    def handle_error_response(self, request: ProtocolRequest, error: OAuth2Error) -> Reply:
        code = str(error.error)
        body = {"error": code, "error_description": WORDS[code]}
        if code != "invalid_client":
            return Reply(400, body)
        challenge = (("WWW-Authenticate", 'Basic realm="Dramac"'),) if request.headers.get("Authorization") else ()
        return Reply(401, body, challenge)

    def authorization(self, request: ProtocolRequest) -> tuple[CodeGrant | None, str]:
        """(the grant to consent to, where the answer goes), or (None, the address to send an error to).

        Raises CannotReturn while nobody is known to whom an answer could go.
        """
        asked, repeated = request.payload.data, request.repeated()
        client = None if {"client_id", "redirect_uri"} & repeated else find_client(asked.get("client_id", ""))
        uri = asked.get("redirect_uri", "")
        if client is None or not client.check_redirect_uri(uri):
            raise CannotReturn()
        try:
            if repeated or not asked.get("response_type"):
                raise InvalidRequestError()
            if asked["response_type"] != "code":
                raise UnsupportedResponseTypeError("")
            return self.get_consent_grant(request), uri
        except OAuth2Error as error:
            return None, request.back(uri, error=str(error.error), error_description=WORDS[str(error.error)])


def _new_tokens(
    *, grant_type: str, client: Client, user: User, scope: str, expires_in: int | None, include_refresh_token: bool
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "token_type": "Bearer", "access_token": f"{ACCESS_PREFIX}{random_token()}",
        "expires_in": int(ACCESS_LASTS.total_seconds()), "scope": scope,
    }  # fmt: skip
    if include_refresh_token:
        made["refresh_token"] = f"{REFRESH_PREFIX}{random_token()}"
    return made


def _grant_for(request: ProtocolRequest) -> Grant:
    assert request.db is not None
    if request.own_grant is not None:
        return request.own_grant
    if request.authorization_code is not None:
        return start_family(request.db, code=request.authorization_code, person=request.user, now=request.now)
    return locked_grant(request.db, request.refresh_token.grant_id)
