"""An install that was upgraded, written to and gone back, with the file of what was written in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from app.access.actors import Actor
from app.installs import jobs
from app.installs.models import Install, Move
from app.installs.since import file_name
from app.installs.upgrades import rollback_install, upgrade_install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.rollouts.putback.actions import carry_out, end_run, order_put_back, places_of
from app.rollouts.putback.file import survey
from app.rollouts.putback.models import PutBack, PutBackRow
from app.rollouts.putback.queries import marks_of, tried_in
from app.rollouts.putback.showing import Shown, show_rows
from app.runtime.context import forget_install, load_install
from app.runtime.data import Access, Data, Surface
from app.workspace.desk import open_desk
from tests.unit.installs.conftest import Desk
from tests.unit.rollouts.conftest import publish_text

OLD = """
manifest: 1
slug: {slug}
name: Jobs
summary: People and their jobs.
version: 1.0.0
type: app
tables:
  people:
    label: {{one: Person, many: People}}
    audit: true
    fields:
      name: {{type: text, required: true, max: 20}}
      mood: {{type: enum, options: [good, bad]}}
      boss: {{type: ref, to: people, on_delete: set_null}}
      token: {{type: secret}}
    unique: [[name]]
    access: {{staff: [read, create, update, delete]}}
  jobs:
    label: {{one: Job, many: Jobs}}
    audit: true
    fields:
      title: {{type: text, required: true}}
      no: {{type: number, prefix: J-}}
      person: {{type: ref, to: people, required: true, on_delete: restrict}}
      helpers: {{type: refs, to: people}}
    access: {{staff: [read, create, update, delete]}}
roles:
  reader: {{label: Reader, tables: {{people: [read], jobs: [read]}}}}
  own: {{label: Own, tables: {{people: [read, create, update, delete]}}, rows: {{people: own}}}}
"""
NEW = (
    OLD.replace("1.0.0", "2.0.0")
    .replace("max: 20", "max: 60")
    .replace("[good, bad]", "[good, bad, odd]")
    .replace("      boss:", "      note: {{type: text}}\n      boss:")
)


class Stage:
    """An install that was upgraded, written to, and gone back; its file is there to be looked through."""

    def __init__(self, desk: Desk, old: str = OLD, new: str = NEW) -> None:
        self.desk = desk
        slug = f"jobs-{uuid7().hex[-12:]}"
        self.old = publish_text(desk, old.format(slug=slug))
        self.install = desk.install(self.old)
        self.new = publish_text(desk, new.format(slug=slug))

    def data(self) -> Data:
        forget_install(self.install.id)
        return Data(load_install(self.install.id), Access(Surface.STAFF, self.desk.actor))

    def insert(self, table: str, **values: Any) -> str:
        return str(self.data().insert(table, values).id)

    def get(self, table: str, record_id: str) -> dict[str, Any]:
        return self.data().get(table, UUID(record_id)).values

    def upgrade(self) -> None:
        ordered = self.desk.do(upgrade_install, self.install, version=self.new, lose=True, now=utcnow())
        self.desk.run(jobs.provision, ordered)

    def back(self, records: Literal["keep", "put_back"] = "put_back") -> None:
        ordered = self.desk.do(rollback_install, self.install, records=records, now=utcnow())
        self.install = self.desk.run(jobs.provision, ordered)
        assert (self.install.status, self.install.version_id) == ("active", self.old.id)

    def move(self) -> Move:
        with self.desk.scope() as session:
            query = select(Move).where(Move.install_id == self.install.id).order_by(Move.id.desc()).limit(1)
            move = session.scalars(query).one()
            session.expunge(move)
        return move

    def rows(self, by: Actor | None = None) -> dict[str, Shown]:
        """The file as the page shows it, by title."""
        move = self.move()
        with self.desk.scope() as session:
            forget_install(self.install.id)
            opened = open_desk(session, install=session.get_one(Install, self.install.id), actor=by or self.desk.actor)
            found = survey(file_name(move.agency_id, move.id))
            where = places_of(session, desk=opened, move=move)
            marks = marks_of(session, move_id=move.id, positions=[one.position for one in found.spots])
            shown = show_rows(opened, where, found, [one for one in found.spots if one.table in where], marks)
        return {f"{one.change} {one.title}": one for one in shown}

    def order(self, chosen: Iterable[int], over: Iterable[int] = (), by: Actor | None = None) -> PutBack:
        move = self.move()
        with self.desk.scope() as session:
            run = order_put_back(
                session, install=session.get_one(Install, self.install.id), move=move, chosen=chosen, over=set(over),
                by=by or self.desk.actor, now=utcnow(),
            )  # fmt: skip
            session.expunge(run)
        return run

    def put_back(
        self, chosen: Iterable[int] | None = None, over: Iterable[int] = (), by: Actor | None = None
    ) -> PutBack:
        """Put rows back while one waits; without `chosen` all of them."""
        move = self.move()
        with self.desk.scope() as session:
            forget_install(self.install.id)
            install = session.get_one(Install, self.install.id)
            opened = open_desk(session, install=install, actor=by or self.desk.actor)
            where = places_of(session, desk=opened, move=move)
            found = survey(file_name(move.agency_id, move.id))
            run = order_put_back(
                session, install=install, move=move, over=set(over),
                chosen=[one.position for one in found.spots] if chosen is None else chosen,
                by=by or self.desk.actor, now=utcnow(),
            )  # fmt: skip
            carry_out(run=run, move=move, desk=opened, where=where, tried=lambda: tried_in(session, run=run))
            end_run(session, run=run, desk=opened, found=found, where=where, by=by or self.desk.actor, now=utcnow())
            session.expunge(run)
        return run

    def marks(self) -> dict[int, tuple[str, list[Any]]]:
        with self.desk.scope() as session:
            query = select(PutBackRow).where(PutBackRow.move_id == self.move().id)
            return {row.position: (row.state, row.why) for row in session.scalars(query)}

    def history(self, record_id: str) -> list[tuple[str, str]]:
        return self.desk.rows(
            self.old, "SELECT op, batch::text FROM _history WHERE record_id = %s ORDER BY id", record_id
        )
