"""Inbound webhooks and their receipts as the screens show them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from app.accounts.models import User
from app.inbound.models import Hook, Receipt, Refusal
from app.inbound.setup import open_body
from app.installs.models import Install
from app.lib.crypto import CannotOpen
from app.lib.redact import redact, redact_text
from app.modules.manifest import Manifest
from app.modules.manifest.inbound import Inbound

ROWS = 30
STATUSES = ("all", "due", "done", "failed")
MOST_SHOWN = 4000


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """What was turned away within the last 24 hours for one reason; ip: of the last one."""

    reason: str
    times: int
    last_at: datetime
    ip: str


@dataclass(frozen=True, slots=True)
class HookRow:
    """One declared inbound webhook. hook: None before a secret was set. refused: by reason, the most first."""

    name: str
    declared: Inbound
    hook: Hook | None
    person: str | None
    refused: list[RefusalRow]

    def has_previous(self, now: datetime) -> bool:
        """Whether the secret before the present one still holds."""
        return self.hook is not None and self.hook.previous_until is not None and now < self.hook.previous_until


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """rows: newest first, without their bodies. next: id of the last one when there are more."""

    rows: list[Receipt]
    next: UUID | None


def hooks_of(db: Session, *, install: Install, manifest: Manifest, now: datetime) -> list[HookRow]:
    """Every inbound webhook that the version declares, in its order; two statements."""
    query = select(Hook, User.name).outerjoin(User, User.id == Hook.set_by).where(Hook.install_id == install.id)
    made: dict[str, tuple[Hook | None, str | None]] = {hook.name: (hook, person) for hook, person in db.execute(query)}
    refused = _refused(db, install_id=install.id, since=now - timedelta(hours=24))
    rows = []
    for name, declared in manifest.inbound.items():
        hook, person = made.get(name, (None, None))
        rows.append(HookRow(name, declared, hook, person, refused.get(name, [])))
    return rows


def _refused(db: Session, *, install_id: UUID, since: datetime) -> dict[str, list[RefusalRow]]:
    times = func.sum(Refusal.times)
    last_ip = func.host(func.array_agg(Refusal.last_ip.op("ORDER BY")(Refusal.last_at.desc()))[1])
    query = (
        select(Refusal.name, Refusal.reason, times, func.max(Refusal.last_at), last_ip)
        .where(Refusal.install_id == install_id, Refusal.last_at >= since)
        .group_by(Refusal.name, Refusal.reason)
        .order_by(times.desc())
    )
    found: dict[str, list[RefusalRow]] = {}
    for name, reason, count, last_at, ip in db.execute(query):
        found.setdefault(name, []).append(RefusalRow(reason, int(count), last_at, ip or ""))
    return found


def receipts(
    db: Session, *, install_id: UUID, status: str = "all", name: str = "", message: str = "", before: UUID | None = None
) -> ReceiptPage:
    """A page of what an install took. status: one of STATUSES. message: how the sender's id begins."""
    query = select(Receipt).options(defer(Receipt.body_sealed)).where(Receipt.install_id == install_id)
    if status != "all":
        query = query.where(Receipt.status == status)
    if name:
        query = query.where(Receipt.name == name)
    if message:
        query = query.where(func.starts_with(Receipt.message_id, message))
    if before is not None:
        query = query.where(Receipt.id < before)
    found = list(db.scalars(query.order_by(Receipt.id.desc()).limit(ROWS + 1)))
    return ReceiptPage(found[:ROWS], found[ROWS - 1].id if len(found) > ROWS else None)


def shown_body(receipt: Receipt, *, keys: tuple[str, ...]) -> tuple[str, bool]:
    """(the body as people may see it, whether it goes on): JSON laid out, secrets taken out, at most 4,000 characters."""
    try:
        body = open_body(keys, receipt.id, receipt.body_sealed)
    except CannotOpen:
        return "", False
    try:
        text = json.dumps(redact(json.loads(body)), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = redact_text(body)
    text = "".join(char if char in "\n\t" or char.isprintable() else "�" for char in text)
    return text[:MOST_SHOWN], len(text) > MOST_SHOWN
