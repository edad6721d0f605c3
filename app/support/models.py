"""log_searches as a table."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified


class LogSearch(Identified, Created, Base):
    """Filters of the logs under a name. query: as in the address."""

    __tablename__ = "log_searches"
    public_prefix = "lgs"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "user_id"], ["memberships.agency_id", "memberships.user_id"]),)

    agency_id: Mapped[UUID]
    user_id: Mapped[UUID]
    name: Mapped[str]
    query: Mapped[str]
    shared: Mapped[bool] = mapped_column(server_default="false")
