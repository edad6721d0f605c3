"""What stands in a case bundle: versions, settings without secrets, figures, last errors and log; no people."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.installs.inheritance import resolve, site_level
from app.installs.levels import levels_of_site
from app.installs.models import Install
from app.lib.clock import rfc3339
from app.lib.redact import GONE, redact
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.support.health import breakers, health
from app.support.timeline import KINDS, Line, LogFilter, log_page
from app.tenancy.models import Agency, Site
from app.version import VERSION

FORMAT = 1
LAST_ERRORS = 50
LAST_LINES = 200
KIND_OF_PEOPLE = ("sign_in", "audit")

_EMAIL = re.compile(r"[^\s@<>\"',;]+@[^\s@<>\"',;]+\.[^\s@<>\"',;]+")
_OF_PEOPLE = frozenset({"ip", "user_agent", "recipient", "actor", "actor_name", "settled_by"})


def collect(db: Session, *, install: Install, now: datetime) -> dict[str, Any]:
    """Everything of one install that helps to look into a fault, as JSON. Needs the agency's scope."""
    agency, site = db.get_one(Agency, install.agency_id), db.get_one(Site, install.site_id)
    module = db.get_one(Module, install.module_id)
    figures = health(db, agency_id=agency.id, install_id=install.id, since=now - timedelta(days=1))
    return {
        "format": FORMAT,
        "made_at": rfc3339(now),
        "platform": VERSION,
        "agency": {"id": agency.public_id, "name": agency.name},
        "site": {
            "id": site.public_id, "name": site.name, "time_zone": site.time_zone, "locale": site.locale,
            "currency": site.currency, "archived": site.archived_at is not None,
        },
        "module": {"slug": module.slug, "name": module.name, "short_id": module.short_id},
        "install": _install(db, install),
        "settings": _settings(db, install),
        "settings_from_above": _from_above(db, install, site),
        "health_24_h": _plain(asdict(figures)),
        "webhooks_in_trouble": [
            {"id": one.public_id, "state": one.state, "failures": one.failures}
            for one in breakers(db, agency_id=agency.id, site_id=site.id, now=now)
        ],
        "errors": _lines(db, install, now, levels=("error",), limit=LAST_ERRORS),
        "log": _lines(db, install, now, levels=(), limit=LAST_LINES),
    }  # fmt: skip


def without_people(value: Any) -> Any:
    """A JSON value without e-mail addresses, and without what says who somebody is or where they connected from."""
    if isinstance(value, str):
        return _EMAIL.sub("[e-mail]", value)
    if isinstance(value, dict):
        return {key: without_people(item) for key, item in value.items() if key not in _OF_PEOPLE}
    return [without_people(item) for item in value] if isinstance(value, list) else value


def _install(db: Session, install: Install) -> dict[str, Any]:
    return without_people(redact({  # type: ignore[no-any-return]  # a dict stays one
        "id": install.public_id,
        "status": install.status,
        "task": install.task,
        "failure": install.failure,
        "version": _version(db, install.version_id),
        "previous_version": _version(db, install.previous_version_id),
        "installed_at": rfc3339(install.installed_at),
        "changed_at": rfc3339(install.changed_at),
        "granted": install.granted,
        "steps": install.steps,
    }))  # fmt: skip


def _version(db: Session, version_id: UUID | None) -> dict[str, str] | None:
    found = db.execute(select(Version.version, Version.digest).where(Version.id == version_id)).one_or_none()
    return {"version": found.version, "digest": found.digest} if found else None


def _settings(db: Session, install: Install) -> dict[str, Any]:
    """The values; of secrets only that they are set."""
    values = without_people(redact(install.settings))
    return {**values, **dict.fromkeys(install.secrets, GONE)}


def _from_above(db: Session, install: Install, site: Site) -> dict[str, Any]:
    """Settings in force that come from the agency or the client, and which of all are locked there."""
    manifest = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
    levels = levels_of_site(db, site=site, module_id=install.module_id)
    found = resolve(manifest, [*levels, site_level(install.id, install.settings, install.secrets)])
    return {
        name: {
            "from": one.source,
            "value": GONE if one.sealed else without_people(redact(one.value)),
            "locked_by": one.lock.level if one.lock else None,
        }
        for name, one in found.items()
        if one.source in ("agency", "client") or one.lock is not None
    }


def _lines(
    db: Session, install: Install, now: datetime, *, levels: tuple[str, ...], limit: int
) -> list[dict[str, Any]]:
    kinds = tuple(kind for kind in KINDS if kind not in KIND_OF_PEOPLE)
    wanted = LogFilter(kinds=kinds, levels=levels, installs=(install.id,))
    found = log_page(db, agency_id=install.agency_id, wanted=wanted, now=now, limit=limit)
    return [_line(line) for line in found.lines]


def _line(line: Line) -> dict[str, Any]:
    said = {name: getattr(line, name) for name in ("kind", "level", "outcome", "title", "request_id", "detail")}
    if line.kind == "mail":  # a subject is written to somebody and often says who: which letter it is says its kind
        said["title"] = line.detail["kind"]
        said["detail"] = {name: value for name, value in line.detail.items() if name != "subject"}
    return {"at": rfc3339(line.at), **without_people(said)}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Numbers of the database as JSON has them."""
    return {key: float(item) if type(item).__name__ == "Decimal" else item for key, item in value.items()}
