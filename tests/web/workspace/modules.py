"""The manifest that the tests of the workspace install: a field of every type, states, roles, references, views."""

JOBS = """
manifest: 1
slug: jobs
name: Jobs
summary: Work orders.
version: 1.0.0
type: app
tables:
  areas:
    label: {one: Area, many: Areas}
    fields:
      name: {type: text, required: true}
  crews:
    label: {one: Crew, many: Crews}
    title: name
    fields:
      name: {type: text, required: true, max: 60, search: true}
      area: {type: ref, to: areas}
      jobs_done: {type: rollup, of: jobs, fn: count}
  jobs:
    label: {one: Job, many: Jobs}
    title: name
    help: Everything somebody has to go and do.
    fields:
      number:   {type: number, prefix: "J-", digits: 3}
      name:     {type: text, required: true, max: 80, search: true}
      notes:    {type: text, multiline: true, max: 2000, search: true}
      body:     {type: richtext}
      key:      {type: slug, unique: true}
      email:    {type: email}
      phone:    {type: phone}
      link:     {type: url}
      people:   {type: integer, min: 0, max: 50}
      weight:   {type: decimal, scale: 3}
      price:    {type: money, min: 0}
      share:    {type: percent}
      urgent:   {type: boolean}
      day:      {type: date}
      at_time:  {type: time}
      starts:   {type: datetime}
      takes:    {type: duration}
      state:
        {type: enum, options: [new, open, closed], default: new, required: true, colors: {new: blue, open: orange, closed: green}}
      tags:     {type: tags}
      paint:    {type: color}
      stars:    {type: rating}
      place:    {type: address}
      spot:     {type: geo}
      opening:  {type: hours}
      repeats:  {type: rrule}
      boss:     {type: user}
      crew:     {type: ref, to: crews, on_delete: set_null}
      helpers:  {type: refs, to: crews}
      pin:      {type: secret}
      reason:   {type: text, visible_if: {urgent: true}}
      extra:    {type: json}
      total:    {type: formula, as: money, expr: "price * people"}
    states: {field: state, moves: {new: [open], open: [closed, new], closed: []}}
    audit: true
    timeline: true
views:
  todo:
    type: list
    table: jobs
    label: To do
    columns: [number, name, state, crew, boss, price, starts, tags]
    filters: [state, crew, boss, urgent, day]
    search: true
    sort: name
    where: {state: {ne: closed}}
    bulk: [assign, tag, edit, delete, export]
    export: csv
    import: csv
  board: {type: board, table: jobs, by: state, card: [name]}
  job:   {type: detail, table: jobs, main: [notes, body, extra, timeline], side: [state, crew, boss, price, starts, tags, pin]}
menu: [board, todo, crews]
roles:
  worker: {label: Worker, tables: {jobs: [read, create, update]}, rows: {jobs: own}}
  planner: {label: Planner, tables: {crews: [read]}}
"""
