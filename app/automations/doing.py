"""What each kind of step does, and what it would do. A step that may not or cannot raises AppError with the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.automations import recording
from app.automations.models import Automation
from app.automations.setup import current_keys
from app.automations.steps import Step, at_path, filled, values_of
from app.errors import AppError, Conflict, Forbidden, Invalid, NotFound
from app.events.models import Event
from app.installs.models import Install
from app.lib.clock import utcnow
from app.mail.actions import post
from app.mail.models import Mail
from app.runtime.context import load_install
from app.runtime.functions.run import AlreadyDone, run_function
from app.runtime.validation.problems import Wrong
from app.runtime.validation.texts import email
from app.tenancy.recipients import MANAGERS, OWNERS, recipients
from app.webhooks.models import Webhook
from app.webhooks.replaying import may_get, send_event

KIND = "automation"
DAILY_LETTERS = 500  # of an agency's automations within 24 hours
MOST_RECIPIENTS = 50
_ROLES = {"owners": OWNERS, "managers": MANAGERS}


class LettersUsedUp(Conflict):
    """Automations of this agency have sent their 500 letters of the last 24 hours."""


class WebhookClosed(Forbidden):
    """This webhook is off, of another site, or its role may not see such events."""


def mail(db: Session, automation: Automation, step: Step, event: Event) -> str:
    """Post the letters in this transaction; says to whom."""
    addresses, subject, body = letter(db, automation, step, event)
    _within_limit(db, event, len(addresses))
    for recipient in addresses:
        post(
            db, keys=current_keys(), kind=KIND, recipient=recipient, subject=subject, text=body,
            agency_id=event.agency_id, site_id=event.site_id,
        )  # fmt: skip
    return f"to {', '.join(addresses)}"


def letter(db: Session, automation: Automation, step: Step, event: Event) -> tuple[list[str], str, str]:
    """(addresses, subject, text) of a mail step. Raises Invalid when the event has no address at its path."""
    values = values_of(event)
    if step["to"] == "event":
        try:
            address = email(at_path(step["path"], values) or "")
        except Wrong as error:
            raise Invalid(f"{step['path']} {error}.") from None
        if not address:
            raise Invalid(f"The event has no address at {step['path']}.")
        addresses = [address]
    else:
        members = recipients(db, agency_id=automation.agency_id, roles=_ROLES[step["to"]])
        addresses = [one.email for one in members[:MOST_RECIPIENTS]]
    return addresses, filled(step["subject"], values) or automation.name, filled(step["text"], values)


def webhook(db: Session, automation: Automation, step: Step, event: Event) -> str:
    """A delivery of this event to the endpoint, whatever its patterns; at most one, as of any event."""
    endpoint = endpoint_of(db, step)
    if not send_event(db, webhook=endpoint, event=event, now=utcnow()):
        raise WebhookClosed()
    return f"to {endpoint.url}"


def endpoint_of(db: Session, step: Step) -> Webhook:
    found = db.get(Webhook, UUID(step["webhook"]))
    if found is None:
        raise NotFound("The webhook is not there any more.")
    return found


def function(automation: Automation, step: Step, event: Event, once: str) -> str:
    """Run the function in its own transaction, which also keeps that it was done."""
    context = load_install(UUID(step["install"]))
    given: dict[str, Any] = {"event": values_of(event)["event"], "data": event.data}
    for name in ("record", "changed"):
        if name in event.data:
            given[name] = event.data[name]
    try:
        run_function(
            context, step["function"], given, trigger="event", cause=f"{automation.public_id} {event.public_id}",
            actor=automation.actor, depth=event.depth + 1, request_id=event.request_id, once=once,
        )  # fmt: skip
    except AlreadyDone:
        return "was done before"
    return f"{context.module_name}: {step['function']}"


def would(db: Session, automation: Automation, step: Step, event: Event) -> str:
    """What the step would do for this event, doing nothing. Raises as the step itself; a function is not called."""
    if step["kind"] == "mail":
        addresses, subject, body = letter(db, automation, step, event)
        _within_limit(db, event, len(addresses))
        return f"To {', '.join(addresses)}\n{subject}\n\n{body}"
    if step["kind"] == "webhook":
        endpoint = endpoint_of(db, step)
        if not may_get(endpoint, event):
            raise WebhookClosed()
        return f"To {endpoint.url}"
    install = db.get(Install, UUID(step["install"]))
    if install is None or install.status != "active":
        raise NotFound("The module is not active there.")
    if step["kind"] == "record":
        return recording.rehearse(automation, step, event)
    context = load_install(install.id)
    if step["function"] not in context.manifest.functions:
        raise NotFound(f"{context.module_name} has no function {step['function']} any more.")
    return f"{context.module_name}: {step['function']}"


def why(error: AppError) -> str:
    """What a step that failed says: each wrong field once."""
    if isinstance(error, Invalid) and error.errors:
        said = (f"{one.pointer.lstrip('/')}: {one.detail}" if one.pointer else one.detail for one in error.errors)
        return "; ".join(dict.fromkeys(said))
    return error.message


def _within_limit(db: Session, event: Event, letters: int) -> None:
    since = utcnow() - timedelta(days=1)
    query = select(func.count()).where(Mail.agency_id == event.agency_id, Mail.kind == KIND, Mail.created_at > since)
    if (db.scalar(query) or 0) + letters > DAILY_LETTERS:
        raise LettersUsedUp()


IN_TRANSACTION: dict[str, Callable[[Session, Automation, Step, Event], str]] = {"mail": mail, "webhook": webhook}
BESIDE: dict[str, Callable[[Automation, Step, Event, str], str]] = {"function": function, "record": recording.record}
"""These work in the module's own transaction and are kept there under a key, so that none happens twice."""
