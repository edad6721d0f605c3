"""The letter about a rollout that stopped: to the owners and administrators of the agency."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.fleet.models import Rollout
from app.mail.actions import post
from app.mail.letters import compose
from app.modules.models import Module, Version
from app.rollouts.setup import current_setup
from app.tenancy.models import Agency
from app.tenancy.recipients import MANAGERS, recipients


def tell_stopped(db: Session, rollout: Rollout) -> None:
    """One letter to each: which release, on which site, why, and where to decide."""
    setup, agency = current_setup(), db.get_one(Agency, rollout.agency_id)
    module, version = db.get_one(Module, rollout.module_id), db.get_one(Version, rollout.version_id)
    for one in recipients(db, agency_id=agency.id, roles=MANAGERS):
        words = compose(
            "fleet/stopped", name=one.name, agency=agency.name, module=module.name, version=version.version,
            reason=rollout.reason, link=f"{setup.platform_url}/fleet/rollouts/{rollout.public_id}",
        )  # fmt: skip
        post(db, keys=setup.keys, kind="fleet.stopped", recipient=one.email, agency_id=agency.id, **words.parts())
