"""What this package needs of the configuration, handed in once per process by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from app.domains.proof import Look
from app.domains.standing import Front


@dataclass(frozen=True, slots=True)
class Setup:
    """keys: Config.secret_keys. reserved: hosts of the platform itself, a port where the address has one.

    look: how proofs are looked for. front: where customers' hosts have to lead.
    """

    keys: tuple[str, ...]
    platform_url: str
    runtime_url: str
    development: bool
    reserved: tuple[str, ...]
    look: Look
    front: Front


_setup: dict[str, Setup] = {}


def configure_domains(setup: Setup) -> None:
    _setup["process"] = setup


def current_setup() -> Setup:
    return _setup["process"]


def reserved_hosts(*urls: str) -> tuple[str, ...]:
    """The hosts of the platform's own addresses, with the port where there is one."""
    return tuple(urlsplit(url).netloc.lower() for url in urls)
