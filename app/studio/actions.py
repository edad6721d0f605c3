"""Ordering the publishing of a version, and what its job notes while it runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid
from app.events.catalog import MODULE_HELD, MODULE_REVIEW_PASSED, MODULE_REVIEW_REFUSED, EventType
from app.events.outbox import publish
from app.lib.clock import rfc3339
from app.lib.ids import uuid7
from app.modules.actions import TIERS, AlreadyPublished
from app.modules.manifest import Problem
from app.modules.models import Module, Version
from app.queue.enqueue import enqueue, enqueue_for
from app.runtime.acceptance.runner import Result
from app.studio.models import Publication
from app.studio.publishing.pipeline import STEPS
from app.studio.publishing.risk import Risk
from app.studio.publishing.work import Outcome


class BeingPublished(Conflict):
    """This version is being published at this moment."""

    code = "being_published"


def order_publication(
    db: Session, *, version: Version, tier: str, by: Actor, now: datetime, here: bool = False
) -> Publication:
    """Have a draft checked and published by a job, which can be watched. tier: the audience then, '' for as it is.

    here: the caller runs the job itself. Raises AlreadyPublished, BeingPublished.
    """
    if version.status != "draft" and not (version.status == "published" and version.cleared_at is None):
        raise AlreadyPublished()
    publication = Publication(
        id=uuid7(),
        agency_id=version.agency_id,
        version_id=version.id,
        tier=tier if tier in TIERS else "",
        steps=waiting_steps(),
        tests=[],
        problems=[],
        ordered_by=by.id if by.kind == "person" else None,
        ordered_name=by.name,
        created_at=now,
        changed_at=now,
    )
    try:
        with db.begin_nested():  # two clicks: the unique index decides
            db.add(publication)
            db.flush()
    except IntegrityError as error:
        raise BeingPublished() from error
    if not here:  # if the caller dies, the sweep orders it
        enqueue(db, "studio.publish", publication_id=publication.id)
    return publication


def waiting_steps() -> list[dict[str, Any]]:
    """The steps as none has begun. took_ms: how long a step took; notes: sentences under it; problems: what it found."""
    return [
        {
            "key": key,
            "label": label,
            "state": "todo",
            "at": None,
            "took_ms": None,
            "detail": "",
            "notes": [],
            "problems": [],
        }
        for key, label in STEPS.items()
    ]


def begin_again(publication: Publication, *, now: datetime) -> None:
    """Start from the first step: what a killed job had noted is void, it has published nothing."""
    publication.attempts += 1
    publication.steps, publication.problems = waiting_steps(), []
    publication.tests, publication.changed_at = [], now


def begin_step(publication: Publication, key: str, *, now: datetime) -> None:
    """Note that a step has begun."""
    _step(publication, key, now=now, state="now", at=rfc3339(now))


def end_step(publication: Publication, key: str, outcome: Outcome, took_ms: int, *, now: datetime) -> None:
    """Note what a step found, and how long it took."""
    _step(
        publication, key, now=now, state="failed" if outcome.errors else "done", took_ms=took_ms, detail=outcome.detail,
        notes=list(outcome.notes), problems=[problem.to_dict() for problem in outcome.problems],
    )  # fmt: skip


def _step(publication: Publication, key: str, *, now: datetime, **values: Any) -> None:
    publication.steps = [{**step, **values} if step["key"] == key else step for step in publication.steps]
    publication.changed_at = now


def note_test(publication: Publication, result: Result, *, now: datetime) -> None:
    """One acceptance test has run."""
    told = {"file": result.file, "name": result.name, "failures": list(result.failures)}
    publication.tests, publication.changed_at = [*publication.tests, told], now


def finish(publication: Publication, *, now: datetime) -> None:
    """It is published, in the same transaction as this is noted."""
    publication.status, publication.changed_at = "published", now
    publication.steps = [{**step, "state": "done", "at": step["at"] or rfc3339(now)} for step in publication.steps]


class NotWaiting(Conflict):
    """This release does not wait for a decision any more."""

    code = "not_waiting"


def hold(db: Session, publication: Publication, *, version: Version, by: Actor, now: datetime) -> None:
    """It passed its checks and waits for the platform's staff."""
    publication.status, publication.changed_at = "held", now
    _tell(db, MODULE_HELD, publication, version, by=by, data={"score": publication.risk["score"]})


def approve(db: Session, *, publication: Publication, by: Actor, now: datetime) -> None:
    """Let a held release pass: it is checked anew and published. Raises NotWaiting."""
    _decide(publication, "running", by=by, now=now)
    publication.approved, publication.attempts = True, 0
    enqueue_for(db, publication.agency_id, "studio.publish", publication_id=publication.id)
    _tell(db, MODULE_REVIEW_PASSED, publication, db.get_one(Version, publication.version_id), by=by)


def refuse(db: Session, *, publication: Publication, reason: str, by: Actor, now: datetime) -> None:
    """Refuse a held release with a reason that its author reads. Raises NotWaiting, Invalid without a reason."""
    if len(reason.strip()) < 10:
        raise Invalid.field("reason", "Say in a sentence what must change; the author reads it.")
    _decide(publication, "refused", by=by, now=now)
    publication.reason = reason.strip()[:2000]
    version = db.get_one(Version, publication.version_id)
    _tell(db, MODULE_REVIEW_REFUSED, publication, version, by=by, data={"reason": publication.reason})


def _decide(publication: Publication, status: str, *, by: Actor, now: datetime) -> None:
    if publication.status != "held":
        raise NotWaiting()
    publication.status, publication.changed_at = status, now
    publication.decided_by = by.id if by.kind == "person" else None
    publication.decided_name, publication.decided_at = by.name, now


def _tell(
    db: Session,
    event: EventType,
    publication: Publication,
    version: Version,
    *,
    by: Actor,
    data: dict[str, Any] | None = None,
) -> None:
    module = db.get_one(Module, version.module_id)
    publish(
        db, event, by=by, agency_id=publication.agency_id, target=version.public_id,
        target_name=f"{module.name} {version.version}",
        data={"module": module.slug, "version": version.version, **(data or {})},
    )  # fmt: skip


def weighed(publication: Publication, risk: Risk, *, now: datetime) -> None:
    """Note what it risks."""
    publication.risk = {"score": risk.score, "reasons": [list(one) for one in risk.reasons]}
    publication.changed_at = now


def fail(publication: Publication, problems: list[Problem], *, now: datetime) -> None:
    """Nothing was published; the problems say what to mend."""
    publication.status, publication.changed_at = "failed", now
    publication.problems = [problem.to_dict() for problem in problems]
    publication.steps = [{**step, "state": "failed"} if step["state"] == "now" else step for step in publication.steps]
