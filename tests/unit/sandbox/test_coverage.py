"""Counters in functions: the same results, the same lines and columns of errors, and exactly what was reached."""

from __future__ import annotations

import pytest

from app.runtime.coverage.counting import Coverage
from app.runtime.coverage.marks import Marked, mark
from app.runtime.sandbox.pool import CallResult, FunctionError, FunctionInvalid, Limits, Sandbox
from tests.unit.sandbox.conftest import NOW, no_host

PATH = "functions/f.js"
HEAD = "export default function (ctx, input) {\n"

SAME = {
    "else belongs to the nearer if": HEAD + "let r = 'n'; if (input.a) if (input.b) r = 'ab'; else r = 'a'; return r }",
    "bodies without braces": HEAD
    + "let n = 0\n for (const x of [1, 2, 3]) n += x\n for (let i = 0; i < 3; i++) if (i % 2) n += i\n"
    + "do n++\n while (n < 12)\n while (n > 20) n--\n return n }",
    "no semicolons": HEAD + "let a = 1\nconst b = 2\n++a\nreturn [a, b].map((x) => x * 2)\n}",
    "labels": HEAD
    + "let n = 0; out: for (;;) { for (;;) { n++; if (n > 3) break out; else continue out } } return n }",
    "a label of a block": HEAD + "let n = 1; done: { if (input.a) break done; n = 2 } return n }",
    "switch falls through": HEAD
    + "const r = []; switch (input.n) { case 1: r.push(1); case 2: r.push(2); break; case 3: default: r.push('d') } return r }",
    "arrows, ternaries, logic": HEAD
    + "const f = (x) => ({ x }), g = x => x?.y ?? 'none', h = (x) => x ? x > 1 ? 'many' : 'one' : 'zero';\n"
    + "return [f(1), g(null), g({ y: 0 }), h(0), h(1), h(2), input.a && input.b || 'neither', f.name, g.name] }",
    "classes": HEAD
    + "class A { static #n = 0; static { A.#n = 2 } #m = 1; constructor() { this.z = A.#n } get sum() { return this.#m + this.z }\n"
    + "*each() { yield 1; yield input.a ? 2 : 3 } has(o) { return input.a || #m in o } }\n"
    + "const a = new A(); return [a.sum, [...a.each()], a.has(a)] }",
    "generators and async": "export default async function (ctx, input) {\n"
    + "const wait = async (x) => { await null; return x }; const y = input.a && await wait(4);\n"
    + "async function* it() { yield 1; yield await wait(2) } const r = []; for await (const v of it()) r.push(v); return [y, r] }",
    "try, catch, finally": HEAD
    + "const r = []; try { r.push(1); if (input.a) throw new Error('x') } catch { r.push('c') } finally { r.push('f') } return r }",
    "directives": HEAD
    + "'use strict'\n'another'; return (function () { 'use strict' })() === undefined && this === undefined }",
    "an empty body": HEAD + "const f = () => {}; function g() { /* nothing */ } return [f(), g(), f.length] }",
    "defaults and destructuring": HEAD
    + "const f = ({ a = input.a ? 1 : 2, ...rest } = {}, b = a || 3) => [a, b, rest]; return f({ c: 1 }) }",
    "templates and regular expressions": HEAD
    + "return `${input.a ? 'y' : 'n'} ${`${input.b && 1}`}`.replace(/[{};]/g, '') + ' $hit' }",
    "top level": "const lookup = { a: (x) => x + 1 };\nlet calls = 0;\nexport const helper = () => calls;\n"
    + "export default (ctx, input) => (calls++, lookup.a(helper()));",
    "hoisting": "export default function (ctx, input) { return later(2) }\n"
    + "function later(x) { return inner(x); function inner(y) { return y * 2 } }",
    "shadows of the globals": "const Array = null, Object = 1;\nexport default (ctx, input) => [Array, Object, input.a];",
    "a comma and the in operator": HEAD + "for (let i = 0, has = ('a' in input); i < 1; i++) return has ? (1, 2) : 3 }",
}
INPUTS = [{"a": 1, "b": 2, "n": 1}, {"a": 0, "b": 1, "n": 3}, {"a": 1, "b": 0, "n": 9}]


def marked(source: str) -> Marked:
    found = mark(source)
    assert found is not None
    return found


