"""Taking a message in: whose it is, whether it is proven, its row and the order to run it in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.pools import runtime_pool
from app.inbound.models import Reason, Receipt
from app.inbound.setup import open_secret, seal_body
from app.inbound.signatures import Message
from app.lib.ids import encode, uuid7
from app.modules.manifest.inbound import Inbound
from app.queue.enqueue import enqueue

SAME_FOR = timedelta(hours=24)  # a message that comes again within this time is not run again
LEASE = timedelta(seconds=120)  # a run that was lost is ordered again after this
_AT = "SELECT * FROM inbound_hook_at(%s, %s)"
# Who comes second waits for the first to commit, and then finds its row; who finds an old one takes it over.
_SEEN = text(
    "INSERT INTO inbound_seen AS seen (install_id, name, key, agency_id, receipt_id, at) "
    "VALUES (:install, :name, :key, :agency, :receipt, :now) "
    "ON CONFLICT (install_id, name, key) DO UPDATE SET receipt_id = excluded.receipt_id, at = excluded.at "
    "WHERE seen.at <= :forgotten RETURNING true"
)
_REPEATED = text(
    "UPDATE inbound_receipts r SET repeats = r.repeats + 1 FROM inbound_seen s "
    "WHERE s.install_id = :install AND s.name = :name AND s.key = :key AND r.agency_id = s.agency_id AND r.id = s.receipt_id "
    "RETURNING r.id"
)
_REFUSED = text(
    "INSERT INTO inbound_refusals AS found (install_id, name, hour, reason, agency_id, last_at, last_ip, last_request_id) "
    "VALUES (:install, :name, date_trunc('hour', CAST(:now AS timestamptz), 'UTC'), :reason, :agency, :now, CAST(:ip AS inet), "
    ":request) ON CONFLICT (install_id, name, hour, reason) DO UPDATE SET times = found.times + 1, last_at = excluded.last_at, "
    "last_ip = excluded.last_ip, last_request_id = excluded.last_request_id"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What an address leads to. known: the secrets that hold now, none before somebody set one."""

    install_id: UUID
    agency_id: UUID
    site_id: UUID
    module: str
    name: str
    status: str
    declared: Inbound
    known: tuple[str, ...]


def hook_at(install_id: UUID, name: str, *, keys: tuple[str, ...], now: datetime) -> Found | None:
    """The inbound webhook of an install, removed ones too; None when the installed version has none of this name.

    Raises CannotOpen.
    """
    with runtime_pool().connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_AT, [install_id, name], prepare=True).fetchone()
    if row is None:
        return None
    sealed = [row["secret_sealed"]] if row["secret_sealed"] else []
    if row["previous_sealed"] and now < row["previous_until"]:
        sealed.append(row["previous_sealed"])
    return Found(
        install_id=install_id, agency_id=row["agency_id"], site_id=row["site_id"], module=row["module_slug"], name=name,
        status=row["status"], declared=Inbound.model_validate(row["declared"]),
        known=tuple(open_secret(keys, row["hook_id"], one) for one in sealed),
    )  # fmt: skip


def keep(
    db: Session, *, found: Found, message: Message, headers: dict[str, Any], content_type: str, body: str, size_bytes: int,
    request_id: str, keys: tuple[str, ...], now: datetime,
) -> tuple[str, bool]:  # fmt: skip
    """(public id of the receipt, whether the message was taken before). Its run is ordered once this is committed."""
    receipt_id = uuid7()
    key = {"install": found.install_id, "name": found.name, "key": message.key}
    given = {**key, "agency": found.agency_id, "receipt": receipt_id, "now": now, "forgotten": now - SAME_FOR}
    if db.execute(_SEEN, given).first() is None:
        first = db.execute(_REPEATED, key).scalar_one()
        return encode(Receipt.public_prefix, first), True
    receipt = Receipt(
        id=receipt_id, agency_id=found.agency_id, site_id=found.site_id, install_id=found.install_id, name=found.name,
        message_id=message.id, request_id=request_id, content_type=content_type[:200], headers=headers,
        body_sealed=seal_body(keys, receipt_id, body), size_bytes=size_bytes, due_at=now + LEASE, received_at=now,
    )  # fmt: skip
    db.add(receipt)
    enqueue(db, "inbound.run", receipt_id=receipt_id)
    return receipt.public_id, False


def count_refusal(db: Session, *, found: Found, reason: Reason, ip: str | None, request_id: str, now: datetime) -> None:
    """One more that was turned away this hour."""
    given = {"install": found.install_id, "name": found.name, "agency": found.agency_id, "reason": reason}
    db.execute(_REFUSED, {**given, "ip": ip, "request": request_id, "now": now})
