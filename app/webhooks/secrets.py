"""The sealed values of an endpoint: its secrets and the headers people gave it."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from app.lib.crypto import seal, unseal

Keys = tuple[str, ...]


def seal_secret(keys: Keys, webhook_id: UUID, secret: str) -> str:
    return seal(keys, secret, f"external_webhooks|secret|{webhook_id}")


def open_secret(keys: Keys, webhook_id: UUID, sealed: str) -> str:
    """The `whsec_…` behind a sealed value. Raises CannotOpen."""
    return unseal(keys, sealed, f"external_webhooks|secret|{webhook_id}")


def valid_secrets(
    keys: Keys, webhook_id: UUID, *, current: str, previous: str, until: datetime | None, now: datetime
) -> list[str]:
    """The secrets that sign now: the current one, then the one before it while its time lasts. Raises CannotOpen."""
    sealed = [current, previous] if previous and until is not None and now < until else [current]
    return [open_secret(keys, webhook_id, one) for one in sealed]


def seal_headers(keys: Keys, webhook_id: UUID, headers: dict[str, str]) -> str:
    return seal(keys, json.dumps(headers), f"external_webhooks|headers|{webhook_id}") if headers else ""


def open_headers(keys: Keys, webhook_id: UUID, sealed: str) -> dict[str, str]:
    """The headers by name; {} when none were given. Raises CannotOpen."""
    if not sealed:
        return {}
    found: dict[str, str] = json.loads(unseal(keys, sealed, f"external_webhooks|headers|{webhook_id}"))
    return found
