"""The key with which a page of a module may tell what happens on it: signed, for one page of one version, for two hours.

`dmc_ak_<claims>.<signature>`; claims are base64url JSON with the id of the signing key.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.lib.crypto import key_id, sign, verify

PREFIX = "dmc_ak"
LASTS_S = 2 * 3600
MAX_CHARACTERS = 800


@dataclass(frozen=True, slots=True)
class PageKey:
    """nonce: of this one answer. again: it was no new view. surface, place, referrer: as the page was asked for."""

    install_id: UUID
    version: str
    page: str
    nonce: str
    again: bool
    surface: str
    place: str
    referrer: str
    issued_at: datetime


def make_key(keys: tuple[str, ...], key: PageKey) -> str:
    claims = {
        "kid": key_id(keys[0]), "ins": key.install_id.hex, "ver": key.version, "pag": key.page, "jti": key.nonce,
        "agn": int(key.again), "srf": key.surface, "plc": key.place, "ref": key.referrer,
        "iat": int(key.issued_at.timestamp()),
    }  # fmt: skip
    body = base64.urlsafe_b64encode(json.dumps(claims, separators=(",", ":")).encode()).rstrip(b"=").decode()
    return f"{PREFIX}_{body}.{sign(keys[0], PREFIX, body.encode())}"


def read_key(keys: tuple[str, ...], text: str, *, now: datetime) -> PageKey | None:
    """The key when we made it within the last two hours; None for everything else."""
    body, dot, signature = text.removeprefix(f"{PREFIX}_").partition(".")
    if not dot or len(text) > MAX_CHARACTERS or not text.isascii() or not text.startswith(f"{PREFIX}_"):
        return None
    if not verify(keys, PREFIX, body.encode(), signature):
        return None
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    age_s = now.timestamp() - claims["iat"]
    if not -60 <= age_s < LASTS_S:
        return None
    return PageKey(
        install_id=UUID(claims["ins"]), version=claims["ver"], page=claims["pag"], nonce=claims["jti"],
        again=bool(claims["agn"]), surface=claims["srf"], place=claims["plc"], referrer=claims["ref"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
    )  # fmt: skip


def new_nonce() -> str:
    return secrets.token_urlsafe(9)
