"""What the frame around signed-in pages shows: places to go, the person, their agencies.

Everything is worked out only when a template asks for it, so fragments cost nothing. Which things are counted is handed
in by the composition root: this package knows no tables.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, url_for
from flask_login import current_user
from redis import RedisError
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from app.access.permissions import STAFF_PERMISSIONS, Permission, StaffPermission
from app.db.base import db
from app.db.scope import current_scope
from app.db.session import after_commit, transaction
from app.queue.enqueue import redis
from app.web.filters import hue_of, initials

log = logging.getLogger(__name__)

COUNTS_S = 10
Counts = Callable[[Session], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the sidebar. It is shown when its endpoint exists and the person may go there. go: the key after G."""

    key: str
    label: str
    icon: str
    endpoint: str
    permission: Permission | StaffPermission | None = None
    go: str | None = None


@dataclass(frozen=True, slots=True)
class Drawer:
    """A group of places that come from the agency's own things, after the first group. items: (session, agency id) to
    [{key, label, icon, url}]; kept as long as the counters.
    """

    label: str
    permission: Permission
    items: Callable[[Session, UUID], list[dict[str, Any]]]


GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Workspace",
        (
            Place("home", "Home", "house", "tenancy.home", Permission.AGENCY_VIEW, "h"),
            Place("sites", "Sites", "globe", "tenancy.sites", Permission.SITES_VIEW, "s"),
            Place("clients", "Clients", "briefcase", "tenancy.clients", Permission.CLIENTS_VIEW, "c"),
        ),
    ),
    (
        "Modules",
        (
            Place("marketplace", "Marketplace", "store", "marketplace.index", Permission.MARKETPLACE_VIEW, "m"),
            Place("installs", "Installed", "package", "installs.index", Permission.INSTALLS_VIEW, "i"),
            Place("fleet", "Fleet", "layout-grid", "fleet.index", Permission.INSTALLS_VIEW, "f"),
            Place("studio", "Module Studio", "code", "studio.index", Permission.MODULES_VIEW, "u"),
            Place("analytics", "Analytics", "chart-line", "analytics.index", Permission.ANALYTICS_VIEW, "y"),
        ),
    ),
    (
        "Agency",
        (
            Place("members", "Members", "users", "tenancy.members", Permission.MEMBERS_VIEW, "p"),
            Place("domains", "Domains", "globe-lock", "domains.index", Permission.DOMAINS_VIEW, "d"),
            Place("keys", "API keys", "key-round", "gateway.keys", Permission.KEYS_VIEW, "k"),
            Place("webhooks", "Webhooks", "webhook", "webhooks.index", Permission.WEBHOOKS_VIEW, "w"),
            Place("applications", "Applications", "puzzle", "oauth.applications", Permission.KEYS_VIEW),
            Place("connections", "Connected apps", "plug", "oauth.connections", Permission.SITES_VIEW),
            Place("automations", "Automations", "workflow", "automations.index", Permission.AUTOMATIONS_VIEW, "o"),
            Place("logs", "Logs", "scroll-text", "support.logs", Permission.LOGS_VIEW, "l"),
            Place("audit", "Audit trail", "list-checks", "support.audit", Permission.AUDIT_VIEW, "a"),
            Place("support_access", "Support access", "life-buoy", "support.support_access", Permission.SUPPORT_MANAGE),
            Place("settings", "Settings", "settings", "tenancy.settings", Permission.AGENCY_MANAGE, "t"),
        ),
    ),
    (
        "Platform",
        (
            Place("staff_agencies", "Agencies", "building-2", "support.staff_agencies", StaffPermission.SUPPORT),
            Place("staff_releases", "Releases to review", "shield-check", "review.queue", StaffPermission.ADMINISTER),
            Place("staff_queue", "Queue and workers", "server", "support.staff_queue", StaffPermission.SUPPORT),
            Place("staff_failures", "Failures", "bug", "support.staff_failures", StaffPermission.SUPPORT),
        ),
    ),
    (
        "Development",
        (Place("mailbox", "Mailbox", "inbox", "support.mailbox", None, "b"),),
    ),
)


