"""The whole log gone through: hashes, links, the end, both signatures; every night and by `flask modules verify`."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.modules.models import Version
from app.modules.signing.log import entry_faults, faults_of
from app.modules.signing.models import ReleaseEntry, ReleaseHead

log = logging.getLogger(__name__)


def chain_faults(db: Session) -> Iterator[str]:
    """What is wrong with the chain, in words, each with the number of its entry. Reads every entry once."""
    number, previous = 0, b"\x00"
    for entry in db.scalars(select(ReleaseEntry).order_by(ReleaseEntry.number).execution_options(yield_per=500)):
        number += 1
        if entry.number != number:
            yield f"entries from {number} to {entry.number - 1} are missing"
            number = entry.number
        elif entry.previous_hash != previous:
            yield f"entry {entry.number} does not follow the entry before it"
        for fault in entry_faults(db, entry):
            yield f"entry {entry.number}: {fault}"
        previous = entry.hash
    head = db.scalars(select(ReleaseHead)).one()
    if head.number > number:
        yield f"entries after {number} are missing: there were {head.number}"
    elif head.number < number or head.hash != previous:
        yield f"entry {number}, the last one, is not the one that was added last"


def version_faults(db: Session) -> Iterator[str]:
    """Of each released version that is stored, what does not agree with its entry."""
    for version_id in db.scalars(select(Version.id).where(Version.status != "draft").order_by(Version.id)).all():
        version = db.get_one(Version, version_id)
        for fault in faults_of(db, version):
            yield f"{version.public_id} ({version.version}): {fault}"
        db.expunge(version)


def verify() -> list[str]:
    """The nightly job: faults go to the log as errors and stand on the public page until they are gone."""
    with platform_scope("the release log"), transaction(flask_db.session()) as db:
        found = list(chain_faults(db))
        head = db.scalars(select(ReleaseHead)).one()
        head.checked_at, head.fault = utcnow(), "; ".join(found)[:1000]
    for fault in found:
        log.error("release log: %s", fault)
    return found
