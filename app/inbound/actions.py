"""What people do with inbound webhooks: set and replace a secret, end the one before it, run a message again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid, NotFound
from app.events.catalog import INBOUND_RUN_AGAIN, INBOUND_SECRET_ENDED, INBOUND_SECRET_SET, EventType
from app.events.outbox import publish
from app.inbound.models import Hook, Receipt
from app.inbound.receiving import LEASE
from app.inbound.setup import Setup, open_secret, seal_secret
from app.inbound.signatures import new_secret, secret_problem
from app.installs.models import Install
from app.lib.crypto import CannotOpen
from app.lib.ids import uuid7
from app.modules.manifest import Manifest
from app.modules.manifest.inbound import Inbound
from app.modules.models import Module, Version
from app.queue.enqueue import enqueue

OVERLAP = timedelta(hours=24)  # a replaced secret holds beside the new one for this long


class GivenBySender(Conflict):
    """The other service makes this secret. Copy it from there and enter it."""


class StillToRun(Conflict):
    """This message waits for its turn, or is being tried again by itself."""


def declared_of(db: Session, install: Install, name: str) -> Inbound:
    """The inbound webhook as the installed version declares it. Raises NotFound."""
    found = Manifest.from_dict(db.get_one(Version, install.version_id).manifest).inbound.get(name)
    if found is None:
        raise NotFound()
    return found


def make_secret(db: Session, *, install: Install, name: str, setup: Setup, by: Actor, now: datetime) -> str:
    """A new secret, to be shown this once; the one before it holds for another day. Raises NotFound, GivenBySender."""
    declared = declared_of(db, install, name)
    if declared.sender_gives:
        raise GivenBySender()
    secret = new_secret(declared)
    _set(db, install=install, name=name, secret=secret, setup=setup, by=by, now=now)
    return secret


def enter_secret(
    db: Session, *, install: Install, name: str, secret: str, setup: Setup, by: Actor, now: datetime
) -> None:
    """Keep the secret that the sender gave; the one before it holds for another day. Raises NotFound, Invalid (secret)."""
    if wrong := secret_problem(declared_of(db, install, name), secret):
        raise Invalid.field("secret", wrong)
    _set(db, install=install, name=name, secret=secret, setup=setup, by=by, now=now)


def end_previous(db: Session, *, install: Install, name: str, by: Actor) -> None:
    """The secret before the present one holds no longer. Raises NotFound."""
    declared_of(db, install, name)
    hook = _held(db, install, name)
    if hook is None or not hook.previous_sealed:
        return
    hook.previous_sealed, hook.previous_until = "", None
    _tell(db, INBOUND_SECRET_ENDED, hook, by)


def run_again(db: Session, *, receipt: Receipt, by: Actor, now: datetime) -> None:
    """Have the function run once more for a message, whatever came of it before. Raises StillToRun."""
    held = db.scalars(
        select(Receipt).where(Receipt.id == receipt.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if held.status == "due":
        raise StillToRun()
    held.status, held.finished_at, held.error = "due", None, ""
    held.run, held.attempts, held.due_at = held.run + 1, 0, now + LEASE
    enqueue(db, "inbound.run", receipt_id=held.id)
    module = db.scalar(
        select(Module.slug).join(Install, Install.module_id == Module.id).where(Install.id == held.install_id)
    )
    publish(
        db, INBOUND_RUN_AGAIN, by=by, agency_id=held.agency_id, site_id=held.site_id, install_id=held.install_id,
        target=held.public_id, target_name=held.name, data={"receipt": held.public_id, "name": held.name, "module": module},
    )  # fmt: skip


def _set(db: Session, *, install: Install, name: str, secret: str, setup: Setup, by: Actor, now: datetime) -> None:
    hook = _held(db, install, name)
    person = by.id if by.kind == "person" else None
    if hook is None:
        hook_id = uuid7()
        hook = Hook(
            id=hook_id, agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, name=name,
            secret_sealed=seal_secret(setup.keys, hook_id, secret), set_by=person, set_at=now,
        )  # fmt: skip
        db.add(hook)
    else:
        try:
            if open_secret(setup.keys, hook.id, hook.secret_sealed) == secret:
                raise Invalid.field("secret", "This is the secret that holds already.")
        except CannotOpen:
            pass  # what does not open proves nothing any more, and is replaced
        hook.previous_sealed, hook.previous_until = hook.secret_sealed, now + OVERLAP
        hook.secret_sealed, hook.set_by, hook.set_at = seal_secret(setup.keys, hook.id, secret), person, now
    db.flush()
    _tell(db, INBOUND_SECRET_SET, hook, by)


def _held(db: Session, install: Install, name: str) -> Hook | None:
    """The row of a hook, which nobody else changes until the transaction ends, and which nobody else makes meanwhile."""
    db.scalars(select(Install.id).where(Install.id == install.id).with_for_update(key_share=True)).one()
    return db.scalars(
        select(Hook).where(Hook.install_id == install.id, Hook.name == name).with_for_update()
    ).one_or_none()


def _tell(db: Session, event: EventType, hook: Hook, by: Actor) -> None:
    module = db.scalar(
        select(Module.slug).join(Install, Install.module_id == Module.id).where(Install.id == hook.install_id)
    )
    publish(
        db, event, by=by, agency_id=hook.agency_id, site_id=hook.site_id, install_id=hook.install_id, target=hook.public_id,
        target_name=hook.name, data={"hook": hook.public_id, "name": hook.name, "module": module},
    )  # fmt: skip
