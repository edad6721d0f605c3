"""The events there are to receive, each with an example body and its JSON Schema: the platform's own, and those of
installed modules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.access.permissions import Role
from app.events.catalog import CATALOG
from app.events.rights import Place, place_of
from app.modules.event_types import module_events
from app.modules.manifest import Manifest
from app.webhooks.message import message
from app.webhooks.patterns import may_receive

SITE, INSTALL = (UUID(f"0199a2c4-5f0e-7c3a-9b1d-2f6e8a7b4c{end}") for end in ("20", "30"))
MOMENT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
Data = dict[str, Any]


def _id(prefix: str) -> str:
    return f"{prefix}_01k6j4arhedgz9p7bjz2m7ph0g"


_VERSION: Data = {"module": "crm", "version": "1.2.0"}
_INSTALLED: Data = {"module": "crm", "site": _id("ste")}
_MOVED: Data = {**_INSTALLED, "from": "1.2.0", "to": "1.3.0"}
_LEAVE: Data = {"module": "crm", "until": "2026-04-01T12:00:00+00:00"}
_WEBHOOK: Data = {"webhook": _id("whk")}
_PAGE: Data = {"title": "Opening hours", "path": "/opening-hours"}
_DOMAIN: Data = {"domain": _id("dom"), "host": "www.example.com"}
_SUPPORT: Data = {"person": "Sam Reyes", "reason": "Bookings fail since Monday", "hours": 4}
_PROJECT: Data = {"project": _id("prj"), "name": "Price list"}
_INBOUND: Data = {"hook": _id("hok"), "name": "orders", "module": "crm"}
_CONNECTION: Data = {"connection": _id("con"), "name": "books", "service": "Ledger Books"}
_AUTOMATION: Data = {"automation": _id("aut"), "name": "Thank who bought"}
EXAMPLES: dict[str, Data] = {
    "agency.created": {"name": "Studio Lumen", "slug": "studio-lumen", "owner": _id("usr")},
    "agency.changed": {"changed": ["currency", "name"]},
    "member.invited": {"email": "mo@example.com", "role": "member"},
    "member.invitation_revoked": {"email": "mo@example.com", "role": "member"},
    "member.joined": {"user": _id("usr"), "role": "member"},
    "member.role_changed": {"role": "admin", "before": "member"},
    "member.removed": {"role": "member"},
    "client.created": {"name": "Harbour Group"},
    "client.changed": {"name": "Harbour Group", "changed": ["contact_email"]},
    "client.archived": {"name": "Harbour Group"},
    "client.restored": {"name": "Harbour Group"},
    "site.created": {"name": "Harbour Dental", "slug": "harbour-dental", "client": _id("cli")},
    "site.changed": {"name": "Harbour Dental", "changed": ["url"]},
    "site.archived": {"name": "Harbour Dental"},
    "site.restored": {"name": "Harbour Dental"},
    "project.created": _PROJECT,
    "project.deleted": _PROJECT,
    "project.restored": _PROJECT,
    "page.created": _PAGE,
    "page.published": {**_PAGE, "version": 3},
    "page.planned": {**_PAGE, "publish_at": "2026-02-01T08:00:00+00:00"},
    "page.unpublished": _PAGE,
    "page.moved": {**_PAGE, "before": "/hours"},
    "page.deleted": _PAGE,
    "page.restored": _PAGE,
    "site.look_changed": {"changed": ["accent"]},
    "site.redirects_changed": {"added": "/old-page.html", "target": "/contact"},
    "module.uploaded": {**_VERSION, "digest": "9f2c" * 16},
    "module.published": {**_VERSION, "digest": "9f2c" * 16},
    "module.tier_changed": {"module": "crm", "tier": "public"},
    "module.draft_deleted": _VERSION,
    "module.yanked": {**_VERSION, "reason": "Confirmations were sent twice."},
    "module.held": {**_VERSION, "score": 45},
    "module.review_passed": _VERSION,
    "module.review_refused": {**_VERSION, "reason": "It sends addresses of visitors to a host that it does not need."},
    "module.settings_changed": {"module": "crm", "settings": ["accent"], "installs": 12, "client": _id("cli")},
    "fleet.run_started": {"run": _id("run"), "kind": "upgrade", "installs": 12},
    "fleet.run_changed": {"run": _id("run"), "status": "paused"},
    "fleet.run_ended": {"run": _id("run"), "status": "done", "done": 11, "failed": 1},
    "fleet.rollout_started": {"rollout": _id("rol"), "module": "crm", "version": "1.3.0", "installs": 12},
    "fleet.rollout_stopped": {
        "rollout": _id("rol"),
        "module": "crm",
        "version": "1.3.0",
        "reason": "Harbour Dental: it failed.",
    },
    "fleet.rollout_changed": {"rollout": _id("rol"), "module": "crm", "version": "1.3.0", "status": "running"},
    "fleet.policy_changed": {"mode": "patch"},
    "install.created": {**_INSTALLED, "version": "1.2.0"},
    "install.activated": {**_INSTALLED, "task": "install"},
    "install.failed": {**_INSTALLED, "task": "upgrade", "reason": "A column could not be made."},
    "install.configured": {**_INSTALLED, "settings": ["accent"]},
    "install.paused": _INSTALLED,
    "entitlement.trial_started": _LEAVE,
    "entitlement.ending": _LEAVE,
    "entitlement.ended": _LEAVE,
    "entitlement.granted": _LEAVE,
    "entitlement.revoked": _LEAVE,
    "install.resumed": _INSTALLED,
    "install.upgraded": _MOVED,
    "install.rolled_back": {**_INSTALLED, "from": "1.3.0", "to": "1.2.0"},
    "install.records_put_back": {**_INSTALLED, "put_back": 40, "left": 2, "refused": 1, "undone": False},
    "install.settled": {**_INSTALLED, "version": "1.3.0", "watched": True},
    "install.removed": {**_INSTALLED, "restorable_until": "2026-03-02T12:00:00+00:00"},
    "install.restored": _INSTALLED,
    "install.bodies_recorded": {**_INSTALLED, "until": "2026-01-31T13:00:00+00:00"},
    "install.bodies_not_recorded": _INSTALLED,
    "install.function_woken": {**_INSTALLED, "function": "capture"},
    "install.role_given": {**_INSTALLED, "user": _id("usr"), "role": "writer"},
    "domain.added": _DOMAIN,
    "domain.changed": _DOMAIN,
    "domain.verified": {**_DOMAIN, "method": "dns"},
    "domain.failing": _DOMAIN,
    "domain.lost": _DOMAIN,
    "domain.removed": _DOMAIN,
    "application.created": {"application": _id("app"), "name": "Ledger"},
    "application.changed": {"application": _id("app"), "name": "Ledger"},
    "application.secret_made": {"application": _id("app"), "name": "Ledger"},
    "application.secret_ended": {"application": _id("app"), "name": "Ledger"},
    "application.deleted": {"application": _id("app"), "name": "Ledger"},
    "access.granted": {"grant": _id("gnt"), "application": "Ledger", "scopes": ["read"]},
    "access.revoked": {"grant": _id("gnt"), "application": "Ledger"},
    "access.token_reused": {"grant": _id("gnt"), "application": "Ledger"},
    "connection.client_changed": _CONNECTION,
    "connection.made": _CONNECTION,
    "connection.broken": _CONNECTION,
    "connection.ended": _CONNECTION,
    "inbound.secret_set": _INBOUND,
    "inbound.secret_ended": _INBOUND,
    "inbound.run_again": {"receipt": _id("rct"), "name": "orders", "module": "crm"},
    "embed_token.created": {"token": _id("emt"), "name": "Members' area"},
    "embed_token.revoked": {"token": _id("emt"), "name": "Members' area"},
    "embed.page_closed": {"page": "contact"},
    "embed.page_opened": {"page": "contact"},
    "key.created": {"key": _id("key"), "name": "Till app", "kind": "secret"},
    "key.revoked": {"key": _id("key"), "name": "Till app"},
    "records.exported": {"table": "deals", "records": 120},
    "records.imported": {"table": "deals", "records": 120},
    "case.made": {"case": _id("cas"), "for": "support"},
    "case.opened": {"case": _id("cas"), "for": "support"},
    "case.revoked": {"case": _id("cas"), "for": "support"},
    "support.switched": {"mode": "ask"},
    "support.asked": _SUPPORT,
    "support.started": _SUPPORT,
    "support.refused": _SUPPORT,
    "support.ended": _SUPPORT,
    "support.viewed": {"person": "Sam Reyes (Dramac support)", "path": "/logs"},
    "webhook.created": _WEBHOOK,
    "webhook.changed": _WEBHOOK,
    "webhook.deleted": _WEBHOOK,
    "webhook.paused": _WEBHOOK,
    "webhook.enabled": _WEBHOOK,
    "webhook.disabled": {**_WEBHOOK, "reason": "failing"},
    "webhook.secret_rotated": _WEBHOOK,
    "webhook.secret_shown": _WEBHOOK,
    "webhook.secret_ended": _WEBHOOK,
    "webhook.reset": _WEBHOOK,
    "webhook.replayed": {
        **_WEBHOOK,
        "to": _id("whk"),
        "since": "2026-01-30T12:00:00+00:00",
        "until": "2026-01-31T12:00:00+00:00",
        "events": 12,
    },
    "automation.created": _AUTOMATION,
    "automation.changed": _AUTOMATION,
    "automation.deleted": _AUTOMATION,
    "automation.switched_on": _AUTOMATION,
    "automation.switched_off": _AUTOMATION,
    "webhook.test": {**_WEBHOOK, "message": "This is a test."},
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PUBLIC_ID = re.compile(r"([a-z]{3})_[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class Offered:
    """One type of event. example: the body of a call; None when the module's own code decides what is in it.

    schema: JSON Schema (2020-12) of the body.
    """

    type: str
    label: str
    example: Data | None
    schema: Data


@dataclass(frozen=True, slots=True)
class Group:
    """Events of one kind of thing, or those of a module. key: its word in addresses; of: the module's name, or none."""

    key: str
    title: str
    of: str | None
    events: list[Offered]

    def matching(self, search: str) -> Group:
        """With the events alone whose type or label has the words. search: in any case, '' for all."""
        words = search.casefold().split()
        found = [one for one in self.events if all(word in f"{one.type} {one.label}".casefold() for word in words)]
        return Group(self.key, self.title, self.of, found)


