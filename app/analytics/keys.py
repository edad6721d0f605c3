"""The key with which a page may tell what happens on it: signed, for one page of a module's version or of a site, for two hours.

`dmc_ak_<claims>.<signature>`; claims are base64url JSON with the id of the signing key. A site's own page is kept whole for every
visitor, so it carries no key but its name, `dmc_ap_<claims>.<signature>`: the same in every answer, and good for asking for a key.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.lib.crypto import key_id, sign, verify

PREFIX, NAME_PREFIX = "dmc_ak", "dmc_ap"
LASTS_S = 2 * 3600
MAX_CHARACTERS, MAX_NAME = 800, 500


@dataclass(frozen=True, slots=True)
class PageKey:
    """nonce: of this one answer. again: it was no new view. surface, place, referrer: as the page was asked for.

    install_id: of a module's page; None of a site's own, which has of instead.
    """

    install_id: UUID | None
    version: str
    page: str
    nonce: str
    again: bool
    surface: str
    place: str
    referrer: str
    issued_at: datetime
    of: SitePage | None = None


@dataclass(frozen=True, slots=True)
class SitePage:
    """One of a site's own pages."""

    site_id: UUID
    page_id: UUID
    path: str


def make_key(keys: tuple[str, ...], key: PageKey) -> str:
    claims = {
        "kid": key_id(keys[0]), "ver": key.version, "pag": key.page, "jti": key.nonce,
        "agn": int(key.again), "srf": key.surface, "plc": key.place, "ref": key.referrer,
        "iat": int(key.issued_at.timestamp()),
    }  # fmt: skip
    if key.of is not None:
        claims |= {"sit": key.of.site_id.hex, "pid": key.of.page_id.hex}
    elif key.install_id is not None:
        claims["ins"] = key.install_id.hex
    return _signed(keys, PREFIX, claims)


def make_name(keys: tuple[str, ...], page: SitePage) -> str:
    """What a site's own page is called towards make_key; "" for a path too long to be in a key."""
    claims = {"sit": page.site_id.hex, "pid": page.page_id.hex, "pag": page.path}
    name = _signed(keys, NAME_PREFIX, claims)
    return name if len(name) <= MAX_NAME else ""


def read_name(keys: tuple[str, ...], text: str) -> SitePage | None:
    """The page when we made its name; None for everything else."""
    claims = _claims(keys, NAME_PREFIX, text)
    return SitePage(UUID(claims["sit"]), UUID(claims["pid"]), claims["pag"]) if claims else None


def read_key(keys: tuple[str, ...], text: str, *, now: datetime) -> PageKey | None:
    """The key when we made it within the last two hours; None for everything else."""
    claims = _claims(keys, PREFIX, text)
    if claims is None:
        return None
    age_s = now.timestamp() - claims["iat"]
    if not -60 <= age_s < LASTS_S:
        return None
    return PageKey(
        install_id=UUID(claims["ins"]) if "ins" in claims else None, version=claims["ver"], page=claims["pag"], nonce=claims["jti"],
        again=bool(claims["agn"]), surface=claims["srf"], place=claims["plc"], referrer=claims["ref"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        of=SitePage(UUID(claims["sit"]), UUID(claims["pid"]), claims["pag"]) if "sit" in claims else None,
    )  # fmt: skip


def _signed(keys: tuple[str, ...], prefix: str, claims: dict[str, Any]) -> str:
    plain = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    body = base64.urlsafe_b64encode(plain).rstrip(b"=").decode()
    return f"{prefix}_{body}.{sign(keys[0], prefix, body.encode())}"


def _claims(keys: tuple[str, ...], prefix: str, text: str) -> dict[str, Any] | None:
    body, dot, signature = text.removeprefix(f"{prefix}_").partition(".")
    if not dot or len(text) > MAX_CHARACTERS or not text.isascii() or not text.startswith(f"{prefix}_"):
        return None
    if not verify(keys, prefix, body.encode(), signature):
        return None
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def new_nonce() -> str:
    return secrets.token_urlsafe(9)
