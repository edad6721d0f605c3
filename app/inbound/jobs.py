"""What was taken is run: inbound.run one message, inbound.due what waits or was lost; inbound.forget_old drops old ones."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from flask import current_app
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access.actors import job
from app.db.base import db as flask_db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError, NotFound
from app.inbound.models import Receipt
from app.inbound.receiving import LEASE, SAME_FOR
from app.inbound.setup import Setup, open_body
from app.lib.clock import rfc3339, utcnow
from app.lib.crypto import CannotOpen
from app.queue.enqueue import enqueue
from app.runtime.context import InstallNotReady, load_install
from app.runtime.functions.breaker import FunctionRests
from app.runtime.functions.errors import FunctionMissing, RefusedByFunction
from app.runtime.functions.run import AlreadyDone, run_function

log = logging.getLogger(__name__)

# after each attempt that failed; then it has failed for good
RETRIES = (
    timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2),
    timedelta(hours=6),
)  # fmt: skip
WAITS = timedelta(minutes=5)  # while the module is paused or rests: no attempt is used up
WAITED = timedelta(days=3)
KEPT = timedelta(days=30)
BATCH = 200
MOST_INPUT = 900_000  # characters of JSON that the sandbox takes in, with room for its own
_DUE = text(
    """
    UPDATE inbound_receipts r SET due_at = :lease
    WHERE r.id IN (SELECT d.id FROM inbound_receipts d WHERE d.status = 'due' AND d.due_at <= :now
                   ORDER BY d.due_at LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING r.id, r.agency_id
    """
)


class Gone(AppError):
    """The module is no longer on this site."""

    code = "gone"


def due() -> None:
    """Order what is to be tried again, and what a lost order or a killed worker left behind: inbound.due, every 20 s."""
    while True:
        with platform_scope("inbound messages that are due"), transaction(flask_db.session()) as db:
            now = utcnow()
            found = db.execute(_DUE, {"now": now, "lease": now + LEASE, "most": BATCH}).all()
        for row in found:
            with tenant_scope(row.agency_id), transaction(flask_db.session()) as db:
                enqueue(db, "inbound.run", receipt_id=row.id)
        if len(found) < BATCH:
            return


def run(receipt_id: str) -> None:
    """One attempt: inbound.run. Two at once do no harm: the second finds in the function's own transaction that it is done."""
    receipt = _begun(UUID(receipt_id))
    if receipt is None:
        return
    try:
        _run(receipt)
    except AlreadyDone:
        _end(receipt, "done")
    except (InstallNotReady, FunctionRests) as error:
        _wait(receipt, error)
    except (Gone, FunctionMissing, RefusedByFunction, CannotOpen) as error:  # the next attempt would say the same
        _end(receipt, "failed", _words(error))
    except AppError as error:
        _again(receipt, error)
    else:
        _end(receipt, "done")


def forget_old() -> None:
    """Drop receipts after 30 days, and what tells repeats apart after 24 hours: inbound.forget_old, every hour."""
    now = utcnow()
    with platform_scope("inbound messages past retention"), transaction(flask_db.session()) as db:
        db.execute(text("DELETE FROM inbound_seen WHERE at < :before"), {"before": now - SAME_FOR})
        db.execute(text("DELETE FROM inbound_receipts WHERE received_at < :before"), {"before": now - KEPT})
        db.execute(text("DELETE FROM inbound_refusals WHERE hour < :before"), {"before": now - KEPT})


def given_of(receipt: Receipt, body: str) -> dict[str, Any]:
    """The input of the function, as docs/inbound.md says: {id, hook, message, received_at, run, headers, body, json, form}."""
    kind = receipt.content_type.partition(";")[0].strip().lower()
    is_form = kind == "application/x-www-form-urlencoded"
    given = {
        "id": receipt.public_id,
        "hook": receipt.name,
        "message": receipt.message_id,
        "received_at": rfc3339(receipt.received_at),
        "run": receipt.run,
        "headers": receipt.headers,
        "body": body,
        "json": None if is_form else _parsed(body),
        "form": dict(parse_qsl(body, keep_blank_values=True)) if is_form else None,
    }
    if len(json.dumps(given)) > MOST_INPUT:
        given["body"] = None  # letters outside ASCII take up more; what it says stands in json or form
    return given


def _parsed(body: str) -> Any:
    try:
        value = json.loads(body, parse_constant=lambda _: None)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return value


def _begun(receipt_id: UUID) -> Receipt | None:
    """The receipt, its attempt counted before it begins: one that kills its worker is not tried for ever."""
    with transaction(flask_db.session()) as db:
        receipt = _held(db, receipt_id)
        if receipt is None or receipt.status != "due":
            return None
        now = utcnow()
        if receipt.attempts > len(RETRIES):
            receipt.status, receipt.finished_at = "failed", now
            receipt.error = receipt.error or "Its last attempt did not come to an end."
            return None
        receipt.attempts, receipt.due_at = receipt.attempts + 1, now + LEASE
    return receipt


def _run(receipt: Receipt) -> None:
    try:
        context = load_install(receipt.install_id)
    except NotFound as error:
        raise Gone() from error
    declared = context.manifest.inbound.get(receipt.name)
    if declared is None:
        raise FunctionMissing("The installed version takes no such messages.")
    body = open_body(Setup.of(current_app.config["DRAMAC"]).keys, receipt.id, receipt.body_sealed)
    run_function(
        context, declared.call, given_of(receipt, body), trigger="inbound", cause=f"{receipt.public_id} {receipt.name}",
        actor=job(f"{context.module_slug}.{declared.call}", agency_id=context.agency_id), depth=1,
        request_id=receipt.request_id, once=f"inbound:{receipt.id}:{receipt.run}",
    )  # fmt: skip


def _end(begun: Receipt, status: str, error: str = "") -> None:
    with transaction(flask_db.session()) as db:
        receipt = _same_run(db, begun)
        if receipt is not None:
            receipt.status, receipt.error, receipt.finished_at = status, error, utcnow()


def _again(begun: Receipt, error: AppError) -> None:
    if begun.attempts > len(RETRIES):
        _end(begun, "failed", _words(error))
        return
    _later(begun, utcnow() + RETRIES[begun.attempts - 1], _words(error))


def _wait(begun: Receipt, error: AppError) -> None:
    now = utcnow()
    if now - begun.received_at > WAITED:
        _end(begun, "failed", _words(error))
        return
    _later(begun, now + WAITS, _words(error), counted=False)


def _later(begun: Receipt, at: datetime, error: str, *, counted: bool = True) -> None:
    with transaction(flask_db.session()) as db:
        receipt = _same_run(db, begun)
        if receipt is not None:
            receipt.due_at, receipt.error = at, error
            receipt.attempts -= 0 if counted else 1


def _held(db: Session, receipt_id: UUID) -> Receipt | None:
    return db.scalars(select(Receipt).where(Receipt.id == receipt_id).with_for_update()).one_or_none()


def _same_run(db: Session, begun: Receipt) -> Receipt | None:
    """The receipt as it is now, unless somebody has ended this run or ordered another one meanwhile."""
    receipt = _held(db, begun.id)
    return receipt if receipt is not None and receipt.status == "due" and receipt.run == begun.run else None


def _words(error: Exception) -> str:
    if isinstance(error, CannotOpen):
        return "What was kept of the message cannot be opened any more."
    return str(error)[:300]