def catalogue(*, role: Role, modules: Iterable[tuple[str, Manifest]]) -> list[Group]:
    """Everything an endpoint made by this role can get: the platform's events by what they are about, then each module's."""
    kinds: dict[str, list[Offered]] = {}
    for one in platform_events():
        if may_receive(role, one.type, of_module=False):
            kinds.setdefault(one.type.partition(".")[0], []).append(one)
    own = [Group(kind, kind.replace("_", " ").capitalize(), None, found) for kind, found in kinds.items()]
    return own + [Group(f"module-{manifest.slug}", name, name, _of(manifest, role)) for name, manifest in modules]


def platform_events() -> list[Offered]:
    """The platform's own, whoever may receive them."""
    return [platform_event(name) for name in CATALOG]


def platform_event(name: str) -> Offered:
    """One of the platform's own. Raises KeyError."""
    example = _body(name, EXAMPLES[name], place=place_of(name))
    return Offered(name, CATALOG[name].label, example, _schema(name, _like(EXAMPLES[name])))


def _of(manifest: Manifest, role: Role) -> list[Offered]:
    return [
        Offered(
            one.type,
            one.label,
            _body(one.type, one.example) if one.example is not None else None,
            _schema(one.type, one.schema),
        )
        for one in module_events(manifest)
        if may_receive(role, one.type, of_module=True)
    ]


