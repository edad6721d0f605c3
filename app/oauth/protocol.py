"""Authlib held to our rules: S256 for everybody, exact addresses, rotation with reuse detection, fixed words in errors.

One ProtocolRequest goes through; `db` is the open session of the agency that the code or token belongs to, None when it
belongs to nobody. Rows are locked before they are judged, so that of two equal requests the second sees the first.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Payload,
    OAuth2Request,
    UnsupportedResponseTypeError,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.accounts.models import User
from app.errors import BadRequest
from app.lib.crypto import random_token, token_hash
from app.lib.ids import uuid7
from app.oauth.clients import Client, find_client
from app.oauth.families import (
    GrantAlreadyEnded,
    end_reused,
    keep_token,
    locked_grant,
    person_behind,
    revoke_grant,
    start_family,
)
from app.oauth.models import ACCESS_LASTS, ACCESS_PREFIX, CODE_LASTS, CODE_PREFIX, REFRESH_PREFIX, SCOPES, Code, Token

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
WORDS = {
    "invalid_request": "A parameter is missing, repeated or malformed.",
    "invalid_client": "The client is unknown or did not prove who it is.",
    "invalid_grant": "The code or refresh token is unknown, used, expired, revoked or belongs to another request.",
    "unauthorized_client": "The client is not registered for this.",
    "unsupported_grant_type": "Use authorization_code or refresh_token.",
    "unsupported_response_type": "The only response_type is code.",
    "unsupported_token_type": "The hint must be access_token or refresh_token.",
    "invalid_scope": "A scope is unknown or the client is not registered for it.",
    "access_denied": "The person did not let the application in.",
}


class CannotReturn(BadRequest):
    """The application that sent you here is unknown, or named an address that is not registered for it. Tell its makers."""

    code = "oauth_request"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the token and revocation endpoints answer. body: the members of a JSON object."""

    status: int
    body: dict[str, Any]
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person has let an application do, and where."""

    user_id: UUID
    agency_id: UUID
    site_id: UUID
    install_id: UUID | None
    scopes: list[str]


class _Payload(OAuth2Payload):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    @property
    def data(self) -> dict[str, str]:
        return dict(self._pairs)

    @property
    def datalist(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self._pairs:
            found.setdefault(name, []).append(value)
        return found


class ProtocolRequest(OAuth2Request):  # type: ignore[misc]  # as above
    """pairs: the query of the authorize endpoint, the form of the others, in order and with repetitions."""

    def __init__(
        self, *, method: str, pairs: list[tuple[str, str]], issuer: str, now: datetime, authorization: str = "",
        db: Session | None = None, keys: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        # the address is only looked at for its scheme; whether TLS ends here or at a proxy is the configuration's business
        super().__init__(
            method, "https://localhost/", headers={"Authorization": authorization} if _readable(authorization) else {}
        )
        self.pairs, self.issuer, self.now, self.db, self.keys = pairs, issuer, now, db, keys
        self.payload = _Payload(pairs)
        self.consent: Consent | None = None

    @property
    def args(self) -> dict[str, str]:
        return self.payload.data

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data

    def repeated(self) -> set[str]:
        return {name for name, values in self.payload.datalist.items() if len(values) > 1}

    def back(self, redirect_uri: str, **answer: str) -> str:
        """The address with the answer, `iss` (RFC 9207) and the state as its bytes came."""
        pairs = [*answer.items(), ("iss", self.issuer)]
        if "state" in self.payload.data and "state" not in self.repeated():
            pairs.append(("state", self.payload.data["state"]))
        mark = "&" if "?" in redirect_uri else "?"
        return f"{redirect_uri}{mark}{urlencode(pairs, quote_via=quote, safe='', encoding='latin-1')}"


class _S256(CodeChallenge):  # type: ignore[misc]  # as above
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


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # as above
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


class Server(AuthorizationServer):  # type: ignore[misc]  # as above
    """The provider; without state of its own, one per process."""

    def __init__(self) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.register_token_generator("default", _new_tokens)
        self.register_grant(CodeGrant, [_S256()])
        self.register_grant(RefreshGrant)
        self.register_endpoint(Revocation)

    def query_client(self, client_id: str) -> Client | None:
        return find_client(client_id)

    def create_oauth2_request(self, request: ProtocolRequest) -> ProtocolRequest:
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens: the audit trail is written where things happen."""

    def save_token(self, token: dict[str, Any], request: ProtocolRequest) -> None:
        assert request.db is not None
        if request.authorization_code is not None:
            grant = start_family(request.db, code=request.authorization_code, person=request.user, now=request.now)
        else:
            grant = locked_grant(request.db, request.refresh_token.grant_id)
        access = keep_token(
            request.db,
            grant=grant,
            kind="access",
            token=token["access_token"],
            scopes=token["scope"].split(),
            now=request.now,
        )
        token["expires_in"] = int((access.expires_at - request.now).total_seconds())
        if "refresh_token" in token:
            whole = request.refresh_token.scopes if request.refresh_token is not None else grant.scopes
            keep_token(
                request.db, grant=grant, kind="refresh", token=token["refresh_token"], scopes=whole, now=request.now
            )

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


def _readable(authorization: str) -> bool:
    """Whether Basic credentials are text at all; what is not is as good as none."""
    try:
        base64.b64decode(authorization.partition(" ")[2]).decode()
    except ValueError:
        return False
    return True
