"""The manifest that the tests of dashboards install: every kind of card."""

SALES = """
manifest: 1
slug: sales
name: Sales
summary: Deals.
version: 1.0.0
type: app
tables:
  stages:
    label: {one: Stage, many: Stages}
    title: name
    fields:
      name: {type: text, required: true}
      position: {type: integer}
  notes:
    fields:
      text: {type: text}
  deals:
    label: {one: Deal, many: Deals}
    title: name
    fields:
      name:     {type: text, required: true}
      status:   {type: enum, options: [open, won, lost], default: open, required: true, labels: {won: Signed}}
      stage:    {type: ref, to: stages, on_delete: set_null}
      amount:   {type: money}
      paid:     {type: money, currency: coin}
      coin:     {type: text}
      chance:   {type: percent}
      weight:   {type: decimal}
      takes:    {type: duration}
      hot:      {type: boolean}
      owner:    {type: user}
      due:      {type: date}
      closed:   {type: datetime}
      expected: {type: formula, as: money, expr: "amount * chance / 100"}
views:
  home:
    type: dashboard
    label: Overview
    help: How it goes.
    cards:
      - {number: count, of: deals, where: {status: open}, label: Open deals}
      - {number: sum(amount), of: deals}
      - {number: avg(amount * chance / 100), of: deals, label: Expected}
      - {number: avg(chance), of: deals}
      - {number: sum(takes), of: deals}
      - {number: sum(paid), of: deals, label: Paid}
      - {number: max(due), of: deals, label: Last due}
      - {line: count, of: deals, by: closed/week, label: Closed}
      - {line: avg(amount), of: deals, by: due/month, label: Average}
      - {bar: sum(amount), of: deals, by: status}
      - {bar: count, of: deals, by: stage}
      - {bar: count, of: deals, by: owner}
      - {bar: sum(paid), of: deals, by: status, label: Paid by status}
      - {bar: count, of: deals, by: due/month, label: Due}
      - {list: [name, amount], of: deals, sort: -amount, limit: 2, label: Largest}
      - {table: [name, stage, amount], of: deals, sort: name}
      - {funnel: status, of: deals}
      - {funnel: stage, of: deals}
      - {number: count, of: notes}
  signed: {type: list, table: deals, label: Signed, columns: [name], where: {status: won}}
  few:
    type: dashboard
    cards: [{number: count, of: notes}]
menu: [home, few, signed, deals, stages, notes]
roles:
  seller: {label: Seller, tables: {deals: [read], stages: [read]}, rows: {deals: own}}
  caller: {label: Caller, tables: {deals: [read]}}
  noter: {label: Noter, tables: {notes: [read]}}
  stager: {label: Stager, tables: {stages: [read]}}
"""
