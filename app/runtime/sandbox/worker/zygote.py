"""The process every worker is forked from: started by exec with nothing inherited, warmed, single-threaded, then waiting.

It speaks on one socket (descriptor 3): a byte with a socket attached asks for a worker on that socket; the answer is the
worker's process id with a process descriptor attached where the system has them. End of file ends it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import sys
import threading
from types import ModuleType
from typing import Any

from .. import frames
from . import lock, zones
from .functions import Failure, Functions, Job
from .loop import SOCKET_FD, become_worker
from .templates import Broken, Package, TooMuchOutput, render

ANSWER = struct.Struct("!i")


def main() -> None:
    fd, flag = int(sys.argv[1]), sys.argv[2]
    if fd != SOCKET_FD:
        os.dup2(fd, SOCKET_FD)
    control = socket.socket(fileno=SOCKET_FD)
    try:
        os.closerange(SOCKET_FD + 1, 1 << 16)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the pool's business
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the workers
        zones.preload()
        functions = Functions()
        load_filter = lock.prepare_filter()
        warm(functions)
        probe = _probe() if flag == "probed" else None
        shared = {"network": lock.leave_network()}  # last: in a user namespace some files may be out of reach
    except BaseException as error:  # the pool has to learn why: there is no log here
        frames.send(control, {"op": "failed", "message": f"{type(error).__name__}: {error}"[:2000]})
        raise
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1
    frames.send(control, {"op": "ready"})
    serve(control, functions, load_filter, shared=shared, probe=probe)


def _probe() -> ModuleType:
    """The tests' eyes, loaded only when a test asks for them."""
    from . import probe

    return probe


def serve(
    control: socket.socket,
    functions: Functions,
    load_filter: Any,
    *,
    shared: dict[str, Any],
    probe: ModuleType | None,
) -> None:
    while True:
        data, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not data or not fds:
            return
        pid = os.fork()
        if pid == 0:
            become_worker(fds[0], functions, load_filter, shared=shared, probe=probe)
        os.close(fds[0])
        _answer(control, pid)


def _answer(control: socket.socket, pid: int) -> None:
    try:
        handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        handle = -1  # gone already, or an older kernel
    socket.send_fds(control, [ANSWER.pack(pid)], [handle] if handle >= 0 else [])
    if handle >= 0:
        os.close(handle)


def warm(functions: Functions) -> None:
    """Walk every path once, the failing ones first of all: what they import or compile late cannot be opened any more."""
    from .ticker import Ticker

    class NoTicker(Ticker):
        def __init__(self) -> None:  # no thread before the fork
            self._cpu = lambda: 0.0
            self._armed, self._lock, self._deadline = threading.Event(), threading.Lock(), None

    functions.ticker = NoTicker()
    for source in WARM_FUNCTIONS:
        job = Job(
            source, "warm.js", b'{"ctx":{"site":{}},"input":1}', 1000, 16, 10_000, seed=1, now="2026-01-01T00:00:00Z"
        )
        job.ask = lambda name, args: 'E{"code":"x","field":null,"message":"warm"}'
        try:
            functions.call(job)
        except Failure:
            continue
    for source in WARM_TEMPLATES:
        package = Package({"a.html": source, "b.html": "{{ nothing }}"})
        for work in (lambda p: render(p, "a.html", b'{"x":[{"a":1}],"n":null}'), lambda p: p.check("a.html")):
            try:
                work(package)
            except (Broken, TooMuchOutput):
                continue
    functions.ticker = None


WARM_FUNCTIONS = (
    "export default async (ctx) => { ctx.log.info('x', ctx); return [ctx.time.inZone(0, 'Europe/Paris'), ctx.money.format(1)] }",
    "export default (ctx) => ctx.time.parse('no') ",
    "export default (ctx) => ctx.time.format(0, 'datetime', 'No/Where')",
    "export default (ctx) => ctx.db.x.get(1)",
    "export default (ctx) => ctx.invalid('a', 'b')",
    "export default () => { throw null }",
    "export default (function f() { return f() + 1 })",
    "export default () => { let a = []; for (;;) a.push(new ArrayBuffer(1 << 20)) }",
    "export default () => 'x'.repeat(100000)",
    "import 'x'",
    "let",
)
WARM_TEMPLATES = (
    "{{ x|tojson }}{{ x|join(',') }}{{ 0|date }}{{ 5|money }}{{ 1.5|number(1) }}{{ 'é'|slugify }}",
    "{{ 'a\nb'|nl2br }}{{ 'a'|urlencode }}{{ 1|datetime }}{{ x|batch(1) }}{{ x|slice(0) }}{{ 'a'|replace('a', 'b') }}",
    "{% for a in x %}{{ loop.index }}{{ a.a }}{{ a }}{{ n }}{% endfor %}{% macro m(a) %}{{ a }}{% endmacro %}{{ m('<') }}",
    "{{ nothing }}",
    "{% include 'b.html' %}",
    "{% include 'c.html' %}",
    "{{ 'x'|date }}",
    "{{ x.append(1) }}",
    "{{ 'x'|nofilter }}",
    "{{ nofunction() }}",
    "{% if %}",
    "{% autoescape false %}{% endautoescape %}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ 'x' * 2000000 }}",
    "{{ 1 / 0 }}{{ x.a.b }}",
    "{{ x|sort(attribute='a')|map(attribute='a')|list }}{{ x|groupby('a') }}{{ x|first|items }}{{ 'a b'|title|truncate(1) }}",
)
