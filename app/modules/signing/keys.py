"""The platform's own key, and the keys of publishers."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.lib.crypto import derive, seal, unseal
from app.lib.ids import uuid7
from app.modules.signing.models import PublisherKey

_keys: dict[str, tuple[str, ...]] = {"secret": ()}


def configure_signing(secret_keys: tuple[str, ...]) -> None:
    """Once per process: Config.secret_keys. The platform signs under the first; every one is trusted.

    A secret key that is taken out of the list takes the trust in what was countersigned under it away.
    """
    _keys["secret"] = secret_keys


def platform_key() -> Ed25519PrivateKey:
    """What the platform countersigns with, derived from the first secret key."""
    return _derived(_keys["secret"][0])


def trusted_keys() -> list[bytes]:
    """The platform's public keys, 32 bytes each, the one in use first."""
    return [public_bytes(_derived(secret)) for secret in _keys["secret"]]


def key_of(db: Session, agency_id: UUID) -> Ed25519PrivateKey:
    """The key an agency signs with at present, made when it has none."""
    found = _in_use(db, agency_id)
    if found is None:
        try:
            with db.begin_nested():  # two releases at once: the unique index decides
                found = _new(db, agency_id)
        except IntegrityError:
            found = _in_use(db, agency_id)
    assert found is not None
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(unseal(_keys["secret"], found.sealed, _bound(found.id))))


def rotate_key(db: Session, *, agency_id: UUID, now: datetime) -> bytes:
    """Take the key in use out of use and make another; returns its public half. What the old one signed stays good."""
    if (old := _in_use(db, agency_id)) is not None:
        old.retired_at = now
        db.flush()
    return _new(db, agency_id).public_key


def keys_of_publisher(db: Session, *, agency_id: UUID) -> list[PublisherKey]:
    """Every key of an agency, the one in use first."""
    query = select(PublisherKey).where(PublisherKey.agency_id == agency_id)
    return list(
        db.scalars(query.order_by(PublisherKey.retired_at.desc().nulls_first(), PublisherKey.created_at.desc()))
    )


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature is that key's over exactly these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The public half of a key."""
    return key.public_key().public_bytes_raw()


@cache
def _derived(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derive(secret, "release-log"))


def _in_use(db: Session, agency_id: UUID) -> PublisherKey | None:
    return db.scalar(select(PublisherKey).where(PublisherKey.agency_id == agency_id, PublisherKey.retired_at.is_(None)))


def _new(db: Session, agency_id: UUID) -> PublisherKey:
    key, key_id = Ed25519PrivateKey.generate(), uuid7()
    sealed = seal(_keys["secret"], key.private_bytes_raw().hex(), _bound(key_id))
    made = PublisherKey(id=key_id, agency_id=agency_id, public_key=public_bytes(key), sealed=sealed)
    db.add(made)
    db.flush()
    return made


def _bound(key_id: UUID) -> str:
    return f"publisher_keys|sealed|{key_id}"
