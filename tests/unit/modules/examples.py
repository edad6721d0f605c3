"""A whole small module for tests of packages and diffs."""

from __future__ import annotations

MANIFEST = """manifest: 1
slug: crm
name: CRM
summary: Deals and the people behind them.
category: crm
icon: icon.svg
version: 1.4.0
type: app
platform: ">=1.0 <2"
locales: [en, de]
requires: [{module: booking, version: ^1.2, optional: true}]
permissions:
  scopes: [records:read]
  network: [{host: api.example.com, methods: [GET, POST], reason: Looks up companies.}]
  tables: [{module: booking, table: slots, fields: [starts_at], access: [read]}]
  personal_data: true
pricing: [{id: team, label: Team, amount: 1900, currency: EUR, per: month, trial_days: 14}]
tables:
  stages: {fields: {name: {type: text, required: true}}}
  contacts:
    fields:
      name: {type: text, required: true}
      email: {type: email, pii: true}
      worth: {type: rollup, of: deals.expected, fn: sum, where: {status: open}}
  deals:
    label: {one: Deal, many: Deals}
    title: name
    fields:
      name: {type: text, required: true, max: 160, search: true}
      amount: {type: money, min: 0}
      stage: {type: ref, to: stages, required: true}
      contact: {type: ref, to: contacts, on_delete: set_null}
      owner: {type: user}
      status: {type: enum, options: [open, won, lost], default: open, colors: {won: green}}
      probability: {type: percent, default: 0}
      expected: {type: formula, as: money, expr: amount * probability / 100}
      closed_at: {type: datetime}
      tags: {type: tags}
    indexes: [[status, closed_at], [owner]]
    unique: [[name, contact]]
    check: [{when: {status: won}, require: [closed_at]}]
    states: {field: status, moves: {open: [won, lost], won: [open], lost: [open]}}
    access: {public: [], staff: [read, create, update, delete], api: [read, create]}
    timeline: true
views:
  pipeline: {type: board, table: deals, by: stage, card: [name, contact, amount], sum: amount, where: {status: open}}
  deals:
    {type: list, table: deals, columns: [name, stage, expected], filters: [status], sort: -updated_at, bulk: [assign]}
  deal: {type: detail, table: deals, main: [timeline], side: [stage, amount]}
  contact: {type: detail, table: contacts, main: [name, related: deals]}
  home:
    type: dashboard
    cards: [{number: sum(expected), of: deals, where: {status: open}}, {line: count, of: deals, by: created_at/week}]
menu: [home, pipeline, deals, contacts]
pages:
  contact-form:
    template: contact-form.html
    kind: form
    table: contacts
    fields: [name, email]
    data: {stages: {table: stages, limit: 50}}
    modes: [iframe, popup]
    params: {accent: {type: color}}
    after: {emit: form.submitted, call: capture}
functions:
  capture: {file: capture.js, limits: {ms: 200}}
  quote: {file: quote.js, route: {method: POST, path: /quote, auth: public, rate: 30/min}}
  move: {file: move.js, on: {table: deals, event: before_update}}
  welcome: {file: welcome.js, on: {event: contact.created}}
jobs: {rot: {call: capture, cron: "0 6 * * *", tz: site}}
events: [deal.won, form.submitted]
roles: {agent: {label: Agent, tables: {deals: [read, create, update], contacts: [read]}, rows: {deals: own}}}
settings:
  - label: General
    fields:
      deposit: {type: boolean, default: false}
      amount: {type: money, visible_if: {deposit: true}, default: 1000}
      api_key: {type: secret, test: capture}
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1"/></svg>'
FILES: dict[str, bytes] = {
    "module.yaml": MANIFEST.encode(),
    "listing.yaml": b"tagline: Deals that move\ntags: [sales]\nsupport_url: https://example.com/help\n",
    "README.md": b"# CRM\n",
    "CHANGELOG.md": b"# 1.4.0\n",
    "icon.svg": SVG.encode(),
    "templates/contact-form.html": b"<form></form>",
    "functions/capture.js": b"export default function (ctx, input) { return {} }",
    "functions/quote.js": b"export default function (ctx, input) { return {} }",
    "functions/move.js": b"export default function (ctx, input) { return {} }",
    "functions/welcome.js": b"export default function (ctx, input) { return {} }",
    "assets/css/form.css": b"form { margin: 0 }",
    "sample/stages.csv": b"ref,name\nnew,New\ndone,Done\n",
    "sample/deals.yaml": b"- {ref: d1, name: Boat, stage: new, amount: 100000}\n",
    "tests/winning.yaml": b"- name: winning a deal closes it\n  given: {deals: [{ref: d1, name: Boat}]}\n"
    b"  when: {update: deals/d1, set: {status: won}}\n  then: {deals/d1: {closed_at: present}, events: [deal.won]}\n",
    "locales/de.json": b'{"Deals": "Abschl\xc3\xbcsse"}',
}
