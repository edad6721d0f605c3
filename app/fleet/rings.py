"""fleet.drive: releases that go over an agency's sites by themselves, ring by ring, and stop at the first that is not well.

Rings: internal (sites the agency marked; all sites of the agency that publishes the module), then 5 %, then all. A ring
begins when every site of the one before has passed its watch. Nothing is kept between ticks but what stands in the rows.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.actors import Actor, job
from app.db.base import db as flask_db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError
from app.events.catalog import ROLLOUT_STARTED, ROLLOUT_STOPPED, EventType
from app.events.outbox import publish
from app.fleet.letters import tell_stopped
from app.fleet.models import Policy, Rollout, RolloutSite
from app.installs.models import Install, Move
from app.installs.queries import move_to_undo
from app.installs.upgrades import upgrade_install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.lib.sql import load_sql
from app.modules.models import Module, Version
from app.tenancy.models import Site

log = logging.getLogger(__name__)

RINGS = ("internal", "part", "all")
AT_ONCE = 20  # upgrades that one tick orders for one release
SETTLED = ("healthy", "skipped")


def drive(now: datetime | None = None) -> None:
    """One tick: begin what has become due, move on what runs. Every agency and release in transactions of its own."""
    db, moment = flask_db.session(), now or utcnow()
    with platform_scope("agencies whose sites take versions by themselves"), transaction(db):
        automatic = select(Policy.agency_id).where(Policy.mode.in_(("patch", "minor")))
        running = select(Rollout.agency_id).where(Rollout.status == "running")
        agencies = sorted(set(db.scalars(automatic)) | set(db.scalars(running)))
    for own in (True, False):  # a release proves itself with its publisher first, so publishers begin first
        for agency_id in agencies:
            _apart(db, agency_id, lambda: _begin_due(db, agency_id, own=own, now=moment))  # noqa: B023  # called at once
    for agency_id in agencies:
        for rollout_id in _running(db, agency_id):
            _apart(db, agency_id, lambda: move_on(db, rollout_id, now=moment))  # noqa: B023  # as above


def _apart(db: Session, agency_id: UUID, act: Callable[[], None]) -> None:
    """Do it in a transaction of its own: what stumbles must not keep the others from their tick."""
    try:
        with tenant_scope(agency_id), transaction(db):
            act()
    except Exception:
        log.exception("rollouts of agency %s stumbled", agency_id)


def _running(db: Session, agency_id: UUID) -> list[UUID]:
    with tenant_scope(agency_id), transaction(db):
        query = select(Rollout.id).where(Rollout.agency_id == agency_id, Rollout.status == "running")
        return list(db.scalars(query.order_by(Rollout.id)))


def _begin_due(db: Session, agency_id: UUID, *, own: bool, now: datetime) -> None:
    """A rollout for each release that installs are due for; those that come later join the last ring of theirs."""
    due: dict[UUID, list[Any]] = {}
    for row in db.execute(text(load_sql("fleet/due")), {"agency": agency_id, "own": own}):
        due.setdefault(row.version_id, []).append(row)
    for version_id, rows in due.items():
        rollout = db.scalar(select(Rollout).where(Rollout.agency_id == agency_id, Rollout.version_id == version_id))
        if rollout is not None:
            _add(db, rollout, {row.install_id: "all" for row in rows}, now)
            if rollout.status == "done":
                rollout.status, rollout.ring, rollout.ended_at, rollout.changed_at = "running", "all", None, now
            continue
        rollout = Rollout(
            id=uuid7(), agency_id=agency_id, module_id=rows[0].module_id, version_id=version_id, status="running",
            ring="internal", started_at=now, changed_at=now,
        )  # fmt: skip
        db.add(rollout)
        db.flush()
        _supersede(db, rollout, now)
        _add(db, rollout, rings_of(version_id, [(row.install_id, row.internal) for row in rows]), now)
        _tell(db, rollout, ROLLOUT_STARTED, {"installs": len(rows)})


def rings_of(version_id: UUID, installs: Iterable[tuple[UUID, bool]]) -> dict[UUID, str]:
    """{install: ring}. 5 % are at least one; which ones is decided by a hash, so another release begins elsewhere."""
    found, rest = dict[UUID, str](), []
    for install_id, internal in installs:
        if internal:
            found[install_id] = "internal"
        else:
            rest.append(install_id)
    rest.sort(key=lambda one: hashlib.sha256(version_id.bytes + one.bytes).digest())
    part = -(-len(rest) * 5 // 100)
    return found | dict.fromkeys(rest[:part], "part") | dict.fromkeys(rest[part:], "all")


def move_on(db: Session, rollout_id: UUID, *, now: datetime) -> None:
    """One tick of one rollout: look how its sites are doing, stop at one that is not well, else order what is next."""
    rollout = db.get(Rollout, rollout_id, with_for_update=True)
    if rollout is None or rollout.status != "running":
        return None
    sites = list(
        db.scalars(
            select(RolloutSite).where(RolloutSite.agency_id == rollout.agency_id, RolloutSite.rollout_id == rollout.id)
        )
    )
    _look(db, rollout, [one for one in sites if one.state in ("moving", "watching")], now)
    unwell = [one for one in sites if one.state == "unhealthy"]
    if unwell:
        return _stop(db, rollout, unwell[0], now)
    version = db.get_one(Version, rollout.version_id)
    if version.status != "published":
        return _call_off(db, rollout, "The release was withdrawn by its publisher.", now)
    while True:
        here = [one for one in sites if one.ring == rollout.ring]
        if any(one.state not in SETTLED for one in here):
            break
        if rollout.ring == RINGS[-1]:
            rollout.status, rollout.ended_at, rollout.changed_at = "done", now, now
            return None
        rollout.ring, rollout.changed_at = RINGS[RINGS.index(rollout.ring) + 1], now
    for one in [one for one in here if one.state == "waiting"][:AT_ONCE]:
        _order(db, rollout, one, version, now)
    return None


def _order(db: Session, rollout: Rollout, one: RolloutSite, version: Version, now: datetime) -> None:
    """Order the upgrade of one site; one that cannot take it is left out with the reason."""
    install = db.get_one(Install, one.install_id)
    if install.version_id == version.id:
        if move_to_undo(db, install=install) is None:
            return _note(one, "healthy", "It has this version already.", now)
        return _note(one, "watching", "", now)  # the next look says what became of that upgrade
    try:
        with db.begin_nested():
            upgrade_install(db, install=install, version=version, by=_actor(rollout), now=now)
    except AppError as error:
        return _note(one, "skipped", f"{error.message} Upgrade it from its own plan.", now)
    return _note(one, "moving", "", now)


def _look(db: Session, rollout: Rollout, sites: list[RolloutSite], now: datetime) -> None:
    """What became of the upgrades that are under way or watched."""
    if not sites:
        return
    ids = [one.install_id for one in sites]
    moves = db.scalars(
        select(Move)
        .where(
            Move.agency_id == rollout.agency_id, Move.install_id.in_(ids), Move.kind == "upgrade",
            Move.to_version_id == rollout.version_id,
        )
        .order_by(Move.id)
    )  # fmt: skip
    last = {move.install_id: move for move in moves}
    undone = [move.id for move in last.values() if move.state == "undone"]
    back = {
        one.undoes_id: one
        for one in db.scalars(select(Move).where(Move.agency_id == rollout.agency_id, Move.undoes_id.in_(undone)))
    }
    failures = dict(db.execute(select(Install.id, Install.failure).where(Install.id.in_(ids))).tuples().all())
    for one in sites:
        move = last.get(one.install_id)
        if move is None or move.state == "failed":
            _note(one, "unhealthy", failures.get(one.install_id) or "The upgrade failed; nothing was changed.", now)
        elif move.state == "undone":
            way = back.get(move.id)
            reason = way.reason if way and way.reason else "somebody took it back"
            _note(one, "unhealthy", f"The upgrade was taken back: {reason}", now)
        elif move.state == "unhealthy":
            _note(
                one, "unhealthy", f"{move.reason} Go back, go to another version or take it as it is on its page.", now
            )
        elif move.state == "settled":
            _note(one, "healthy", "", now)
        elif move.state == "watching":
            _note(one, "watching", "", now)


def _stop(db: Session, rollout: Rollout, one: RolloutSite, now: datetime) -> None:
    site = db.scalar(select(Site.name).join(Install, Install.site_id == Site.id).where(Install.id == one.install_id))
    rollout.status, rollout.reason, rollout.changed_at = "stopped", f"{site}: {one.detail}"[:1000], now
    _tell(db, rollout, ROLLOUT_STOPPED, {"reason": rollout.reason})
    tell_stopped(db, rollout)


def _call_off(db: Session, rollout: Rollout, reason: str, now: datetime) -> None:
    """End it; what is still waiting is left out, what has moved stays."""
    rollout.status, rollout.reason, rollout.ended_at, rollout.changed_at = "cancelled", reason, now, now
    leave_out_waiting(db, rollout, reason, now)


def leave_out_waiting(db: Session, rollout: Rollout, reason: str, now: datetime) -> None:
    """Nothing more is ordered for the sites that wait."""
    db.execute(
        update(RolloutSite)
        .where(
            RolloutSite.agency_id == rollout.agency_id, RolloutSite.rollout_id == rollout.id, RolloutSite.state == "waiting"
        )
        .values(state="skipped", detail=reason, changed_at=now)
    )  # fmt: skip


def _supersede(db: Session, rollout: Rollout, now: datetime) -> None:
    """An older release of the module does not go on beside a newer one."""
    older = db.scalars(
        select(Rollout).where(
            Rollout.agency_id == rollout.agency_id, Rollout.module_id == rollout.module_id, Rollout.id != rollout.id,
            Rollout.status.in_(("running", "stopped")),
        )
    )  # fmt: skip
    for one in older.all():
        _call_off(db, one, "A newer version took its place.", now)


def _add(db: Session, rollout: Rollout, rings: dict[UUID, str], now: datetime) -> None:
    rows = [
        {"agency_id": rollout.agency_id, "rollout_id": rollout.id, "install_id": one, "ring": ring, "state": "waiting",
         "detail": "", "changed_at": now}
        for one, ring in rings.items()
    ]  # fmt: skip
    db.execute(insert(RolloutSite).on_conflict_do_nothing(), rows)


def _note(one: RolloutSite, state: str, detail: str, now: datetime) -> None:
    if (one.state, one.detail) != (state, detail[:1000]):
        one.state, one.detail, one.changed_at = state, detail[:1000], now


def _actor(rollout: Rollout) -> Actor:
    return job("fleet.drive", agency_id=rollout.agency_id)


def _tell(db: Session, rollout: Rollout, event: EventType, data: dict[str, Any]) -> None:
    module, version = db.get_one(Module, rollout.module_id), db.get_one(Version, rollout.version_id)
    publish(
        db, event, by=_actor(rollout), agency_id=rollout.agency_id, target=rollout.public_id,
        target_name=f"{module.name} {version.version}",
        data={"rollout": rollout.public_id, "module": module.slug, "version": version.version, **data},
    )  # fmt: skip
