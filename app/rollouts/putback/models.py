"""install_put_backs: each time somebody puts rows of a file back; install_put_back_rows: what became of each row."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Integer, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.rollouts.runs import Run


class PutBack(Run, Base):
    """status: running, done, failed, undone. chosen, over: rows of the file, counted from 1."""

    __tablename__ = "install_put_backs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["agency_id", "move_id"], ["install_moves.agency_id", "install_moves.id"], ondelete="CASCADE"
        ),
    )
    public_prefix = "pbk"

    move_id: Mapped[UUID]
    batch: Mapped[UUID]
    chosen: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    over: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}", default=list)
    can_undo: Mapped[bool] = mapped_column(server_default="false", default=False)


class PutBackRow(Base):
    """state: put_back, left (changed since, or nothing to do), refused, undone. why: [{field, why}]."""

    __tablename__ = "install_put_back_rows"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["agency_id", "move_id"], ["install_moves.agency_id", "install_moves.id"], ondelete="CASCADE"
        ),
    )

    move_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    record_id: Mapped[UUID]
    run_id: Mapped[UUID]
    tries: Mapped[int]
    state: Mapped[str]
    why: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
