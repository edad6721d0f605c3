"""What this package needs of the configuration, handed in once per process by the composition root."""

from __future__ import annotations

_keys: dict[str, tuple[str, ...]] = {}


def configure_automations(*, keys: tuple[str, ...]) -> None:
    """keys: Config.secret_keys, which seal the bodies of letters."""
    _keys["process"] = keys


def current_keys() -> tuple[str, ...]:
    return _keys["process"]
