"""The letter to the owners when platform staff asks to look at their agency, or begins to."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.mail.actions import post
from app.mail.letters import compose
from app.support.access.models import SupportAccess
from app.tenancy.models import Agency
from app.tenancy.recipients import recipients


def tell_owners(db: Session, access: SupportAccess, *, keys: tuple[str, ...], link: str) -> None:
    """One letter to each owner whose account is not disabled. link: to the agency's page of support access."""
    agency = db.get_one(Agency, access.agency_id)
    for one in recipients(db, agency_id=agency.id):
        words = compose(
            "support/access", asked=access.status == "asked", name=one.name, agency=agency.name, person=access.staff_name,
            reason=access.reason, hours=access.hours, link=link,
        )  # fmt: skip
        post(db, keys=keys, kind="support.access", recipient=one.email, agency_id=agency.id, **words.parts())
