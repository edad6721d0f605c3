"""From a failure on the platform's own pages to the agency it is of: staff say why, and only then learn whose it is."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from flask import Response, current_app, g, make_response, render_template, request, url_for

from app.access.permissions import StaffPermission
from app.config import Config
from app.errors import Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.queue.models import JobRun
from app.support.access import actions
from app.support.access.actions import AlreadyAsked
from app.support.queries import agency_of_failure
from app.support.views.common import bp
from app.web.forms import clean, wrong_fields
from app.web.guard import staff
from app.web.htmx import respond, trigger_toast


@bp.get("/staff/failures/<public_id:failure_id>/reason")
@staff(StaffPermission.SUPPORT)
def failure_reason(failure_id: str) -> Response:
    _agency_of_failure(failure_id)
    return _page()


@bp.post("/staff/failures/<public_id:failure_id>/reason")
@staff(StaffPermission.SUPPORT)
def give_failure_reason(failure_id: str) -> Response:
    return _ask(_agency_of_failure(failure_id))


@bp.get("/staff/jobs/<public_id:run_id>/reason")
@staff(StaffPermission.SUPPORT)
def job_reason(run_id: str) -> Response:
    _agency_of_job(run_id)
    return _page()


@bp.post("/staff/jobs/<public_id:run_id>/reason")
@staff(StaffPermission.SUPPORT)
def give_job_reason(run_id: str) -> Response:
    return _ask(_agency_of_job(run_id))


def _ask(agency_id: UUID) -> Response:
    """Ask the agency, by whose page the rest goes on; who has asked already is led there."""
    config = cast(Config, current_app.config["DRAMAC"])
    given = {name: clean(request.form.get(name)) for name in ("reason", "hours")}
    hours = given["hours"]
    try:
        access = actions.ask(
            g.db, agency_id=agency_id, reason=given["reason"], hours=int(hours) if hours.isdecimal() else 0,
            by=g.actor, keys=config.secret_keys, link=lambda: f"{config.platform_url}/support-access", now=utcnow(),
        )  # fmt: skip
    except Invalid as error:
        return _page(given=given, wrong=wrong_fields(error), status=422)
    except AlreadyAsked as error:
        trigger_toast("info", "Nothing was asked", error.message)
    else:
        words = "The owners were asked" if access.status == "asked" else "You may look now"
        trigger_toast("success", words, "They have a letter about it.")
    return respond(redirect_to=url_for("support.staff_agency", agency_id=encode("agc", agency_id)))


def _page(
    *, given: dict[str, str] | None = None, wrong: dict[str, list[str]] | None = None, status: int = 200
) -> Response:
    context = {"page": "staff_failures", "given": given or {"reason": "", "hours": "1"}, "wrong": wrong or {}}
    return make_response(render_template("support/reason.html", action=request.path, **context), status)


def _agency_of_failure(public_id: str) -> UUID:
    found = agency_of_failure(g.db, failure_id=decode("flr", public_id))
    if found is None:
        raise NotFound()
    return found


def _agency_of_job(public_id: str) -> UUID:
    run = g.db.get(JobRun, decode("job", public_id))
    if run is None or run.agency_id is None:
        raise NotFound()
    return cast(UUID, run.agency_id)
