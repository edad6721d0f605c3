"""The beta programme: which agencies a publisher lets in, and how far. What follows from it is the rule of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Invalid
from app.events.outbox import record
from app.modules.models import Module

LEVELS = (("beta", "Early access"), ("alpha", "Alpha and early access"))


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An agency in the programme. slug: its short name."""

    slug: str
    name: str
    level: str
    enrolled_at: datetime


def enrolled(db: Session, *, module: Module) -> list[Enrolled]:
    """By name; nothing for anybody but the publisher."""
    rows = select(func.module_enrolled(module.id).table_valued("slug", "name", "level", "enrolled_at"))
    return [Enrolled(*row) for row in db.execute(rows)]


def enrol(db: Session, *, module: Module, slug: str, level: str, by: Actor) -> None:
    """Let an agency in, or change how far. Raises Invalid: no such agency, no such level."""
    if level not in dict(LEVELS):
        raise Invalid.field("level", "Choose how far the agency is let in.", "unknown_level")
    if not db.scalar(select(func.module_enrol(module.id, slug, level))):
        raise Invalid.field("agency", "No other agency has this short name.", "unknown_agency")
    _note(db, "module.enrolled", module, slug, level, by)


def shut_out(db: Session, *, module: Module, slug: str, by: Actor) -> None:
    """End an agency's part in the programme; what it has installed stays. Raises Invalid when it has none."""
    if not db.scalar(select(func.module_enrol(module.id, slug, ""))):
        raise Invalid.field("agency", "This agency is not in the programme.", "unknown_agency")
    _note(db, "module.shut_out", module, slug, "", by)


def _note(db: Session, action: str, module: Module, slug: str, level: str, by: Actor) -> None:
    changes = {"agency": [None, slug], "level": [None, level]}
    record(
        db, action, by=by, agency_id=module.agency_id, target=module.public_id, target_name=module.name, changes=changes
    )
