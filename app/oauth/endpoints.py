"""What an application asks about tokens it has: ending one (RFC 7009), and what one is worth (RFC 7662)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from sqlalchemy import select

from app.access.actors import Actor
from app.db.pools import runtime_pool
from app.lib.crypto import token_hash
from app.lib.ids import encode
from app.oauth.clients import Client
from app.oauth.families import GrantAlreadyEnded, locked_grant, revoke_grant
from app.oauth.models import Token
from app.oauth.request import AUTH_METHODS, ProtocolRequest, resource_of

_INTROSPECT = "SELECT * FROM oauth_introspect(%b, %s)"


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """RFC 7009: an access token alone, a refresh token with its whole family."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def authenticate_token(self, request: ProtocolRequest, client: Client) -> Token | None:
        self.check_params(request, client)
        token = self.query_token(request, request.form["token"])
        return token if token is not None and token.check_client(client) else None

    def query_token(self, request: ProtocolRequest, token: str) -> Token | None:
        if request.db is None:
            return None
        return request.db.scalars(select(Token).where(Token.token_hash == token_hash(token))).one_or_none()

    def revoke_token(self, token: Token, request: ProtocolRequest) -> None:
        assert request.db is not None
        if token.kind == "access":
            token.revoked_at = token.revoked_at or request.now
            return
        by = Actor(kind="system", name=request.client.name)
        try:
            revoke_grant(request.db, grant=locked_grant(request.db, token.grant_id), by=by, now=request.now)
        except GrantAlreadyEnded:
            return  # revoking twice is fine (RFC 7009 2.2)


@dataclass(frozen=True, slots=True)
class _Live:
    """A token that is valid now, as introspection finds it."""

    kind: str
    scopes: list[str]
    site_id: UUID
    install_id: UUID | None
    user_id: UUID | None
    created_at: datetime
    expires_at: datetime


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # as above
    """RFC 7662: for applications with a secret, about their own tokens; every other token is merely not active."""

    CLIENT_AUTH_METHODS = AUTH_METHODS[:-1]

    def authenticate_token(self, request: ProtocolRequest, client: Client) -> _Live | None:
        self.check_params(request, client)
        with runtime_pool().connection() as connection:
            row = connection.execute(_INTROSPECT, [token_hash(request.form["token"]), client.id]).fetchone()
        return _Live(*row) if row is not None else None

    def create_endpoint_response(self, request: ProtocolRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        client = self.authenticate_endpoint_client(request)
        token = self.authenticate_token(request, client)
        return 200, {"active": False} if token is None else _told(token, client, request.issuer), []


def _told(token: _Live, client: Client, issuer: str) -> dict[str, Any]:
    found = {
        "active": True, "scope": " ".join(token.scopes), "client_id": client.get_client_id(),
        "token_type": "Bearer" if token.kind == "access" else "refresh_token", "iss": issuer,
        "sub": encode("usr", token.user_id) if token.user_id else client.get_client_id(),
        "aud": resource_of(issuer, token.site_id), "iat": int(token.created_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
        "site": encode("ste", token.site_id),
    }  # fmt: skip
    return found | ({"install": encode("ins", token.install_id)} if token.install_id else {})
