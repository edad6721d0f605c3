"""Views per page and day: counted in Valkey while pages are served, written to PostgreSQL by a job. Nothing of who looked.

At most the views since the job last ran are lost with Valkey, and a job that dies between its two steps counts its batch
twice: good enough for a trend, and no visitor waits for it.
"""

from __future__ import annotations

import logging
import re
from datetime import date, datetime
from uuid import UUID

from redis import RedisError
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.queue.enqueue import impatient_redis, redis

log = logging.getLogger(__name__)

_MACHINES = re.compile(
    r"bot|crawl|spider|slurp|preview|fetch|curl|wget|python|monitor|lighthouse|headless|scan", re.IGNORECASE
)
_COUNTED, _TAKEN = "dramac:pages:views:", "dramac:pages:views-taken:"
_WRITE = text(
    """
    INSERT INTO site_page_views (agency_id, page_id, day, views)
    SELECT p.agency_id, p.id, :day, v.views
    FROM unnest(CAST(:ids AS uuid[]), CAST(:views AS bigint[])) AS v (id, views) JOIN site_pages p ON p.id = v.id
    ON CONFLICT (page_id, day) DO UPDATE SET views = site_page_views.views + excluded.views
    """
)
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('pages.count_views'))")


def is_person(user_agent: str) -> bool:
    """Whether a request looks like somebody reading: robots, programs and link previews say what they are."""
    return bool(user_agent) and _MACHINES.search(user_agent) is None


def count_view(site_id: UUID, page_id: UUID, *, now: datetime) -> None:
    """One more view of a page today (UTC). Counting never stands in the way of the page."""
    try:
        impatient_redis().hincrby(f"{_COUNTED}{now.date().isoformat()}", f"{site_id}:{page_id}", 1)
    except RedisError as error:
        log.info("a view was not counted: %s", error)


def write_views(db: Session) -> int:
    """Move what was counted into the database, in platform scope; returns how many views. One process at a time."""
    if not db.scalar(_ALONE):
        return 0
    for key in redis().scan_iter(match=f"{_COUNTED}*", count=100):
        _rename(key.decode())
    done, total = [], 0
    for key in redis().scan_iter(match=f"{_TAKEN}*", count=100):
        total += _write(db, key.decode())
        done.append(key)
    db.commit()
    if done:
        redis().delete(*done)
    return total


def _rename(key: str) -> None:
    """Take what was counted aside; what comes meanwhile begins anew. A batch left by a job that died is added to."""
    day, taken = key.removeprefix(_COUNTED), f"{_TAKEN}{key.removeprefix(_COUNTED)}"
    if not redis().exists(taken):
        redis().rename(key, taken)
    log.debug("views of %s are taken", day)


def _write(db: Session, key: str) -> int:
    day = date.fromisoformat(key.removeprefix(_TAKEN))
    counted: dict[bytes, bytes] = redis().hgetall(key)  # type: ignore[assignment]  # the client is synchronous
    found = {field.decode().partition(":")[2]: int(views) for field, views in counted.items()}
    db.execute(_WRITE, {"day": day, "ids": list(found), "views": list(found.values())})
    return sum(found.values())
