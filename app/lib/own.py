"""The public addresses at which the platform itself answers. No call for other people goes there, by whatever name (S3): a name
of theirs that stands for one of them would reach us from inside.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable, Iterable

from app.lib.judged import Address, OutgoingFailed, address_of, is_denied

log = logging.getLogger(__name__)

KEPT_S = 300.0
RETRY_S = 30.0  # after a name could not be looked up; what was known stays


class OwnAddresses:
    """Those that are configured, and those that the platform's own names stand for, looked up now and then."""

    def __init__(self, *, names: Iterable[str] = (), addresses: Iterable[str] = ()) -> None:
        own = list(names)
        literals = [found for name in own if (found := address_of(name)) is not None]
        self.names = [name for name in own if address_of(name) is None]
        self.fixed = frozenset(one for one in [*map(ipaddress.ip_address, addresses), *literals] if not is_denied(one))
        self._found: frozenset[Address] = frozenset()
        self._due = 0.0
        self._looked = False
        self._looking = threading.Lock()

    def known(self, look_up: Callable[[str], list[str]]) -> frozenset[Address]:
        """All of them. look_up: addresses of a name, bounded in time. Private ones are none: those are refused as such."""
        # whoever comes while somebody looks goes by what was found before, if anything was
        if self.names and self._is_due() and self._looking.acquire(blocking=not self._looked):
            try:
                if self._is_due():
                    self._look(look_up)
            finally:
                self._looking.release()
        return self.fixed | self._found

    def _is_due(self) -> bool:
        return time.monotonic() >= self._due

    def _look(self, look_up: Callable[[str], list[str]]) -> None:
        found: set[Address] = set()
        self._due = time.monotonic() + KEPT_S
        for name in self.names:
            try:
                found |= {one for text in look_up(name) if not is_denied(one := ipaddress.ip_address(text))}
            except OutgoingFailed as error:
                log.warning("the platform's own name %s is not looked up: %s", name, error)
                found |= self._found
                self._due = time.monotonic() + RETRY_S
        self._found, self._looked = frozenset(found), True


_own: dict[str, OwnAddresses] = {"process": OwnAddresses()}


def configure_own(*, names: Iterable[str], addresses: Iterable[str]) -> None:
    """Tell, once per process, the platform's own names and the addresses that are known to be its own."""
    _own["process"] = OwnAddresses(names=names, addresses=addresses)


def own_addresses() -> OwnAddresses:
    return _own["process"]
