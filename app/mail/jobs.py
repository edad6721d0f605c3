"""mail.deliver: claims due letters in batches and hands them to the mail server, each at least once. mail.forget_old."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.mail import Letter, Mailer, Refused, Unreachable
from app.mail.actions import open_body
from app.mail.models import Mail

log = logging.getLogger(__name__)

BATCH = 50
LEASE_S = 120
KEEP_DAYS = 30
RETRY_S = (10, 60, 600, 3600, 4 * 3600, 12 * 3600)

_outgoing: dict[str, Mailer | tuple[str, ...] | None] = {"mailer": None, "keys": ()}


def configure_mail(mailer: Mailer | None, keys: tuple[str, ...]) -> None:
    """mailer: None keeps letters for the mailbox page instead of sending them (development)."""
    _outgoing.update(mailer=mailer, keys=keys)


def deliver() -> None:
    """Send every due letter."""
    db = flask_db.session()
    while claimed := _claim(db, now=utcnow()):
        for mail in claimed:
            _deliver(db, mail)


def forget_old() -> None:
    """Drop letters past their retention; one that is still to be sent stays."""
    before = utcnow() - timedelta(days=KEEP_DAYS)
    with platform_scope("letters past retention"), transaction(flask_db.session()) as db:
        db.execute(delete(Mail).where(Mail.created_at < before, Mail.status != "due"))


def _claim(db: Session, *, now: datetime) -> list[Mail]:
    with platform_scope("claim mails"), transaction(db):
        mails = list(
            db.scalars(
                select(Mail)
                .where(Mail.status == "due", Mail.due_at <= now)
                .order_by(Mail.due_at)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            )
        )
        for mail in mails:
            mail.attempts += 1
            mail.due_at = now + timedelta(seconds=LEASE_S)
        db.flush()
        db.expunge_all()
        return mails


def _deliver(db: Session, mail: Mail) -> None:
    mailer, keys = _outgoing["mailer"], _outgoing["keys"]
    assert isinstance(keys, tuple)
    if not isinstance(mailer, Mailer):
        _finish(db, mail, status="mailbox")
        return
    try:
        body = open_body(mail, keys)
        mailer.send(
            Letter(
                message_id=mail.public_id,
                recipient=mail.recipient,
                reply_to=mail.reply_to,
                subject=mail.subject,
                text=body["text"],
                html=body["html"],
            )
        )
    except Refused as error:
        _finish(db, mail, status="given_up", error=str(error))
    except Unreachable as error:
        _finish(db, mail, status="due" if mail.attempts <= len(RETRY_S) else "given_up", error=str(error))
    except ValueError as error:  # it does not open, or cannot be written down: the letters after it must still go
        log.exception("mail %s cannot be made", mail.public_id)
        _finish(db, mail, status="given_up", error=f"{type(error).__name__}: {error}")
    else:
        _finish(db, mail, status="sent")


def _finish(db: Session, mail: Mail, *, status: str, error: str = "") -> None:
    with platform_scope("finish mail"), transaction(db):
        row = db.get_one(Mail, mail.id)
        row.status, row.last_error = status, error[:500]
        if status == "due":
            row.due_at = utcnow() + timedelta(seconds=RETRY_S[mail.attempts - 1])
        if status == "sent":
            row.sent_at, row.body_sealed = utcnow(), ""
        if error:
            log.warning("mail %s: %s (%s)", row.public_id, error, status)