def _schema(event_type: str, data: Data) -> Data:
    """The body around `data`. What is not named may be added later: receivers pass over what they do not know."""
    return {
        "$schema": DIALECT,
        "title": event_type,
        "type": "object",
        "properties": {
            "type": {"const": event_type},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened"},
            "data": data,
            "site": {"type": ["string", "null"], "pattern": "^ste_[0-9a-z]{26}$"},
            "install": {"type": ["string", "null"], "pattern": "^ins_[0-9a-z]{26}$"},
        },
        "required": ["type", "timestamp", "data", "site", "install"],
    }


def _like(example: Any) -> Data:
    """The schema of values such as this one."""
    if isinstance(example, dict):
        return {"type": "object", "properties": {key: _like(value) for key, value in example.items()}}
    if isinstance(example, list):
        return {"type": "array", "items": _like(example[0]) if example else {}}
    if isinstance(example, str) and (found := _PUBLIC_ID.fullmatch(example)):
        return {"type": "string", "pattern": f"^{found[1]}_[0-9a-z]{{26}}$"}
    kinds: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return {"type": kinds[type(example)]} if type(example) in kinds else {}


def data_of(name: str) -> tuple[Data, Data]:
    """The JSON Schema and an example of the data of one of the platform's own. Raises KeyError."""
    return _like(EXAMPLES[name]), EXAMPLES[name]


def _body(event_type: str, data: Data, *, place: Place = "install") -> Data:
    return message(
        event_type=event_type, occurred_at=MOMENT, data=data, site_id=None if place == "agency" else SITE,
        install_id=INSTALL if place == "install" else None,
    )  # fmt: skip
