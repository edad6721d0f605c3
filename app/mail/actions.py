"""Writing a letter."""

from __future__ import annotations

import json
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import after_commit
from app.lib.crypto import seal, unseal
from app.lib.ids import uuid7
from app.mail.models import Mail
from app.queue.enqueue import wake


def post(
    db: Session,
    *,
    keys: tuple[str, ...],
    kind: str,
    recipient: str,
    subject: str,
    text: str,
    html: str = "",
    reply_to: str = "",
    agency_id: UUID | None = None,
    site_id: UUID | None = None,
    install_id: UUID | None = None,
) -> Mail:
    """Put a letter into the outbox; it leaves after commit. kind: `accounts.reset`, for logs. keys: Config.secret_keys."""
    mail = Mail(
        id=uuid7(),
        agency_id=agency_id,
        site_id=site_id,
        install_id=install_id,
        kind=kind,
        recipient=recipient,
        reply_to=reply_to,
        subject=" ".join(subject.split())[:300],  # a header is one line
    )
    mail.body_sealed = seal(keys, json.dumps({"text": text, "html": html}), body_context(mail.id))
    db.add(mail)
    after_commit(db, lambda: wake("mail.deliver"))
    return mail


def body_context(mail_id: UUID) -> str:
    """What a sealed body is bound to."""
    return f"mails|body|{mail_id}"


def open_body(mail: Mail, keys: tuple[str, ...]) -> dict[str, str]:
    """{"text", "html"} of a letter that has not been sent yet. Raises CannotOpen."""
    body: dict[str, str] = json.loads(unseal(keys, mail.body_sealed, body_context(mail.id)))
    return body
