"""The other service's endpoints: Authlib's client over the guarded client, so that a manifest's address reaches nothing of ours."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from app.lib.http_out import Answer, Egress
from app.lib.judged import OutgoingFailed
from app.modules.manifest.connections import Connection as Declared

log = logging.getLogger(__name__)

TIMEOUT_S = 8
MAX_ANSWER, MAX_TOKEN = 64_000, 16_000


class ServiceRefused(Exception):
    """The service said no, and will say so again. The message may be shown: it carries nothing of the service's own words."""


class ServiceSilent(Exception):
    """The service gave no usable answer; it may later."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a service gave. refresh: None when it cannot be renewed. lasts_s: None when the service does not say."""

    access: str
    refresh: str | None
    scopes: tuple[str, ...]
    lasts_s: int | None


class _Answer:
    """An answer as Authlib's client reads it."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self._body = answer.body

    def json(self) -> Any:
        return json.loads(self._body)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ServiceSilent(f"HTTP {self.status_code}")


class _Session:
    """What Authlib's client sends by."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    def post(self, url: str, *, data: dict[str, str], headers: dict[str, str], auth: Any) -> _Answer:
        uri, prepared, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Answer(
            self._egress.request(
                "POST", uri, headers=prepared, body=body.encode(), timeout_s=TIMEOUT_S, max_bytes=MAX_ANSWER
            )
        )


class Service:
    """One declared service with a registration there. secret: "" for one without."""

    def __init__(self, declared: Declared, *, client_id: str, secret: str, redirect_uri: str, egress: Egress) -> None:
        method = f"client_secret_{declared.client_auth}" if secret else "none"
        self._declared = declared
        self._client = OAuth2Client(
            _Session(egress), client_id, secret or None, redirect_uri=redirect_uri, code_challenge_method="S256",
            token_endpoint_auth_method=method, revocation_endpoint_auth_method=method,
        )  # fmt: skip

    def address(self, *, state: str, verifier: str) -> str:
        """Where the person agrees."""
        asked = {
            **self._declared.params,
            **({"scope": " ".join(self._declared.scopes)} if self._declared.scopes else {}),
        }
        url, _ = self._client.create_authorization_url(
            self._declared.authorize_url, state=state, code_verifier=verifier, **asked
        )
        return str(url)

    def redeem(self, code: str, *, verifier: str) -> Given:
        """The tokens for a code. Raises ServiceRefused, ServiceSilent."""
        url = self._declared.token_url
        return self._given(
            lambda: self._client.fetch_token(url, grant_type="authorization_code", code=code, code_verifier=verifier),
            self._declared.scopes,
        )

    def renew(self, refresh: str, *, scopes: tuple[str, ...]) -> Given:
        """New tokens; the refresh token stays the old one when none is sent. Raises ServiceRefused, ServiceSilent."""
        return self._given(lambda: self._client.refresh_token(self._declared.token_url, refresh_token=refresh), scopes)

    def give_back(self, token: str) -> bool:
        """Revoke a token, as far as the service has an address for that. Whether it said that it did."""
        if self._declared.revoke_url is None:
            return False
        try:
            answer = self._client.revoke_token(self._declared.revoke_url, token=token)
        except OutgoingFailed as error:
            log.info("%s took no token back: %s", self._declared.revoke_url, error.kind)
            return False
        return bool(answer.status_code < 300)

    def _given(self, ask: Callable[[], dict[str, Any]], scopes: tuple[str, ...]) -> Given:
        try:
            return _checked(ask(), scopes)
        except OAuth2Error as error:
            if str(error.error) in ("temporarily_unavailable", "server_error", "slow_down"):
                raise ServiceSilent("The service is busy.") from None
            raise ServiceRefused(_words(str(error.error))) from None
        except OutgoingFailed as error:
            raise ServiceSilent(str(error)) from None
        except ValueError:
            raise ServiceSilent("The service's answer is not one of OAuth 2.0.") from None


def _checked(found: dict[str, Any], asked: tuple[str, ...]) -> Given:
    access, refresh, kind = found.get("access_token"), found.get("refresh_token"), found.get("token_type", "bearer")
    if not _is_token(access) or not (refresh is None or _is_token(refresh)) or str(kind).lower() != "bearer":
        raise ValueError("not a bearer token")
    said, scope = found.get("expires_in"), found.get("scope")
    lasts_s = int(said) if isinstance(said, (int, float, str)) and str(said).isdigit() and int(said) > 0 else None
    scopes = tuple(scope.split()[:50]) if isinstance(scope, str) and scope else asked
    return Given(str(access), refresh, scopes, min(lasts_s, 10**9) if lasts_s else None)


def _is_token(value: object) -> bool:
    """Something that can stand in a header: visible ASCII (RFC 6750 2.1)."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_TOKEN
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _words(code: str) -> str:
    return {
        "invalid_client": "The service does not know this client id and secret.",
        "unauthorized_client": "The service does not allow this client to connect in this way.",
        "invalid_grant": "The service has ended the connection.",
        "invalid_scope": "The service does not give the rights that the module asks for.",
    }.get(code, "The service refused.")
