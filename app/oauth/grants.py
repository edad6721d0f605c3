"""The ways to tokens: a code, a refresh token, an application's own credentials (RFC 6749 4.1, 6, 4.4; RFC 7636).

Rows are locked before they are judged, so that of two equal requests the second sees the first.
"""

from __future__ import annotations

import re
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from sqlalchemy import select

from app.accounts.models import User
from app.lib.crypto import random_token, token_hash
from app.lib.ids import uuid7
from app.oauth.clients import Client
from app.oauth.families import end_reused, locked_grant, own_grants, person_behind
from app.oauth.models import CODE_LASTS, CODE_PREFIX, Code, Token
from app.oauth.request import AUTH_METHODS, ProtocolRequest, resource_of

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class InvalidTarget(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """RFC 8707 2."""

    error = "invalid_target"


class S256(CodeChallenge):  # type: ignore[misc]  # as above
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
            raise InvalidRequestError()


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # as above
    """RFC 6749 4.1."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    request: ProtocolRequest

    def create_authorization_response(
        self, redirect_uri: str, grant_user: Any
    ) -> tuple[int, str, list[tuple[str, str]]]:
        code, request, given = f"{CODE_PREFIX}{random_token()}", self.request, self.request.consent
        assert request.db is not None
        assert given is not None
        request.db.add(
            Code(
                id=uuid7(), agency_id=given.agency_id, site_id=given.site_id, install_id=given.install_id,
                client_id=request.client.id, user_id=given.user_id, code_hash=token_hash(code), redirect_uri=redirect_uri,
                code_challenge=request.payload.data["code_challenge"], scopes=given.scopes, created_at=request.now,
                expires_at=request.now + CODE_LASTS,
            )
        )  # fmt: skip
        request.db.flush()
        return 303, "", [("Location", request.back(redirect_uri, code=code))]

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        request = self.request
        if request.db is None:
            return None
        row = request.db.scalars(select(Code).where(Code.code_hash == token_hash(code)).with_for_update()).one_or_none()
        if row is None or row.client_id != client.id:
            return None
        if row.used_at is not None:
            if row.grant_id is not None:
                end_reused(request.db, grant_id=row.grant_id, keys=request.keys, now=request.now)
            return None
        return row if row.expires_at > request.now else None

    def authenticate_user(self, authorization_code: Code) -> User | None:
        assert self.request.db is not None
        return person_behind(
            self.request.db, agency_id=authorization_code.agency_id, user_id=authorization_code.user_id,
            since=authorization_code.created_at,
        )  # fmt: skip

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Kept, marked as used by start_family(): a second use must be noticed."""


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]  # as above
    """RFC 6749 6 with rotation and reuse detection (RFC 9700 4.14)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    request: ProtocolRequest

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        request = self.request
        if request.db is None:
            return None
        row = request.db.scalars(
            select(Token)
            .where(Token.token_hash == token_hash(refresh_token), Token.kind == "refresh")
            .with_for_update()
        ).one_or_none()
        if row is None or not row.check_client(request.client):
            return None
        if row.used_at is not None:
            end_reused(request.db, grant_id=row.grant_id, keys=request.keys, now=request.now)
            return None
        grant = locked_grant(request.db, row.grant_id)
        dead = grant.revoked_at is not None or row.revoked_at is not None or row.expires_at <= request.now
        return None if dead else row

    def authenticate_user(self, refresh_token: Token) -> User:
        assert self.request.db is not None
        grant = locked_grant(self.request.db, refresh_token.grant_id)
        person = person_behind(
            self.request.db, agency_id=grant.agency_id, user_id=grant.user_id, since=grant.created_at
        )
        if person is None:
            raise InvalidGrantError()
        return person

    def revoke_old_credential(self, refresh_token: Token) -> None:
        refresh_token.used_at = self.request.now


class OwnGrant(ClientCredentialsGrant):  # type: ignore[misc]  # as above
    """RFC 6749 4.4: an application as itself, on a site of its agency that somebody let it into.

    Which one, when there are several, it says as `resource` (RFC 8707): the site's address here.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS[:-1]
    request: ProtocolRequest

    def validate_token_request(self) -> None:
        super().validate_token_request()
        request, client = self.request, self.request.client
        assert request.enter is not None
        request.db = request.enter(client.agency_id)
        asked = request.payload.data.get("resource")
        found = [
            grant
            for grant in own_grants(request.db, application_id=client.id)
            if asked in (None, resource_of(request.issuer, grant.site_id))
        ]
        if len(found) != 1:
            raise InvalidTarget()
        wanted = (request.payload.scope or "").split() or found[0].scopes
        if not set(wanted) <= set(found[0].scopes):
            raise InvalidScopeError()
        request.own_grant, request.own_scopes = found[0], wanted

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        token = self.generate_token(scope=" ".join(self.request.own_scopes), include_refresh_token=False)
        self.save_token(token)
        return 200, token, []
