"""What a function's author gets: ctx, errors at their own lines, async, repeatable chance, and the platform's answers."""

from __future__ import annotations

from typing import Any

import pytest

from app.runtime.sandbox.pool import (
    FunctionError,
    FunctionInvalid,
    HostError,
    Sandbox,
    SandboxBudget,
    SandboxInput,
    SandboxTimeout,
)


class Host:
    """Records what was asked and gives back what the test says."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[tuple[str, list[Any]]] = []
        self.answers = {name.replace("__", "."): answer for name, answer in answers.items()}

    def __call__(self, name: str, args: list[Any]) -> Any:
        self.asked.append((name, args))
        answer = self.answers.get(name)
        if isinstance(answer, BaseException):
            raise answer
        return answer


CALLS = [
    ("ctx.db.deals.find({ status: 'open' })", "db.find", ["deals", {"where": {"status": "open"}}]),
    (
        "ctx.db.deals.find({ where: { a: 1 }, sort: '-a', limit: 5, fields: ['a'] })",
        "db.find",
        ["deals", {"where": {"a": 1}, "sort": "-a", "limit": 5, "fields": ["a"]}],
    ),
    ("ctx.db.deals.find()", "db.find", ["deals", {}]),
    ("ctx.db.deals.get('x')", "db.get", ["deals", "x"]),
    ("ctx.db.deals.insert({ a: 1 })", "db.insert", ["deals", {"a": 1}]),
    ("ctx.db.deals.update('x', { a: null })", "db.update", ["deals", "x", {"a": None}]),
    ("ctx.db.deals.remove('x')", "db.remove", ["deals", "x"]),
    ("ctx.db.deals.count({ a: 1 })", "db.count", ["deals", {"a": 1}]),
    ("ctx.db.deals.count()", "db.count", ["deals", {}]),
    ("ctx.db.deals.sum('amount', { a: 1 })", "db.sum", ["deals", "amount", {"a": 1}]),
    ("ctx.db.deals.lock('x')", "db.lock", ["deals", "x"]),
    ("ctx.emit('deal.won', { id: 1 })", "emit", ["deal.won", {"id": 1}]),
    ("ctx.mail({ to: 'a@b.c', text: 'x' })", "mail", [{"to": "a@b.c", "text": "x"}]),
    ("ctx.http.get('https://a.b/')", "http.request", ["GET", "https://a.b/", {}]),
    ("ctx.http.post('https://a.b/', { json: { a: 1 } })", "http.request", ["POST", "https://a.b/", {"json": {"a": 1}}]),
    ("ctx.http.put('https://a.b/')", "http.request", ["PUT", "https://a.b/", {}]),
    ("ctx.http.patch('https://a.b/')", "http.request", ["PATCH", "https://a.b/", {}]),
    ("ctx.http.delete('https://a.b/')", "http.request", ["DELETE", "https://a.b/", {}]),
    (
        "ctx.http.request('https://a.b/', { method: 'head' })",
        "http.request",
        ["HEAD", "https://a.b/", {"method": "head"}],
    ),
    ("ctx.files.get('f')", "files.get", ["f"]),
    ("ctx.files.put({ name: 'f' })", "files.put", [{"name": "f"}]),
    ("ctx.files.read('f')", "files.read", ["f"]),
    ("ctx.seq('invoice')", "seq", ["invoice"]),
    ("ctx.call('other', { a: 1 })", "call", ["other", {"a": 1}]),
]


@pytest.mark.parametrize(("code", "name", "args"), CALLS)
def test_ctx_asks_the_platform(run, code: str, name: str, args: list[Any]) -> None:
    host = Host(**{name.replace(".", "__"): {"status": 200, "body": "[7]"}})
    done = run(f"export default (ctx) => {code}", host=host)
    assert host.asked == [(name, args)]
    assert done.output == {"status": 200, "body": "[7]"}
    assert done.host_calls == 1


def test_an_http_answer_reads_its_json(run) -> None:
    host = Host(http__request={"status": 200, "headers": {}, "body": '{"a": [1]}'})
    assert run("export default (ctx) => ctx.http.get('https://a.b/').json()", host=host).output == {"a": [1]}


def test_ctx_carries_what_it_was_given(run) -> None:
    given = {"settings": {"a": 1}, "actor": {"id": "usr_1"}, "site": {"name": "S"}, "install": {"id": "ins_1"}}
    done = run(
        "export default ({ settings, actor, now, site, install }, input) => [settings, actor, now, site, install, input]",
        5,
        ctx=given,
    )
    assert done.output == [{"a": 1}, {"id": "usr_1"}, "2026-03-01T09:30:00+00:00", {"name": "S"}, {"id": "ins_1"}, 5]


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("ctx.money.add(100, 250, -50)", 300),
        ("ctx.money.subtract(100, 30)", 70),
        ("ctx.money.multiply(1005, 1.5)", 1508),
        ("ctx.money.multiply(-1005, 1.5)", -1508),
        ("ctx.money.percent(1999, 19)", 380),
        ("ctx.money.split(100, 3)", [34, 33, 33]),
        ("ctx.money.split(-100, 3)", [-34, -33, -33]),
        ("ctx.money.format(125000, { currency: 'EUR', locale: 'de' })", "1.250,00\u00a0€"),
        ("ctx.money.format(-125000, { currency: 'USD', locale: 'en' })", "-$1,250.00"),
        ("ctx.money.format(500, { currency: 'JPY', locale: 'en' })", "¥500"),
        ("ctx.money.format(1500)", "15,00\u00a0€"),  # of the site
        ("ctx.time.parse('2026-07-01T10:00')", "2026-07-01T08:00:00.000Z"),  # in the site's zone
        ("ctx.time.parse('2026-07-01T10:00', 'America/New_York')", "2026-07-01T14:00:00.000Z"),
        ("ctx.time.parse('2026-07-01T10:00Z')", "2026-07-01T10:00:00.000Z"),
        ("ctx.time.add('2026-01-31T00:00:00Z', { months: 1 })", "2026-02-28T00:00:00.000Z"),
        ("ctx.time.add('2024-02-29T00:00:00Z', { years: 1 })", "2025-02-28T00:00:00.000Z"),
        ("ctx.time.add('2026-01-01T00:00:00Z', { days: 1, hours: -1 })", "2026-01-01T23:00:00.000Z"),
        ("ctx.time.diff('2026-01-01', '2026-02-01', 'days')", 31),
        ("ctx.time.format('2026-07-01T10:00:00Z', 'datetime')", "1. Juli 2026 12:00"),
        (
            "ctx.time.format('2026-07-01T10:00:00Z', 'YYYY-MM-DDTHH:mm:ssZ', 'Asia/Kolkata')",
            "2026-07-01T15:30:00+05:30",
        ),
        ("ctx.time.inZone('2026-03-29T01:30:00Z').hour", 3),  # the clocks went forward at one
        ("ctx.time.inZone('2026-03-29T00:30:00Z').offset", 60),
    ],
)
def test_money_and_time(run, code: str, output: Any) -> None:
    site = {"timezone": "Europe/Berlin", "locale": "de-DE", "currency": "EUR"}
    assert run(f"export default (ctx) => {code}", ctx={"site": site}).output == output


@pytest.mark.parametrize(
    "code",
    [
        "ctx.money.add(1.5)",
        "ctx.money.format('x')",
        "ctx.time.add('soon', {})",
        "ctx.time.parse('soon')",
        "ctx.time.inZone(0, 'Mars/North')",
    ],
)
def test_money_and_time_refuse_nonsense(run, code: str) -> None:
    with pytest.raises(FunctionError):
        run(f"export default (ctx) => {code}")


def test_ctx_invalid_becomes_a_form_error(run) -> None:
    with pytest.raises(FunctionInvalid) as refused:
        run("export default (ctx) => { ctx.log.info('looking'); ctx.invalid('email', 'Not this one') }")
    assert (refused.value.field, str(refused.value)) == ("email", "Not this one")
    assert refused.value.logs == [{"level": "info", "message": "looking", "data": None}]


def test_a_host_error_can_be_caught(run) -> None:
    host = Host(db__insert=HostError("conflict", "email", "This address is taken."))
    source = """export default (ctx) => {
      try { ctx.db.people.insert({}) }
      catch (error) { return [error instanceof Error, error.name, error.code, error.field, error.message] }
    }"""
    assert run(source, host=host).output == [True, "HostError", "conflict", "email", "This address is taken."]


def test_a_host_error_nobody_catches_names_itself(run) -> None:
    host = Host(db__insert=HostError("conflict", None, "This address is taken."))
    with pytest.raises(FunctionError) as failed:
        run("export default (ctx) => {\n  ctx.db.people.insert({})\n}", host=host)
    assert (str(failed.value), failed.value.host_code, failed.value.line) == ("This address is taken.", "conflict", 2)


def test_an_invalid_value_nobody_catches_becomes_a_form_error(run) -> None:
    host = Host(db__insert=HostError("invalid", "email", "Write an address."))
    with pytest.raises(FunctionInvalid) as refused:
        run("export default (ctx) => ctx.db.people.insert({})", host=host)
    assert (refused.value.field, str(refused.value)) == ("email", "Write an address.")


def test_any_other_exception_of_the_host_ends_the_call_and_rises(run) -> None:
    class Broken(Exception): ...

    host = Host(seq=Broken("the database is away"))
    with pytest.raises(Broken, match="the database is away"):
        run("export default (ctx) => { try { ctx.seq('a') } catch { return 'went on' } }", host=host)
    assert len(host.asked) == 1


def test_the_budget_of_host_calls_cannot_be_caught(run) -> None:
    host = Host()
    with pytest.raises(SandboxBudget) as ended:
        run("export default (ctx) => { for (;;) try { ctx.seq('a') } catch {} }", host=host, calls=5)
    assert (len(host.asked), ended.value.host_calls) == (5, 5)


def test_time_waiting_for_the_host_counts_for_the_wall_only(run) -> None:
    import time

    slow = lambda name, args: time.sleep(0.15)  # noqa: E731
    assert run("export default (ctx) => { ctx.seq('a'); return 1 }", host=slow, ms=100).output == 1
    with pytest.raises(SandboxTimeout):
        run("export default (ctx) => { ctx.seq('a'); return 1 }", host=slow, wall_s=0.1)


def test_an_answer_of_the_host_that_is_too_large_is_an_error_inside(run) -> None:
    source = "export default (ctx) => { try { ctx.db.a.find() } catch (error) { return error.code } }"
    assert run(source, host=Host(db__find="x" * 1_100_000)).output == "too_large"


def test_input_that_is_too_large_is_refused_before_anything_runs(run) -> None:
    with pytest.raises(SandboxInput):
        run("export default () => 1", "x" * 1_100_000)


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("// one\nexport default function () {\n  throw new Error('boom')\n}", 3, "boom"),
        (
            "export default function () {\n  helper()\n}\n\nfunction helper() {\n  null.x\n}",
            6,
            "TypeError: cannot read property 'x' of null",
        ),
        ("export default () => 1\n\nlet x = ;", 3, "SyntaxError: unexpected token in expression: ';'"),
        ("throw new Error('at the top')\nexport default () => 1", 1, "at the top"),
        ("export default () => 1\nimport x from './lib.js'", 2, "./lib.js cannot be imported: a function is one file."),
        ("export default async () => {\n  await 1\n  missing()\n}", 3, "ReferenceError: missing is not defined"),
    ],
)
def test_errors_stand_at_the_authors_line(run, source: str, line: int, message: str) -> None:
    with pytest.raises(FunctionError) as failed:
        run(source)
    assert (failed.value.file, failed.value.line, str(failed.value)) == ("functions/f.js", line, message)


def test_the_stack_holds_the_authors_frames_only(run) -> None:
    with pytest.raises(FunctionError) as failed:
        run("export default function () {\n  inner()\n}\nfunction inner() {\n  throw new Error('x')\n}")
    assert [frame.split(" (")[0] for frame in failed.value.stack.splitlines()] == ["at inner", "at default"]


def test_async_functions_are_awaited(run) -> None:
    source = (
        "export default async (ctx, input) => { const all = await Promise.all([1, input, ctx.seq('a')]); return all }"
    )
    assert run(source, 2, host=Host(seq=3)).output == [1, 2, 3]


def test_a_rejected_promise_is_an_error(run) -> None:
    with pytest.raises(FunctionError, match="later"):
        run("export default async () => { await null; throw new Error('later') }")


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("undefined", None),
        ("null", None),
        ("NaN", None),
        ("[undefined]", [None]),
        ("1.0", 1),
        ("'\\ud83d'", "\ufffd"),
        ("'😀'", "😀"),
    ],
)
def test_odd_outputs_are_plain_json(run, code: str, output: Any) -> None:
    assert run(f"export default () => ({code})").output == output


def test_chance_and_clock_repeat_with_a_seed(run) -> None:
    source = "export default () => [Math.random(), Math.random(), Date.now(), new Date().toISOString()]"
    first, again, other = (run(source, ctx={"seed": seed}).output for seed in (1, 1, 2))
    assert first == again
    assert first[0] != other[0]
    assert first[2:] == [1772357400000, "2026-03-01T09:30:00.000Z"]


def test_chance_differs_without_a_seed(run) -> None:
    numbers = {run("export default () => Math.random()").output for _ in range(8)}
    assert len(numbers) == 8


def test_logs_are_kept_in_order_and_capped(run) -> None:
    done = run(
        "export default (ctx) => { ctx.log.warn('a', { b: 1 }); for (let i = 0; i < 500; i++) ctx.log.debug(i) }",
        ms=1000,
    )
    assert done.logs[:2] == [
        {"level": "warn", "message": "a", "data": {"b": 1}},
        {"level": "debug", "message": "0", "data": None},
    ]
    assert len(done.logs) == 200


def test_logs_survive_the_end_of_a_call(run) -> None:
    with pytest.raises(SandboxTimeout) as ended:
        run("export default (ctx) => { ctx.log.error('before'); for (;;); }", ms=30)
    assert [line["message"] for line in ended.value.logs] == ["before"]


def test_processor_time_is_told(run) -> None:
    done = run("export default () => { let x = 0; for (let i = 0; i < 3e5; i++) x += i; return x }")
    assert 1 < done.cpu_ms < 250


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("export default (ctx) => ctx.db.a.find()", []),
        ("export default () => { throw 1 }", []),
        (
            "const a = 1",
            [(1, "The file needs a function as its default export: export default function (ctx, input) { … }")],
        ),
        (
            "export default 5",
            [(1, "The file needs a function as its default export: export default function (ctx, input) { … }")],
        ),
        ("export default () => {\n  const a = 1\n  a b\n}", [(3, "SyntaxError: expecting ';'")]),
        ("export default () => 1\nmissing()", [(2, "ReferenceError: missing is not defined")]),
        ("export default () => 1\nfor (;;);", [(1, "The function used its 500 ms of processor time.")]),
    ],
)
def test_check_function_finds_what_is_wrong(sandbox: Sandbox, source: str, found: list[tuple[int, str]]) -> None:
    assert [(line, message) for line, _, message in sandbox.check_function(source, "f.js")] == found
