"""The automation screens: the list, one with its steps and runs, its forms, a run, a trial on a past event."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.automations import actions, queries
from app.automations.doing import why, would
from app.automations.forms import AGENCY, AutomationForm
from app.automations.matching import fits
from app.automations.models import Automation, Run
from app.automations.step_views import steps_shown
from app.errors import AppError, NotFound
from app.events.models import Event
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.tenancy.models import Site
from app.web.errors import status_of
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, say_not_done, trigger_toast
from app.webhooks.catalogue import catalogue
from app.webhooks.queries import manifests, sites

bp = Blueprint("automations", __name__)


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
    """The page; for htmx its steps, with the form of ?closing= closed."""
    if is_htmx():
        closing = request.args.get("closing", "")
        return make_response(fragment("automations/_steps.html", closing=closing, **steps_shown(automation)))
    return _shown(automation)


@bp.get("/automations/<public_id:automation_id>/edit")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def edit(automation: Automation) -> Response:
    kept = {**automation.settings, "site": AGENCY}
    return _page("edit", form=_form(AutomationForm(formdata=None, data=kept)), automation=automation)


@bp.post("/automations/<public_id:automation_id>/edit")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def change(automation: Automation) -> Response:
    form = _form(AutomationForm())
    if not form.validate():
        return _page("edit", status=422, form=form, automation=automation)
    seen, before = request.form.get("seen", ""), automation.revision
    try:
        actions.change_automation(g.db, automation=automation, seen=seen, by=g.actor, **form.values())
    except actions.ChangedMeanwhile:
        return _page(
            "edit", status=409, form=form, automation=automation, clash=_differences(form, automation.settings)
        )
    except AppError as error:
        form.take(error)
        return _page("edit", status=status_of(error), form=form, automation=automation)
    _saved("Automation saved", automation, before)
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


@bp.post("/automations/<public_id:automation_id>/undo")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def undo(automation: Automation) -> Response:
    """Take the last change back. ?revision=: of the automation that the button stood beside."""
    revision = request.args.get("revision", "")
    try:
        said = actions.undo(
            g.db, automation=automation, revision=int(revision) if revision.isdecimal() else 0, by=g.actor
        )
        trigger_toast("success", "Taken back", f"{said}.")
    except AppError as error:
        say_not_done(error)
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
    return _page(
        "run",
        run=run,
        automation=automation,
        event=event,
        can_manage=_can_manage(),
        named=_named(),
    )


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
        "named": _named(), "can_manage": _can_manage(), "trial": None, "tried": [],
        "last": queries.last_state(g.db, automation_id=automation.id),
    }  # fmt: skip
    return _page("show", **{**context, **more})


def _named() -> queries.Named:
    return queries.named_in_steps(g.db, agency_id=g.agency.agency_id)


def _differences(form: AutomationForm, now: dict[str, Any]) -> list[tuple[str, str, str]]:
    """[(label, as it is now, as it was typed)] of the fields that differ."""
    return [
        (form[name].label.text, str(value), str(form[name].data))
        for name, value in now.items()
        if form[name].data != value
    ]


def _saved(what: str, automation: Automation, before: int) -> None:
    """A toast with a way back, when something was changed. before: the revision before."""
    undo = url_for(".undo", automation_id=automation.public_id, revision=automation.revision)
    trigger_toast("success", what, undo=undo if automation.revision != before else None)


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
