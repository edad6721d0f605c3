"""The agency's own settings."""

from __future__ import annotations

from flask import Response, g, make_response, request, url_for

from app.access.permissions import Permission
from app.errors import Invalid
from app.tenancy.actions.agencies import change_agency, read_logo, remove_logo, set_logo
from app.tenancy.forms import AgencyForm
from app.tenancy.models import Agency
from app.tenancy.views.common import agency_id, bp, show
from app.web.guard import public, requires
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


@bp.post("/settings/logo")
@requires(Permission.AGENCY_MANAGE)
def change_logo() -> Response:
    row, sent = g.db.get_one(Agency, agency_id()), request.files.get("logo")
    try:
        if sent is None or not sent.filename:
            raise Invalid("Choose a picture first.")
        set_logo(g.db, agency=row, content=sent.read(), by=g.actor)
    except Invalid as error:
        form = AgencyForm(formdata=None, obj=row)
        return show("settings", "logo", status=422, page="settings", form=form, row=row, logo_error=error.message)
    trigger_toast("success", "Logo saved")
    return respond(redirect_to=url_for(".settings"))


@bp.post("/settings/logo/remove")
@requires(Permission.AGENCY_MANAGE)
def take_logo_away() -> Response:
    remove_logo(g.db, agency=g.db.get_one(Agency, agency_id()), by=g.actor)
    trigger_toast("success", "Logo removed")
    return respond(redirect_to=url_for(".settings"))


@bp.get("/brand/<digest>.webp")
@public
def logo(digest: str) -> Response:
    """A logo, for whoever sees the sign-in page under the agency's host. Its name says what is in it."""
    answer = make_response(read_logo(digest))
    answer.headers["Content-Type"] = "image/webp"
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer
