"""A worker: locks itself in, says so, then answers one frame after the other until its socket closes."""

from __future__ import annotations

import gc
import json
import os
import socket
from types import ModuleType
from typing import Any

from .. import frames
from . import lock, templates
from .functions import Failure, Functions, Job
from .guest import Aborted
from .ticker import Ticker

SOCKET_FD = 3


class Worker:
    def __init__(self, sock: socket.socket, functions: Functions, ready: dict[str, Any]) -> None:
        self.sock, self.functions, self.ready = sock, functions, ready
        self.templates = templates.Templates()
        self.probing: ModuleType | None = None
        self.report: dict[str, Any] = {}

    def serve(self) -> None:
        """Until the parent closes the socket or sends something that is no frame."""
        frames.send(self.sock, {"op": "ready", "walls": self.ready})
        handlers = {
            "render": self.render,
            "call": self.call,
            "check_function": self.check_function,
            "check_template": self.check_template,
        }
        while True:
            head, body = self.receive()
            handler = handlers.get(head["op"])
            if handler is None and head["op"] == "probe" and self.probing:
                handler = self.probe
            if handler is None:
                return
            try:
                answer, output = handler(head, body)
            except MemoryError:
                answer, output = (
                    {"op": "fail", "kind": "memory", "message": "There is not enough memory for this."},
                    b"",
                )
            frames.send(self.sock, answer, output)

    def receive(self) -> tuple[dict[str, Any], bytes]:
        return frames.receive(self.sock, body_limit=frames.TO_WORKER_LIMIT)

    # -- templates -----------------------------------------------------------------------------------------------

    def _package(self, head: dict[str, Any]) -> templates.Package:
        package = self.templates.get(head["digest"])
        if package is None:
            frames.send(self.sock, {"op": "need"})
            _, body = self.receive()
            package = self.templates.add(head["digest"], json.loads(body))
        return package

    def render(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            return {"op": "done"}, templates.render(self._package(head), head["name"], body)
        except templates.Broken as broken:
            place = {"file": broken.file, "line": broken.line, "column": broken.column}
            return {"op": "fail", "kind": "template", "message": broken.message} | place, b""
        except templates.TooMuchOutput:
            return {
                "op": "fail",
                "kind": "output",
                "message": f"The page is longer than {templates.OUTPUT_LIMIT} bytes.",
            }, b""

    def check_template(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        package = templates.Package(json.loads(body))
        return {"op": "done", "found": package.check(head["name"])}, b""

    # -- functions -----------------------------------------------------------------------------------------------

    def call(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        size = head["source_bytes"]
        job = Job(
            source=body[:size].decode(),
            filename=head["filename"],
            data=body[size:],
            ms=head["ms"],
            memory_mb=head["memory_mb"],
            output_bytes=head["output_bytes"],
            seed=head["seed"],
            now=head["now"],
            ask=self.ask,
            counters=head["counters"],
        )
        ticker = self.functions.ticker
        assert ticker is not None
        started = ticker.cpu_s()
        try:
            answer, output = {"op": "done"}, self.functions.call(job)
        except Failure as failure:
            answer, output = {"op": "fail"} | vars(failure), b""
        if job.hits:
            answer["hits"] = job.hits
        return answer | {"logs": job.logs, "cpu_ms": round((ticker.cpu_s() - started) * 1000, 3)}, output

    def ask(self, name: str, args: str) -> str:
        """Have the parent do a host call; the guest waits. Raises Aborted when the parent ends the call."""
        frames.send(self.sock, {"op": "host", "name": name[:100]}, args.encode("utf-8", "replace"))
        head, body = self.receive()
        if head["op"] != "answer":
            raise Aborted
        return body.decode()

    def check_function(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        job = Job(
            source=body.decode(), filename=head["filename"], data=b"{}", ms=head["ms"], memory_mb=64, output_bytes=1000
        )
        try:
            self.functions.check(job)
        except Failure as failure:
            return {"op": "done", "found": [(failure.line or 1, failure.column or 1, failure.message)]}, b""
        return {"op": "done", "found": []}, b""

    # -- tests only ----------------------------------------------------------------------------------------------

    def probe(self, head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        assert self.probing is not None
        return {"op": "done", "report": self.report, "result": self.probing.attempt(head["what"])}, b""


def become_worker(
    fd: int, functions: Functions, load_filter: Any, *, shared: dict[str, Any], probe: ModuleType | None
) -> None:
    """In the child of a fork: never returns."""
    status = 1
    try:
        zygote = os.getppid()
        if fd != SOCKET_FD:
            os.dup2(fd, SOCKET_FD)
        os.closerange(SOCKET_FD + 1, 1 << 16)
        os.setsid()
        sock = socket.socket(fileno=SOCKET_FD)
        limits = lock.limit_resources(SOCKET_FD)
        walls: dict[str, Any] = dict(shared)
        walls["uid"] = lock.drop_user()
        lock.prctl(lock.PR_SET_DUMPABLE, 0)
        walls["parent_death"] = lock.die_with_parent(zygote)
        functions.ticker = Ticker(functions.engine.engine)
        limits["nproc"] = lock.forbid_processes()
        walls["rlimits"] = all(limits.values())
        walls["no_new_privs"] = lock.prctl(lock.PR_SET_NO_NEW_PRIVS, 1)
        worker = Worker(sock, functions, walls)
        if probe:
            worker.probing, worker.report = probe, probe.report()
        walls["seccomp"] = load_filter()
        gc.disable()
        worker.serve()
        status = 0
    except frames.BadFrame:
        status = 0  # the pool closed the socket
    finally:
        os._exit(status)
