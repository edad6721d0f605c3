"""What this package needs of the configuration, handed in once per process by the composition root."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setup:
    """keys: Config.secret_keys, which seal the bodies of letters and the queries of the request log."""

    keys: tuple[str, ...]
    platform_url: str


_setup: dict[str, Setup] = {}


def configure_rollouts(setup: Setup) -> None:
    _setup["process"] = setup


def current_setup() -> Setup:
    return _setup["process"]
