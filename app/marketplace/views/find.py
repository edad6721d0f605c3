"""Finding modules: the first page with shelves, the search with filters, a category, a collection, a publisher."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import g, render_template, request

from app.access.permissions import Permission, StaffPermission
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.marketplace.forms import SORTS, facets_of, read_search
from app.marketplace.names import written
from app.marketplace.queries import Shelf, publisher_page, shelf, shelves
from app.marketplace.search import MOST_PAGES, PER_PAGE, installed_among, search
from app.marketplace.views.common import bp
from app.web.forms import clean, page_number
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx

LEAST_ON_A_SHELF = 3


@bp.get("/marketplace/")
@requires(Permission.MARKETPLACE_VIEW)
def index() -> str:
    asked, typed = read_search(request.args)
    found = search(g.db, asked)
    first = not (asked.words or asked.chosen or asked.page > 1 or request.args.get("sort"))
    alone = asked.chosen.get("category", ()) if list(asked.chosen) == ["category"] and not asked.words else ()
    on_shelves = worth_showing(shelves(g.db, now=utcnow()), found.total) if first else []
    shown = [card.id for card in found.items] + [card.id for one in on_shelves for card in one.items]
    context: dict[str, Any] = {
        "found": found,
        "facets": facets_of(found, asked),
        "shelves": on_shelves,
        "installed": installed_among(g.db, shown),
        "q": typed,
        "respelt": " ".join(found.respelt),
        "sort": asked.sort,
        "sorts": SORTS,
        "most": MOST_PAGES * PER_PAGE,
        "site": request.args.get("site", ""),
    }
    if is_htmx():
        return fragment("marketplace/_found.html", **context)
    return render_template(
        "marketplace/index.html",
        category=written(alone[0]) if len(alone) == 1 else "",
        can_author=g.actor.can(Permission.MODULES_AUTHOR),
        can_arrange=g.actor.can_staff(StaffPermission.ADMINISTER),
        can_moderate=g.actor.can_staff(StaffPermission.SUPPORT),
        **context,
    )


def worth_showing(found: list[Shelf], total: int) -> list[Shelf]:
    """The shelves of the first page that say something the rest of it does not. total: modules in the list below them.

    Picked by hand: always. Worked out: without what stands above it, while at least three are left, and only where it is a
    choice: at most a third of all. Of few modules the list alone says everything.
    """
    kept, above = list[Shelf](), set[UUID]()
    for one in found:
        items = one.items if one.kind == "curated" else [card for card in one.items if card.id not in above]
        if one.kind == "curated" or (len(items) >= LEAST_ON_A_SHELF and total >= 3 * len(items)):
            kept.append(replace(one, items=items, more=one.more or len(items) < len(one.items)))
            above |= {card.id for card in items}
    return kept


@bp.get("/collections")
@requires(Permission.MARKETPLACE_VIEW)
def collection() -> str:
    """One collection, or with no name all of them."""
    name, number = clean(request.args.get("name")), page_number()
    if not name:
        every = shelves(g.db, now=utcnow())
        shown = [card.id for one in every for card in one.items]
        return render_template(
            "marketplace/collections.html", shelves=every, installed=installed_among(g.db, shown), site=""
        )
    found = shelf(g.db, name, now=utcnow(), page=min(number, MOST_PAGES))
    if found is None:
        raise NotFound()
    return render_template(
        "marketplace/collection.html",
        shelf=found,
        number=number,
        installed=installed_among(g.db, [card.id for card in found.items]),
    )


@bp.get("/marketplace/by/<public_id:publisher_id>")
@requires(Permission.MARKETPLACE_VIEW)
def publisher(publisher_id: str) -> str:
    number = page_number()
    found = publisher_page(g.db, agency_id=decode("agc", publisher_id), page=number)
    if found is None:
        raise NotFound()
    return render_template(
        "marketplace/publisher.html",
        publisher=found,
        number=number,
        installed=installed_among(g.db, [card.id for card in found.items]),
    )
