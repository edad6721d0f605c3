"""What connections need of the process: keys, addresses, the guarded client."""

from __future__ import annotations

from dataclasses import dataclass

from app.config import Config
from app.lib.http_out import Egress
from app.runtime.functions import process


@dataclass(frozen=True, slots=True)
class Setup:
    """keys: what tokens are sealed under. redirect_uri: where services send people back to."""

    keys: tuple[str, ...]
    platform_url: str

    @classmethod
    def of(cls, config: Config) -> Setup:
        return cls(config.secret_keys, config.platform_url)

    @property
    def redirect_uri(self) -> str:
        return f"{self.platform_url}/connections/callback"

    def egress(self) -> Egress:
        """The client that functions call by too."""
        return process.egress()
