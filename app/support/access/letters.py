"""The letter to the owners when platform staff asks to look at their agency, or begins to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.permissions import Role
from app.accounts.models import User
from app.mail.actions import post
from app.mail.letters import compose
from app.support.access.models import SupportAccess
from app.tenancy.models import Agency, Membership


def tell_owners(db: Session, access: SupportAccess, *, keys: tuple[str, ...], link: str) -> None:
    """One letter to each owner whose account is not disabled. link: to the agency's page of support access."""
    agency = db.get_one(Agency, access.agency_id)
    owners = db.execute(
        select(User.email, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.agency_id == agency.id, Membership.role == Role.OWNER.value, User.disabled_at.is_(None))
        .order_by(User.email)
    )
    for email, name in owners:
        words = compose(
            "support/access", asked=access.status == "asked", name=name, agency=agency.name, person=access.staff_name,
            reason=access.reason, hours=access.hours, link=link,
        )  # fmt: skip
        post(db, keys=keys, kind="support.access", recipient=email, agency_id=agency.id, **words.parts())
