"""Finding modules: the first page with shelves, the search with filters, a category, a collection, a publisher."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request

from app.access.permissions import Permission, StaffPermission
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.marketplace.forms import SORTS, facets_of, read_search
from app.marketplace.names import written
from app.marketplace.queries import publisher_page, shelf, shelves
from app.marketplace.search import MOST_PAGES, PER_PAGE, installed_among, search
from app.marketplace.views.common import bp
from app.web.forms import clean, page_number
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx


@bp.get("/marketplace/")
@requires(Permission.MARKETPLACE_VIEW)
def index() -> str:
    asked, typed = read_search(request.args)
    found = search(g.db, asked)
    first = not (asked.words or asked.chosen or asked.page > 1 or request.args.get("sort"))
    alone = asked.chosen.get("category", ()) if list(asked.chosen) == ["category"] and not asked.words else ()
    on_shelves = [one for one in shelves(g.db, now=utcnow()) if _worth_a_shelf(one, found.total)] if first else []
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


def _worth_a_shelf(one: Any, total: int) -> bool:
    """Picked by hand: always. Worked out: only where it says more than the list below it."""
    return one.kind == "curated" or (len(one.items) >= 3 and total > len(one.items))


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
    found = publisher_page(g.db, agency_id=decode("agc", publisher_id))
    if found is None:
        raise NotFound()
    return render_template(
        "marketplace/publisher.html",
        publisher=found,
        installed=installed_among(g.db, [card.id for card in found.items]),
    )
