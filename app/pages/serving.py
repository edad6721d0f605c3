"""Pages for visitors: found in one statement, kept whole in Valkey under the site's generation. Knows no HTTP.

A kept page is named by site, generation, place and path, so a change makes all of a site's kept pages unreachable at
once; they run out by themselves. Without Valkey every page is one statement.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from redis import RedisError

from app.db.pools import runtime_pool
from app.errors import NotFound
from app.pages.content import Content, good_link, own_path, stored
from app.pages.showing import GENERATION_S, generation_key
from app.queue.enqueue import impatient_redis

log = logging.getLogger(__name__)

KEPT_S = 600
MOST_KEPT_BYTES = 1 << 20
_ids: OrderedDict[str, UUID] = OrderedDict()  # of sites by slug, which never changes
MOST_IDS = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site is served. slug or site_id names it; origin: `https://host`; base: what its paths begin with, or ""."""

    origin: str
    base: str
    slug: str = ""
    site_id: UUID | None = None

    def url(self, link: str) -> str:
        """Where a link of the site's people leads on this host; nowhere for one that may lead nowhere."""
        if own_path(link):
            return f"{self.base}{link}"
        return link if good_link(link) else "#"


@dataclass(frozen=True, slots=True)
class Found:
    """A site with what is at a path: a page (page_id, content), a redirect, or nothing."""

    site_id: UUID
    name: str
    locale: str
    look: dict[str, Any]
    menu: list[dict[str, Any]]
    path: str
    page_id: UUID | None = None
    content: Content | None = None
    published_at: datetime | None = None
    trail: dict[str, str] | None = None
    redirect_to: str | None = None
    home: str = ""  # the origin of the site's own domain, where it has one
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it is sent. policy: its content security policy; kept: it came from the cache."""

    body: bytes
    etag: str
    policy: str
    site_id: UUID
    page_id: UUID
    kept: bool = field(default=False, compare=False)


Render = Callable[[Found], tuple[str, str]]
"""From what was found to (HTML, content security policy)."""


def show(place: Place, path: str, render: Render) -> Shown | Found:
    """The page at a path, from the cache or rendered anew; what was found when it is no page. Raises NotFound: no site."""
    site_id = place.site_id or _ids.get(place.slug)
    key = _key(place, path, site_id) if site_id else None
    if key and (kept := _kept(key)):
        return kept
    found = find(place, path)
    if found.page_id is None:
        return found
    html, policy = render(found)
    body = html.encode()
    etag = hashlib.sha256(body + policy.encode()).hexdigest()[:32]
    shown = Shown(body, etag, policy, found.site_id, found.page_id)
    _keep(place, found, shown)
    return shown


def find(place: Place, path: str) -> Found:
    """What is at a path of a site. One statement. Raises NotFound: there is no such site, or it is put away."""
    with runtime_pool().connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "SELECT * FROM site_page_at(%s, %s, %s)", [place.slug or None, place.site_id, path], prepare=True
        ).fetchone()
    if row is None:
        raise NotFound()
    _remember(row["site_slug"], row["site_id"])
    return _found(row, path)


def find_preview(page_id: UUID, version_id: UUID | None) -> tuple[str, Found]:
    """(the site's slug, its page) as drafted, or as a version was. Raises NotFound."""
    with runtime_pool().connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("SELECT * FROM site_page_preview(%s, %s)", [page_id, version_id], prepare=True).fetchone()
    if row is None:
        raise NotFound()
    return row["site_slug"], _found(row, row["path"])


def site_map(place: Place) -> tuple[bool, list[tuple[str, datetime]]]:
    """(whether search engines may list the site, its pages that they may list). One statement. Raises NotFound."""
    with runtime_pool().connection() as connection:
        rows = connection.execute("SELECT * FROM site_map_of(%s, %s)", [place.slug or None, place.site_id]).fetchall()
    if not rows:
        raise NotFound()
    return bool(rows[0][2]), [(path, at) for path, at, _ in rows if path is not None]


def site_id_of(place: Place) -> UUID:
    """The site of a place. Raises NotFound."""
    return place.site_id or _ids.get(place.slug) or find(place, "/").site_id


def _found(row: dict[str, Any], path: str) -> Found:
    return Found(
        site_id=row["site_id"], name=row["site_name"], locale=row["locale"], look=row["look"], menu=row["menu"], path=path,
        page_id=row["page_id"], content=stored(row["content"]) if row["content"] else None,
        published_at=row.get("published_at"), trail=row["trail"], redirect_to=row.get("redirect_to"),
        home=f"https://{row['home_host']}" if row.get("home_host") else "",
        generation=row.get("generation", 0),
    )  # fmt: skip


def _remember(slug: str, site_id: UUID) -> None:
    _ids[slug] = site_id
    while len(_ids) > MOST_IDS:
        _ids.popitem(last=False)


def _key(place: Place, path: str, site_id: UUID) -> str | None:
    """The name that a page would be kept under; None while the generation is not known."""
    try:
        generation = impatient_redis().get(generation_key(site_id))
    except RedisError as error:
        log.info("pages are not kept: %s", error)
        return None
    return _name(place, path, site_id, int(generation)) if generation else None  # type: ignore[arg-type]  # synchronous


def _name(place: Place, path: str, site_id: UUID, generation: int) -> str:
    # a digest: paths and hosts come from outside, and a name shall not grow with them
    what = hashlib.sha256(f"{place.origin}\n{place.base}\n{path}".encode()).hexdigest()[:40]
    return f"dramac:pages:{site_id}:{generation}:{what}"


def _kept(key: str) -> Shown | None:
    try:
        kept: bytes | None = impatient_redis().get(key)  # type: ignore[assignment]  # the client is synchronous
    except RedisError as error:
        log.info("a kept page was not read: %s", error)
        return None
    if kept is None:
        return None
    head, _, body = kept.partition(b"\n")
    facts = json.loads(head)
    return Shown(body, facts["etag"], facts["policy"], UUID(facts["site"]), UUID(facts["page"]), kept=True)


def _keep(place: Place, found: Found, shown: Shown) -> None:
    if len(shown.body) > MOST_KEPT_BYTES:
        return
    facts = {"etag": shown.etag, "policy": shown.policy, "site": str(shown.site_id), "page": str(shown.page_id)}
    try:
        pipe = impatient_redis().pipeline(transaction=False)
        # never over a higher number that a change has just put there
        pipe.set(generation_key(found.site_id), str(found.generation), ex=GENERATION_S, nx=True)
        pipe.set(
            _name(place, found.path, found.site_id, found.generation),
            json.dumps(facts).encode() + b"\n" + shown.body,
            ex=KEPT_S,
        )
        pipe.execute()
    except RedisError as error:
        log.info("a page was not kept: %s", error)