def url_if(endpoint: str, **values: Any) -> str | None:
    """The address of a screen where this application has it, else None: parts are linked only when they are there."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def register_navigation(app: Flask, counts: Counts, drawer: Drawer | None = None) -> None:
    """Give templates nav, me, agency, agencies, the addresses of the frame, and url_if. counts: {place key: how many}."""
    app.jinja_env.globals["url_if"] = url_if

    @app.context_processor
    def frame() -> dict[str, Any]:
        return {
            "nav": LocalProxy(lambda: _once("nav", lambda: _navigation(counts, drawer))),
            "me": LocalProxy(lambda: _once("me", _me)),
            "agency": LocalProxy(lambda: _once("agency", _agency)),
            "agencies": LocalProxy(lambda: _once("agencies", _agencies)),
            "home_url": "/",
            "switch_url": url_for("accounts.switch_agency"),
            "account_url": url_for("accounts.account"),
            "signout_url": url_for("accounts.sign_out"),
            "theme_url": url_for("accounts.theme"),
            "palette_url": url_for("tenancy.palette") if "tenancy.palette" in app.view_functions else None,
        }


def _once(name: str, make: Callable[[], Any]) -> Any:
    made = g.setdefault("frame", {})
    if name not in made:
        made[name] = make()
    return made[name]


def _me() -> dict[str, Any]:
    return {
        "name": current_user.name,
        "email": current_user.email,
        "initials": initials(current_user.name),
        "hue": hue_of(current_user.name),
    }


def _agency() -> dict[str, Any]:
    current = current_user.current
    if current is None:
        return {"name": "Dramac", "hue": 1, "initials": "D", "note": "No agency", "support": "", "visit": None}
    return {
        "support": current.support if Permission.SUPPORT_MANAGE in current.permissions else "",
        "visit": current.visit,
        "name": current.agency_name,
        "hue": current.hue,
        "initials": initials(current.agency_name),
        "note": "Suspended" if current.suspended else "Support access" if current.visit else current.role.label,
    }


def _agencies() -> list[dict[str, Any]]:
    current = current_user.current
    return [
        {
            "id": agency.public_id,
            "name": agency.agency_name,
            "hue": agency.hue,
            "initials": initials(agency.agency_name),
            "current": current is not None and agency.agency_id == current.agency_id,
            "suspended": agency.suspended,
        }
        for agency in current_user.memberships
    ]


def _navigation(counts: Counts, drawer: Drawer | None) -> list[dict[str, Any]]:
    membership = current_user.membership
    allowed = membership.permissions if membership is not None else frozenset()
    of_staff = STAFF_PERMISSIONS.get(current_user.staff_role or "", frozenset())
    kept = _kept(counts, drawer, membership.agency_id) if membership is not None else {"counts": {}, "items": []}
    numbers = kept["counts"]
    groups: list[dict[str, Any]] = []
    for label, places in GROUPS:
        items = [
            {
                "key": place.key,
                "label": place.label,
                "icon": place.icon,
                "url": url_for(place.endpoint),
                "count": numbers.get(place.key),
                "go": place.go,
            }
            for place in places
            if place.endpoint in current_app.view_functions
            and (place.permission is None or place.permission in allowed or place.permission in of_staff)
        ]
        if items:
            groups.append({"label": label, "items": items})
    if drawer is not None and membership is not None and kept["items"] and drawer.permission in allowed:
        groups.insert(1, {"label": drawer.label, "items": kept["items"]})
    return groups


def _kept(counts: Counts, drawer: Drawer | None, agency_id: UUID) -> dict[str, Any]:
    """The agency's counters and drawer, at most 10 s old."""
    key = f"dramac:nav:{agency_id}"
    try:
        kept = redis().get(key)
        if kept:
            found: dict[str, Any] = json.loads(kept)  # type: ignore[arg-type]  # the client is synchronous
            return found
        made = _made(counts, drawer, agency_id)
        redis().set(key, json.dumps(made), ex=COUNTS_S)
    except RedisError as error:
        log.warning("counters are not cached: %s", error)
        return _made(counts, drawer, agency_id)
    return made


def _made(counts: Counts, drawer: Drawer | None, agency_id: UUID) -> dict[str, Any]:
    if current_scope().agency_id == agency_id and "db" in g:
        return _read(counts, drawer, g.db, agency_id)
    # the account page runs in the person's own scope, where an agency's rows are not to be seen
    with current_user.membership.scope(current_user.id), transaction(db.session.session_factory()) as session:
        return _read(counts, drawer, session, agency_id)


def _read(counts: Counts, drawer: Drawer | None, session: Session, agency_id: UUID) -> dict[str, Any]:
    return {"counts": counts(session), "items": drawer.items(session, agency_id) if drawer else []}


def forget_counts(session: Session, agency_id: UUID) -> None:
    """Count anew once this transaction is in the database: for views that add or remove what is counted."""
    after_commit(session, lambda: _forget(agency_id))


def _forget(agency_id: UUID) -> None:
    try:
        redis().delete(f"dramac:nav:{agency_id}")
    except RedisError as error:
        log.warning("counters are not forgotten: %s", error)
