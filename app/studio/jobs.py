"""studio.publish, studio.sweep: a version is checked step by step and published, or it is said what to mend.

A job may be killed at any point. Publishing and noting that it is published are one transaction, so the sweep can simply
order again what stands still; after the third time it is given up, and nothing was published.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.base import db as flask_db
from app.db.pools import alone, owner_connection
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError
from app.lib.clock import utcnow
from app.modules.actions import publish_version, set_tier, uncleared
from app.modules.manifest import Problem
from app.modules.models import Module, Version
from app.modules.package import Package
from app.queue.enqueue import enqueue
from app.runtime.acceptance.runner import Result
from app.studio import actions
from app.studio.models import Publication
from app.studio.publishing.pipeline import Passed, Watch, check_version
from app.studio.publishing.risk import HELD_FROM, weigh
from app.studio.publishing.standing import cleared_package, record_of
from app.studio.publishing.work import Outcome, Stopped

log = logging.getLogger(__name__)

STALLED = timedelta(seconds=60)
MOST_ATTEMPTS = 3


def publish(publication_id: str, told: Watch = Watch()) -> None:  # noqa: B008  # frozen
    """Check the version and publish it, or note what is wrong. Nothing happens for one that is over.

    told: hears of it too, beside what is noted.
    """
    db, wanted = flask_db.session(), UUID(publication_id)
    with owner_connection() as owner, alone(owner, f"publication:{wanted}") as mine:
        version_id = _begin(db, wanted) if mine else None
        if version_id is None:
            return
        try:
            passed = check_version(db, version_id=version_id, watch=_watch(db, wanted, told), now=utcnow())
            if _may_be_published(db, wanted, passed, _watch(db, wanted, told)):
                _publish(db, wanted, passed.package)
        except Stopped as stopped:
            _fail(db, wanted, stopped.problems)
        except AppError as error:
            _fail(db, wanted, [Problem("", error.message, code=error.code, file="")])
        except Exception as error:  # whatever it was: the person waiting is told, and can try again
            log.exception("publication %s failed", wanted)
            text = f"An unexpected error ({type(error).__name__}). It was written to the log; try again."
            _fail(db, wanted, [Problem("", text, code="internal", file="")])


def sweep() -> None:
    """Order again what has stood still for a minute; what did so three times is given up."""
    db = flask_db.session()
    with platform_scope("stalled publications"), transaction(db):
        query = select(Publication.id, Publication.agency_id, Publication.attempts)
        rows = db.execute(
            query.where(Publication.status == "running", Publication.changed_at < utcnow() - STALLED)
        ).all()
    for row in rows:
        with tenant_scope(row.agency_id):
            if row.attempts >= MOST_ATTEMPTS:
                text = "The checks were stopped in the middle three times, perhaps by a restart. Publish it again."
                _fail(db, row.id, [Problem("", text, code="stopped", file="")])
            else:
                with transaction(db):
                    enqueue(db, "studio.publish", publication_id=row.id)


def _begin(db: Session, publication_id: UUID) -> UUID | None:
    """The version to publish; None when there is nothing to do any more."""
    with transaction(db):
        publication = db.get(Publication, publication_id)
        if publication is None or publication.status != "running":
            return None
        actions.begin_again(publication, now=utcnow())
        return publication.version_id


def _watch(db: Session, publication_id: UUID, told: Watch = Watch()) -> Watch:  # noqa: B008  # frozen
    """Notes each thing in the publication's row, in a transaction of its own, then tells it on."""

    def note(change: Callable[[Publication], None]) -> None:
        with transaction(db):
            change(db.get_one(Publication, publication_id))

    def begin(key: str) -> None:
        note(lambda it: actions.begin_step(it, key, now=utcnow()))
        told.begin(key)

    def end(key: str, outcome: Outcome, took_ms: int) -> None:
        note(lambda it: actions.end_step(it, key, outcome, took_ms, now=utcnow()))
        told.end(key, outcome, took_ms)

    def tested(result: Result) -> None:
        note(lambda it: actions.note_test(it, result, now=utcnow()))
        told.tested(result)

    return Watch(begin, end, tested)


def _may_be_published(db: Session, publication_id: UUID, passed: Passed, watch: Watch) -> bool:
    """Weigh it; False when it now waits for the platform's staff."""
    watch.begin("risk")
    with transaction(db):
        publication = db.get_one(Publication, publication_id)
        version = db.get_one(Version, publication.version_id)
        module = db.get_one(Module, version.module_id)
        before = cleared_package(db, version=version)
        risk = weigh(passed.package, before, record_of(db, version=version), passed.warnings, utcnow())
        actions.weighed(publication, risk, now=utcnow())
        inside = (publication.tier or module.tier) == "internal"
        waits = risk.held and not inside and not publication.approved
        if waits:
            actions.hold(db, publication, version=version, by=_by(publication), now=utcnow())
    if inside:
        end = "only this agency gets it, so it does not wait"
    elif waits:
        end = f"from {HELD_FROM} on the platform's staff looks at it first"
    else:
        end = "let pass by the platform's staff" if risk.held else f"below {HELD_FROM}, so it does not wait"
    watch.end(
        "risk",
        Outcome(
            f"{risk.score} points: {end}.",
            [
                f"{points}: it {words}" if not words.startswith("its") else f"{points}: {words}"
                for points, words in risk.reasons
            ],
        ),
        0,
    )
    return not waits


def _by(publication: Publication) -> Actor:
    return Actor("person", publication.ordered_by, publication.ordered_name, publication.agency_id)


def _publish(db: Session, publication_id: UUID, package: Package) -> None:
    """Publish a draft, or open a release to others that only its own agency had."""
    _watch(db, publication_id).begin("publish")
    with transaction(db):
        publication = db.get_one(Publication, publication_id, with_for_update=True)
        version = db.get_one(Version, publication.version_id, with_for_update=True)
        by, now = _by(publication), utcnow()
        module = db.get_one(Module, version.module_id)
        inside = (publication.tier or module.tier) == "internal"
        clear = publication.approved or publication.risk["score"] < HELD_FROM
        if version.status == "draft":
            publish_version(db, version=version, package=package, by=by, now=now, cleared=clear)
        if clear and not inside:  # it was held against the last release that others could get: those between come along
            for older in uncleared(db, module_id=module.id):
                older.cleared_at = now
            db.flush()
        if publication.tier and publication.tier != module.tier:
            set_tier(db, module=module, tier=publication.tier, by=by, now=now)
        actions.finish(publication, now=now)


def _fail(db: Session, publication_id: UUID, problems: list[Problem]) -> None:
    with transaction(db):
        publication = db.get(Publication, publication_id)
        if publication is not None and publication.status == "running":
            actions.fail(publication, problems, now=utcnow())
