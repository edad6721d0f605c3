"""The agency's own settings."""

from __future__ import annotations

from flask import Response, g, url_for

from app.access.permissions import Permission
from app.tenancy.actions.agencies import change_agency
from app.tenancy.forms import AgencyForm
from app.tenancy.models import Agency
from app.tenancy.views.common import agency_id, bp, show
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast


@bp.get("/settings")
@requires(Permission.AGENCY_MANAGE)
def settings() -> Response:
    row = g.db.get_one(Agency, agency_id())
    return show("settings", "settings_form", page="settings", form=AgencyForm(formdata=None, obj=row), row=row)


@bp.post("/settings")
@requires(Permission.AGENCY_MANAGE)
def change_settings() -> Response:
    row = g.db.get_one(Agency, agency_id())
    form = AgencyForm()
    if not form.validate():
        return show("settings", "settings_form", status=422, page="settings", form=form, row=row)
    change_agency(
        g.db,
        agency=row,
        name=form.name.data,
        hue=form.hue.data,
        time_zone=form.time_zone.data,
        currency=form.currency.data,
        by=g.actor,
    )
    trigger_toast("success", "Settings saved")
    return respond(redirect_to=url_for(".settings"))
