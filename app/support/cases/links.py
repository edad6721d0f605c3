"""The links of case bundles: the bundle's id with a signature, so that a guessed one never reaches the database."""

from __future__ import annotations

from uuid import UUID

from app.errors import NotFound
from app.lib.crypto import sign, verify
from app.lib.ids import decode, encode

PREFIX = "cas"
_PURPOSE = "case-bundle"


def link_text(keys: tuple[str, ...], case_id: UUID) -> str:
    """The last part of a link."""
    return f"{encode(PREFIX, case_id)}.{sign(keys[0], _PURPOSE, case_id.bytes)}"


def case_of_link(keys: tuple[str, ...], text: str) -> UUID:
    """The bundle a link names. Raises NotFound for anything that we did not sign."""
    public_id, _, signature = text.partition(".")
    case_id = decode(PREFIX, public_id)
    if not verify(keys, _PURPOSE, case_id.bytes, signature):
        raise NotFound()
    return case_id
