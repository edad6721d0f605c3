"""Writing down what became of attempts: the log, the delivery, and what is now known of its endpoint."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.actors import job
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.catalog import WEBHOOK_DISABLED
from app.events.outbox import publish
from app.lib.sql import load_sql
from app.webhooks.letters import tell_owners
from app.webhooks.models import Attempt, Delivery, Webhook
from app.webhooks.sending import BUSY, GONE, Result
from app.webhooks.setup import Setup

SCHEDULE_S = (5, 300, 1800, 7200, 18000, 36000, 36000)  # waits after the first, second … attempt; then it is given up
JITTER = (0.1, 0.2)  # shares of a wait that are added to it, at least and at most
LONGEST_WAIT_S = 12 * 3600  # what Retry-After can ask for
QUIET_S = 30  # an endpoint that is overloaded is left alone for at least this long
LONGEST_QUIET_S = 3600
WARN_AFTER = timedelta(days=3)
DISABLE_AFTER = timedelta(days=5)
SEVERAL, WITHIN = 3, timedelta(hours=24)  # the days are counted once so many failures came so close together
_DELIVERER = job("webhooks.deliver")


def finish(
    db: Session, results: Iterable[Result], *, setup: Setup, now: datetime,
    chance: Callable[[], float] = random.random,
) -> None:  # fmt: skip
    """Write down attempts. Of a delivery that others took meanwhile only the log gets a line; writing twice changes nothing.

    Endpoints that had successes alone are one statement, nearly all there is to do; each of the others is judged on its own.
    """
    found = list(results)
    careful = {one.webhook_id for one in found if not one.ok}  # with the others of the endpoint, in their order
    plain = [one for one in found if one.webhook_id not in careful]
    # two transactions: each locks in one order, both in one would not
    if plain:
        with platform_scope("finish webhook deliveries"), transaction(db):
            _delivered(db, plain, now=now)
    if careful:
        judged = [one for one in found if one.webhook_id in careful]
        with platform_scope("finish webhook deliveries"), transaction(db):
            _settle_all(db, judged, setup=setup, now=now, chance=chance)


def _delivered(db: Session, results: list[Result], *, now: datetime) -> None:
    latest = {one.webhook_id: one.latency_ms for one in results}
    given = {
        "now": now, "endpoints": list(latest), "latest": list(latest.values()),
        "ids": [one.delivery_id for one in results], "numbers": [one.number for one in results],
        "ats": [one.at for one in results], "statuses": [one.status for one in results],
        "excerpts": [one.excerpt for one in results], "latencies": [one.latency_ms for one in results],
    }  # fmt: skip
    db.execute(text(load_sql("webhooks/delivered")), given)


def _settle_all(
    db: Session, results: list[Result], *, setup: Setup, now: datetime, chance: Callable[[], float]
) -> None:  # fmt: skip
    endpoints = _endpoints(db, {one.webhook_id for one in results})
    deliveries = _deliveries(db, {one.delivery_id for one in results})
    kept = [  # the others were deleted while they were being sent
        (endpoints[one.webhook_id], deliveries[one.delivery_id], one)
        for one in results
        if one.webhook_id in endpoints and one.delivery_id in deliveries
    ]
    _note(db, [(delivery, result) for _, delivery, result in kept])
    for endpoint, delivery, result in kept:  # nothing is asked in between: the rows are written together at the end
        if delivery.status == "sending" and delivery.attempts == result.number:
            _settle(delivery, endpoint, result, now=now, chance=chance)
        _judge(db, endpoint, delivery, result, setup=setup, now=now)


# Both lock in the order of ids, so that workers that finish at the same time wait for each other and never in a circle.
def _endpoints(db: Session, ids: set[UUID]) -> dict[UUID, Webhook]:
    query = select(Webhook).where(Webhook.id.in_(ids)).order_by(Webhook.id).with_for_update()
    return {row.id: row for row in db.scalars(query)}


def _deliveries(db: Session, ids: set[UUID]) -> dict[UUID, Delivery]:
    query = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update()
    return {row.id: row for row in db.scalars(query)}


def _note(db: Session, attempts: list[tuple[Delivery, Result]]) -> None:
    rows = [
        {
            "agency_id": delivery.agency_id, "delivery_id": delivery.id, "number": result.number, "at": result.at,
            "outcome": result.outcome, "response_status": result.status, "response_excerpt": result.excerpt,
            "latency_ms": result.latency_ms,
        }
        for delivery, result in attempts
    ]  # fmt: skip
    if rows:
        db.execute(insert(Attempt).on_conflict_do_nothing(), rows)


def _settle(
    delivery: Delivery, endpoint: Webhook, result: Result, *, now: datetime, chance: Callable[[], float]
) -> None:
    """The delivery after its attempt: done, given up, or due again.

    What a killed worker had taken counts as no try of the schedule: nobody knows that the endpoint was called.
    """
    delivery.tries += 1
    delivery.outcome, delivery.response_status = result.outcome, result.status
    delivery.response_excerpt, delivery.latency_ms = result.excerpt, result.latency_ms
    if result.ok:
        delivery.status, delivery.finished_at = "delivered", now
    elif result.status == GONE or delivery.tries > len(SCHEDULE_S):
        delivery.status, delivery.finished_at = "failed", now
    elif endpoint.disabled_at is not None:
        delivery.status, delivery.finished_at = "missed", now
    else:
        delivery.status = "due"
        delivery.due_at = now + timedelta(seconds=wait_after(delivery.tries, result.retry_after_s, chance))


def wait_after(tries: int, asked_s: float | None, chance: Callable[[], float]) -> float:
    """Seconds until the next attempt: the schedule and a tenth to a fifth more, or what the receiver asks for if that is
    longer."""
    least, most = JITTER
    planned = SCHEDULE_S[tries - 1] * (1 + least + (most - least) * chance())
    return max(planned, min(asked_s or 0.0, LONGEST_WAIT_S))


def _judge(db: Session, endpoint: Webhook, delivery: Delivery, result: Result, *, setup: Setup, now: datetime) -> None:
    """The endpoint after an attempt: its streak of failures, letters about it, its end."""
    endpoint.latency_ms = result.latency_ms
    if result.ok:
        endpoint.forget_failures()
        return
    _count(endpoint, now=now)
    if result.status in BUSY:
        quiet = min(max(result.retry_after_s or 0.0, QUIET_S), LONGEST_QUIET_S)
        endpoint.held_until = now + timedelta(seconds=quiet)
    if endpoint.disabled_at is not None:
        return
    lasted = now - (endpoint.counted_since or now)
    if result.status == GONE:
        _disable(db, endpoint, "gone", setup=setup, now=now)
    elif lasted >= DISABLE_AFTER:
        _disable(db, endpoint, "failing", setup=setup, now=now)
    elif lasted >= WARN_AFTER and endpoint.warned < 2:
        endpoint.warned = 2
        tell_owners(db, endpoint, "still_failing", setup=setup)
    elif delivery.status == "failed" and endpoint.warned < 1:
        endpoint.warned = 1
        tell_owners(db, endpoint, "given_up", setup=setup)


def _count(endpoint: Webhook, *, now: datetime) -> None:
    """One more failure. A failure now and then is bad luck, however long ago the first was; several within a day are not."""
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.failed_at = [*endpoint.failed_at, now][-SEVERAL:]
    if endpoint.counted_since is None and len(endpoint.failed_at) == SEVERAL and now - endpoint.failed_at[0] <= WITHIN:
        endpoint.counted_since = now


def _disable(db: Session, endpoint: Webhook, reason: str, *, setup: Setup, now: datetime) -> None:
    endpoint.disabled_at, endpoint.disabled_reason = now, reason
    db.flush()
    miss_what_waits(db, endpoint, now=now)
    publish(
        db, WEBHOOK_DISABLED, by=_DELIVERER, agency_id=endpoint.agency_id, site_id=endpoint.site_id,
        target=endpoint.public_id, target_name=endpoint.url, data={"webhook": endpoint.public_id, "reason": reason},
    )  # fmt: skip
    tell_owners(db, endpoint, f"disabled_{reason}", setup=setup)


def miss_what_waits(db: Session, endpoint: Webhook, *, now: datetime) -> None:
    """What an endpoint that is being disabled has not got yet is kept as missed, to be sent again by a person."""
    db.execute(
        update(Delivery)
        .where(Delivery.webhook_id == endpoint.id, Delivery.status == "due")
        .values(status="missed", finished_at=now)
    )
