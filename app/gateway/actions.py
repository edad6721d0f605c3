"""Every write to api_keys by people: create and revoke. The values are checked here, for screens and commands alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.events.catalog import KEY_CREATED, KEY_REVOKED
from app.events.outbox import publish
from app.gateway.keychanges import announce
from app.gateway.models import PUBLISHABLE_SCOPES, SCOPES, ApiKey
from app.gateway.tokens import KINDS, new_token, shown_part
from app.lib.crypto import token_hash
from app.lib.ids import uuid7
from app.tenancy.models import Site

MOST_ORIGINS = MOST_NETWORKS = 20
_INSTALLED = text(
    "SELECT EXISTS (SELECT FROM modules_v2 WHERE id = :install AND site_id = :site AND status <> 'removed')"
)


class KeyAlreadyRevoked(Conflict):
    """This key is revoked already."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the only moment its token is known."""

    key: ApiKey
    token: str


def create_key(
    db: Session,
    *,
    site: Site,
    install_id: UUID | None,
    name: str,
    kind: str,
    scopes: Iterable[str],
    origins: Iterable[str] = (),
    networks: Iterable[str] = (),
    expires_at: datetime | None = None,
    by: Actor,
    now: datetime,
) -> NewKey:
    """A key for one module of a site, or for all of them (install_id None). The token is in the result and nowhere else.

    kind: "secret" or "publishable". origins: `https://shop.example`, for publishable keys. networks: `192.0.2.0/24` or one
    address. Raises Invalid with an error per field (name, kind, scopes, origins, networks, expires), NotFound for an
    install that is not on the site.
    """
    checked = _Checked(name=name, kind=kind, scopes=scopes, origins=origins, networks=networks)
    if expires_at is not None and expires_at <= now:
        checked.wrong("expires", "Choose a day in the future.")
    checked.must_be_right()
    if install_id is not None and not db.scalar(_INSTALLED, {"install": install_id, "site": site.id}):
        raise NotFound()
    token = new_token(kind)
    key = ApiKey(
        id=uuid7(),
        agency_id=site.agency_id,
        site_id=site.id,
        install_id=install_id,
        name=checked.name,
        kind=kind,
        shown=shown_part(token),
        token_hash=token_hash(token),
        scopes=checked.scopes,
        origins=checked.origins,
        networks=checked.networks,
        created_by=by.id if by.kind == "person" else None,
        created_at=now,
        expires_at=expires_at,
    )
    db.add(key)
    db.flush()
    facts = {
        "kind": kind,
        "scopes": checked.scopes,
        "origins": checked.origins,
        "networks": list(map(str, checked.networks)),
    }
    publish(
        db, KEY_CREATED, by=by, agency_id=site.agency_id, site_id=site.id, install_id=install_id, target=key.public_id,
        target_name=key.name, data={"key": key.public_id, "name": key.name, "kind": kind},
        changes={name: [None, value] for name, value in facts.items() if value},
    )  # fmt: skip
    digest = key.token_hash
    after_commit(db, lambda: announce(digest))  # its origins are allowed from now on
    return NewKey(key, token)


def revoke_key(db: Session, *, key: ApiKey, by: Actor, now: datetime) -> None:
    """End a key for good; every process refuses it within a second. Raises KeyAlreadyRevoked."""
    if key.revoked_at is not None:
        raise KeyAlreadyRevoked()
    key.revoked_at = now
    db.flush()
    publish(
        db, KEY_REVOKED, by=by, agency_id=key.agency_id, site_id=key.site_id, install_id=key.install_id,
        target=key.public_id, target_name=key.name, data={"key": key.public_id, "name": key.name},
    )  # fmt: skip
    digest = key.token_hash
    after_commit(db, lambda: announce(digest))


class _Checked:
    """The values of a new key, cleaned, with what is wrong about them."""

    def __init__(
        self, *, name: str, kind: str, scopes: Iterable[str], origins: Iterable[str], networks: Iterable[str]
    ) -> None:
        self._errors: list[FieldError] = []
        self.name = name.strip()
        if not 1 <= len(self.name) <= 120:
            self.wrong("name", "Enter a name of at most 120 characters, such as the app that will use the key.")
        if kind not in KINDS:
            self.wrong("kind", "Choose a secret or a publishable key.")
        self.scopes = self._scopes(kind, set(scopes))
        self.origins = self._origins(kind, list(dict.fromkeys(origins)))
        self.networks = self._networks(list(dict.fromkeys(networks)))

    def wrong(self, field: str, detail: str) -> None:
        self._errors.append(FieldError(f"/{field}", "invalid", detail))

    def must_be_right(self) -> None:
        if self._errors:
            raise Invalid("Some values of the key are not acceptable.", errors=self._errors)

    def _scopes(self, kind: str, given: set[str]) -> list[str]:
        if not given:
            self.wrong("scopes", "Choose at least one thing the key may do.")
        if unknown := sorted(given - SCOPES.keys()):
            self.wrong("scopes", f"There is no scope {', '.join(unknown)}. The scopes are {', '.join(SCOPES)}.")
        elif kind == "publishable" and (too_much := sorted(given - set(PUBLISHABLE_SCOPES))):
            self.wrong("scopes", f"A publishable key cannot have {', '.join(too_much)}: everybody can read it.")
        return [scope for scope in SCOPES if scope in given]

    def _origins(self, kind: str, given: list[str]) -> list[str]:
        if kind == "publishable" and not given:
            self.wrong("origins", "Name the web pages that will use the key, such as https://www.example.com.")
        if kind == "secret" and given:
            self.wrong("origins", "A secret key must never be in a web page, so it has no origins.")
        if len(given) > MOST_ORIGINS:
            self.wrong("origins", f"At most {MOST_ORIGINS} origins.")
        found = []
        for one in given[:MOST_ORIGINS]:
            origin = _origin(one)
            if origin is None:
                self.wrong(
                    "origins", f"{one[:120]} is not an origin. Write it as https://www.example.com, without a path."
                )
            else:
                found.append(origin)
        return found

    def _networks(self, given: list[str]) -> list[IPv4Network | IPv6Network]:
        if len(given) > MOST_NETWORKS:
            self.wrong("networks", f"At most {MOST_NETWORKS} networks.")
        found = []
        for one in given[:MOST_NETWORKS]:
            try:
                found.append(ip_network(one.strip()))
            except ValueError:
                self.wrong("networks", f"{one[:120]} is not a network. Write it as 192.0.2.0/24, or one address.")
        return found


def _origin(text: str) -> str | None:
    """The origin as browsers send it (RFC 6454); None for what is none, and for plain http outside one's own machine."""
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return None
    local = host in ("localhost", "127.0.0.1", "::1")
    if not host or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        return None
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc or "*" in host:
        return None
    shown = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != default else "")
