"""One check of one domain: short transactions around the questions to the world, never one over them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from app.access.actors import job
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.domains.actions import lose, settle
from app.domains.evidence import Evidence
from app.domains.hosts import is_loopback
from app.domains.letters import tell_owners
from app.domains.models import HOLDING, Domain
from app.domains.proof import Look, weigh
from app.domains.setup import Setup
from app.domains.standing import hosts_of, look_at_hosts
from app.queue.enqueue import enqueue

STALE = timedelta(minutes=3)  # a check that was ordered and has not answered by now was lost with its worker
MEANWHILE = timedelta(minutes=15)
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known of a domain while nothing is locked."""

    id: UUID
    agency_id: UUID
    host: str
    token: str
    method: str


def check_domain(db: Session, *, domain_id: UUID, setup: Setup, now: datetime) -> None:
    """Look for the proof of a domain and write down what it means. Nothing happens when the domain is gone."""
    asked = _asked(db, Domain.id == domain_id)
    if asked is None:
        return
    evidence = _look(db, asked, setup.look)
    holder = _holder(db, asked) if evidence.method else None
    if holder is not None and not _is_gone(setup.look, holder):
        holder = None
    hosts = _write(db, asked, evidence, holder=holder, setup=setup, now=now)
    if hosts:
        look = setup.look
        standing = look_at_hosts(hosts, front=setup.front, names=look.names, outside=look.outside, port=look.port)
        _finish(db, asked, {"standing": standing})


def _look(db: Session, asked: _Asked, look: Look) -> Evidence:
    """Both questions, the answer of the first shown to whoever waits while the second is asked."""
    if look.development and is_loopback(asked.host):
        return Evidence("local", True, {})
    found: dict[str, Any] = {"dns": look.dns(asked.host, asked.token)}
    _note(db, asked.id, found)
    found["meta"] = look.meta(asked.host, asked.token)
    return weigh(found, before=asked.method)


def _note(db: Session, domain_id: UUID, found: dict[str, Any]) -> None:
    with platform_scope("progress of a domain check"), transaction(db):
        db.execute(update(Domain).where(Domain.id == domain_id, Domain.checking_at.is_not(None)).values(found=found))


def _holder(db: Session, asked: _Asked) -> _Asked | None:
    """Whoever has the name now, when it is somebody else."""
    return _asked(db, and_(Domain.host == asked.host, Domain.id != asked.id, Domain.state.in_(HOLDING)))


def _is_gone(look: Look, holder: _Asked) -> bool:
    """Whether the holder's proof is gone for sure; a silent name server takes nothing from anybody."""
    evidence = look.at(holder.host, holder.token, before=holder.method)
    return not evidence.method and evidence.certain


def _write(
    db: Session, asked: _Asked, evidence: Evidence, *, holder: _Asked | None, setup: Setup, now: datetime
) -> list[str]:
    """Returns the hosts that visitors are served at from now on: those are to be looked at."""
    by = job("domains.check", agency_id=asked.agency_id)
    with platform_scope(f"check of {asked.host}"), transaction(db):
        if holder is not None:
            _hand_over(db, holder, setup=setup, now=now)
        domain = db.get(Domain, asked.id, with_for_update=True)
        if domain is None or domain.token != asked.token:
            return []
        held, hosts = domain.holds, hosts_of(domain)
        settle(db, domain=domain, evidence=evidence, by=by, now=now, finished=not hosts)
        if held and domain.state == "lost":
            tell_owners(db, domain, "lost", setup=setup)
        if not domain.holds:
            domain.checking_at = None  # nobody is served there, so nothing more is looked at
        return hosts if domain.holds else []


def _finish(db: Session, asked: _Asked, more: dict[str, Any]) -> None:
    with platform_scope("end of a domain check"), transaction(db):
        domain = db.get(Domain, asked.id, with_for_update=True)
        if domain is not None and domain.token == asked.token:
            domain.found, domain.checking_at = {**domain.found, **more}, None


def _hand_over(db: Session, holder: _Asked, *, setup: Setup, now: datetime) -> None:
    loser = db.get(Domain, holder.id, with_for_update=True)
    if loser is not None and loser.holds and loser.token == holder.token:
        lose(db, domain=loser, by=job("domains.check", agency_id=loser.agency_id), now=now)
        tell_owners(db, loser, "moved", setup=setup)


def _asked(db: Session, which: Any) -> _Asked | None:
    query = select(Domain.id, Domain.agency_id, Domain.host, Domain.token, Domain.method).where(which)
    with platform_scope("find a domain to check"), transaction(db):
        row = db.execute(query).one_or_none()
    return _Asked(*row) if row else None


def order_due_checks(db: Session, *, now: datetime) -> int:
    """Order what is due: weekly for verified domains, sooner for others, and checks that were lost. Returns how many."""
    lost = Domain.checking_at < now - STALE
    query = select(Domain.id, Domain.agency_id).where(or_(Domain.next_check_at <= now, lost))
    with platform_scope("domains to check"), transaction(db):
        due = db.execute(query.order_by(Domain.next_check_at).limit(MOST_AT_ONCE)).all()
        # until the check has said when the next one is
        values = {"next_check_at": now + MEANWHILE, "checking_at": None}
        db.execute(update(Domain).where(Domain.id.in_([row.id for row in due])).values(values))
    for row in due:
        with tenant_scope(row.agency_id), transaction(db):
            enqueue(db, "domains.check", domain_id=row.id)
    return len(due)
