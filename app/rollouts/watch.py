"""rollouts.watch: looks at every upgrade of the last half hour, ends its watch or takes it back.

It keeps nothing between looks but what stands in install_moves: a worker that is killed is followed by the next look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, text
from sqlalchemy.orm import Session

from app.access.actors import job
from app.db.base import db as flask_db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError
from app.events.catalog import INSTALL_SETTLED
from app.installs.actions import tell
from app.installs.models import Install, Move
from app.installs.upgrades import rollback_install
from app.lib.clock import rfc3339, utcnow
from app.lib.sql import load_sql
from app.modules.models import Module, Version
from app.rollouts.judging import Figures, judge
from app.rollouts.letters import tell_people

log = logging.getLogger(__name__)

UNTOLD = and_(Move.state == "unhealthy", ~Move.figures.has_key("told"))


def watch() -> None:
    """One look at all of them; each is then seen to in a transaction of its own."""
    db, now = flask_db.session(), utcnow()
    with platform_scope("upgrades that are watched"), transaction(db):
        bases = {row.id: _figures(row) for row in _rows(db, base=True, now=now)}
        rows = _rows(db, base=False, now=now)
        untold = db.execute(select(Move.id, Move.agency_id, Move.install_id).where(UNTOLD)).all()
    for row in rows:
        _apart(db, row, lambda: _see_to(db, row.id, _figures(row), bases.get(row.id), now=now))  # noqa: B023  # called at once
    for one in untold:
        _apart(db, one, lambda: _tell_stuck(db, one.id))  # noqa: B023  # as above


def _apart(db: Session, row: Any, act: Callable[[], None]) -> None:
    """In a transaction of its own: one install must not keep the others from being looked at."""
    try:
        with tenant_scope(row.agency_id), transaction(db):
            act()
    except Exception:
        log.exception("the watch of install %s stumbled", row.install_id)


def _rows(db: Session, *, base: bool, now: datetime) -> list[Any]:
    return list(db.execute(text(load_sql("rollouts/watched")), {"base": base, "now": now}))


def _figures(row: Any) -> Figures:
    p95_ms = round(float(row.p95_ms), 2) if row.p95_ms is not None else None
    return Figures(row.calls, row.calls_failed, p95_ms, row.runs, row.runs_failed, row.pages_failed)


def _see_to(db: Session, move_id: UUID, seen: Figures, base: Figures | None, *, now: datetime) -> None:
    move = db.get(Move, move_id, with_for_update=True)
    if move is None or move.state != "watching" or move.moved_at is None or move.watch_until is None:
        return
    install = db.get_one(Install, move.install_id)
    before = Figures.from_dict(move.figures["base"]) if "base" in move.figures else base or Figures()
    verdict = judge(before, seen, watched=now - move.moved_at, was_slow=bool(move.figures.get("slow")))
    move.figures = {
        "base": before.to_dict(), "now": seen.to_dict(), "at": rfc3339(now), "slow": verdict.slow,
        "breach": verdict.breach,
    }  # fmt: skip
    if verdict.breach and install.status == "active":
        _take_back(db, install, move, verdict.breach, now=now)
    elif now < move.watch_until or install.status == "provisioning":
        return  # a way back that somebody ordered ends it
    elif verdict.breach and install.status == "paused":
        _give_up(db, install, move, f"{verdict.breach} It is paused, so it could not go back.", now=now)
    else:
        _settle(db, install, move, now=now)


def _take_back(db: Session, install: Install, move: Move, reason: str, *, now: datetime) -> None:
    try:
        with db.begin_nested():
            rollback_install(
                db, install=install, records="put_back", reason=reason, by_itself=True,
                by=job("rollouts.watch", agency_id=install.agency_id), now=now,
            )  # fmt: skip
    except AppError as error:  # such as a module the older version needs that is gone: people have to decide
        log.warning("install %s does worse and could not go back: %s", install.id, error)
        _give_up(db, install, move, f"{reason} It could not go back: {error.message}", now=now)
        return
    tell_people(db, install, move, "rolled_back", reason=reason)


def _give_up(db: Session, install: Install, move: Move, reason: str, *, now: datetime) -> None:
    """It does worse and stays where it is, until people have decided."""
    move.state, move.ended_at, move.reason = "unhealthy", now, reason[:1000]
    _tell_stuck(db, move.id)


def _tell_stuck(db: Session, move_id: UUID) -> None:
    """Once: the letter of an upgrade that could not go back, also of one whose way back failed in its job."""
    move = db.get(Move, move_id, with_for_update=True)
    if move is None or move.state != "unhealthy" or "told" in move.figures:
        return
    move.figures = {**move.figures, "told": True}
    tell_people(db, db.get_one(Install, move.install_id), move, "stuck", reason=move.reason)


def _settle(db: Session, install: Install, move: Move, *, now: datetime) -> None:
    move.state, move.ended_at = "settled", now
    version, module = db.get_one(Version, move.to_version_id), db.get_one(Module, install.module_id)
    by = job("rollouts.watch", agency_id=install.agency_id)
    tell(db, INSTALL_SETTLED, install, module, by=by, data={"version": version.version, "watched": True})
