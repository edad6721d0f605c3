"""The runner of acceptance tests: tells every difference, runs hooks as after a commit, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest

from app.config import Config
from app.db.pools import owner_connection
from app.lib.clock import utcnow
from app.modules.package import Package, read_folder
from app.runtime.acceptance import check_tests, run_tests
from app.runtime.acceptance.scratch import scratch_install
from tests.unit.functions.conftest import tools_package

MANIFEST = """
manifest: 1
slug: counting
name: Counting
summary: Counts.
version: 1.0.0
type: app
permissions: {email: true}
tables:
  items:
    label: {one: Item, many: Items}
    fields:
      name: {type: text, required: true, max: 5}
      size: {type: integer}
      state: {type: enum, options: [a, b], default: a}
    states: {field: state, moves: {a: [b], b: []}}
    access: {public: [], staff: [read, create, update, delete], api: [read]}
functions:
  tell: {file: tell.js, on: {event: item.created}}
  sum:  {file: sum.js}
  fail: {file: fail.js}
events: [item.told]
"""
FILES = {
    "module.yaml": MANIFEST,
    "functions/tell.js": """export default function (ctx, input) {
  ctx.emit("item.told", {});
  ctx.mail({ to: "a@example.com", subject: input.record.name, text: "x" });
}""",
    "functions/sum.js": "export default (ctx, input) => ({ sum: ctx.db.items.sum('size'), given: input.x })",
    "functions/fail.js": "export default function (ctx) { throw new Error('The author erred.'); }",
    "sample/items.yaml": "- {name: one}\n",
}


def _package(tests: str, **files: str) -> Package:
    every = {**FILES, "tests/t.yaml": textwrap.dedent(tests), **files}
    return read_folder((path, text.encode()) for path, text in every.items())


def _failures(tests: str, **files: str) -> list[str]:
    return [problem.message for problem in check_tests(_package(tests, **files))]


def test_a_good_package_passes(wired: Config) -> None:
    report = run_tests(
        _package(
            """
            - name: making tells
              when: {create: items, set: {name: x}}
              then:
                record: {state: a, size: absent, name: present}
                events: [item.created, item.told]
                mails: [{to: a@example.com, subject: x}]
            - name: adding up
              given: {items: [{name: x, size: 2}, {ref: y, name: y, size: 3}]}
              when: {call: sum, input: {x: 1}}
              then: {answer: {sum: 5, given: 1}, items/y: {size: 3}}
            - name: going
              given: {items: [{ref: y, name: y}]}
              when: {delete: items/y}
              then: {items/y: absent, events: [item.deleted]}
            """
        )
    )
    assert report.passed
    assert [result.name for result in report.results] == [
        "the sample records are valid",
        "making tells",
        "adding up",
        "going",
    ]


@pytest.mark.parametrize(
    ("when", "then", "failure"),
    [
        ("{create: items, set: {name: x}}", "{record: {state: b}}", "the record.state is 'a', expected 'b'"),
        ("{create: items, set: {name: x}}", "{record: {size: present}}", "the record.size has no value"),
        ("{create: items, set: {name: x}}", "{record: {name: absent}}", "the record.name is 'x', expected none"),
        ("{create: items, set: {name: x}}", "{events: []}", "the event item.told was sent as well"),
        ("{create: items, set: {name: x}}", "{events: [item.told, item.deleted]}", "the event item.deleted was not sent"),
        ("{create: items, set: {name: x}}", "{mails: []}", "1 letters were posted, expected 0"),
        ("{create: items, set: {name: x}}", "{mails: [{to: b@c.de}]}", "letter 1.to is 'a@example.com', expected 'b@c.de'"),
        ("{create: items, set: {name: x}}", "{invalid: name}", "nothing was refused"),
        ("{create: items, set: {name: toolong}}", "{record: {}}", "/name: must have at most 5 characters"),
        ("{create: items, set: {name: toolong}}", "{invalid: size}",
         "size was not refused, but: /name: must have at most 5 characters"),
        ("{create: items, set: {name: x}, as: public}", "{record: {}}", "There is nothing here, or it is not yours to see."),
        ("{create: items, set: {name: x}, as: public}", "{refused: forbidden}", "refused as not_found, expected forbidden"),
        ("{call: sum, input: {x: 1}}", "{answer: {given: 2}}", "the answer.given is 1, expected 2"),
        ("{call: fail}", "{answer: {}}", "The module could not do this. Its makers and the agency see why in the module's log."),
        ("{update: items/none, set: {name: x}}", "{record: {}}", "The test names no record items/none."),
    ],
)  # fmt: skip
def test_every_difference_is_a_sentence(wired: Config, when: str, then: str, failure: str) -> None:
    found = _failures(f"- {{name: t, when: {when}, then: {then}}}\n")
    assert found[0] == f"t: {failure}"


def test_what_the_author_broke_is_told_with_its_line(wired: Config) -> None:
    assert _failures("- {name: t, when: {call: fail}, then: {}}\n")[1].startswith(
        "t: fail: functions/fail.js:1: The author erred."
    )


def test_tests_do_not_see_each_others_records(wired: Config) -> None:
    one = "- {name: t%d, when: {call: sum}, given: {items: [{name: x, size: 2}]}, then: {answer: {sum: 2}}}\n"
    assert _failures("".join(one % number for number in range(3))) == []


def test_a_sample_that_breaks_the_rules_is_told(wired: Config) -> None:
    files = {"sample/items.yaml": "- {name: toolong}\n"}
    found = _failures("- {name: t, when: {call: sum}, then: {}}\n", **files)
    assert found == ["the sample records are valid: /name: must have at most 5 characters"]


def _left(config: Config) -> tuple[int, ...]:
    """Everything of this database that a run could leave: schemas, and rows of tables."""
    tables = (
        "agencies", "sites", "users", "module_source", "events", "mails", "module_function_runs", "module_database_registry",
    )  # fmt: skip
    with owner_connection() as owner:
        found = [owner.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'mod\\_%'").fetchall()[0][0]]
        owner.execute("BEGIN")
        owner.execute("SET LOCAL ROLE dramac_staff")
        found += [owner.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in tables]  # type: ignore[arg-type]  # names above
        owner.execute("ROLLBACK")
    return tuple(found)


def _role_is_there(role: str) -> bool:
    with owner_connection() as owner:  # roles belong to the whole server: other tests make theirs meanwhile
        return bool(owner.execute("SELECT to_regrole(%s) IS NOT NULL", [role]).fetchall()[0][0])


GOOD = "- {name: t, when: {create: items, set: {name: x}}, then: {events: [item.told]}}\n"


def test_a_run_leaves_nothing_behind(wired: Config) -> None:
    before = _left(wired)
    assert _failures(GOOD) == []
    assert _left(wired) == before
    with scratch_install(_package(GOOD), now=utcnow()) as scratch:
        role = scratch.context.role
        assert scratch.ask("SELECT to_regrole($1) IS NOT NULL", [role]) == [(True,)]
    assert not _role_is_there(role)


def test_a_killed_run_leaves_nothing_behind(wired: Config) -> None:
    """kill -9 in the middle: the server undoes what the process cannot."""
    before = _left(wired)
    code = """
import sys, time
from app.config import Config
from app.db.pools import configure_pools
from tests.unit.acceptance.test_acceptance import GOOD, _package
from app.runtime.acceptance.scratch import scratch_install
from app.lib.clock import utcnow
configure_pools(runtime_url=sys.argv[1], owner_url=sys.argv[1], size=2)
with scratch_install(_package(GOOD), now=utcnow()) as scratch:
    print(scratch.context.role, flush=True)
    time.sleep(60)
"""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", code, wired.database_url],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        role = process.stdout.readline().decode().strip()
        assert role.startswith("mod_")
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 10
    while (_left(wired) != before or _role_is_there(role)) and time.monotonic() < until:
        time.sleep(0.1)  # the server notices that the connection is gone
    assert _left(wired) == before
    assert not _role_is_there(role)


def test_the_owner_needs_no_superuser(wired: Config) -> None:
    with psycopg.connect(wired.database_url) as owner:
        [(superuser,)] = owner.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchall()
    assert superuser is False
    assert tools_package("tools-x", "other-x").tests == ()
