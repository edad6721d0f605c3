"""psycopg pools for the paths that do not use the ORM: module rows (runtime role) and owner work (provisioning).

Pools belong to a process: after a fork the child opens its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

_settings: dict[str, Any] = {}
_pools: dict[str, ConnectionPool] = {}
_making = threading.Lock()


def configure_pools(*, runtime_url: str, owner_url: str, size: int) -> None:
    """Tell where to connect; connections are opened when first asked for. `size`: most runtime connections per process."""
    close_pools()
    _settings.update(runtime_url=runtime_url, owner_url=owner_url, size=size)


def runtime_pool() -> ConnectionPool:
    """Connections as dramac_runtime, in autocommit: a transaction is begun by who needs one."""
    if pool := _pools.get("runtime"):
        return pool
    with _making:  # the first requests come at once: each would make a pool, and all but one be thrown away
        if "runtime" not in _pools:
            _pools["runtime"] = ConnectionPool(
                _settings["runtime_url"],
                min_size=1,
                max_size=_settings["size"],
                timeout=5,
                kwargs={"autocommit": True, "prepare_threshold": 1},
                open=True,
                name="runtime",
            )
        return _pools["runtime"]


@contextmanager
def owner_connection() -> Iterator[psycopg.Connection]:
    """One connection as the owner, for provisioning jobs only; nothing that serves a request may call this."""
    with psycopg.connect(_settings["owner_url"], autocommit=True) as connection:
        yield connection


@contextmanager
def alone(owner: psycopg.Connection, what: str) -> Iterator[bool]:
    """Whether this is the only job at work on `what`; the lock ends with the connection, however that ends."""
    row = owner.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [what]).fetchone()
    yield bool(row and row[0])


def close_pools() -> None:
    """Close every open pool of this process."""
    for pool in _pools.values():
        pool.close()
    _pools.clear()


def _forget_pools() -> None:
    global _making
    _pools.clear()  # the sockets are the parent's
    _making = threading.Lock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_forget_pools)
