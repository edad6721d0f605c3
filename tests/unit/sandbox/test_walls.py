"""Wall 1 from the inside: what a worker holds and what the kernel answers it. Linux; elsewhere walls() says what is missing."""

from __future__ import annotations

import os
import sys

import pytest

from app.runtime.sandbox.pool import Sandbox
from app.runtime.sandbox.worker.probe import ATTEMPTS

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter exists on Linux only")


@linux
@pytest.mark.parametrize("what", ATTEMPTS)
def test_the_kernel_refuses(probed: Sandbox, what: str) -> None:
    assert probed._probe(what)[1] == "EPERM"


def test_a_worker_holds_nothing_of_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAMAC_SECRET_KEYS", "a secret nobody may see")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    os.set_inheritable(writing, True)
    pool = Sandbox(workers=1, _probe=True)
    try:
        report, _ = pool._probe("open")
    finally:
        pool.stop()
        os.close(reading)
        os.close(writing)
    assert set(report["environ"]) <= {"PATH", "LC_CTYPE"}
    assert "a secret nobody may see" not in repr(report)
    assert report["fds"] == [0, 1, 2, 3]
    assert report["threads_of_zygote"] <= 1
    inside = "app.runtime.sandbox.worker"
    assert [name for name in report["application"] if not name.startswith(inside)] == [
        "app",
        "app.runtime",
        "app.runtime.sandbox",
        "app.runtime.sandbox.frames",
    ]


@linux
def test_walls_say_what_holds(sandbox: Sandbox) -> None:
    walls = sandbox.walls()
    expected = {"process", "engine_limits", "rss_watch", "parent_death", "rlimits", "no_new_privs", "seccomp"}
    assert {name for name in expected if walls[name] is True} == expected
    assert walls["uid"] is (os.geteuid() == 0)
    assert sandbox.missing_walls() == []


def test_only_a_pool_made_for_it_can_be_probed(sandbox: Sandbox) -> None:
    with pytest.raises(Exception, match="worker running the code ended"):
        sandbox._probe("open")
