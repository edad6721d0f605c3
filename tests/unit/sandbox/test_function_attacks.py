"""Functions that try to hang, to swallow memory, to get out or to reach the next call. Each is stopped; neighbours go on."""

from __future__ import annotations

import os
import time

import pytest

from app.runtime.sandbox.pool import (
    FunctionError,
    Limits,
    Sandbox,
    SandboxDied,
    SandboxError,
    SandboxMemory,
    SandboxOutput,
    SandboxTimeout,
)
from tests.unit.sandbox.conftest import no_host

MS = 60
SLACK_S = 6.0  # a busy machine, and the next worker's start: that it ends is the point, not when

HANG = (SandboxTimeout,)
MEMORY = (SandboxMemory, SandboxDied)
HOG = (SandboxMemory, SandboxTimeout, SandboxDied, FunctionError)  # whichever limit comes first
REFUSED = (FunctionError,)

ATTACKS = {
    "endless loop": ("while (true);", HANG),
    "loop that catches": ("for (;;) { try { while (true); } catch {} }", HANG),
    "loop in finally": ("for (;;) { try { throw 1 } finally { continue } }", HANG),
    "generator without end": ("for (const x of (function* () { for (;;) yield 1 })());", HANG),
    "microtask storm": (
        "(function f() { Promise.resolve().then(f); f2() ; function f2() {} })(); return new Promise(() => {})",
        HANG,
    ),
    "queueMicrotask storm": ("const f = () => queueMicrotask(f); f(); return new Promise(() => {})", HANG),
    "async recursion": ("const f = async () => { await 0; return f() }; return f()", (*HANG, *MEMORY, *REFUSED)),
    "promise of itself": ("return new Promise(() => {})", REFUSED),
    "thenable that loops": ("return { then() { while (true); } }", HANG),
    "catastrophic regex": ("return /^(a+)+$/.test('a'.repeat(40) + 'b')", HANG),
    "regex of nested groups": ("return /(((((((((a*)*)*)*)*)*)*)*)*)*b/.test('a'.repeat(5000))", (*HANG, *REFUSED)),
    "native join": ("return Array(2 ** 32 - 2).join('x').length", HOG),
    "native sort": ("return Array.from({ length: 1e6 }, (_, i) => -i).sort((a, b) => a - b).length", HOG),
    "native fill": ("return new Uint8Array(5e7).fill(1).map((x) => x + 1).length", HOG),
    "native indexOf": ("const s = 'a'.repeat(1e7); for (;;) s.indexOf('b'.repeat(1000))", HANG),
    "native array-like": ("return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)", HANG),
    "BigInt power": ("return String(9n ** 9999999n).length", (*HANG, *REFUSED, *MEMORY)),
    "BigInt growth": ("let x = 2n; for (;;) x *= x", HOG),
    "huge array": ("const a = []; for (;;) a.push({})", HOG),
    "huge sparse array": ("const a = []; a.length = 2 ** 32 - 1; return a.fill(0).length", HOG),
    "gigabyte of buffer": ("return new ArrayBuffer(2 ** 30).byteLength", HOG),
    "many buffers": ("const a = []; for (;;) a.push(new ArrayBuffer(1 << 20))", HOG),
    "buffers let go": ("for (;;) new Uint8Array(1 << 22).fill(1)", HOG),
    "string doubling": ("let s = 'x'; for (;;) s += s", HOG),
    "string repeat": ("return 'x'.repeat(2 ** 28).split('').length", HOG),
    "string padding": ("return 'x'.padEnd(2 ** 29).length", HOG),
    "replace that grows": ("let s = 'aaaaaaaa'; for (;;) s = s.replaceAll('a', 'aaaaaaaa')", HOG),
    "map without end": ("const m = new Map(); for (let i = 0; ; i++) m.set(i, {})", HOG),
    "symbols without end": ("const a = []; for (;;) a.push(Symbol('x'.repeat(1000)))", HOG),
    "closures without end": ("let f = () => 1; for (;;) { const g = f; f = () => g() }", HOG),
    "WebAssembly memory": ("return new WebAssembly.Memory({ initial: 65536 })", REFUSED),
    "recursion": ("return (function f() { return f() + 1 })()", REFUSED),
    "recursion caught": ("const f = () => { try { return f() } catch { return f() } }; return f()", (*HANG, *REFUSED)),
    "recursion through a getter": ("const o = { get a() { return this.a } }; return o.a", REFUSED),
    "recursion through toJSON": (
        "return { toJSON() { return { toJSON: this.toJSON, a: { toJSON: this.toJSON } } } }",
        (*HANG, *REFUSED, *MEMORY),
    ),
    "recursion through a proxy": (
        "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x",
        (*HANG, *REFUSED),
    ),
    "deep JSON out": ("let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; return a", (*REFUSED, *HANG)),
    "deep JSON out, within the engine": (
        "let a = {}; for (let i = 0; i < 300; i++) a = { a }; return a",
        (SandboxOutput,),
    ),
    "deep JSON in": ("return JSON.parse('['.repeat(1e6))", (*REFUSED, *HANG)),
    "return bomb": ("return 'x'.repeat(2e6)", (SandboxOutput, *HANG)),
    "return bomb by sharing": (
        "let a = 'x'.repeat(1000); for (let i = 0; i < 20; i++) a = [a, a]; return a",
        (*HOG, SandboxOutput),
    ),
    "Atomics.wait": ("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)", REFUSED),
    "error whose text loops": ("throw { toString() { while (true); }, get message() { while (true); } }", HANG),
    "error whose stack throws": (
        "throw { get stack() { throw 1 }, get message() { return 'x'.repeat(1e7) } }",
        (*REFUSED, *HOG),
    ),
    "error that is a proxy": ("throw new Proxy({}, { get() { throw new Error('again') } })", REFUSED),
    "error that is null": ("throw null", REFUSED),
    "error that is a symbol": ("throw Symbol('x')", REFUSED),
    "import of a module": ("return import('fs')", REFUSED),
    "import of a file": ("return import('/etc/passwd')", REFUSED),
    "eval": ("return eval('1')", REFUSED),
    "indirect eval": ("return (0, globalThis.eval)('1')", REFUSED),
    "Function": ("return new Function('return 1')()", REFUSED),
    "constructor of a function": ("return (() => 1).constructor('return 7')()", REFUSED),
    "constructor of an async function": ("return (async () => 1).constructor('return 7')()", REFUSED),
    "constructor of a generator": ("return (function* () {}).constructor('yield 7')().next()", REFUSED),
    "constructor through the context": ("return ctx.constructor.constructor('return 7')()", REFUSED),
    "require": ("return require('child_process')", REFUSED),
    "process": ("return process.env", REFUSED),
    "fetch": ("return fetch('http://169.254.169.254/')", REFUSED),
    "log bomb": ("for (;;) ctx.log.info('x'.repeat(100000))", HANG),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_stopped_and_its_neighbours_go_on(sandbox: Sandbox, name: str) -> None:
    body, stopped_by = ATTACKS[name]
    before, started = os.getpid(), time.monotonic()
    with pytest.raises(SandboxError) as stopped:
        sandbox.call(
            source=f"export default function (ctx, input) {{ {body} }}",
            digest=name,
            filename="attack.js",
            ctx={},
            input=None,
            host=no_host,
            limits=Limits(ms=MS, wall_s=3),
        )
    assert type(stopped.value) in stopped_by
    assert time.monotonic() - started < MS / 1000 + SLACK_S
    neighbour = sandbox.call(
        source="export default (ctx, input) => [input, [3, 1, 2].sort(), JSON.stringify({ a: 1 })]",
        digest="neighbour",
        filename="neighbour.js",
        ctx={},
        input="here",
        host=no_host,
        limits=Limits(),
    )
    assert neighbour.output == ["here", [1, 2, 3], '{"a":1}']
    assert os.getpid() == before


TAMPERING = {
    "globals": "globalThis.left = 1; Object.assign = Array.from = JSON.parse = JSON.stringify = () => 'mine'",
    "prototypes": "Object.prototype.left = 1; Array.prototype.map = () => 'mine'; Promise.prototype.then = () => 'mine'",
    "accessors": "Object.defineProperty(Object.prototype, 'where', { get() { return 'mine' } })",
    "symbols": "Array.prototype[Symbol.iterator] = function* () { yield 'mine' }; Symbol.left = 1",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_nothing_a_call_leaves_behind_is_there_in_the_next(run, what: str) -> None:
    for _ in range(4):  # more than there are workers
        run(f"export default () => {{ {TAMPERING[what]}; return 1 }}")
        seen = run(
            """export default async (ctx, input) => {
                 const doubled = [...input.map((x) => x * 2)];
                 return [typeof left, typeof Symbol.left, {}.left ?? null, {}.where ?? null, await doubled, JSON.parse("[1]")];
               }""",
            [1, 2],
        )
        assert seen.output == ["undefined", "undefined", None, None, [2, 4], [1]]


def test_a_module_keeps_no_state_between_calls(run) -> None:
    counter = "let calls = 0; globalThis.seen = (globalThis.seen ?? 0) + 1; export default () => [++calls, seen]"
    assert [run(counter).output for _ in range(6)] == [[1, 1]] * 6


def test_a_call_cannot_reach_what_the_platform_did_not_put_there(run) -> None:
    names = run("export default () => Object.getOwnPropertyNames(globalThis)").output
    assert not {"process", "require", "fetch", "XMLHttpRequest", "WebAssembly", "Deno", "std", "os", "host"} & set(
        names
    )
