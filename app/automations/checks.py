"""Whether what people say of an automation makes sense, against what the agency really has."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.access.permissions import Permission
from app.automations import queries
from app.automations.fields import check_values
from app.automations.finding import ByName
from app.automations.matching import condition_of
from app.automations.models import Automation
from app.automations.steps import Step, check_path
from app.errors import Forbidden, Invalid
from app.lib.clock import utcnow
from app.runtime.validation.problems import Facts
from app.webhooks.catalogue import catalogue
from app.webhooks.queries import manifests
from app.workspace.forms.raw import Place as Amounts


def check_event(db: Session, *, event_type: str, conditions: str, by: Actor) -> None:
    """Raises Invalid with an error on event_type or conditions."""
    assert by.role is not None
    assert by.agency_id is not None
    known = manifests(db, agency_id=by.agency_id)
    offered = {one.type for group in catalogue(role=by.role, modules=known) for one in group.events}
    if event_type not in offered:
        raise Invalid.field("event_type", "Choose an event of the list.")
    if conditions.strip():
        try:
            condition_of(conditions, event_type, [manifest for _, manifest in known])
        except Invalid as error:
            raise Invalid.field("conditions", error.message) from error


def checked_step(db: Session, automation: Automation, step: Step, *, by: Actor) -> Step:
    """The step as it is kept: with what its texts name. Raises Invalid with errors on its form's fields, Forbidden."""
    if step["kind"] == "mail" and step["to"] == "event":
        check_path(step["path"], "path")
    if step["kind"] == "webhook":
        offered = queries.webhooks(db, agency_id=automation.agency_id, site_id=automation.site_id)
        if step["webhook"] not in {str(one.id) for one in offered}:
            raise Invalid.field("webhook", "Choose a webhook of the list.")
    if step["kind"] in ("function", "record"):
        if not by.can(Permission.RECORDS_EDIT):
            raise Forbidden()
        return _checked_place(db, automation, step, by=by)
    return step


def _checked_place(db: Session, automation: Automation, step: Step, *, by: Actor) -> Step:
    offered = queries.places(db, agency_id=automation.agency_id, site_id=automation.site_id)
    place = next((one for one in offered if str(one.id) == step["install"]), None)
    if place is None:
        raise Invalid.field("target", "Choose one of the list.")
    if step["kind"] == "function":
        if step["function"] not in place.manifest.functions:
            raise Invalid.field("target", "Choose one of the list.")
        return step
    table = place.manifest.tables.get(step["table"])
    if table is None:
        raise Invalid.field("target", "Choose one of the list.")
    if unknown := sorted(step["values"].keys() - table.fields.keys()):
        raise Invalid.field("values", f"{step['table']} has no field {unknown[0]}; it has {', '.join(table.fields)}.")
    if step["act"] == "change":
        check_path(step["path"], "path")
    facts = Facts(utcnow(), place.locale, place.time_zone)
    return check_values(step, table, Amounts(place.currency, place.time_zone), facts, ByName(db, place, by))
