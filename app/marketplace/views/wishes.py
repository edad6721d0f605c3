"""Modules kept for later, and requests for modules that do not exist yet."""

from __future__ import annotations

from flask import Response, g, render_template, request, url_for

from app.access.permissions import Permission, StaffPermission
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.marketplace import wishes
from app.marketplace.forms import RequestForm
from app.marketplace.models import Request
from app.marketplace.search import installed_among
from app.marketplace.views.common import bp
from app.modules.queries import module_by_slug
from app.web.forms import asked, clean, page_number
from app.web.guard import requires, staff
from app.web.htmx import respond, trigger_toast

STATE_NAMES = tuple(state for state, _ in wishes.STATES)


@bp.get("/wishes")
@requires(Permission.MARKETPLACE_VIEW)
def wish_list() -> str:
    cards = wishes.wishes(g.db)
    return render_template(
        "marketplace/wishes.html", cards=cards, installed=installed_among(g.db, [card.id for card in cards])
    )


@bp.post("/marketplace/<slug>/wish")
@requires(Permission.INSTALLS_CREATE)
def wish(slug: str) -> Response:
    module = module_by_slug(g.db, slug)
    if module is None:
        raise NotFound()
    kept = wishes.wish(g.db, module_id=module.id, by=g.actor, now=utcnow())
    trigger_toast("success", "Kept for later" if kept else "No longer kept")
    return respond(redirect_to=url_for("marketplace.module", slug=slug))


@bp.get("/module-requests")
@requires(Permission.MARKETPLACE_VIEW)
def requests() -> str:
    return _page(RequestForm())


@bp.post("/module-requests")
@requires(Permission.INSTALLS_CREATE)
def ask() -> Response | tuple[str, int]:
    form = RequestForm()
    if not form.validate():
        return _page(form), 422
    wishes.ask_for(
        g.db, title=form.title.data, text=form.text.data, category=form.category.data, by=g.actor, now=utcnow()
    )
    trigger_toast("success", "Asked for", "Others can want it too.")
    return respond(redirect_to=url_for("marketplace.requests"))


@bp.post("/module-requests/votes")
@requires(Permission.INSTALLS_CREATE)
def want_too() -> Response:
    wishes.want_too(g.db, request_id=decode("rqs", request.form.get("request", "")), by=g.actor)
    return respond(redirect_to=url_for("marketplace.requests"))


@bp.get("/staff/marketplace/requests")
@staff(StaffPermission.ADMINISTER)
def staff_requests() -> str:
    text = clean(request.args.get("q"))[:100]
    state = asked("state", STATE_NAMES, "open")
    found = wishes.requests(g.db, agency_id=None, text=text, state=state, page=page_number())
    return render_template("marketplace/staff_requests.html", found=found, q=text, state=state, states=wishes.STATES)


@bp.post("/staff/marketplace/requests")
@staff(StaffPermission.ADMINISTER)
def decide() -> Response:
    found = g.db.get(Request, decode("rqs", request.form.get("request", "")))
    if found is None:
        raise NotFound()
    answer = clean(request.form.get("answer"))
    wishes.decide(g.db, request=found, state=request.form.get("state", ""), answer=answer, by=g.actor)
    trigger_toast("success", "Saved")
    return respond(redirect_to=url_for("marketplace.staff_requests"))


def _page(form: RequestForm) -> str:
    text, state = clean(request.args.get("q"))[:100], asked("state", ("", *STATE_NAMES), "")
    found = wishes.requests(g.db, agency_id=g.agency.agency_id, text=text, state=state, page=page_number())
    return render_template(
        "marketplace/requests.html",
        found=found,
        form=form,
        q=text,
        state=state,
        states=wishes.STATES,
        can_ask=g.actor.can(Permission.INSTALLS_CREATE),
        can_decide=g.actor.can_staff(StaffPermission.ADMINISTER),
    )
