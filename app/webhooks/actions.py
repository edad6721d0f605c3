"""Every write to endpoints by people. The values are checked here, for screens and commands alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.access.permissions import Role
from app.db.session import after_commit
from app.errors import Conflict, Invalid, VersionMismatch
from app.events import catalog
from app.events.models import Event
from app.events.outbox import changed, publish, record
from app.lib.ids import uuid7
from app.lib.judged import OutgoingFailed
from app.queue.enqueue import wake
from app.tenancy.models import Site
from app.webhooks.addresses import check_address
from app.webhooks.delivering import miss_what_waits
from app.webhooks.message import FIELD
from app.webhooks.models import Delivery, Webhook
from app.webhooks.patterns import PATTERN
from app.webhooks.secrets import open_headers, seal_headers, seal_secret
from app.webhooks.setup import Setup
from app.webhooks.signing import new_secret

MOST_ENDPOINTS = 50  # of an agency
MOST_PATTERNS, MOST_HEADERS, MOST_FIELDS, MOST_A_MINUTE = 50, 10, 100, 6000
HEADER = re.compile(r"(?i)x-[a-z0-9-]{1,60}")
OURS = ("x-forwarded-", "x-real-ip", "x-dramac-")


class TooManyWebhooks(Conflict):
    """An agency may have 50 webhooks. Delete one that is no longer needed."""


class WebhookOff(Conflict):
    """This webhook is switched off. Switch it on first."""


def create_webhook(
    db: Session, *, site: Site | None, url: str, description: str, patterns: Iterable[str], headers: dict[str, str],
    concurrency: int = 4, rate_per_minute: int | None = None, fields: Iterable[str] = (), by: Actor, setup: Setup,
    now: datetime,
) -> Webhook:  # fmt: skip
    """A new endpoint of a site, or of the whole agency (site None). It gets what the role of who makes it may see.

    rate_per_minute: calls within any 60 s, None for no limit. fields: paths in the data to send (`record.name`), none
    for all of it. Raises Invalid with errors on url, patterns, headers, concurrency, rate_per_minute, fields;
    TooManyWebhooks.
    """
    assert by.agency_id is not None
    chosen, paths = _tidy(patterns), _tidy(fields)
    _check(url=url, patterns=chosen, headers=headers, setup=setup)
    _check_limits(concurrency=concurrency, rate_per_minute=rate_per_minute, fields=paths)
    # two requests at once must not make the 51st
    db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 19))"), {"agency": str(by.agency_id)})
    if (db.scalar(select(func.count()).select_from(Webhook)) or 0) >= MOST_ENDPOINTS:
        raise TooManyWebhooks()
    webhook_id = uuid7()
    webhook = Webhook(
        id=webhook_id, agency_id=by.agency_id, site_id=site.id if site else None, url=url, description=description,
        patterns=chosen, role=_role(by).value, concurrency=concurrency, rate_per_minute=rate_per_minute, fields=paths,
        headers_sealed=seal_headers(setup.keys, webhook_id, headers),
        secret_sealed=seal_secret(setup.keys, webhook_id, new_secret()),
        created_by=by.id if by.kind == "person" else None, created_at=now, served_at=now,
    )  # fmt: skip
    db.add(webhook)
    db.flush()
    db.refresh(webhook)
    tell(db, catalog.WEBHOOK_CREATED, webhook, by=by, changes=changed({}, _facts(webhook, headers)))
    return webhook


def change_webhook(
    db: Session, *, webhook: Webhook, url: str, description: str, patterns: Iterable[str], headers: dict[str, str],
    concurrency: int, rate_per_minute: int | None = None, fields: Iterable[str] = (), if_version: int | None = None,
    by: Actor, setup: Setup,
) -> None:  # fmt: skip
    """New values; from now on it gets what the role of who changed it may see.

    if_version: of the endpoint the values were written for; None when that does not matter. Raises VersionMismatch when it
    has another one by now, and Invalid as create_webhook().
    """
    db.refresh(webhook, with_for_update=True)  # of two that save at once the second has to see what the first wrote
    if if_version is not None and if_version != webhook.version:
        raise VersionMismatch("The webhook was changed meanwhile. Nothing of yours is saved yet.")
    chosen, paths = _tidy(patterns), _tidy(fields)
    _check(url=url, patterns=chosen, headers=headers, setup=setup)
    _check_limits(concurrency=concurrency, rate_per_minute=rate_per_minute, fields=paths)
    before = _facts(webhook, open_headers(setup.keys, webhook.id, webhook.headers_sealed))
    webhook.url, webhook.description, webhook.patterns = url, description, chosen
    webhook.role, webhook.concurrency = _role(by).value, concurrency
    webhook.rate_per_minute, webhook.fields = rate_per_minute, paths
    webhook.headers_sealed = seal_headers(setup.keys, webhook.id, headers)
    if changes := changed(before, _facts(webhook, headers)):
        webhook.version += 1
        tell(db, catalog.WEBHOOK_CHANGED, webhook, by=by, changes=changes)


def delete_webhook(db: Session, *, webhook: Webhook, by: Actor) -> None:
    """End an endpoint for good, its log included."""
    tell(db, catalog.WEBHOOK_DELETED, webhook, by=by)
    db.execute(delete(Webhook).where(Webhook.id == webhook.id))


def pause_webhook(db: Session, *, webhook: Webhook, by: Actor, now: datetime) -> None:
    """Send nothing until it is switched on; what comes meanwhile waits. Pausing twice changes nothing."""
    if webhook.disabled_at is not None:
        raise WebhookOff()
    if webhook.paused_at is None:
        webhook.paused_at = now
        tell(db, catalog.WEBHOOK_PAUSED, webhook, by=by)


def disable_webhook(db: Session, *, webhook: Webhook, by: Actor, now: datetime) -> None:
    """Switch an endpoint off: what waits and what comes is noted as missed."""
    if webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_reason, webhook.paused_at = now, "person", None
        db.flush()
        miss_what_waits(db, webhook, now=now)
        tell(db, catalog.WEBHOOK_DISABLED, webhook, by=by, data={"reason": "person"})


def enable_webhook(db: Session, *, webhook: Webhook, by: Actor) -> None:
    """Switch a paused or disabled endpoint on, with a clean slate. What it missed is sent again by resend_failed()."""
    if webhook.disabled_at is None and webhook.paused_at is None:
        return
    webhook.disabled_at = webhook.paused_at = None
    webhook.disabled_reason = ""
    webhook.forget_failures()
    tell(db, catalog.WEBHOOK_ENABLED, webhook, by=by)
    after_commit(db, lambda: wake("webhooks.deliver"))


def reset_webhook(db: Session, *, webhook: Webhook, by: Actor, now: datetime) -> None:
    """Forget that an endpoint failed, was slow or asked to be left alone: what waits for it is tried now. Raises WebhookOff."""
    if webhook.disabled_at is not None or webhook.paused_at is not None:
        raise WebhookOff()
    webhook.forget_failures()
    webhook.latency_ms = None
    db.execute(
        update(Delivery)
        .where(Delivery.webhook_id == webhook.id, Delivery.status == "due", Delivery.due_at > now)
        .values(due_at=now)
    )
    tell(db, catalog.WEBHOOK_RESET, webhook, by=by)
    after_commit(db, lambda: wake("webhooks.deliver"))


def send_test(db: Session, *, webhook: Webhook, by: Actor, now: datetime) -> Delivery:
    """A test event for this endpoint alone, whatever its patterns. Raises WebhookOff."""
    if webhook.disabled_at is not None or webhook.paused_at is not None:
        raise WebhookOff()
    event = Event(
        id=uuid7(), agency_id=webhook.agency_id, site_id=webhook.site_id, type=catalog.WEBHOOK_TESTED.name,
        subject=webhook.public_id, data={"webhook": webhook.public_id, "message": "This is a test."}, actor=by.ref,
        request_id=by.request_id, occurred_at=now, dispatched_at=now,
    )  # fmt: skip # dispatched: it is nobody else's news
    db.add(event)
    db.flush()
    delivery = Delivery(
        id=uuid7(), agency_id=webhook.agency_id, webhook_id=webhook.id, event_id=event.id, event_type=event.type,
        due_at=now, created_at=now,
    )  # fmt: skip
    db.add(delivery)
    record(
        db,
        catalog.WEBHOOK_TESTED.name,
        by=by,
        agency_id=webhook.agency_id,
        target=webhook.public_id,
        target_name=webhook.url,
    )
    after_commit(db, lambda: wake("webhooks.deliver"))
    return delivery


def _role(by: Actor) -> Role:
    assert by.role is not None  # members and the commands that act for one have a role
    return by.role


def _facts(webhook: Webhook, headers: dict[str, str]) -> dict[str, object]:
    """What the audit trail keeps: names of headers, never their values."""
    return {
        "url": webhook.url, "description": webhook.description, "patterns": list(webhook.patterns),
        "headers": sorted(headers), "concurrency": webhook.concurrency, "rate_per_minute": webhook.rate_per_minute,
        "fields": list(webhook.fields), "role": webhook.role,
    }  # fmt: skip


def tell(
    db: Session, event: catalog.EventType, webhook: Webhook, *, by: Actor, data: dict[str, object] | None = None,
    changes: dict[str, object] | None = None,
) -> None:  # fmt: skip
    publish(
        db, event, by=by, agency_id=webhook.agency_id, site_id=webhook.site_id, target=webhook.public_id,
        target_name=webhook.url, data={"webhook": webhook.public_id, **(data or {})}, changes=changes,
    )  # fmt: skip


def _tidy(patterns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(pattern.strip() for pattern in patterns if pattern.strip()))


def _check(*, url: str, patterns: list[str], headers: dict[str, str], setup: Setup) -> None:
    """Raises Invalid for the first value that cannot be."""
    try:
        check_address(url, development=setup.outside.development)
    except OutgoingFailed as error:
        raise Invalid.field("url", str(error)) from error
    if not 1 <= len(patterns) <= MOST_PATTERNS:
        raise Invalid.field("patterns", f"Choose 1 to {MOST_PATTERNS} events.")
    for pattern in patterns:
        if not PATTERN.fullmatch(pattern) or len(pattern) > 120:
            raise Invalid.field("patterns", f"{pattern[:80]} is not an event. Write deal.won, deal.* or *.")
    if len(headers) > MOST_HEADERS:
        raise Invalid.field("headers", f"At most {MOST_HEADERS} headers.")
    if again := repeated(headers):
        raise Invalid.field("headers", f"{again} stands there twice; upper and lower case are the same to a receiver.")
    for name, value in headers.items():
        if not HEADER.fullmatch(name) or name.lower().startswith(OURS):
            raise Invalid.field("headers", f"{name[:80]} cannot be set. A header of your own begins with X-.")
        if not value.isascii() or not value.isprintable() or not 1 <= len(value) <= 1000:
            raise Invalid.field("headers", f"The value of {name} must be 1 to 1,000 ASCII characters in one line.")


def repeated(names: Iterable[str]) -> str | None:
    """A name of a header, cut for a sentence, that is there more than once in whatever case; None when each is there once."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            return name[:80]
        seen.add(name.lower())
    return None


def _check_limits(*, concurrency: int, rate_per_minute: int | None, fields: list[str]) -> None:
    """Raises Invalid for the first value that cannot be."""
    if not 1 <= concurrency <= 16:
        raise Invalid.field("concurrency", "Choose 1 to 16.")
    if rate_per_minute is not None and not 1 <= rate_per_minute <= MOST_A_MINUTE:
        raise Invalid.field("rate_per_minute", f"Choose 1 to {MOST_A_MINUTE:,}, or leave it empty.")
    if len(fields) > MOST_FIELDS:
        raise Invalid.field("fields", f"At most {MOST_FIELDS} fields.")
    for path in fields:
        if not FIELD.fullmatch(path):
            raise Invalid.field("fields", f"{path[:80]} is no field. Write record for all of it, record.name for one.")