def call(sandbox: Sandbox, source: str, given: object, counters: str = "") -> CallResult:
    return sandbox.call(
        source=source, digest="d", filename=PATH, ctx={"now": NOW, "seed": 1}, input=given, host=no_host, limits=Limits(),
        counters=counters,
    )  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_counting_changes_no_result_and_no_line(name: str, sandbox: Sandbox) -> None:
    source = SAME[name]
    found = marked(source)
    assert found.text.count("\n") == source.count("\n")
    for given in INPUTS:
        plain, counted = call(sandbox, source, given), call(sandbox, found.text, given, found.name)
        assert counted.output == plain.output
        assert len(counted.hits) == len(found.points)


def reach(sandbox: Sandbox, source: str, *inputs: object) -> Coverage:
    coverage = Coverage({PATH: source})
    found = coverage.marked(PATH)
    assert found is not None
    for given in inputs:
        try:
            coverage.add(PATH, call(sandbox, found.text, given, found.name).hits)
        except (FunctionError, FunctionInvalid) as error:
            coverage.add(PATH, error.hits)
    return coverage


JUDGED = """export default function (ctx, input) {
  if (input.n > 10) {
    return big(input.n);
  }
  const kind = input.n % 2 ? "odd" : "even";
  if (kind === "odd") ctx.invalid("n", "No.");
  return kind;
}
function big(n) {
  return n > 100 ? "huge" : "big";
}
const unused = () => 1;
"""


def test_lines_branches_and_functions_are_told_as_they_were_reached(sandbox: Sandbox) -> None:
    [found] = reach(sandbox, JUDGED, {"n": 2}).report()
    assert found.lines == {2: "part", 3: "not", 5: "part", 6: "part", 7: "ran", 10: "not", 12: "part"}
    assert [(part.name, part.line, part.called) for part in found.parts] == [
        ("default", 1, True), ("big", 9, False), ("unused", 12, False),
    ]  # fmt: skip
    assert (found.statements, found.branches) == ((5, 9), (3, 8))
    [found] = reach(sandbox, JUDGED, {"n": 2}, {"n": 3}, {"n": 20}, {"n": 200}).report()
    assert {line: state for line, state in found.lines.items() if state != "ran"} == {12: "part"}
    assert (found.statements, found.branches, found.percent) == ((8, 9), (8, 8), 94)
    assert [part.statements for part in found.parts] == [(6, 6), (1, 1), (0, 1)]


def test_what_a_refusal_or_an_error_reached_counts_as_well(sandbox: Sandbox) -> None:
    source = HEAD + "  if (input.bad) ctx.invalid('a', 'no');\n  nothing.at.all;\n  return 1;\n}\n"
    [found] = reach(sandbox, source, {"bad": True}).report()
    assert found.lines == {2: "part", 3: "not", 4: "not"}
    [found] = reach(sandbox, source, {}).report()
    assert found.lines == {2: "part", 3: "ran", 4: "not"}


@pytest.mark.parametrize(
    "source",
    [
        "export default function (ctx, input) { if (input.a) { const x = 1; throw new Error('here'); } }",
        HEAD + "  const f = (x) => x.y.z, é = 'ä'; return é && f({});\n}",
        HEAD
        + "  return input.a\n    ? deep(3)\n    : 0;\n}\nfunction deep(n) { if (n) return deep(n - 1); throw new Error('x') }",
        "throw new Error('at once');\nexport default () => 1;",
    ],
)
def test_errors_keep_their_lines_and_columns(source: str, sandbox: Sandbox) -> None:
    found = marked(source)
    with pytest.raises(FunctionError) as plain:
        call(sandbox, source, {"a": 1})
    with pytest.raises(FunctionError) as counted:
        call(sandbox, found.text, {"a": 1}, found.name)
    assert (counted.value.line, counted.value.message) == (plain.value.line, plain.value.message)
    assert found.as_written(counted.value.stack) == plain.value.stack


def test_a_file_that_cannot_be_read_is_not_measured(sandbox: Sandbox) -> None:
    assert (mark("export default function ("), mark("")) == (None, None)
    [found] = Coverage({PATH: "export default function ("}).report()
    assert (found.measured, found.lines) == (False, {})


def test_a_name_that_the_source_uses_is_not_taken() -> None:
    assert marked("const $hit = 1; export default () => $hit;").name == "$hit_"


def test_an_author_who_meddles_with_the_counters_only_fools_himself(sandbox: Sandbox) -> None:
    source = "export default () => 1; export const other = 'x';"
    assert call(sandbox, source, {}, "other").hits == ""
    coverage = Coverage({PATH: source})
    coverage.add(PATH, "1" * 99)
    assert coverage.report()[0].statements[0] == 0
