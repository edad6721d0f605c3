"""Events of the bus that belong on a chart: a module came, changed its version, went. And a site whose days now begin elsewhere."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.events import catalog
from app.events.bus import Receivers
from app.events.models import Event
from app.installs.models import Install
from app.modules.models import Version

_BY_TASK = {"install": "installed", "restore": "installed", "upgrade": "upgraded", "rollback": "rolled_back"}
# told twice it counts once: the unique index over told_id decides
_TELL = text(
    """
    INSERT INTO module_analytics_events (at, agency_id, site_id, install_id, module_id, event, version, told_id)
    VALUES (:at, :agency, :site, :install, :module, :event, :version, :told) ON CONFLICT DO NOTHING
    """
)
_MARK = text("INSERT INTO module_analytics_marks (agency_id, site_id, at) VALUES (:agency, :site, :at)")
# the days before and after as well: what they had may now be another day's
_MARK_ALL = text(
    """
    INSERT INTO module_analytics_marks (agency_id, site_id, at)
    SELECT DISTINCT agency_id, site_id, date_bin('15 minutes', at, 'epoch') + shift * interval '1 day'
    FROM module_analytics_events, generate_series(-1, 1) AS shift WHERE agency_id = :agency AND site_id = :site
    """
)


def _members(db: Session, event: Event) -> list[str]:
    if event.type == catalog.SITE_CHANGED.name:
        return [str(event.site_id)] if event.site_id and "time_zone" in event.data.get("changed", ()) else []
    return [str(event.install_id)] if event.install_id and _kind(event) else []


def _deliver(db: Session, event: Event, key: str) -> None:
    if event.type == catalog.SITE_CHANGED.name:
        db.execute(_MARK_ALL, {"agency": event.agency_id, "site": UUID(key)})
        return
    install = db.get(Install, UUID(key))
    if install is None:
        return
    version = db.get(Version, install.version_id)
    where = {"agency": event.agency_id, "site": install.site_id, "at": event.occurred_at}
    db.execute(
        _TELL,
        {
            **where, "install": install.id, "module": install.module_id, "event": _kind(event),
            "version": version.version if version else "", "told": event.id,
        },
    )  # fmt: skip
    db.execute(_MARK, where)


def _kind(event: Event) -> str | None:
    if event.type == catalog.INSTALL_REMOVED.name:
        return "removed"
    return _BY_TASK.get(event.data.get("task", "")) if event.type == catalog.INSTALL_ACTIVATED.name else None


CHARTS = Receivers(_members, _deliver)
