"""What else the demo agency runs: two small modules in several versions over its sites, so that its fleet can be looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.access.actors import Actor
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.fleet.policies import set_site_policy
from app.installs.actions import pause_install
from app.installs.level_actions import LevelChange, save_level
from app.installs.models import Install
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.seeds.publishing import installed
from app.studio.editor.starters import starter_files
from app.tenancy.models import Site

VERSIONS = {
    "call-to-action": ("widget", ("1.0.0", "1.0.1", "1.1.0")),
    "price-list": ("list", ("1.0.0", "1.1.0", "2.0.0")),
}
# module, site, version, settings of the site's own
INSTALLS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("call-to-action", "harbour-dental", "1.1.0", {"heading": "A check-up is due?", "button": "Book a visit"}),
    ("call-to-action", "harbour-kids", "1.0.0", {"heading": "First visit?", "button": "Meet the team"}),
    ("call-to-action", "quinta-da-oliveira", "1.0.1", {"heading": "Taste the new vintage", "accent": "#6b7a1f"}),
    ("call-to-action", "casa-verde-porto", "1.1.0", {"heading": "Two nights, one price"}),
    ("price-list", "harbour-kids", "1.1.0", {"heading": "What a visit costs"}),
    ("price-list", "quinta-da-oliveira", "2.0.0", {"heading": "Wines and tastings"}),
    ("price-list", "casa-verde-sao-paulo", "1.0.0", {"heading": "Rooms"}),
)
PAUSED = ("price-list", "casa-verde-sao-paulo")
FIRST = "harbour-kids"  # the site that gets releases first


def versions_of(slug: str) -> list[tuple[str, list[tuple[str, bytes]]]]:
    """(number, files) of each version of a module, lowest first: the starter's, with what the version adds."""
    starter, numbers = VERSIONS[slug]
    found = []
    for number in numbers:
        files = dict(starter_files(starter))
        text = files["module.yaml"].decode().replace("version: 0.1.0", f"version: {number}")
        if not number.startswith("1.0."):
            more = "      wide: {type: boolean, default: false}\n"
            text = text.replace("  - label: Look\n    fields:\n", f"  - label: Look\n    fields:\n{more}")
        files["module.yaml"] = text.encode()
        found.append((number, list(files.items())))
    return found


def put_on_sites(agency_id: UUID, by: Actor, config: Config, *, now: datetime) -> None:
    """Install what is not there yet, in its version; then the agency's own settings and what a site takes by itself."""
    for slug, site_slug, number, settings in INSTALLS:
        then = now - timedelta(days=30)
        install = installed(slug, site_slug, config, number=number, settings=settings, now=then)
        if (slug, site_slug) == PAUSED:
            with tenant_scope(agency_id), transaction(db.session()) as session:
                found = session.get_one(Install, install.id)
                if found.status == "active":
                    pause_install(session, install=found, by=by, now=now)
    _agencys_own(agency_id, by, config, now=now)


def _agencys_own(agency_id: UUID, by: Actor, config: Config, *, now: datetime) -> None:
    with tenant_scope(agency_id), transaction(db.session()) as session:
        module = session.scalars(select(Module).where(Module.slug == "call-to-action")).one()
        version = session.get_one(Version, module.latest_version_id)
        save_level(
            session, manifest=Manifest.from_dict(version.manifest), agency_id=agency_id, client=None, module=module,
            change=LevelChange(give={"accent": "#0f766e"}), keys=config.secret_keys, by=by, now=now,
        )  # fmt: skip
        site = session.scalars(select(Site).where(Site.slug == FIRST)).one()
        set_site_policy(session, site=site, mode=None, internal=True, by=by)
