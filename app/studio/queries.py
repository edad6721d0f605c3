"""Publications as screens show them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.studio.models import Publication


def last_publication(db: Session, *, version_id: UUID) -> Publication | None:
    """The last try to publish a version."""
    query = select(Publication).where(Publication.version_id == version_id)
    return db.scalar(query.order_by(Publication.created_at.desc()).limit(1))
