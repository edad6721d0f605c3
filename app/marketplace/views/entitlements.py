"""Who may use modules that have a price: what platform staff give and take back."""

from __future__ import annotations

from datetime import UTC, datetime, time

from flask import Response, g, render_template, request, url_for

from app.access.permissions import StaffPermission
from app.errors import AppError, NotFound
from app.installs.entitlement.actions import grant, revoke
from app.installs.entitlement.models import Leave
from app.installs.entitlement.queries import leaves
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.marketplace.forms import GrantForm
from app.marketplace.views.common import bp
from app.web.forms import clean
from app.web.guard import staff
from app.web.htmx import respond, trigger_toast

WHERE = "/staff/marketplace/entitlements"


@bp.get(WHERE)
@staff(StaffPermission.ADMINISTER)
def entitlements() -> str:
    return _page(GrantForm(formdata=None))


@bp.post(WHERE)
@staff(StaffPermission.ADMINISTER)
def give() -> Response | tuple[str, int]:
    form = GrantForm()
    if not form.validate():
        return _page(form), 422
    last = form.ends_on.data
    try:
        grant(
            g.db, agency_slug=form.agency.data, module_slug=form.module.data, note=form.note.data, by=g.actor, now=utcnow(),
            ends_at=datetime.combine(last, time(23, 59, 59), UTC) if last else None,
        )  # fmt: skip
    except AppError as error:
        form.take(error)
        return _page(form), 422
    trigger_toast("success", "Given", "It holds at once.")
    return respond(redirect_to=url_for(".entitlements"))


@bp.post(f"{WHERE}/revoke")
@staff(StaffPermission.ADMINISTER)
def take_back() -> Response:
    found = g.db.get(Leave, decode("ent", request.form.get("leave", "")))
    if found is None or found.revoked_at is not None:
        raise NotFound()
    revoke(g.db, leave=found, by=g.actor, now=utcnow())
    trigger_toast("success", "Taken back", "The module rests on the agency's sites; its records stay.")
    return respond(redirect_to=url_for(".entitlements"))


def _page(form: GrantForm) -> str:
    text, now = clean(request.args.get("q"))[:100], utcnow()
    return render_template(
        "marketplace/entitlements.html", rows=leaves(g.db, text=text, now=now), form=form, q=text, now=now
    )
