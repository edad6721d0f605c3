"""The steps of an automation: adding one, changing it where it stands, moving and removing it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.automations import actions, queries
from app.automations.forms import KINDS, FunctionStep, MailStep, RecordStep, WebhookStep
from app.automations.models import Automation
from app.automations.steps import Step, seen_of
from app.errors import AppError, NotFound
from app.web.errors import status_of
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, say_not_done, trigger_toast

bp = Blueprint("automation_steps", __name__)

StepForm = MailStep | WebhookStep | FunctionStep | RecordStep
FORMS: dict[str, type[StepForm]] = {
    "mail": MailStep, "webhook": WebhookStep, "function": FunctionStep, "record": RecordStep,
}  # fmt: skip


@bp.get("/automations/<public_id:automation_id>/step")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def new(automation: Automation) -> Response:
    kind = request.args.get("kind", "mail")
    return _new(automation, kind, _form(automation, kind, formdata=None))


@bp.post("/automations/<public_id:automation_id>/step")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def add(automation: Automation) -> Response:
    kind = request.args.get("kind", "mail")
    form = _form(automation, kind)
    if not form.validate():
        return _new(automation, kind, form, 422)
    try:
        step_id = actions.add_step(g.db, automation=automation, step=form.step(), by=g.actor)
    except AppError as error:
        form.take(error)
        return _new(automation, kind, form, status_of(error))
    trigger_toast("success", "Step added", undo=_undo(automation))
    return _back(automation, step_id)


@bp.get("/automations/<public_id:automation_id>/step-edit")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def edit(automation: Automation) -> Response:
    """The form of ?step=…: in the step's place for htmx, else on a page of its own."""
    if "step" not in request.args:
        return _back(automation)
    step = _step(automation)
    form = _form(automation, step["kind"], step, formdata=None, data=FORMS[step["kind"]].filled_from(step))
    return _edited(automation, step, form)


@bp.post("/automations/<public_id:automation_id>/step-edit")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def change(automation: Automation) -> Response:
    """Keep what was typed. Whatever stands against it, the form comes again as it was filled in."""
    if "step" not in request.args:
        return _back(automation)
    try:
        step = _step(automation)
    except NotFound:
        return _gone(automation)
    form = _form(automation, step["kind"], step)
    if not form.validate():
        return _edited(automation, step, form, 422)
    before = automation.revision
    try:
        actions.change_step(
            g.db,
            automation=automation,
            step_id=step["id"],
            seen=request.form.get("seen", ""),
            step=form.step(),
            by=g.actor,
        )
    except actions.ChangedMeanwhile:
        step = _step(automation)
        return _edited(automation, step, form, 409, clash=_differences(form, step))
    except AppError as error:
        form.take(error)
        return _edited(automation, step, form, status_of(error))
    trigger_toast("success", "Step saved", undo=_undo(automation) if automation.revision != before else None)
    answer = _steps(automation, closing=step["id"])
    answer.headers.update({"HX-Retarget": "#steps", "HX-Reswap": "outerMorph"})
    return answer


@bp.post("/automations/<public_id:automation_id>/step-move")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def move(automation: Automation) -> Response:
    """step: to before the one of `before`, or to the end."""
    try:
        actions.move_step(
            g.db, automation=automation, step_id=request.form.get("step", ""), before=request.form.get("before", ""),
            by=g.actor,
        )  # fmt: skip
    except AppError as error:
        say_not_done(error)
    return _steps(automation)


@bp.post("/automations/<public_id:automation_id>/step-drop")
@requires(Permission.AUTOMATIONS_MANAGE, automation=Automation)
def remove(automation: Automation) -> Response:
    try:
        actions.remove_step(g.db, automation=automation, step_id=request.form.get("step", ""), by=g.actor)
        trigger_toast("success", "Step removed", undo=_undo(automation))
    except AppError as error:
        say_not_done(error)
    return _steps(automation) if automation.steps else _back(automation)


