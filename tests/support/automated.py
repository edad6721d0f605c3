"""An agency with a shop's module on its site, and automations that its events set off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text

from app.automations import actions
from app.automations.models import Automation, Run
from app.automations.running import work
from app.automations.steps import Step
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events.jobs import dispatch
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.mail.actions import open_body
from app.mail.models import Mail
from app.modules.package import read_folder
from app.tenancy.models import Agency, Site
from tests.support.modules import Installed, Released, put_on, release
from tests.support.world import Person, World

MANIFEST = """
manifest: 1
slug: {slug}
name: Deals
summary: Deals and notes about them.
version: 1.0.0
type: app
tables:
  deals:
    label: {{one: Deal, many: Deals}}
    fields:
      name: {{type: text, required: true, max: 80}}
      email: {{type: email}}
      amount: {{type: integer, default: 0}}
      stage: {{type: enum, options: [open, won], default: open}}
    access: {{public: [], staff: [read, create, update, delete], api: [read]}}
  notes:
    label: {{one: Note, many: Notes}}
    fields:
      words: {{type: text, required: true, max: 200}}
      amount: {{type: integer}}
    access: {{public: [], staff: [read, create, update, delete], api: [read]}}
  orders:
    label: {{one: Order, many: Orders}}
    fields:
      name: {{type: text, required: true}}
      price: {{type: integer}}
      total: {{type: money}}
      weight: {{type: decimal}}
      shown: {{type: boolean}}
      day: {{type: date}}
      at: {{type: datetime}}
      stage: {{type: enum, options: [new_one, paid], labels: {{new_one: Brand new}}}}
      tags: {{type: tags}}
      deal: {{type: ref, to: deals}}
      owner: {{type: user}}
      code: {{type: text, unique: true}}
      number: {{type: number}}
    access: {{public: [], staff: [read, create, update, delete], api: [read]}}
functions:
  jot: {{file: jot.js}}
"""
JOT = """export default function (ctx, input) {
  if (input.record.name === "broken") throw new Error("The author erred.");
  ctx.db.notes.insert({ words: `${input.event.type} ${input.record.name}` });
}"""


def deals_module(publisher: Agency) -> Released:
    files = {"module.yaml": MANIFEST.format(slug=f"deals-{uuid7().hex[-10:]}"), "functions/jot.js": JOT}
    return release(read_folder((path, content.encode()) for path, content in files.items()), publisher)


@dataclass
class Automated:
    """deals: the install on the site."""

    config: Config
    world: World
    agency: Agency
    ada: Person
    site: Site
    deals: Installed

    @classmethod
    def make(cls, config: Config, world: World, released: Released) -> Automated:
        agency = world.agency("Studio Lumen")
        site = world.site(agency)
        return cls(config, world, agency, world.person(agency), site, put_on(released, site, config=config))

    def automation(
        self, *steps: Step, event: str = "deal.created", conditions: str = "", site: Site | None = None, on: bool = True,
        **how: Any,
    ) -> Automation:  # fmt: skip
        """One with these steps, switched on."""
        given = {"name": "Thank who bought", "retries": 0, "off_after": 10, **how}
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            place = session.get_one(Site, site.id) if site else None
            made = actions.create_automation(
                session, site=place, event_type=event, conditions=conditions, by=self.ada.actor, now=utcnow(), **given
            )
            for step in steps:
                actions.add_step(session, automation=made, step=step, by=self.ada.actor)
            if on:
                actions.switch(session, automation=made, on=True, by=self.ada.actor)
            return made

    def mail(self, **how: Any) -> Step:
        return {"kind": "mail", "to": "event", "path": "record.email", "subject": "Thanks, {record.name}",
                "text": "{record.amount} received.", **how}  # fmt: skip

    def note(self, **values: str) -> Step:
        return {"kind": "record", "install": str(self.deals.id), "table": "notes", "act": "create", "path": "record.id",
                "values": values or {"words": "{record.name}"}}  # fmt: skip

    def order(self, **values: str) -> Step:
        return {**self.note(**{"name": "Bo", **values}), "table": "orders"}

    def jot(self) -> Step:
        return {"kind": "function", "install": str(self.deals.id), "function": "jot"}

    def deal(self, **values: Any) -> dict[str, Any]:
        return self.deals.data().insert("deals", {"name": "Bo", "email": "bo@example.com", **values}).values

    def happen(self) -> None:
        """Hand every event over and run what is due, as the jobs do, until nothing follows from it."""
        dispatch()
        while self._due():
            work()
            dispatch()

    def _due(self) -> bool:
        query = select(Run.id).where(
            Run.agency_id == self.agency.id, Run.status.in_(("due", "running")), Run.due_at <= utcnow()
        )
        with platform_scope("test"), transaction(db.session()) as session:
            return session.scalar(query.limit(1)) is not None

    def runs(self, automation: Automation) -> list[Run]:
        with platform_scope("test"), transaction(db.session()) as session:
            return list(session.scalars(select(Run).where(Run.automation_id == automation.id).order_by(Run.id)))

    def read(self, automation: Automation) -> Automation:
        with platform_scope("test"), transaction(db.session()) as session:
            return session.get_one(Automation, automation.id)

    def make_due(self, automation: Automation) -> None:
        """As if the time of the next try had come."""
        with platform_scope("test"), transaction(db.session()) as session:
            query = (
                "UPDATE automation_runs SET due_at = now() WHERE automation_id = :id AND status IN ('due', 'running')"
            )
            session.execute(text(query), {"id": automation.id})

    def words(self) -> list[str]:
        """What the notes say, in order."""
        return sorted(note["words"] for note in self.deals.records("notes"))

    def letters(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text) of what automations of the agency have written."""
        with platform_scope("test"), transaction(db.session()) as session:
            query = select(Mail).where(Mail.agency_id == self.agency.id, Mail.kind == "automation").order_by(Mail.id)
            return [
                (one.recipient, one.subject, open_body(one, self.config.secret_keys)["text"])
                for one in session.scalars(query)
            ]
