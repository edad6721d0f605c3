"""Reads of runs: the list, one run with its installs and how their upgrades are doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from app.fleet.models import Run, RunItem
from app.installs.models import Install, Move
from app.lib.ids import encode
from app.modules.models import Module, Version
from app.tenancy.models import Site

PER_PAGE = 25
PER_RUN = 100


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as lists show it. counts: {state: installs}."""

    run: Run
    installs: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An install of a run. move: how its upgrade is doing since (watching, settled, undone), "" where there is none."""

    install_id: UUID
    site_name: str
    module_name: str
    before: str
    after: str
    state: str
    detail: str
    move: str
    changed_at: datetime
    position: int

    @property
    def public_id(self) -> str:
        return encode("ins", self.install_id)


def runs_page(db: Session, *, agency_id: UUID, before: UUID | None = None) -> tuple[list[RunRow], UUID | None]:
    """The agency's runs, newest first, and where the next page begins. One statement."""
    counted = (
        select(
            func.count().label("installs"),
            func.count().filter(RunItem.state == "done").label("done"),
            func.count().filter(RunItem.state == "failed").label("failed"),
        )
        .where(RunItem.agency_id == Run.agency_id, RunItem.run_id == Run.id)
        .lateral()
    )
    query = select(Run, counted.c.installs, counted.c.done, counted.c.failed).where(Run.agency_id == agency_id)
    if before is not None:
        query = query.where(Run.id < before)
    rows = [RunRow(*row) for row in db.execute(query.order_by(Run.id.desc()).limit(PER_PAGE + 1))]
    return rows[:PER_PAGE], rows[PER_PAGE - 1].run.id if len(rows) > PER_PAGE else None


def items_page(
    db: Session, *, run: Run, states: tuple[str, ...] = (), after: int = -1
) -> tuple[list[ItemRow], int | None]:
    """The installs of a run in their order, and the position after which the next page begins. One statement."""
    old, new = aliased(Version), aliased(Version)
    latest = (
        select(Move.state)
        .where(
            Move.agency_id == RunItem.agency_id, Move.install_id == RunItem.install_id, Move.kind == "upgrade",
            Move.to_version_id == RunItem.to_version_id, Move.ordered_at >= run.started_at,
        )
        .order_by(Move.id.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip
    query = (
        select(
            RunItem.install_id, Site.name, Module.name, func.coalesce(old.version, ""), func.coalesce(new.version, ""),
            RunItem.state, RunItem.detail, func.coalesce(latest, ""), RunItem.changed_at, RunItem.position,
        )
        .join(Install, and_(Install.agency_id == RunItem.agency_id, Install.id == RunItem.install_id))
        .join(Site, Site.id == Install.site_id)
        .join(Module, Module.id == Install.module_id)
        .outerjoin(old, old.id == RunItem.from_version_id)
        .outerjoin(new, new.id == RunItem.to_version_id)
        .where(RunItem.agency_id == run.agency_id, RunItem.run_id == run.id, RunItem.position > after)
    )  # fmt: skip
    if states:
        query = query.where(RunItem.state.in_(states))
    rows = [ItemRow(*row) for row in db.execute(query.order_by(RunItem.position).limit(PER_RUN + 1))]
    return rows[:PER_RUN], rows[PER_RUN - 1].position if len(rows) > PER_RUN else None


def state_counts(db: Session, *, run: Run) -> dict[str, int]:
    """{state: how many installs} of a run."""
    rows = db.execute(
        select(RunItem.state, func.count())
        .where(RunItem.agency_id == run.agency_id, RunItem.run_id == run.id)
        .group_by(RunItem.state)
    )
    return {row[0]: row[1] for row in rows}
