"""What inbound webhooks need of the process: keys, and where their addresses begin."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.config import Config
from app.lib.crypto import seal, unseal
from app.lib.ids import encode


@dataclass(frozen=True, slots=True)
class Setup:
    """keys: Config.secret_keys. platform_url: the API is below it."""

    keys: tuple[str, ...]
    platform_url: str

    @classmethod
    def of(cls, config: Config) -> Setup:
        return cls(config.secret_keys, config.platform_url)

    def address(self, *, module: str, install_id: UUID, name: str) -> str:
        """Where a sender posts to."""
        return f"{self.platform_url}/api/modules/{module}/hooks/{encode('ins', install_id)}/{name}"


def seal_secret(keys: tuple[str, ...], hook_id: UUID, secret: str) -> str:
    return seal(keys, secret, f"inbound_hooks|secret|{hook_id}")


def open_secret(keys: tuple[str, ...], hook_id: UUID, sealed: str) -> str:
    """Raises CannotOpen."""
    return unseal(keys, sealed, f"inbound_hooks|secret|{hook_id}")


def seal_body(keys: tuple[str, ...], receipt_id: UUID, body: str) -> str:
    return seal(keys, body, f"inbound_receipts|body|{receipt_id}")


def open_body(keys: tuple[str, ...], receipt_id: UUID, sealed: str) -> str:
    """Raises CannotOpen."""
    return unseal(keys, sealed, f"inbound_receipts|body|{receipt_id}")
