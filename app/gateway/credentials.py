"""Who calls: from the Authorization header to a site, its scopes and its bounds.

Keys are looked up by hash, kept 30 s in the process and dropped at once when one changes (keychanges.py). Access tokens
(app/oauth/access.py) are the other kind of Credential.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Protocol
from uuid import UUID

from app.db.pools import runtime_pool
from app.domains.known import calling_origins, may_call
from app.errors import BadRequest, Forbidden, Unauthenticated
from app.gateway.keychanges import KeyChanges
from app.gateway.tokens import check_token
from app.lib.crypto import token_hash
from app.lib.ids import encode

KEPT_S = 30.0
KEPT_UNHEARD_S = 2.0  # while changes cannot be heard of
UNKNOWN_KEPT_S = 5.0
MOST_KEPT, MOST_UNKNOWN = 10_000, 1_000
_BY_HASH = "SELECT * FROM api_key_by_hash(%b)"
_ORIGIN_KNOWN = "SELECT api_origin_known(%s)"


class NoCredential(Unauthenticated):
    """Send an API key: `Authorization: Bearer dmc_sk_…`. Make one under API keys."""

    code = "no_credential"


class CredentialInWrongPlace(BadRequest):
    """Keys travel in the Authorization header only; what stands in an address or a body ends up in logs. Replace this key."""

    code = "credential_in_wrong_place"


class KeyUnknown(Unauthenticated):
    """There is no such API key. It may have been replaced; make a new one under API keys."""

    code = "key_unknown"


class KeyRevoked(Unauthenticated):
    """This API key was revoked. Make a new one under API keys."""

    code = "key_revoked"


class KeyExpired(Unauthenticated):
    """This API key has expired. Make a new one under API keys."""

    code = "key_expired"


class SiteArchived(Forbidden):
    """The site of this key is archived. Restore the site to use its API again."""

    code = "site_archived"


class AgencySuspended(Forbidden):
    """The agency of this key is suspended. Ask its owner."""

    code = "agency_suspended"


class WrongNetwork(Forbidden):
    """This key is not allowed from your address. Its networks are listed with the key, under API keys."""

    code = "wrong_network"


class WrongOrigin(Forbidden):
    """This publishable key only works on the web pages it was made for and at the site's domains that are for the API."""

    code = "wrong_origin"


class Credential(Protocol):
    """What the gateway needs to know of whoever calls, whatever they showed."""

    @property
    def ref(self) -> str: ...  # `key_…`: in logs, events and created_by
    @property
    def quota_key(self) -> str: ...  # site and credential: what quotas are counted under
    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...  # "secret" | "publishable" | "oauth"
    @property
    def agency_id(self) -> UUID: ...
    @property
    def site_id(self) -> UUID: ...
    @property
    def install_id(self) -> UUID | None: ...  # None: every module of the site
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def origins(self) -> frozenset[str]: ...
    def works_at(self, origin: str) -> bool: ...  # whether pages of this origin may use it and read its answers
    def must_be_usable(self, *, address: str, origin: str, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as the gateway sees it."""

    id: UUID
    ref: str
    quota_key: str
    agency_id: UUID
    site_id: UUID
    install_id: UUID | None
    kind: str
    scopes: frozenset[str]
    origins: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]
    expires_at: datetime | None
    revoked_at: datetime | None
    site_archived: bool
    agency_suspended: bool

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Key:
        key_id, agency_id, site_id, install_id, kind, scopes, origins, networks, expires_at, revoked_at, *closed = row
        return cls(
            id=key_id,
            ref=encode("key", key_id),
            quota_key=f"{site_id}:{key_id}",
            agency_id=agency_id,
            site_id=site_id,
            install_id=install_id,
            kind=kind,
            scopes=frozenset(scopes),
            origins=frozenset(origins),
            networks=tuple(networks),
            expires_at=expires_at,
            revoked_at=revoked_at,
            site_archived=closed[0],
            agency_suspended=closed[1],
        )

    def must_be_usable(self, *, address: str, origin: str, now: datetime) -> None:
        """Raises KeyRevoked, KeyExpired, AgencySuspended, SiteArchived, WrongNetwork, WrongOrigin."""
        if self.revoked_at is not None:
            raise KeyRevoked()
        if self.expires_at is not None and self.expires_at <= now:
            raise KeyExpired()
        if self.agency_suspended:
            raise AgencySuspended()
        if self.site_archived:
            raise SiteArchived()
        if self.networks and not _within(address, self.networks):
            raise WrongNetwork()
        if self.kind == "publishable" and not self.works_at(origin):
            raise WrongOrigin()

    def works_at(self, origin: str) -> bool:
        """A publishable key works on the pages it names and at the site's domains that are for the API."""
        return origin in self.origins or (self.kind == "publishable" and origin in calling_origins(self.site_id))


def _within(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found  # ::ffff:192.0.2.1, as a socket open to both families says it
    return any(plain in network for network in networks if network.version == plain.version)


def bearer(header: str) -> str:
    """The token of an Authorization header. Raises NoCredential for none or another scheme."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise NoCredential()
    return token


class KeyDirectory:
    """Keys by their hash, kept a short while. One per process, used by all its threads."""

    def __init__(self, changes: KeyChanges) -> None:
        self._kept: dict[bytes, tuple[Key, float]] = {}
        self._unknown: dict[bytes, float] = {}
        self._origins: dict[str, tuple[bool, float]] = {}
        self._changes = changes
        changes.listen(self._forget)

    def find(self, token: str) -> Key:
        """The key behind a token, usable or not. Raises KeyMistyped (without asking anybody) and KeyUnknown."""
        digest, now = token_hash(token), time.monotonic()
        kept = self._kept.get(digest)
        if kept is not None and kept[1] > now:
            return kept[0]
        check_token(token)
        if self._unknown.get(digest, 0.0) > now:
            raise KeyUnknown()
        return self._load(digest, now)

    def knows_origin(self, origin: str) -> bool:
        """Whether any live key may be used from this origin, named by the key or by a domain of its site."""
        if may_call(origin):
            return True
        now = time.monotonic()
        kept = self._origins.get(origin)
        if kept is None or kept[1] <= now:
            with runtime_pool().connection() as connection:
                row = connection.execute(_ORIGIN_KNOWN, [origin]).fetchone()
            kept = (bool(row and row[0]), now + self._lasting())
            _put(self._origins, origin, kept, MOST_UNKNOWN)
        return kept[0]

    def _load(self, digest: bytes, now: float) -> Key:
        self._changes.start()
        generation = self._changes.generation
        with runtime_pool().connection() as connection:
            row = connection.execute(_BY_HASH, [digest]).fetchone()
        if row is None:
            _put(self._unknown, digest, now + UNKNOWN_KEPT_S, MOST_UNKNOWN)
            raise KeyUnknown()
        key = Key.from_row(row)
        if generation == self._changes.generation:  # else it may have changed while it was read
            _put(self._kept, digest, (key, now + self._lasting()), MOST_KEPT)
        return key

    def _lasting(self) -> float:
        return KEPT_S if self._changes.heard else KEPT_UNHEARD_S

    def _forget(self, digest: bytes | None) -> None:
        self._origins.clear()
        if digest is None:
            self._kept.clear()
            self._unknown.clear()
        else:
            self._kept.pop(digest, None)
            self._unknown.pop(digest, None)


def _put(kept: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if len(kept) >= most:  # whoever floods us with keys makes us ask the database again, not run out of memory
        kept.clear()
    kept[key] = value
