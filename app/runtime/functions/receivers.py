"""Functions that hear of events, after commit. Each gets an event once, however often it is handed over."""

from __future__ import annotations

import logging
import time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access.actors import job
from app.events.bus import Receivers
from app.events.models import Event
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.modules.manifest import Manifest
from app.modules.manifest.pages import EventHook
from app.runtime.context import load_install
from app.runtime.functions import account
from app.runtime.functions.run import MAX_DEPTH, AlreadyDone, run_function

log = logging.getLogger(__name__)

PAGE_SENT = "page.was_sent"
"""Told by a form whose page names a function to call afterwards: {page, record}. Not among the events of manifests."""

TTL_S = 5.0
_INSTALL = text("SELECT status, manifest, digest FROM runtime_install(:install)")
_known: dict[UUID, tuple[float, str, Manifest]] = {}
_manifests: dict[str, Manifest] = {}
_MOST = 2000


def members(db: Session, event: Event) -> list[str]:
    """`install/function` of every function that wants the event.

    An event of an install is heard by that install alone: a manifest can name only its own events, and another module of
    the site with an event of the same name must not get these records.
    """
    if event.install_id is None:
        return []
    found = _manifest(db, event.install_id)
    if found is None:
        return []
    if event.type == PAGE_SENT:
        page = found.pages.get(str(event.data.get("page")))
        names = [page.after.call] if page is not None and page.after is not None and page.after.call else []
    else:
        names = [
            name
            for name, function in found.functions.items()
            if isinstance(function.on, EventHook) and function.on.event == event.type
        ]
    return [f"{event.install_id}/{name}" for name in names]


def deliver(db: Session, event: Event, key: str) -> None:
    """Run one function for an event. Raising means again later."""
    install, _, name = key.partition("/")
    context = load_install(UUID(install))
    if name not in context.manifest.functions:
        return  # the install has another version now
    cause = f"{encode('evt', event.id)} {event.type}"
    if event.depth >= MAX_DEPTH:
        _stopped(context, name, event, cause)
        return
    page_sent = event.type == PAGE_SENT
    given: dict[str, Any] = {
        "event": {
            "id": encode("evt", event.id),
            "type": event.type,
            "at": event.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "actor": event.actor,
        },
        "data": event.data,
    }
    if isinstance(event.data.get("record"), dict):
        given["record"] = event.data["record"]
    if "changed" in event.data:
        given["changed"] = event.data["changed"]
    if page_sent:
        given["page"] = event.data.get("page")
    try:
        run_function(
            context,
            name,
            given,
            trigger="page" if page_sent else "event",
            cause=cause,
            actor=job(f"{context.module_slug}.{name}", agency_id=context.agency_id),
            depth=event.depth + 1,
            request_id=event.request_id,
            once=f"event:{event.id}:{name}",
        )
    except AlreadyDone:
        return


def _stopped(context: Any, name: str, event: Event, cause: str) -> None:
    message = f"stopped: events that functions cause may follow each other {MAX_DEPTH} deep"
    run = account.Run(name, "event", cause, event.request_id, "budget", message, utcnow())
    account.keep(context, [run])


def _manifest(db: Session, install_id: UUID) -> Manifest | None:
    """The manifest of an install that hears events, kept for 5 s. A paused install hears none."""
    kept = _known.get(install_id)
    if kept is None or kept[0] < time.monotonic():
        row = db.execute(_INSTALL, {"install": install_id}).first()
        if row is None:
            return None
        manifest = _manifests.get(row.digest)
        if manifest is None:
            manifest = _manifests[row.digest] = Manifest.from_dict(row.manifest)
        if len(_known) >= _MOST:
            _known.clear()
            _manifests.clear()
        kept = _known[install_id] = (time.monotonic() + TTL_S, row.status, manifest)
    return kept[2] if kept[1] in ("active", "provisioning", "failed") else None


FUNCTIONS = Receivers(members, deliver)
