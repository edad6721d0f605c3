"""Screens of the workspace on records that are only tried out: what the Studio shows of a module that is being written.

The same templates and the same reading of the manifest as on an install, without the frame around them. Nobody can act on
them: they are looked at on another origin, and the data they are given refuses every write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, render_template, request

from app.access.actors import Actor
from app.errors import NotFound
from app.lib.ids import encode
from app.modules.conditions import All
from app.modules.manifest import Manifest
from app.modules.manifest.views import CalendarView, ListView, ResourcesView, TimelineView
from app.runtime.data import Data
from app.runtime.query import Query, Sort
from app.web.assets import inline_icons
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.forms.record import RecordForm
from app.workspace.labels import many, one, words
from app.workspace.queries import Colleague
from app.workspace.screens import DRAWN, menu, screen_label
from app.workspace.views.common import shown_at
from app.workspace.views.edit import form_context
from app.workspace.views.records import read_record, record_context

MOST_RECORDS = 50


@dataclass(frozen=True, slots=True)
class Drawn:
    """A screen. records: the titles of those it can show, in the order of the sample; chosen: which it shows, 0 for none."""

    html: str
    title: str
    records: tuple[str, ...] = ()
    chosen: int = 0


def offered(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """(key, label) of every screen staff get of a module: those of the menu, and for each table a record and the form."""
    listed = {view.table for view in manifest.views.values() if isinstance(view, ListView)}
    for name, view in manifest.views.items():
        if view.type in DRAWN:
            own = many(manifest, name) if isinstance(view, ListView) and name == view.table else words(name)
            yield f"{view.type}:{name}", f"{view.label or own}: {view.type}"
    for table, spec in manifest.tables.items():
        if "read" not in spec.access.staff:
            continue
        if table not in listed:
            yield f"list:{table}", f"{many(manifest, table)}: list"
        yield f"record:{table}", f"{one(manifest, table)}: record"
        if {"create", "update"} & set(spec.access.staff):
            yield f"form:{table}", f"{one(manifest, table)}: form"


def draw(data: Data, actor: Actor, *, screen: str, record: int = 0) -> Drawn:
    """One of the screens offered(). record: which of the sample, from 1; 0 is the first, or an empty form.

    Raises NotFound for a screen that is not there, or not for this role, and for a record that is not.
    """
    kind, _, name = screen.partition(":")
    install_id, context = encode("ins", data.context.install_id), data.context
    person = {actor.id: Colleague(actor.id, actor.name, "ada@example.test", data.access.role)} if actor.id else {}
    desk = Desk(install_id, context, data, person, actor)
    where = f"/installs/{install_id}/records/{name}{_opens_at(data, name)}"
    with current_app.app_context(), current_app.test_request_context(where):
        g.actor, g.zone = actor, context.site.time_zone
        g.locale = context.site.locale.replace("-", "_")  # as CLDR writes it
        g.csrf_token = ""  # nothing can be sent from there
        if kind in DRAWN:
            template, shown = shown_at(desk, name, data.settings.now)
            return Drawn(_page(template, desk, shown), screen_label(desk, name))
        if kind not in ("record", "form") or name not in context.manifest.tables:
            raise NotFound()
        return _one_record(desk, kind, name, record)


def _opens_at(data: Data, name: str) -> str:
    """The query that opens a view over days where the records of the sample begin, which may be years away from today."""
    view = data.context.manifest.views.get(name)
    if not isinstance(view, CalendarView | ResourcesView | TimelineView):
        return ""
    where = data.table(view.table).condition(view.where) if view.where else All(())
    rows = data.list(view.table, Query(where=where, sort=(Sort(view.from_),), limit=1)).records
    begins = rows[0][view.from_] if rows else None
    return f"?day={begins[:10]}" if begins else ""


def _one_record(desk: Desk, kind: str, table: str, record: int) -> Drawn:
    desk.data.table(table)
    query = Query(sort=(Sort("id"),), limit=MOST_RECORDS)
    rows = desk.data.list(table, query).records
    titles = tuple(title(desk, table, row) for row in rows)
    if record > len(rows):
        raise NotFound("The sample holds no such record any more.")
    if kind == "form" and not record and rows and not desk.can(table, "create"):
        record = 1  # nobody sees this form empty
    if kind == "form":
        desk.data.table(table, "update" if record else "create")
        form = RecordForm.edit(desk, table, rows[record - 1]) if record else RecordForm.new(desk, table, request.args)
        html = _page("workspace/form.html", desk, form_context(desk, table, form, carry=""))
        return Drawn(html, f"{one(desk.manifest, table)}, form", titles, record)
    if not rows:
        raise NotFound(f"There is no record to show. Write some into sample/{table}.yaml.")
    values = read_record(desk, table, rows[max(record, 1) - 1]["id"])
    html = _page("workspace/record.html", desk, record_context(desk, table, values))
    return Drawn(html, titles[max(record, 1) - 1], titles, max(record, 1))


def _page(name: str, desk: Desk, context: dict[str, Any]) -> str:
    html = render_template(name, desk=desk, menu=menu(desk), page="", layout="layouts/sample.html", **context)
    return inline_icons(html)
