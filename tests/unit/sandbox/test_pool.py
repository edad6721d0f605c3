"""The pool under load and when things die: threads, kills, forks, nesting, frames that lie."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.runtime.sandbox import frames
from app.runtime.sandbox.pool import Limits, Sandbox, SandboxBudget, SandboxDied, SandboxError
from app.runtime.sandbox.processes import WorkerProcess
from tests.unit.sandbox.conftest import no_host

ECHO = "export default (ctx, input) => input"


def call(pool: Sandbox, source: str = ECHO, given: Any = None, host: Any = no_host, **limits: Any) -> Any:
    return pool.call(
        source=source, digest="d", filename="f.js", ctx={}, input=given, host=host, limits=Limits(**limits)
    ).output


def test_twenty_threads_share_two_workers(sandbox: Sandbox) -> None:
    def work(number: int) -> list[Any]:
        page = sandbox.render(
            templates={"a.html": "{{ x }}"}, digest="t", name="a.html", context={"x": number}, busy_s=10
        )
        asked = call(
            sandbox,
            "export default (ctx, input) => [input, ctx.seq('a')]",
            number,
            lambda name, args: number * 2,
            wall_s=30,
        )
        return [page, *asked]

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(work, range(200))) == [[str(n), n, n * 2] for n in range(200)]


def test_attackers_do_not_slow_neighbours_to_a_stop(sandbox: Sandbox) -> None:
    def attack(_: int) -> str:
        with pytest.raises(SandboxError) as stopped:
            call(sandbox, "export default () => { for (;;); }", ms=40)
        return stopped.value.code

    with ThreadPoolExecutor(8) as threads:
        attacks = [threads.submit(attack, n) for n in range(8)]
        answers = [threads.submit(call, sandbox, ECHO, n, wall_s=30) for n in range(20)]
        assert [answer.result() for answer in answers] == list(range(20))
        assert {attacked.result() for attacked in attacks} == {"sandbox_timeout"}


def test_a_worker_killed_in_the_middle_of_a_call_is_a_clean_error_and_is_replaced(sandbox: Sandbox) -> None:
    def kill(name: str, args: list[Any]) -> None:
        for worker in list(sandbox._busy):
            os.kill(worker.pid, signal.SIGKILL)

    for _ in range(4):
        with pytest.raises(SandboxDied) as died:
            call(sandbox, "export default (ctx) => ctx.seq('a')", host=kill)
        assert died.value.host_calls == 1
        assert call(sandbox, given="well") == "well"


def test_idle_workers_that_died_are_noticed_before_they_are_used(sandbox: Sandbox) -> None:
    call(sandbox)
    for worker in list(sandbox._idle):
        os.kill(worker.pid, signal.SIGKILL)
    time.sleep(0.05)
    assert call(sandbox, given=1) == 1


def test_a_dead_zygote_is_started_again() -> None:
    pool = Sandbox(workers=1)
    try:
        call(pool)
        workers = [worker.pid for worker in pool._idle]
        assert pool._zygote
        pool._zygote.process.kill()
        pool._zygote.process.wait()
        assert call(pool, given="again") == "again"
        deadline = time.monotonic() + 5
        while any(_alive(pid) for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(_alive(pid) for pid in workers)  # they died with their parent
    finally:
        pool.stop()


def test_stopping_leaves_no_process() -> None:
    pool = Sandbox(workers=1)
    call(pool)
    assert pool._zygote
    pids = [pool._zygote.process.pid, *(worker.pid for worker in pool._idle)]
    pool.stop()
    deadline = time.monotonic() + 5
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in pids if _alive(pid)] == []


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_forked_process_has_workers_of_its_own(sandbox: Sandbox) -> None:
    call(sandbox)
    ours = {worker.pid for worker in sandbox._idle}
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest may run here
        try:
            output = call(sandbox, given="child", wall_s=30)
            theirs = [worker.pid for worker in sandbox._idle]
            sandbox.stop()
            os.write(writing, json.dumps([output, theirs]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        output, theirs = json.loads(pipe.read())
    os.waitpid(child, 0)
    assert output == "child"
    assert theirs
    assert not ours & set(theirs)
    assert {worker.pid for worker in sandbox._idle} == ours
    assert call(sandbox, given="parent") == "parent"


def test_functions_that_call_functions_do_not_wait_for_each_other(sandbox: Sandbox) -> None:
    def host(name: str, args: list[Any]) -> Any:
        return call(sandbox, given=args[0]) + 1

    def outer(number: int) -> Any:
        return call(sandbox, "export default (ctx, input) => ctx.call(input)", number, host, wall_s=30)

    with ThreadPoolExecutor(6) as threads:  # all hold a worker while the inner call needs one more
        assert list(threads.map(outer, range(12))) == list(range(1, 13))
    assert len(sandbox._idle) <= sandbox.workers + 1


def test_nesting_has_an_end(sandbox: Sandbox) -> None:
    depth = []

    def host(name: str, args: list[Any]) -> Any:
        depth.append(1)
        return call(sandbox, "export default (ctx) => ctx.call('me')", host=host, wall_s=20)

    with pytest.raises(SandboxBudget):
        host("call", [])
    assert len(depth) == 5
    assert call(sandbox, given=1) == 1


def test_a_refusal_costs_no_worker_and_a_deadline_does(sandbox: Sandbox) -> None:
    pool = Sandbox(workers=1)
    try:
        call(pool)
        before = [worker.pid for worker in pool._idle]
        for source in ("export default () => { throw 1 }", "export default () => { for (;;); }"):
            with pytest.raises(SandboxError):
                call(pool, source, ms=20)
        assert sorted(worker.pid for worker in pool._idle) == sorted(before)
        with pytest.raises(SandboxError):
            call(pool, "export default (ctx) => ctx.seq('a')", host=lambda name, args: time.sleep(0.1), wall_s=0.05)
        after = [worker.pid for worker in pool._idle]
        assert len(after) == len(before)
        assert len(set(after) & set(before)) == len(before) - 1
    finally:
        pool.stop()


def test_memory_of_a_worker_does_not_grow_with_calls() -> None:
    pool = Sandbox(workers=1)
    try:
        seen = []
        for _ in range(3):
            for _ in range(150):
                call(pool, "export default () => new Array(50000).fill('x').length")
            seen.append(max(worker.resident_bytes() for worker in pool._idle))
        assert seen[2] - seen[0] < 8 << 20
    finally:
        pool.stop()


LIES = {
    "not JSON": b"\x00\x00\x00\x04\x00\x00\x00\x00nope",
    "no op": frames.encode({"hello": 1}),
    "a list": struct.pack("!II", 2, 0) + b"[]",
    "a long head": struct.pack("!II", 1 << 31, 0),
    "a long body": struct.pack("!II", 10, 1 << 31),
    "cut off": struct.pack("!II", 100, 0) + b"{",
    "an unknown op": frames.encode({"op": "surprise", "logs": [], "cpu_ms": 1}),
    "no logs": frames.encode({"op": "done", "cpu_ms": 1}, b"1"),
    "logs of the wrong shape": frames.encode(
        {"op": "done", "cpu_ms": 1, "logs": [{"level": "root", "message": "x"}]}, b"1"
    ),
    "no time": frames.encode({"op": "done", "logs": []}, b"1"),
    "a failure of the wrong shape": frames.encode(
        {"op": "fail", "kind": "error", "message": 5, "logs": [], "cpu_ms": 1}
    ),
    "an unknown failure": frames.encode({"op": "fail", "kind": "surprise", "message": "x", "logs": [], "cpu_ms": 1}),
    "a host call without name": frames.encode({"op": "host"}, b"[]"),
    "a host call without list": frames.encode({"op": "host", "name": "seq"}, b"{}"),
    "nesting in the head": struct.pack("!II", 200_000, 0) + b"[" * 200_000,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_worker_that_breaks_the_protocol_is_a_dead_worker(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, lie: str
) -> None:
    ours, theirs = socket.socketpair()
    liar = WorkerProcess(ours, 2**22 + 1, -1)  # a number no process has
    liar.walls = {}
    theirs.sendall(LIES[lie])
    theirs.shutdown(socket.SHUT_WR)
    monkeypatch.setattr(sandbox, "_sound_worker", lambda: liar)
    with pytest.raises(SandboxDied):
        call(sandbox)
    theirs.close()
    monkeypatch.undo()
    assert ours.fileno() == -1
    assert call(sandbox, given=1) == 1


@pytest.mark.parametrize("output", [b"nope", b"NaN", b"[" * 100 + b"]" * 100, b"1" * 5000])
def test_output_is_read_as_if_an_attacker_wrote_it(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, output: bytes
) -> None:
    ours, theirs = socket.socketpair()
    liar = WorkerProcess(ours, 2**22 + 1, -1)
    theirs.sendall(frames.encode({"op": "done", "logs": [], "cpu_ms": 1}, output))
    monkeypatch.setattr(sandbox, "_sound_worker", lambda: liar)
    with pytest.raises(SandboxError) as refused:
        call(sandbox)
    assert refused.value.code == "sandbox_output"
    monkeypatch.undo()
    theirs.close()
    with sandbox._free:
        sandbox._idle = [worker for worker in sandbox._idle if worker is not liar]
    liar.kill()


def test_starting_from_many_threads_starts_once() -> None:
    pool = Sandbox(workers=2)
    try:
        barrier = threading.Barrier(6)

        def start(_: int) -> int:
            barrier.wait()
            pool.start()
            assert pool._zygote
            return pool._zygote.process.pid

        with ThreadPoolExecutor(6) as threads:
            assert len(set(threads.map(start, range(6)))) == 1
    finally:
        pool.stop()


def test_a_page_is_not_given_up_because_its_worker_got_no_processor() -> None:
    """A busy machine lets a worker wait for longer than a page may take: that is nobody's fault."""
    pool = Sandbox(workers=1)
    given = {"templates": {"a.html": "{{ x }}"}, "digest": "t", "name": "a.html", "context": {"x": 1}}
    try:
        assert pool.render(**given) == "1"
        workers = [one.pid for one in pool._idle]
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        wake = threading.Timer(1.0, lambda: [os.kill(worker, signal.SIGCONT) for worker in workers])
        wake.start()
        assert pool.render(**given) == "1"
        wake.join()
        assert sorted(one.pid for one in pool._idle) == sorted(workers)
    finally:
        pool.stop()
