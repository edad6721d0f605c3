"""Reads for the Embed page. Each function is one statement."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.embed.models import ClosedPage, EmbedToken

MOST_SHOWN = 200


def tokens_of(db: Session, *, install_id: UUID) -> list[EmbedToken]:
    """The install's tokens, newest first, at most 200; revoked and expired ones too."""
    query = select(EmbedToken).where(EmbedToken.install_id == install_id).order_by(EmbedToken.id.desc())
    return list(db.scalars(query.limit(MOST_SHOWN)))


def closed_pages(db: Session, *, install_id: UUID) -> set[str]:
    """The pages of an install that open only with a token."""
    return set(db.scalars(select(ClosedPage.page).where(ClosedPage.install_id == install_id)))
