"""An application as the protocol sees it, whichever agency publishes it, and which addresses it may name."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin

from app.db.pools import runtime_pool
from app.errors import NotFound
from app.lib.crypto import token_hash
from app.lib.ids import decode, encode

LOOPBACK = "127.0.0.1"
_CLIENT = "SELECT * FROM oauth_client(%s)"


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """What Authlib asks an application. publisher: the name of the agency that registered it."""

    id: UUID
    agency_id: UUID
    name: str
    publisher: str
    kind: str
    redirect_uris: tuple[str, ...]
    origins: tuple[str, ...]
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    secret_hashes: tuple[bytes, ...]

    def get_client_id(self) -> str:
        return encode("app", self.id)

    def get_default_redirect_uri(self) -> None:
        """None: every request names its address."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The asked scopes in their order, each once; all registered when none was asked; None when one is not registered."""
        asked = list(dict.fromkeys((scope or "").split())) or list(self.scopes)
        return " ".join(asked) if set(asked) <= set(self.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Exact text; only the port of a loopback address is free (RFC 8252 7.3)."""
        return redirect_uri in self.redirect_uris or any(
            _differs_by_loopback_port(known, redirect_uri) for known in self.redirect_uris
        )

    def check_client_secret(self, client_secret: str) -> bool:
        """Against both live secrets, in constant time."""
        digest = token_hash(client_secret)
        return sum(hmac.compare_digest(digest, known) for known in self.secret_hashes) > 0

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == (self.kind == "public")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types


def find_client(client_id: str) -> Client | None:
    """The live application with this client_id."""
    try:
        wanted = decode("app", client_id)
    except NotFound:
        return None
    with runtime_pool().connection() as connection:
        row = connection.execute(_CLIENT, [wanted]).fetchone()
    if row is None:
        return None
    found, agency_id, name, publisher, kind, uris, origins, grants, scopes, *secrets = row
    known = tuple(secret for secret in secrets if secret is not None)
    return Client(
        found, agency_id, name, publisher, kind, tuple(uris), tuple(origins), tuple(grants), tuple(scopes), known
    )


def redirect_fault(uri: str) -> str | None:
    """What is wrong with an address to be registered: None, or a sentence."""
    shown = uri[:120]
    if len(uri) > 500 or not uri.isascii() or any(char <= " " or char in "\"'<>\\^`{|}*;," for char in uri):
        return f"{shown} has characters that an address cannot have, or is longer than 500."
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return f"{shown} is not an address."
    if "#" in uri or parts.username is not None or "@" in parts.netloc:
        return f"{shown} must have neither a fragment (#) nor a name before the host (@)."
    if "/../" in f"{parts.path}/" or "/./" in f"{parts.path}/":
        return f"{shown} must not have . or .. in its path."
    if parts.scheme == "http" and host in (LOOPBACK, "localhost"):
        return None
    if parts.scheme != "https" or "." not in host:
        return f"{shown} must begin with https:// and name a public host (http only for 127.0.0.1 and localhost)."
    return None


def origins_of(uris: Iterable[str]) -> list[str]:
    """The origins of addresses as browsers write them, each once."""
    parts = (urlsplit(uri) for uri in uris)
    return list(dict.fromkeys(f"{one.scheme}://{_host(one)}" for one in parts))


def _host(parts: SplitResult) -> str:
    port = parts.port
    usual = port in (None, {"https": 443, "http": 80}[parts.scheme])
    return f"{parts.hostname}" if usual else f"{parts.hostname}:{port}"


def _differs_by_loopback_port(known: str, asked: str) -> bool:
    start = f"http://{LOOPBACK}"
    if not known.startswith(start) or not asked.startswith(start):
        return False
    return _without_port(known[len(start) :]) == _without_port(asked[len(start) :]) is not None


def _without_port(rest: str) -> str | None:
    """What follows host and port; None when something else than a port follows the host."""
    if not rest.startswith(":"):
        return rest if rest == "" or rest[0] in "/?" else None
    digits = rest[1:].split("/", 1)[0].split("?", 1)[0]
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) < 65536 and len(digits) <= 5):
        return None
    return rest[1 + len(digits) :]
