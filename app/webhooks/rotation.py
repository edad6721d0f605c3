"""The signing secret of an endpoint: proven for, replaced, the one before it ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.accounts.actions import WrongPassword
from app.accounts.models import User
from app.accounts.passwords import matches
from app.errors import Conflict
from app.events import catalog
from app.webhooks.actions import tell
from app.webhooks.models import Webhook
from app.webhooks.secrets import seal_secret
from app.webhooks.setup import Setup
from app.webhooks.signing import new_secret

OVERLAP = timedelta(hours=24)  # a replaced secret signs beside the new one for this long


class OldSecretSigns(Conflict):
    """The secret before this one still signs, and a receiver may use it. End it first, or wait until its day is over."""


def prove_for_secret(db: Session, *, webhook: Webhook, password: str, by: Actor) -> None:
    """Let the acting person see the signing secret when they prove to be who they are. Raises WrongPassword.

    It is written to the audit trail.
    """
    must_be_the_person(db, by=by, password=password)
    tell(db, catalog.WEBHOOK_SECRET_SHOWN, webhook, by=by)


def must_be_the_person(db: Session, *, by: Actor, password: str) -> None:
    """Raises WrongPassword unless it is the acting person's password."""
    user = db.get(User, by.id) if by.id else None
    if user is None or not matches(user.password_hash, password):
        raise WrongPassword()


def rotate_secret(db: Session, *, webhook: Webhook, by: Actor, setup: Setup, now: datetime) -> str:
    """A new secret; the one before it signs as well for a day. Returns the new one.

    Raises OldSecretSigns while the one before still does: a third would end it unseen, before its day is over.
    """
    db.refresh(webhook, with_for_update=True)  # two clicks must not replace it twice
    if webhook.old_secret_signs(now):
        raise OldSecretSigns()
    webhook.previous_secret_sealed, webhook.previous_secret_until = webhook.secret_sealed, now + OVERLAP
    secret = new_secret()
    webhook.secret_sealed = seal_secret(setup.keys, webhook.id, secret)
    tell(db, catalog.WEBHOOK_SECRET_ROTATED, webhook, by=by)
    return secret


def end_old_secret(db: Session, *, webhook: Webhook, by: Actor, now: datetime) -> bool:
    """The secret before the current one signs no more from now on; whether there was one."""
    if not webhook.old_secret_signs(now):
        return False
    webhook.previous_secret_sealed, webhook.previous_secret_until = "", None
    tell(db, catalog.WEBHOOK_SECRET_ENDED, webhook, by=by)
    return True
