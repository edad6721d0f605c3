"""What this package needs of the configuration, handed in once per process by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from app.webhooks.addresses import Outside


@dataclass(frozen=True, slots=True)
class Setup:
    """keys: Config.secret_keys. platform_url: for links in letters. outside: the clients deliveries leave by."""

    keys: tuple[str, ...]
    platform_url: str
    outside: Outside


_setup: dict[str, Setup] = {}


def configure_webhooks(*, keys: tuple[str, ...], platform_url: str, outside: Outside) -> None:
    _setup["process"] = Setup(keys, platform_url, outside)


def current_setup() -> Setup:
    return _setup["process"]