def _steps(automation: Automation, *, closing: str = "") -> Response:
    """The list for htmx, so that the keyboard stays where it was; the page for a plain browser."""
    where = url_for("automations.show", automation_id=automation.public_id)
    return respond(
        fragment="automations/_steps.html", redirect_to=f"{where}#step-{closing}" if closing else where,
        closing=closing, **steps_shown(automation),
    )  # fmt: skip


def steps_shown(automation: Automation) -> dict[str, Any]:
    """What the list of steps needs."""
    return {
        "automation": automation, "named": queries.named_in_steps(g.db, agency_id=automation.agency_id),
        "can_manage": bool(g.actor.can(Permission.AUTOMATIONS_MANAGE)),
        "last": queries.last_state(g.db, automation_id=automation.id),
    }  # fmt: skip


def _step(automation: Automation) -> Step:
    wanted = request.args.get("step", "")
    for step in automation.steps:
        if step["id"] == wanted:
            return step
    raise NotFound()


def _form(automation: Automation, kind: str, step: Step | None = None, **given: Any) -> StepForm:
    """The form of a kind with what can be chosen. Several can stand on one page, so its ids carry the step's."""
    if kind not in FORMS:
        raise NotFound()
    form = FORMS[kind](**given)
    agency_id, site_id = automation.agency_id, automation.site_id
    if isinstance(form, WebhookStep):
        form.offer(queries.webhooks(g.db, agency_id=agency_id, site_id=site_id))
    elif isinstance(form, FunctionStep | RecordStep):
        form.offer(queries.places(g.db, agency_id=agency_id, site_id=site_id))
    if step is not None:
        for one in form:
            one.id = f"{one.id}-{step['id']}"
            one.label.field_id = one.id
    return form


def _differences(form: StepForm, step: Step) -> list[tuple[str, str, str]]:
    """[(label, as it is now, as it was typed)] of the fields that differ."""
    now = FORMS[step["kind"]].filled_from(step)
    return [
        (form[name].label.text, _shown(form[name], value), _shown(form[name], form[name].data))
        for name, value in now.items()
        if form[name].data != value
    ]


def _shown(field: Any, value: Any) -> str:
    """The words of a choice, the text of anything else."""
    return str({one.value: one.label for one in getattr(field, "choices", None) or ()}.get(value, value))


def _new(automation: Automation, kind: str, form: StepForm, status: int = 200) -> Response:
    page = render_template("automations/step.html", form=form, automation=automation, kind=kind, kinds=KINDS, step=None)
    return make_response(page, status)


def _edited(
    automation: Automation, step: Step, form: StepForm, status: int = 200, clash: list[tuple[str, str, str]] | None = None
) -> Response:  # fmt: skip
    parts = {
        "form": form, "automation": automation, "kind": step["kind"], "step": step, "seen": seen_of(step),
        "clash": clash, "place": automation.steps.index(step) + 1,
    }  # fmt: skip
    if is_htmx():
        return make_response(fragment("automations/_step_edit.html", **parts), status)
    return make_response(render_template("automations/step.html", kinds=KINDS, **parts), status)


def _gone(automation: Automation) -> Response:
    """The form of a step that somebody has taken away: what was typed can be kept as a new step."""
    kind = request.form.get("kind", "mail")
    form = _form(automation, kind)
    form.form_errors.append(f"{actions.StepGone().message} Add step keeps what you typed as a new one.")
    answer = _new(automation, kind, form, 409)
    answer.headers.update({"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML"})
    return answer


def _undo(automation: Automation) -> str:
    return url_for("automations.undo", automation_id=automation.public_id, revision=automation.revision)


def _back(automation: Automation, step_id: str = "") -> Response:
    where = url_for("automations.show", automation_id=automation.public_id)
    return respond(redirect_to=f"{where}#step-{step_id}" if step_id else where)
