"""A module whose functions do whatever a test needs: each function does what its input says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.access.actors import SYSTEM
from app.config import Config
from app.lib.ids import uuid7
from app.modules.package import Package, read_folder
from app.runtime.functions.run import run_function
from tests.support.modules import Installed, Released, put_on, release
from tests.support.world import World

MANIFEST = """
manifest: 1
slug: {slug}
name: Tools
summary: Functions that do what they are told.
version: 1.0.0
type: app
requires: [{{module: {other}, optional: true}}]
permissions:
  email: true
  network: [{{host: api.example.com, methods: [GET], reason: "To look things up."}}]
  tables: [{{module: {other}, table: notes, fields: [title], access: [read]}}]
tables:
  items:
    label: {{one: Item, many: Items}}
    fields:
      name: {{type: text, required: true, max: 20}}
      amount: {{type: integer, default: 0, min: 0}}
      code: {{type: text, unique: true}}
      state: {{type: enum, options: [open, shut], default: open}}
      paper: {{type: file}}
    access: {{public: [], staff: [read, create, update, delete], api: [read, create, update, delete]}}
  loops:
    label: {{one: Loop, many: Loops}}
    fields: {{round: {{type: integer, default: 0}}}}
pages:
  letter: {{template: letter.txt, kind: email}}
functions:
  do:       {{file: do.js, limits: {{ms: 300, memory_mb: 32, calls: 20}}}}
  before:   {{file: before.js, on: {{table: items, event: before_create}}}}
  changing: {{file: changing.js, on: {{table: items, event: before_update}}}}
  leaving:  {{file: leaving.js, on: {{table: items, event: before_delete}}}}
  heard:    {{file: heard.js, on: {{event: item.created}}}}
  again:    {{file: again.js, on: {{event: loop.created}}}}
  quote:    {{file: quote.js, route: {{method: POST, path: /quote, auth: public, rate: 3/min}}}}
  secret:   {{file: do.js, route: {{method: GET, path: /inside, auth: api, rate: 60/min}}}}
  desk:     {{file: do.js, route: {{method: GET, path: /desk, auth: staff}}}}
  daily:    {{file: daily.js}}
jobs:
  daily: {{call: daily, cron: "30 2 * * *", tz: site}}
events: [item.sold]
settings:
  - label: Keys
    fields:
      token: {{type: secret}}
      greeting: {{type: text, default: Hello}}
"""
OTHER = """
manifest: 1
slug: {slug}
name: Other
summary: Another module.
version: 1.0.0
type: app
tables:
  notes:
    label: {{one: Note, many: Notes}}
    fields: {{title: {{type: text}}, hidden: {{type: text}}}}
"""
CODE = {
    "do.js": "export default function (ctx, input) { return new Function; }",
    "before.js": """export default function (ctx, input) {
  const item = input.new;
  if (item.name === "forbidden") ctx.invalid("name", "Not that one.");
  if (item.name === "broken") throw new Error("The author erred.");
  if (item.name === "twice") return { ...item, amount: item.amount * 2 };
  if (item.name === "negative") return { ...item, amount: -1 };
  if (item.name === "untold") return null;
  return item;
}""",
    "changing.js": """export default function (ctx, input) {
  if (input.old.state === "shut") ctx.invalid("state", "It is shut.");
  return input.new;
}""",
    "leaving.js": """export default function (ctx, input) {
  if (input.old.state === "shut") ctx.invalid("state", "It is shut.");
}""",
    "heard.js": """export default function (ctx, input) {
  if (input.record.name !== "listen") return null;
  return ctx.db.loops.insert({ round: 100 }) && input.event;
}""",
    "again.js": """export default function (ctx, input) {
  if (input.record.round < 100) ctx.db.loops.insert({ round: input.record.round + 1 });
}""",
    "quote.js": """export default function (ctx, input) {
  if (input.body && input.body.plain) return { total: 3 };
  return { status: 201, headers: { "content-type": "text/plain", "set-cookie": "a=b" }, body: "made " + input.query.a };
}""",
    "daily.js": "export default function (ctx, input) { ctx.db.items.insert({ name: 'daily', code: input.due }); }",
}
DO = """
const path = (ctx, name) => name.split(".").reduce((at, key) => at[key], ctx);
export default function (ctx, input) {
  const done = [];
  for (const step of input.steps ?? input.body?.steps ?? []) {
    const [name, ...args] = step;
    if (name === "throw") throw new Error(args[0]);
    if (name === "invalid") ctx.invalid(...args);
    if (name === "spin") for (;;) {}
    if (name === "ctx") { done.push(JSON.parse(JSON.stringify(ctx[args[0]]))); continue; }
    if (name === "try") {
      try { done.push(path(ctx, args[0])(...args.slice(1))); }
      catch (error) { done.push({ code: error.code, field: error.field, message: error.message }); }
      continue;
    }
    if (name.startsWith("db:")) {
      const [table, call] = name.slice(3).split("/");
      done.push(ctx.db[table][call](...args));
      continue;
    }
    if (name.startsWith("try:")) {
      const [table, call] = name.slice(4).split("/");
      try { done.push(ctx.db[table][call](...args)); }
      catch (error) { done.push({ code: error.code, field: error.field, message: error.message }); }
      continue;
    }
    done.push(path(ctx, name)(...args));
  }
  return done;
}
"""


def tools_package(slug: str, other: str) -> Package:
    files = {f"functions/{name}": code for name, code in CODE.items()} | {"functions/do.js": DO}
    files |= {
        "module.yaml": MANIFEST.format(slug=slug, other=other),
        "templates/letter.txt": "Dear {{ data.name }}, {{ site.name }}",
    }
    return read_folder((path, text.encode()) for path, text in files.items())


@pytest.fixture(scope="session")
def releases(platform_app: Flask, config: Config) -> tuple[Released, Released]:
    """(tools, the other module)"""
    with platform_app.app_context():
        publisher = World(config).agency("Publisher")
        word = uuid7().hex[-10:]
        other = read_folder([("module.yaml", OTHER.format(slug=f"other-{word}").encode())])
        return release(tools_package(f"tools-{word}", f"other-{word}"), publisher), release(other, publisher)


@pytest.fixture
def tools(world: World, config: Config, releases: tuple[Released, Released]) -> Installed:
    """The tools on a site of their own."""
    site = world.site(world.agency(), time_zone="Europe/Berlin")
    return put_on(releases[0], site, config=config, secrets={"token": "s3cret"})


@pytest.fixture
def other(config: Config, releases: tuple[Released, Released], tools: Installed) -> Installed:
    """The other module on the same site."""
    return put_on(releases[1], tools.site, config=config)


@pytest.fixture
def do(tools: Installed) -> Callable[..., Any]:
    """Run steps in a function: do(["db:items/insert", {"name": "a"}], …) gives what each returned."""

    def run(*steps: list[Any], **how: Any) -> Any:
        return run_function(tools.context, "do", {"steps": list(steps)}, **{"trigger": "test", "actor": SYSTEM, **how})

    return run
