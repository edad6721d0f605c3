"""POST /embed/analytics on the runtime origin: what the script of a module's page tells. For holders of that page's key alone.

Answers 204 and nothing else to what is taken in, and to visitors who asked not to be counted. Sets no cookie and reads none.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from flask import Blueprint, Response, current_app, jsonify, make_response, request
from redis import RedisError

from app.analytics.agents import language_of
from app.analytics.audience import Counting
from app.analytics.forms import MOST_OF_A_PAGE, Batch, Told, read_batch
from app.analytics.keys import LASTS_S, PageKey, read_key
from app.analytics.visitors import visitor_of
from app.analytics.writing import Happened
from app.domains.hosting import SERVED
from app.errors import AppError, Forbidden, NotFound, PayloadTooLarge, RateLimited, Unauthenticated
from app.lib.clock import utcnow
from app.queue.enqueue import impatient_redis
from app.runtime.audience import audience
from app.runtime.context import InstallContext, load_install
from app.web.errors import status_of
from app.web.guard import public
from app.web.visits import Visit, this_visit

log = logging.getLogger(__name__)
bp = Blueprint("analytics_ingest", __name__)

MAX_BYTES = 16 * 1024
MOST_A_MINUTE = 600  # events of one visitor of a site
NUMBERS, RATE = "dramac:analytics:numbers:", "dramac:analytics:rate:"


class KeyRefused(Unauthenticated):
    """This page's key is not valid or has run out. Load the page again."""

    code = "analytics_key_refused"


class TooManyEvents(RateLimited):
    """Too many events within a minute."""

    code = "analytics_rate"


@bp.post("/embed/analytics", provide_automatic_options=False)
@public
def take() -> Response:
    try:
        _take(utcnow())
    except AppError as error:
        answer = jsonify(
            detail=error.message, code=error.code,
            errors=[{"pointer": one.pointer, "detail": one.detail} for one in getattr(error, "errors", ())],
        )  # fmt: skip
        answer.status_code = status_of(error)
        if isinstance(error, RateLimited):
            answer.headers["Retry-After"] = "60"
    else:
        answer = make_response("", 204)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _take(now: datetime) -> None:
    counting = audience()
    visit = this_visit()
    if request.content_length is None or request.content_length > MAX_BYTES:
        raise PayloadTooLarge(f"Send at most {MAX_BYTES:,} bytes at once.")
    _must_be_ours()
    batch = read_batch(request.get_data())
    if not isinstance(counting, Counting):
        raise NotFound()
    key = read_key(counting.keys, batch.key, now=now)
    if key is None:
        raise KeyRefused()
    context = load_install(key.install_id)
    served = request.environ.get(SERVED)
    if served is not None and served.site_id != context.site_id:
        raise NotFound()  # a site's own host knows that site alone
    if visit.unwanted:
        return
    visitor = visitor_of(context.site_id, visit.address, visit.user_agent, now=now)
    for told in _new_ones(batch, key, visitor, now):
        counting.queue.add(_happened(told, key, context, visit, visitor, counting, now))


def _must_be_ours() -> None:
    """From a page of this origin, or of no origin as in a sandboxed frame: another site's script has no business here."""
    ours = (None, "null", current_app.config["DRAMAC"].runtime_url, request.host_url.rstrip("/"))
    if request.headers.get("Origin") not in ours:
        raise Forbidden("Only pages of modules tell what happens on them.")


def _new_ones(batch: Batch, key: PageKey, visitor: int, now: datetime) -> list[Told]:
    """Those of the batch that have not been told before. Raises TooManyEvents. Without Valkey all of them, uncounted."""
    numbers, rate = f"{NUMBERS}{key.nonce}", f"{RATE}{visitor:x}:{int(now.timestamp()) // 60}"
    wanted = [told for told in batch.events if not (told.event == "mount" and key.again)]
    try:
        pipe = impatient_redis().pipeline(transaction=False)
        pipe.incrby(rate, len(batch.events))
        pipe.expire(rate, 120)
        used = int(pipe.execute()[0])
        if used > MOST_A_MINUTE:
            raise TooManyEvents()
        pipe = impatient_redis().pipeline(transaction=False)
        for told in wanted:
            pipe.setbit(numbers, told.n % MOST_OF_A_PAGE, 1)
        pipe.expire(numbers, LASTS_S + 60)
        seen = pipe.execute()
    except RedisError as error:
        log.warning("events may be counted twice: %s", error)
        return wanted
    return [told for told, before in zip(wanted, seen, strict=False) if not before]


def _happened(
    told: Told, key: PageKey, context: InstallContext, visit: Visit, visitor: int, counting: Counting, now: datetime
) -> Happened:
    at = max(now - timedelta(milliseconds=told.ago), min(key.issued_at, now))
    return Happened(
        at=at, agency_id=context.agency_id, site_id=context.site_id, install_id=context.install_id,
        module_id=context.module_id, event=told.event, name=told.words, version=key.version, page=key.page, page_id=None,
        visitor=visitor, value=told.value, surface=key.surface, place=key.place, referrer=key.referrer,
        language=language_of(visit.languages), country=counting.countries.of(visit.address), user_agent=visit.user_agent,
    )  # fmt: skip
