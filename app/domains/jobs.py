"""domains.check, domains.recheck: whether a name is still its owner's."""

from __future__ import annotations

from uuid import UUID

from app.db.base import db as flask_db
from app.domains.checking import check_domain, order_due_checks
from app.domains.setup import current_setup
from app.lib.clock import utcnow


def check(domain_id: str) -> None:
    """Look for one domain's proof."""
    check_domain(flask_db.session(), domain_id=UUID(domain_id), setup=current_setup(), now=utcnow())


def recheck() -> None:
    """Order every check that is due."""
    order_due_checks(flask_db.session(), now=utcnow())
