"""Embed tokens and the short sessions made from them, as text: signed, so that what is forged costs no look at the database.

A token is a host site's own and lives long; it is exchanged for sessions of five minutes, each for one origin. Both are
`<prefix>_<claims>.<signature>`, claims being base64url JSON with the id of the signing key.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.lib.crypto import key_id, random_token, sign, verify

TOKEN, SESSION = "dmc_et", "dmc_es"
SESSION_S = 300
_MAX_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class Token:
    """What an embed token says. origins empty: every verified origin of the site."""

    id: UUID
    install_id: UUID
    origins: tuple[str, ...]
    expires_at: int


@dataclass(frozen=True, slots=True)
class Session:
    """What a session says. origin: the one host it is for. token_id None: the platform's own preview."""

    install_id: UUID
    origin: str
    token_id: UUID | None
    expires_at: int


def make_token(
    keys: tuple[str, ...], *, token_id: UUID, install_id: UUID, origins: Iterable[str], expires_at: datetime
) -> str:
    claims = {"jti": token_id.hex, "ins": install_id.hex, "org": list(origins), "exp": int(expires_at.timestamp())}
    return _write(keys, TOKEN, claims)


def read_token(keys: tuple[str, ...], text: str, *, now: datetime) -> Token | None:
    """The token when we signed it and it has not expired; whether it is revoked is for the database to say."""
    claims = _read(keys, TOKEN, text, now)
    return claims and Token(UUID(claims["jti"]), UUID(claims["ins"]), tuple(claims["org"]), claims["exp"])


def make_session(keys: tuple[str, ...], *, install_id: UUID, origin: str, token_id: UUID | None, now: datetime) -> str:
    claims = {
        "jti": random_token(12), "aud": install_id.hex, "dom": origin, "tok": token_id.hex if token_id else "",
        "exp": int(now.timestamp()) + SESSION_S,
    }  # fmt: skip
    return _write(keys, SESSION, claims)


def read_session(keys: tuple[str, ...], text: str, *, install_id: UUID, now: datetime) -> Session | None:
    """The session when we made it for this install and it has not expired."""
    claims = _read(keys, SESSION, text, now)
    if claims is None or claims["aud"] != install_id.hex:
        return None
    return Session(install_id, claims["dom"], UUID(claims["tok"]) if claims["tok"] else None, claims["exp"])


def _write(keys: tuple[str, ...], prefix: str, claims: dict[str, Any]) -> str:
    plain = json.dumps({"kid": key_id(keys[0]), **claims}, separators=(",", ":")).encode()
    body = base64.urlsafe_b64encode(plain).rstrip(b"=").decode()
    return f"{prefix}_{body}.{sign(keys[0], prefix, body.encode())}"


def _read(keys: tuple[str, ...], prefix: str, text: str, now: datetime) -> Any:
    """The claims of a text of this kind that we signed and that has not expired; None for everything else."""
    body, dot, signature = text.removeprefix(f"{prefix}_").partition(".")
    if not dot or len(text) > _MAX_CHARACTERS or not text.isascii() or not text.startswith(f"{prefix}_"):
        return None
    if not verify(keys, prefix, body.encode(), signature):
        return None
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims if claims["exp"] > now.timestamp() else None
