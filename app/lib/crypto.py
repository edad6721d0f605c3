"""Secrets: random tokens, their hashes, sealed values and derived keys (security.md L3).

Sealed values are AES-256-GCM with a fresh 96-bit nonce and an associated text that names the row they belong to,
so a ciphertext copied to another row does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class CannotOpen(ValueError):
    """The sealed value was made under another key, for another row, or was changed."""


def random_token(size_bytes: int = 32) -> str:
    """An unguessable URL-safe text; 32 bytes are 256 bits."""
    return secrets.token_urlsafe(size_bytes)


def token_hash(token: str) -> bytes:
    """SHA-256 of a token that is already random, for looking it up without keeping it."""
    return hashlib.sha256(token.encode()).digest()


@lru_cache(maxsize=256)  # the same few keys are asked for with every value that is opened or checked
def derive(secret: str, purpose: str, length: int = 32) -> bytes:
    """A key for one purpose from the master secret (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose.encode()).derive(secret.encode())


def sign(secret: str, purpose: str, message: bytes) -> str:
    """URL-safe HMAC-SHA256 of a message under a purpose-bound key."""
    mac = hmac.new(derive(secret, purpose), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def verify(keys: tuple[str, ...], purpose: str, message: bytes, signature: str) -> bool:
    """True when any of the keys made the signature; constant time per key."""
    given = signature.encode(
        errors="replace"
    )  # texts are compared only while they are ASCII, which outsiders need not send
    return any(hmac.compare_digest(sign(key, purpose, message).encode(), given) for key in keys)


def key_id(key: str) -> str:
    """Names a key without telling anything of it: 8 hex digits, kept beside what it signed or sealed."""
    return hashlib.sha256(derive(key, "key-id")).hexdigest()[:8]


def seal(keys: tuple[str, ...], plain: str, context: str) -> str:
    """`v1.<key id>.<base64 nonce+ciphertext>` under the first key; `context` must be given again to open it."""
    nonce = os.urandom(12)
    box = AESGCM(derive(keys[0], "seal")).encrypt(nonce, plain.encode(), context.encode())
    return f"v1.{key_id(keys[0])}.{base64.urlsafe_b64encode(nonce + box).decode()}"


def unseal(keys: tuple[str, ...], sealed: str, context: str) -> str:
    """The text behind seal(). Raises CannotOpen."""
    try:
        version, wanted, body = sealed.split(".", 2)
        raw = base64.urlsafe_b64decode(body)
        key = next(key for key in keys if key_id(key) == wanted)
        if version != "v1":
            raise CannotOpen(version)
        return AESGCM(derive(key, "seal")).decrypt(raw[:12], raw[12:], context.encode()).decode()
    except (ValueError, StopIteration, InvalidTag) as error:
        raise CannotOpen("this sealed value does not open here") from error
