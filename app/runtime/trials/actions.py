"""What people do with a trial: start one, end it before its time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.errors import Conflict, Invalid
from app.installs.entitlement.queries import entitlement_of
from app.installs.entitlement.rules import NotEntitled, entitled, refusal
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.queue.enqueue import enqueue
from app.runtime.context import announce_change
from app.runtime.pages.view import SERVED
from app.runtime.trials.models import Trial
from app.runtime.trials.queries import live_count, own_trial
from app.tenancy.models import Agency

LASTS = timedelta(minutes=59)  # the sweep that takes it away comes within half a minute: gone within the hour
MOST = 3  # of an agency at once
# What data-hue is in frontend/src/css/tokens.css, dark enough for white text on it.
HUES = {
    1: "#3a58c3", 2: "#006c97", 3: "#7a41af", 4: "#8e5300", 5: "#04764c", 6: "#a83902", 7: "#057176", 8: "#a12d79",
    9: "#497101", 10: "#af2938",
}  # fmt: skip


class TooManyTrials(Conflict):
    """The agency is trying out as many modules as it can at once. End one of them first."""

    code = "too_many_trials"


class NothingToTry(Invalid):
    """There is nothing to try out by itself here."""

    code = "nothing_to_try"


def start_trial(db: Session, *, version: Version, by: Actor, now: datetime) -> Trial:
    """Try a published version out; a job makes its tables and sample records after commit (about half a second).

    Somebody who tries this version already gets that trial. Raises NothingToTry, NotEntitled, TooManyTrials.
    Whether the agency may have the version is the database's to say, on top of what the caller has looked up.
    """
    assert by.agency_id is not None
    assert by.id is not None
    may_use = entitlement_of(db, agency_id=by.agency_id, version_id=version.id)
    if not (may_use.can_begin_trial or entitled(may_use, now=now)):
        raise NotEntitled(refusal(may_use))
    manifest = Manifest.from_dict(version.manifest)
    if problem := why_not(manifest):
        raise NothingToTry(problem)
    # two clicks can race: the second waits here, and then sees the first
    db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('trials:' || :agency, 0))"), {"agency": by.agency_id.hex}
    )
    if found := own_trial(db, version_id=version.id, user_id=by.id, now=now):
        return found
    if live_count(db, agency_id=by.agency_id, now=now) >= MOST:
        raise TooManyTrials(f"An agency can try out {MOST} modules at once. End one of them first.")
    hue = db.scalar(select(Agency.hue).where(Agency.id == by.agency_id)) or 1
    trial = Trial(
        agency_id=by.agency_id, module_id=version.module_id, version_id=version.id, user_id=by.id,
        settings={"accent": HUES[hue]}, created_at=now, ends_at=now + LASTS,
    )  # fmt: skip
    db.add(trial)
    db.flush()
    enqueue(db, "trials.make", trial_id=trial.id)
    return trial


def why_not(manifest: Manifest) -> str:
    """Why a module cannot be tried out by itself, "" when it can."""
    needed = [one.module for one in manifest.requires if not one.optional]
    if needed:
        return f"{manifest.name} works with the records of {', '.join(needed)}, so it cannot be tried out by itself."
    if not manifest.tables and not pages_of(manifest):
        return f"{manifest.name} has no pages and keeps no records: there is nothing to see of it."
    return ""


def pages_of(manifest: Manifest) -> list[tuple[str, str]]:
    """(name, title) of the pages that visitors would see, in the manifest's order."""
    return [
        (name, page.title or name.replace("-", " ").replace("_", " ").capitalize())
        for name, page in manifest.pages.items()
        if page.kind in SERVED
    ]


def end_trial(db: Session, *, trial: Trial, now: datetime) -> None:
    """It answers nobody from the end of this transaction on; the sweep takes away what there is of it."""
    trial.status, trial.ends_at = "ending", min(trial.ends_at, now)
    trial_id = trial.id
    after_commit(db, lambda: announce_change(trial_id))
