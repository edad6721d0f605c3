"""Letters to the owners of an agency whose domain was lost."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from app.domains.models import Domain
from app.domains.setup import Setup
from app.mail.actions import post
from app.mail.letters import compose
from app.tenancy.models import Agency, Site
from app.tenancy.recipients import recipients


def tell_owners(db: Session, domain: Domain, kind: Literal["lost", "moved"], *, setup: Setup) -> None:
    """One letter to each owner whose account is not disabled. moved: somebody else has proven to own the name."""
    agency = db.get_one(Agency, domain.agency_id)
    site = db.get(Site, domain.site_id) if domain.site_id else None
    for one in recipients(db, agency_id=domain.agency_id):
        words = compose(
            "domains/lost", kind=kind, name=one.name, agency=agency.name, host=domain.host,
            site=site.name if site else agency.name, link=f"{setup.platform_url}/domains/{domain.public_id}",
        )  # fmt: skip
        post(
            db, keys=setup.keys, kind=f"domains.{kind}", recipient=one.email, agency_id=domain.agency_id,
            site_id=domain.site_id, **words.parts(),
        )  # fmt: skip
