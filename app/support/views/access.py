"""Support access: the agency's own page of it, and the staff's way to agencies."""

from __future__ import annotations

from typing import cast

from flask import Response, current_app, g, make_response, render_template, request, url_for
from flask_login import current_user

from app.access.permissions import Permission, StaffPermission
from app.config import Config
from app.errors import Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.support.access import actions, queries
from app.support.access.models import HOURS, SupportAccess
from app.support.views.common import bp
from app.tenancy.models import Agency
from app.web.forms import clean, page_number, wrong_fields
from app.web.guard import requires, staff
from app.web.htmx import fragment, is_htmx, respond, trigger_toast

# -- the agency


@bp.get("/support-access")
@requires(Permission.SUPPORT_MANAGE)
def support_access() -> Response:
    """Whether support may look, who does now, who did."""
    return _own_page()


def _own_page(*, wrong: dict[str, list[str]] | None = None, status: int = 200) -> Response:
    now, agency_id = utcnow(), g.agency.agency_id
    rows = [(access, access.state(now)) for access in queries.accesses_of(g.db, agency_id=agency_id)]
    mode = queries.mode_of(g.db, agency_id=agency_id)
    context = {"page": "support_access", "rows": rows, "mode": mode, "wrong": wrong or {}}
    return make_response(render_template("support/access.html", **context), status)


@bp.post("/support-access/switch")
@requires(Permission.SUPPORT_MANAGE)
def switch_support() -> Response:
    mode = clean(request.form.get("mode"))
    try:
        actions.set_switch(g.db, agency_id=g.agency.agency_id, mode=mode, by=g.actor, now=utcnow())
    except Invalid as error:
        return _own_page(wrong=wrong_fields(error), status=422)
    trigger_toast("success", "Support access saved")
    return respond(redirect_to=url_for("support.support_access"))


@bp.post("/support-access/<public_id:access_id>/allow")
@requires(Permission.SUPPORT_MANAGE, access=SupportAccess)
def allow_support(access: SupportAccess) -> Response:
    actions.allow(g.db, access=access, by=g.actor, now=utcnow())
    trigger_toast("success", "Support may look", f"For {access.hours} h; you can end it at any time.")
    return respond(redirect_to=url_for("support.support_access"))


@bp.post("/support-access/<public_id:access_id>/refuse")
@requires(Permission.SUPPORT_MANAGE, access=SupportAccess)
def refuse_support(access: SupportAccess) -> Response:
    actions.refuse(g.db, access=access, by=g.actor, now=utcnow())
    trigger_toast("info", "Support was refused")
    return respond(redirect_to=url_for("support.support_access"))


@bp.post("/support-access/<public_id:access_id>/end")
@requires(Permission.SUPPORT_MANAGE, access=SupportAccess)
def end_support(access: SupportAccess) -> Response:
    actions.end(g.db, access=access, by=g.actor, now=utcnow())
    trigger_toast("success", "Support access ended")
    return respond(redirect_to=url_for("support.support_access"))


# -- the platform's staff


@bp.get("/staff/agencies")
@staff(StaffPermission.SUPPORT)
def staff_agencies() -> Response:
    """Every agency by name, and what the reader may look at now."""
    words, page, now = clean(request.args.get("q"))[:100], page_number(), utcnow()
    found = queries.agencies(g.db, words=words, page=page, now=now)
    context = {"page": "staff_agencies", "found": found, "number": page, "q": words}
    if is_htmx():
        return make_response(fragment("support/_agencies.html", **context))
    own = queries.accesses_by(g.db, staff_id=g.actor.id, now=now)
    return make_response(render_template("support/agencies.html", own=own, **context))


@bp.get("/staff/agencies/<public_id:agency_id>")
@staff(StaffPermission.SUPPORT)
def staff_agency(agency_id: str) -> Response:
    """What staff may know without leave: the name, the switch, former accesses. Here leave is asked for."""
    return _staff_agency(_agency(agency_id))


@bp.post("/staff/agencies/<public_id:agency_id>/ask")
@staff(StaffPermission.SUPPORT)
def ask_support(agency_id: str) -> Response:
    agency = _agency(agency_id)
    config = cast(Config, current_app.config["DRAMAC"])
    given = {name: clean(request.form.get(name)) for name in ("reason", "hours")}
    hours = given["hours"]
    try:
        access = actions.ask(
            g.db, agency_id=agency.id, reason=given["reason"], hours=int(hours) if hours.isdecimal() else 0,
            by=g.actor, keys=config.secret_keys, link=lambda: f"{config.platform_url}/support-access", now=utcnow(),
        )  # fmt: skip
    except Invalid as error:
        return _staff_agency(agency, given=given, wrong=wrong_fields(error), status=422)
    words = "The owners were asked" if access.status == "asked" else "You may look now"
    trigger_toast("success", words, f"{agency.name} has a letter about it.")
    return respond(redirect_to=url_for("support.staff_agency", agency_id=agency.public_id))


@bp.post("/staff/accesses/<public_id:access_id>/enter")
@staff(StaffPermission.SUPPORT)
def enter_agency(access_id: str) -> Response:
    actions.go_in(g.db, access=_access(access_id), session_id=current_user.session_id, by=g.actor, now=utcnow())
    return respond(redirect_to=url_for("tenancy.home"))


@bp.post("/staff/accesses/<public_id:access_id>/end")
@staff(StaffPermission.SUPPORT)
def end_own_access(access_id: str) -> Response:
    access = _access(access_id)
    if access.staff_id != g.actor.id:
        raise NotFound()
    actions.end(g.db, access=access, by=g.actor, now=utcnow())
    actions.go_out(g.db, session_id=current_user.session_id)
    trigger_toast("success", "Support access ended")
    return respond(redirect_to=url_for("support.staff_agencies"))


@bp.post("/staff/leave")
@staff(StaffPermission.SUPPORT)
def leave_agency() -> Response:
    actions.go_out(g.db, session_id=current_user.session_id)
    return respond(redirect_to=url_for("support.staff_agencies"))


def _staff_agency(
    agency: Agency, *, given: dict[str, str] | None = None, wrong: dict[str, list[str]] | None = None, status: int = 200
) -> Response:
    now = utcnow()
    rows = [(access, access.state(now)) for access in queries.accesses_of(g.db, agency_id=agency.id)]
    mode = queries.mode_of(g.db, agency_id=agency.id)
    context = {"page": "staff_agencies", "row": agency, "rows": rows, "mode": mode, "hours": HOURS, "me_id": g.actor.id}
    context |= {"given": given or {"reason": "", "hours": "1"}, "wrong": wrong or {}}
    return make_response(render_template("support/agency.html", **context), status)


def _agency(public_id: str) -> Agency:
    found = g.db.get(Agency, decode("agc", public_id))
    if found is None:
        raise NotFound()
    return cast(Agency, found)


def _access(public_id: str) -> SupportAccess:
    found = g.db.get(SupportAccess, decode("sup", public_id))
    if found is None:
        raise NotFound()
    return cast(SupportAccess, found)
