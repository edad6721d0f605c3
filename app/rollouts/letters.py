"""Letters about an upgrade that did worse: to the owners of the agency, and to whoever ordered it."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from app.installs.models import Install, Move
from app.lib.ids import decode
from app.mail.actions import post
from app.mail.letters import compose
from app.modules.models import Module, Version
from app.rollouts.setup import current_setup
from app.tenancy.models import Agency, Site
from app.tenancy.recipients import recipients


def tell_people(
    db: Session, install: Install, move: Move, kind: Literal["rolled_back", "stuck"], *, reason: str
) -> None:
    """One letter to each. kind stuck: it does worse and could not go back."""
    setup, agency = current_setup(), db.get_one(Agency, install.agency_id)
    module, site = db.get_one(Module, install.module_id), db.get_one(Site, install.site_id)
    old, new = db.get_one(Version, move.from_version_id), db.get_one(Version, move.to_version_id)
    by = decode("usr", move.ordered_by) if move.ordered_by.startswith("usr_") else None
    for one in recipients(db, agency_id=install.agency_id, also=by):
        words = compose(
            "rollouts/watched", kind=kind, name=one.name, agency=agency.name, module=module.name, site=site.name,
            old=old.version, new=new.version, reason=reason,
            link=f"{setup.platform_url}/installs/{install.public_id}/versions",
        )  # fmt: skip
        post(
            db, keys=setup.keys, kind=f"rollouts.{kind}", recipient=one.email, agency_id=install.agency_id,
            site_id=install.site_id, install_id=install.id, **words.parts(),
        )  # fmt: skip
