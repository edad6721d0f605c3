"""Workers of their own that are killed with SIGKILL in the middle of their work."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg

from app.config import Config

WORKER = """
import sys
from importlib import import_module
from uuid import UUID
from app.config import Config
from app.db.scope import tenant_scope
from app.factory import create_platform_app, wire

config = Config.from_env()
wire(config)
module, _, job = sys.argv[1].partition(":")
with create_platform_app(config).app_context(), tenant_scope(UUID(sys.argv[2])):
    getattr(import_module(module), job)(sys.argv[3])
"""


@contextmanager
def worker(config: Config, job: str, agency_id: UUID, row_id: UUID) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that runs one job, "module:function", of one row."""
    environment = {
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": ",".join(config.secret_keys),
        "DATA_DIR": str(config.data_dir),
        "PLATFORM_URL": config.platform_url,
        "RUNTIME_URL": config.runtime_url,
    }
    arguments = [sys.executable, "-c", WORKER, job, str(agency_id), str(row_id)]
    process = subprocess.Popen(arguments, env=environment, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def kill_when_waiting_for(config: Config, process: subprocess.Popen[bytes], statement: str) -> None:
    """SIGKILL the worker at the moment its connection waits for a lock in this statement."""
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s AND pid <> pg_backend_pid()"
        " AND datname = current_database()"
    )
    with psycopg.connect(config.database_url, autocommit=True) as connection:
        deadline = time.monotonic() + 90  # of which the start of a process takes a few seconds
        while not (found := connection.execute(waiting, [statement]).fetchone()):
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        process.wait(10)
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [found[0]])  # it would only notice at its next word
