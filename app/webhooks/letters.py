"""Letters to the owners of an agency about an endpoint that does not answer."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.mail.actions import post
from app.mail.letters import compose
from app.tenancy.models import Agency
from app.tenancy.recipients import recipients
from app.webhooks.models import Webhook
from app.webhooks.setup import Setup

KINDS = ("given_up", "still_failing", "disabled_failing", "disabled_gone")


def tell_owners(db: Session, webhook: Webhook, kind: str, *, setup: Setup) -> None:
    """One letter to each owner whose account is not disabled. kind: one of KINDS."""
    agency = db.get_one(Agency, webhook.agency_id)
    for one in recipients(db, agency_id=webhook.agency_id):
        words = compose(
            "webhooks/trouble", kind=kind, name=one.name, agency=agency.name, url=webhook.url,
            about=webhook.description, link=f"{setup.platform_url}/webhooks/{webhook.public_id}",
        )  # fmt: skip
        post(
            db, keys=setup.keys, kind=f"webhooks.{kind}", recipient=one.email, agency_id=webhook.agency_id,
            site_id=webhook.site_id, **words.parts(),
        )  # fmt: skip
