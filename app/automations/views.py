"""The automation screens: the list, one with its steps and runs, its forms, a run, a trial on a past event."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.automations import actions, queries
from app.automations.doing import why, would
from app.automations.forms import AGENCY, KINDS, AutomationForm, FunctionStep, MailStep, RecordStep, WebhookStep
from app.automations.matching import fits
from app.automations.models import Automation, Run
from app.errors import AppError, NotFound
from app.events.models import Event
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.tenancy.models import Site
from app.web.errors import status_of
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.webhooks.catalogue import catalogue
from app.webhooks.queries import manifests, sites

bp = Blueprint("automations", __name__)

StepForm = MailStep | WebhookStep | FunctionStep | RecordStep


@bp.get("/automations")
@requires(Permission.AUTOMATIONS_VIEW)
def index() -> Response:
    rows = queries.automations(g.db, agency_id=g.agency.agency_id)
    return _page("index", rows=rows, can_manage=_can_manage(), most=queries.MOST)


@bp.get("/automations/new")
@requires(Permission.AUTOMATIONS_MANAGE)
def new() -> Response:
    return _page("edit", form=_form(AutomationForm(formdata=None)), automation=None)


@bp.post("/automations")
@requires(Permission.AUTOMATIONS_MANAGE)
def create() -> Response:
    form = _form(AutomationForm())
    if not form.validate():
        return _page("edit", status=422, form=form, automation=None)
    site = g.db.get_one(Site, form.site_id) if form.site_id else None
    try:
        made = actions.create_automation(g.db, site=site, by=g.actor, now=utcnow(), **form.values())
    except AppError as error:
        form.take(error)
        return _page("edit", status=status_of(error), form=form, automation=None)
    trigger_toast("success", "Automation created", "Add its first step.")
    return _back(made)


@bp.get("/automations/<public_id:automation_id>")
@requires(Permission.AUTOMATIONS_VIEW, automation=Automation)
def show(automation: Automation) -> Response:
    return _shown(automation)


@bp.get("/automations/<public_id:automation_id>/edit")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def edit(automation: Automation) -> Response:
    names = ("name", "event_type", "conditions", "retries", "off_after")
    kept = {**{name: getattr(automation, name) for name in names}, "site": AGENCY}
    return _page("edit", form=_form(AutomationForm(formdata=None, data=kept)), automation=automation)


@bp.post("/automations/<public_id:automation_id>/edit")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def change(automation: Automation) -> Response:
    form = _form(AutomationForm())
    if not form.validate():
        return _page("edit", status=422, form=form, automation=automation)
    try:
        actions.change_automation(g.db, automation=automation, by=g.actor, **form.values())
    except AppError as error:
        form.take(error)
        return _page("edit", status=status_of(error), form=form, automation=automation)
    trigger_toast("success", "Automation saved")
    return _back(automation)


@bp.post("/automations/<public_id:automation_id>/on")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def on(automation: Automation) -> Response:
    actions.switch(g.db, automation=automation, on=True, by=g.actor)
    trigger_toast("success", "Automation on")
    return _back(automation)


@bp.post("/automations/<public_id:automation_id>/off")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def off(automation: Automation) -> Response:
    actions.switch(g.db, automation=automation, on=False, by=g.actor)
    trigger_toast("success", "Automation off")
    return _back(automation)


@bp.post("/automations/<public_id:automation_id>/remove")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def remove(automation: Automation) -> Response:
    actions.delete_automation(g.db, automation=automation, by=g.actor)
    trigger_toast("success", "Automation deleted")
    return respond(redirect_to=url_for(".index"))


@bp.get("/automations/<public_id:automation_id>/step")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def step_form(automation: Automation) -> Response:
    kind = _kind()
    return _page("step", form=_step_form(automation, kind, blank=True), automation=automation, kind=kind, kinds=KINDS)


@bp.post("/automations/<public_id:automation_id>/step")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def add_step(automation: Automation) -> Response:
    kind = _kind()
    form = _step_form(automation, kind)
    if not form.validate():
        return _page("step", status=422, form=form, automation=automation, kind=kind, kinds=KINDS)
    try:
        actions.add_step(g.db, automation=automation, step=form.step(), by=g.actor)
    except AppError as error:
        form.take(error)
        return _page("step", status=status_of(error), form=form, automation=automation, kind=kind, kinds=KINDS)
    trigger_toast("success", "Step added")
    return _back(automation)


@bp.post("/automations/<public_id:automation_id>/step-drop")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def remove_step(automation: Automation) -> Response:
    number = request.form.get("number", "")
    actions.remove_step(
        g.db, automation=automation, number=int(number) if number.isascii() and number.isdigit() else -1, by=g.actor
    )
    trigger_toast("success", "Step removed")
    return _back(automation)


@bp.get("/automations/<public_id:automation_id>/trial")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def trial(automation: Automation) -> Response:
    """What the steps would do for a past event; nothing is done."""
    if "event" not in request.args:
        return _shown(automation)
    event = g.db.get(Event, decode("evt", request.args["event"]))
    if event is None or event.type != automation.event_type or automation.site_id not in (None, event.site_id):
        raise NotFound()
    return _shown(automation, trial=event, tried=_tried(automation, event))


@bp.get("/automation-runs/<public_id:automation_run_id>")
@requires(Permission.AUTOMATIONS_VIEW, automation_run=Run)
def run(automation_run: Run) -> Response:
    run = automation_run
    automation, event = g.db.get_one(Automation, run.automation_id), g.db.get_one(Event, run.event_id)
    return _page("run", run=run, automation=automation, event=event, can_manage=_can_manage(), names=_names(automation))


@bp.post("/automation-runs/<public_id:automation_run_id>/again")
@requires(Permission.AUTOMATIONS_MANAGE, automation_run=Run)
def run_again(automation_run: Run) -> Response:
    actions.run_again(g.db, run=automation_run, now=utcnow())
    trigger_toast("success", "On its way again", "Steps that are done stay done.")
    return respond(redirect_to=url_for(".run", automation_run_id=automation_run.public_id))


def _shown(automation: Automation, **more: Any) -> Response:
    context: dict[str, Any] = {
        "automation": automation, "site": g.db.get(Site, automation.site_id) if automation.site_id else None,
        "runs": queries.runs(g.db, automation_id=automation.id), "past": queries.past_events(g.db, automation),
        "kinds": KINDS, "names": _names(automation), "can_manage": _can_manage(), "trial": None, "tried": [],
    }  # fmt: skip
    return _page("show", **{**context, **more})


def _tried(automation: Automation, event: Event) -> list[tuple[str, str, str]]:
    """[(kind, outcome, words)]: whether the conditions hold, then what each step would do."""
    try:
        if not fits(automation, event, queries.manifest_of(g.db, event.install_id)):
            return [("conditions", "failed", "They do not hold, so nothing would happen.")]
    except AppError as error:
        return [("conditions", "failed", why(error))]
    found = [("conditions", "done", "They hold.")] if automation.conditions.strip() else []
    for step in automation.steps:
        try:
            found.append((step["kind"], "done", would(g.db, automation, step, event)))
        except AppError as error:
            found.append((step["kind"], "failed", why(error)))
    return found


def _names(automation: Automation) -> dict[str, str]:
    """{id: words} of the webhooks and installs that steps name."""
    webhooks = queries.webhooks(g.db, agency_id=automation.agency_id, site_id=None)
    places = queries.places(g.db, agency_id=automation.agency_id, site_id=None)
    return {
        **{str(one.id): one.description or one.url for one in webhooks},
        **{str(one.id): f"{one.module} on {one.site}" for one in places},
    }


def _kind() -> str:
    kind = request.args.get("kind", "mail")
    if kind not in KINDS:
        raise NotFound()
    return kind


def _step_form(automation: Automation, kind: str, *, blank: bool = False) -> StepForm:
    given: dict[str, Any] = {"formdata": None} if blank else {}
    if kind == "mail":
        return MailStep(**given)
    agency_id, site_id = automation.agency_id, automation.site_id
    if kind == "webhook":
        form = WebhookStep(**given)
        form.offer(queries.webhooks(g.db, agency_id=agency_id, site_id=site_id))
        return form
    placed = FunctionStep(**given) if kind == "function" else RecordStep(**given)
    placed.offer(queries.places(g.db, agency_id=agency_id, site_id=site_id))
    return placed


def _form(form: AutomationForm) -> AutomationForm:
    known = manifests(g.db, agency_id=g.agency.agency_id)
    form.offer(sites(g.db, agency_id=g.agency.agency_id), catalogue(role=g.actor.role, modules=known))
    return form


def _page(name: str, /, *, status: int = 200, **context: Any) -> Response:
    return make_response(render_template(f"automations/{name}.html", **context), status)


def _back(automation: Automation) -> Response:
    return respond(redirect_to=url_for(".show", automation_id=automation.public_id))


def _can_manage() -> bool:
    return bool(g.actor.can(Permission.AUTOMATIONS_MANAGE))
