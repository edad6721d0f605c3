"""What goes through the protocol's steps: one request, one reply, and the fixed words of its errors."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request
from sqlalchemy.orm import Session

from app.errors import BadRequest
from app.lib.ids import encode
from app.oauth.models import Grant

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
WORDS = {
    "invalid_request": "A parameter is missing, repeated or malformed.",
    "invalid_client": "The client is unknown or did not prove who it is.",
    "invalid_grant": "The code or refresh token is unknown, used, expired, revoked or belongs to another request.",
    "unauthorized_client": "The client is not registered for this.",
    "unsupported_grant_type": "Use authorization_code, refresh_token or client_credentials.",
    "unsupported_response_type": "The only response_type is code.",
    "unsupported_token_type": "The hint must be access_token or refresh_token.",
    "invalid_scope": "A scope is unknown or the client is not registered for it.",
    "invalid_target": "The client may not act for itself there. Name one of its sites as resource.",
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
    def scope(self) -> str | None:
        """Each asked scope once, in their order; None when the parameter is not there."""
        asked = self.data.get("scope")
        return asked if asked is None else " ".join(dict.fromkeys(asked.split()))

    @property
    def datalist(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self._pairs:
            found.setdefault(name, []).append(value)
        return found


class ProtocolRequest(OAuth2Request):  # type: ignore[misc]  # as above
    """pairs: the query of the authorize endpoint, the form of the others, in order and with repetitions.

    db: the open session of the agency that the code or token belongs to, None while it belongs to nobody. enter: opens one
    for an agency. consent: what a person decided. own_grant, own_scopes: what an application may do by itself.
    """

    def __init__(
        self, *, method: str, pairs: list[tuple[str, str]], issuer: str, now: datetime, authorization: str = "",
        db: Session | None = None, keys: tuple[str, ...] = (), enter: Callable[[UUID], Session] | None = None,
    ) -> None:  # fmt: skip
        # the address is only looked at for its scheme; whether TLS ends here or at a proxy is the configuration's business
        super().__init__(
            method, "https://localhost/", headers={"Authorization": authorization} if _readable(authorization) else {}
        )
        self.pairs, self.issuer, self.now, self.db, self.keys, self.enter = pairs, issuer, now, db, keys, enter
        self.payload = _Payload(pairs)
        self.consent: Consent | None = None
        self.own_grant: Grant | None = None
        self.own_scopes: list[str] = []

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


def resource_of(issuer: str, site_id: UUID) -> str:
    """What tokens for a site are for, as a name of the form that RFC 8707 wants: the site's address."""
    return f"{issuer}/sites/{encode('ste', site_id)}"


def _readable(authorization: str) -> bool:
    """Whether Basic credentials are text at all; what is not is as good as none."""
    try:
        base64.b64decode(authorization.partition(" ")[2]).decode()
    except ValueError:
        return False
    return True
