"""The look of a site, and the number that tells every cache that something visitors see has changed."""

from __future__ import annotations

import logging
from uuid import UUID

from redis import RedisError
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.session import after_commit
from app.pages.models import ACCENT, Look
from app.queue.enqueue import impatient_redis
from app.tenancy.models import Site

log = logging.getLogger(__name__)

GENERATION_S = 60  # what a cache that missed the word may be behind

# Two changes may commit in one order and speak up in the other: the higher number stays.
_RAISE = """
local known = redis.call('GET', KEYS[1])
if not known or tonumber(known) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
"""


def generation_key(site_id: UUID) -> str:
    return f"dramac:pages:{site_id}:generation"


def look_of(db: Session, *, site: Site) -> Look:
    """The look of a site's pages, made when first asked for."""
    look = db.get(Look, site.id)
    if look is None:
        # two people can open a site's pages at once
        db.execute(
            insert(Look).values(site_id=site.id, agency_id=site.agency_id, generation=1).on_conflict_do_nothing()
        )
        look = db.get_one(Look, site.id)
    return look


def look_now(db: Session, *, site: Site) -> Look:
    """The look of a site's pages, or what it would begin as; nothing is written."""
    return db.get(Look, site.id) or Look(
        site_id=site.id, agency_id=site.agency_id, accent=ACCENT, font="modern", theme="auto", tagline="", footer="",
        listed=True, lost_title="", lost_text="",
    )  # fmt: skip


def visitors_see(db: Session, site_id: UUID) -> None:
    """Something that visitors see of the site's pages has changed: every kept page is stale once this is committed."""
    raised = (
        update(Look).where(Look.site_id == site_id).values(generation=Look.generation + 1).returning(Look.generation)
    )
    generation = db.scalar(raised, execution_options={"synchronize_session": False})
    if generation is not None:
        after_commit(db, lambda: _say(site_id, generation))


def _say(site_id: UUID, generation: int) -> None:
    try:
        impatient_redis().eval(_RAISE, 1, generation_key(site_id), str(generation), str(GENERATION_S))
    except RedisError as error:
        log.warning("kept pages of a site are stale for up to %s s: %s", GENERATION_S, error)
