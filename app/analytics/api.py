"""POST /embed/analytics on the runtime origin: what the script of a page tells. For holders of that page's key alone, which comes
with a module's page; the script of a site's own page asks for it at /embed/analytics/key.

Answers 204 and nothing else to what is taken in, and to visitors who asked not to be counted. Sets no cookie and reads none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, Response, current_app, jsonify, make_response, request
from redis import RedisError

from app.analytics.agents import language_of
from app.analytics.audience import Counting
from app.analytics.forms import MOST_OF_A_PAGE, Batch, Told, read_batch
from app.analytics.keys import LASTS_S, MAX_CHARACTERS, PageKey, read_key, read_name
from app.analytics.visitors import visitor_of
from app.analytics.writing import Happened
from app.domains.hosting import SERVED
from app.errors import AppError, Forbidden, NotFound, PayloadTooLarge, RateLimited, Unauthenticated
from app.lib.clock import utcnow
from app.queue.enqueue import impatient_redis
from app.runtime.audience import audience
from app.runtime.context import load_install
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


@dataclass(frozen=True, slots=True)
class Source:
    """Where a page belongs. agency_id: None where the site alone is known; page_id: of a site's own page."""

    agency_id: UUID | None
    site_id: UUID
    install_id: UUID | None
    module_id: UUID | None
    page_id: UUID | None


@bp.post("/embed/analytics", provide_automatic_options=False)
@public
def take() -> Response:
    return _answered(_take)


@bp.post("/embed/analytics/key", provide_automatic_options=False)
@public
def key() -> Response:
    """A key for the page of a site whose name is sent: 200 and the key, or 204 for visitors who asked not to be counted."""
    return _answered(_key)


def _answered(act: Callable[[datetime], str]) -> Response:
    try:
        said = act(utcnow())
    except AppError as error:
        answer = jsonify(
            detail=error.message, code=error.code,
            errors=[{"pointer": one.pointer, "detail": one.detail} for one in getattr(error, "errors", ())],
        )  # fmt: skip
        answer.status_code = status_of(error)
        if isinstance(error, RateLimited):
            answer.headers["Retry-After"] = "60"
    else:
        answer = make_response(said, 200 if said else 204)
        answer.content_type = "text/plain; charset=utf-8"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _key(now: datetime) -> str:
    counting = audience()
    if request.content_length is None or request.content_length > MAX_CHARACTERS:
        raise PayloadTooLarge(f"Send at most {MAX_CHARACTERS:,} bytes.")
    _must_be_ours()
    if not isinstance(counting, Counting):
        raise NotFound()
    page = read_name(counting.keys, request.get_data().decode("ascii", "replace"))
    if page is None:
        raise KeyRefused()
    _must_know(page.site_id)
    return counting.site_page_key(page, this_visit(), now=now)


def _take(now: datetime) -> str:
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
    source = _source(key)
    _must_know(source.site_id)
    if visit.unwanted:
        return ""
    visitor = visitor_of(source.site_id, visit.address, visit.user_agent, now=now)
    for told in _new_ones(batch, key, visitor, now):
        counting.queue.add(_happened(told, key, source, visit, visitor, counting, now))
    return ""


def _source(key: PageKey) -> Source:
    if key.of is not None:
        return Source(None, key.of.site_id, None, None, key.of.page_id)
    assert key.install_id is not None
    context = load_install(key.install_id)
    return Source(context.agency_id, context.site_id, context.install_id, context.module_id, None)


def _must_know(site_id: UUID) -> None:
    """A site's own host knows that site alone."""
    served = request.environ.get(SERVED)
    if served is not None and served.site_id != site_id:
        raise NotFound()


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
    told: Told, key: PageKey, source: Source, visit: Visit, visitor: int, counting: Counting, now: datetime
) -> Happened:
    at = max(now - timedelta(milliseconds=told.ago), min(key.issued_at, now))
    return Happened(
        at=at, agency_id=source.agency_id, site_id=source.site_id, install_id=source.install_id,
        module_id=source.module_id, event=told.event, name=told.words, version=key.version, page=key.page,
        page_id=source.page_id,
        visitor=visitor, value=told.value, surface=key.surface, place=key.place, referrer=key.referrer,
        language=language_of(visit.languages), country=counting.countries.of(visit.address), user_agent=visit.user_agent,
    )  # fmt: skip
