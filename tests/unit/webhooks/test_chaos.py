"""Nothing is lost while a worker, PostgreSQL and Valkey are killed: bench/chaos.py in small, on servers of its own (W10)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
def test_W10_every_event_arrives_while_worker_postgres_and_valkey_are_killed() -> None:
    command = [sys.executable, "-m", "bench.chaos", "small"]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=270)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, *_ = done.stdout.splitlines()
    assert first == "14 events, 256 deliveries to those who take them; killed: postgres 1, valkey 1, worker 1"
    assert second == "lost 0, never asked for 0, undelivered 0"
