"""Ordering the publishing of a version, and what its job notes while it runs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict
from app.lib.clock import rfc3339
from app.lib.ids import uuid7
from app.modules.actions import TIERS, AlreadyPublished
from app.modules.manifest import Problem
from app.modules.models import Version
from app.queue.enqueue import enqueue
from app.runtime.acceptance.runner import Result
from app.studio.checks import STEPS
from app.studio.models import Publication


class BeingPublished(Conflict):
    """This version is being published at this moment."""

    code = "being_published"


def order_publication(db: Session, *, version: Version, tier: str, by: Actor, now: datetime) -> Publication:
    """Have a draft checked and published by a job, which can be watched. tier: the audience then, '' for as it is.

    Raises AlreadyPublished, BeingPublished.
    """
    if version.status != "draft":
        raise AlreadyPublished()
    publication = Publication(
        id=uuid7(),
        agency_id=version.agency_id,
        version_id=version.id,
        tier=tier if tier in TIERS else "",
        steps=[{"key": key, "label": label, "state": "todo", "at": None, "detail": ""} for key, label in STEPS.items()],
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
    enqueue(db, "studio.publish", publication_id=publication.id)
    return publication


def begin_again(publication: Publication, *, now: datetime) -> None:
    """Start from the first step: what a killed job had noted is void, it has published nothing."""
    publication.attempts += 1
    publication.steps = [{**step, "state": "todo", "at": None, "detail": ""} for step in publication.steps]
    publication.tests, publication.changed_at = [], now


def begin_step(publication: Publication, key: str, *, now: datetime) -> None:
    """Note that a step has begun; those before it are done."""
    place = list(STEPS).index(key)
    publication.steps = [
        {**step, "state": "done" if at < place else "now" if at == place else "todo", "at": step["at"] or rfc3339(now)}
        if at <= place
        else step
        for at, step in enumerate(publication.steps)
    ]
    publication.changed_at = now


def note_detail(publication: Publication, key: str, text: str, *, now: datetime) -> None:
    """A sentence under a step."""
    publication.steps = [{**step, "detail": text} if step["key"] == key else step for step in publication.steps]
    publication.changed_at = now


def note_test(publication: Publication, result: Result, *, now: datetime) -> None:
    """One acceptance test has run."""
    told = {"file": result.file, "name": result.name, "failures": list(result.failures)}
    publication.tests, publication.changed_at = [*publication.tests, told], now


def finish(publication: Publication, *, now: datetime) -> None:
    """It is published, in the same transaction as this is noted."""
    publication.status, publication.changed_at = "published", now
    publication.steps = [{**step, "state": "done", "at": step["at"] or rfc3339(now)} for step in publication.steps]


def fail(publication: Publication, problems: list[Problem], *, now: datetime) -> None:
    """Nothing was published; the problems say what to mend."""
    publication.status, publication.changed_at = "failed", now
    publication.problems = [problem.to_dict() for problem in problems]
    publication.steps = [{**step, "state": "failed"} if step["state"] == "now" else step for step in publication.steps]
