"""The parent's side: a pool of sandbox workers that renders templates and calls functions for any thread.

    sandbox = Sandbox(workers=2)
    page = sandbox.render(templates={"a.html": "{{ x }}"}, digest="…", name="a.html", context={"x": 1})
    done = sandbox.call(source="export default (ctx, input) => input", digest="…", filename="a.js",
                        ctx={}, input=1, host=host, limits=Limits())

digest names the sources: equal digests must mean equal sources. A worker is killed at its deadline and another, forked
before, takes its place; it is also replaced after RECYCLE_JOBS jobs or when it has grown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import frames, replies, values
from .errors import (
    FunctionError,
    FunctionInvalid,
    HostError,
    SandboxBudget,
    SandboxDied,
    SandboxError,
    SandboxInput,
    SandboxMemory,
    SandboxOutput,
    SandboxTimeout,
    SandboxUnavailable,
    TemplateError,
)
from .talk import HostCall, Limits, Talk, fatal, with_account
from .workers import Refused, Workers

__all__ = [
    "CallResult", "FunctionError", "FunctionInvalid", "HostCall", "HostError", "Limits", "Sandbox", "SandboxBudget",
    "SandboxDied", "SandboxError", "SandboxInput", "SandboxMemory", "SandboxOutput", "SandboxTimeout",
    "SandboxUnavailable", "TemplateError",
]  # fmt: skip

INPUT_LIMIT = 1 << 20
CHECK_MS, CHECK_S = 500, 5.0
RENDERED_S = 5.0


@dataclass(frozen=True)
class CallResult:
    """What a function gave. logs: [{"level", "message", "data"}]; cpu_ms: processor time of the worker; hits: as hits_of()."""

    output: Any
    logs: list[dict[str, Any]]
    cpu_ms: float
    host_calls: int
    hits: str = ""


class Sandbox(Workers):
    """Runs module code. Made once per process: Sandbox(workers=2)."""

    # -- templates -----------------------------------------------------------------------------------------------

    def render(
        self,
        *,
        templates: Mapping[str, str],
        digest: str,
        name: str,
        context: Mapping[str, Any],
        busy_s: float = 0.5,
    ) -> str:
        """Render one template of a package. name: ends in .txt for plain text, else HTML with everything escaped.

        busy_s: of a processor's time; on a busy machine it may take longer than that, though not for ever.
        context: plain JSON data; its "site" may hold timezone, locale and currency for the filters. Raises TemplateError,
        SandboxTimeout, SandboxMemory, SandboxOutput (1 MB), SandboxInput, SandboxDied, SandboxUnavailable.
        """
        body = _input(context)
        with self._worker() as worker:
            deadline, busy_until = time.monotonic() + RENDERED_S, worker.busy_s() + busy_s
            with fatal():
                worker.send({"op": "render", "digest": digest, "name": name}, body, deadline=deadline)
                head, page = worker.receive(deadline=deadline, busy_until=busy_until)
                if head["op"] == "need":
                    worker.send({"op": "templates"}, _templates(templates), deadline=deadline)
                    head, page = worker.receive(deadline=deadline, busy_until=busy_until)
                if head["op"] == "fail":
                    raise Refused(replies.failure(head, name))
                return replies.text(head, page)

    def check_template(self, templates: Mapping[str, str], name: str) -> list[tuple[int, int, str]]:
        """What is wrong with one template, unrendered: (line, column, sentence)."""
        if name not in templates:
            return [(1, 1, f"There is no template {name}.")]
        return self._check({"op": "check_template", "name": name}, _templates(templates))

    # -- functions -----------------------------------------------------------------------------------------------

    def call(
        self,
        *,
        source: str,
        digest: str,
        filename: str,
        ctx: Mapping[str, Any],
        input: Any,  # noqa: A002  the name authors know
        host: HostCall,
        limits: Limits,
        counters: str = "",
    ) -> CallResult:
        """Call the default export of one source with (ctx, input), in a guest of its own.

        ctx: plain JSON (settings, actor, now, site, install; seed makes Date and Math.random repeatable). host answers
        everything else of ctx; its HostError is thrown inside, any other exception ends the call and rises here.
        counters: the export of the source that counts what it reaches, in test runs.
        Raises FunctionInvalid, FunctionError and the SandboxErrors; each carries .logs, .host_calls and .hits.
        """
        seed, now = ctx.get("seed"), ctx.get("now")
        text = source.encode("utf-8", "replace")
        head = {
            "op": "call",
            "source_bytes": len(text),
            "filename": filename,
            "ms": limits.ms,
            "memory_mb": min(limits.memory_mb, 128),
            "output_bytes": min(limits.output_bytes, frames.FROM_WORKER_LIMIT - 64),
            "seed": seed if isinstance(seed, int) else None,
            "now": now if isinstance(now, str) else None,
            "counters": counters,
        }
        body = text + _input({"ctx": dict(ctx), "input": input})
        with self._worker() as worker:
            deadline = time.monotonic() + limits.wall_s
            talk = Talk(worker, host, limits, deadline)
            with fatal(talk):
                worker.send(head, body, deadline=deadline)
                head, output = talk.until_done()
                logs, hits, cpu_ms = replies.logs_of(head), replies.hits_of(head), head.get("cpu_ms")
                if not isinstance(cpu_ms, (int, float)):
                    raise frames.BadFrame("no cpu_ms")
                if head["op"] == "fail":
                    raise Refused(with_account(replies.failure(head, filename), logs, talk.calls, hits))
                try:
                    return CallResult(values.load(output), logs, float(cpu_ms), talk.calls, hits)
                except values.BadValue as error:
                    raise Refused(
                        with_account(SandboxOutput(f"The function's output is {error}."), logs, talk.calls, hits)
                    ) from None

    def check_function(self, source: str, filename: str) -> list[tuple[int, int, str]]:
        """What is wrong with one source before it is ever called: syntax, imports, top level, default export."""
        return self._check(
            {"op": "check_function", "filename": filename, "ms": CHECK_MS}, source.encode("utf-8", "replace")
        )

    def _check(self, head: dict[str, Any], body: bytes) -> list[tuple[int, int, str]]:
        with self._worker() as worker, fatal():
            deadline = time.monotonic() + CHECK_S
            worker.send(head, body, deadline=deadline)
            answer, _ = worker.receive(deadline=deadline)
            if answer["op"] == "fail":
                raise Refused(replies.failure(answer, ""))
            return replies.findings(answer)

    def _probe(self, what: str) -> tuple[dict[str, Any], str]:
        """Tests only, and only of a pool made with _probe=True: what a worker holds, and whether it may do `what`."""
        with self._worker() as worker, fatal():
            deadline = time.monotonic() + CHECK_S
            worker.send({"op": "probe", "what": what}, deadline=deadline)
            answer, _ = worker.receive(deadline=deadline)
            return answer["report"], answer["result"]


def _input(value: Mapping[str, Any]) -> bytes:
    data = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    if len(data) > INPUT_LIMIT:
        raise SandboxInput(f"The data for the code is {len(data)} bytes, more than {INPUT_LIMIT}.")
    return data


def _templates(templates: Mapping[str, str]) -> bytes:
    data = json.dumps(dict(templates)).encode()
    if len(data) > frames.TO_WORKER_LIMIT:
        raise SandboxInput("The templates of the package are larger than 6 MB together.")
    return data
