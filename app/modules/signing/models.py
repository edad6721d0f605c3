"""publisher_keys, release_log, release_log_head."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified


class PublisherKey(Identified, Created, Base):
    """An ed25519 key of an agency. public_key: 32 bytes; sealed: the private one; retired_at: signs no more."""

    __tablename__ = "publisher_keys"
    public_prefix = "pky"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[str]
    retired_at: Mapped[datetime | None]


class ReleaseEntry(Base):
    """One entry of the log. The trigger sets number, previous_hash and hash; nothing ever changes an entry."""

    __tablename__ = "release_log"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    agency_id: Mapped[UUID]
    module_id: Mapped[UUID]
    version_id: Mapped[UUID]
    kind: Mapped[str]
    statement: Mapped[str]
    publisher_key: Mapped[bytes] = mapped_column(LargeBinary)
    publisher_signature: Mapped[bytes] = mapped_column(LargeBinary)
    platform_key: Mapped[bytes] = mapped_column(LargeBinary)
    platform_signature: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary, server_default="\\x00")
    hash: Mapped[bytes] = mapped_column(LargeBinary, server_default="\\x00")
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class ReleaseHead(Base):
    """Where the chain ends; written by the trigger. checked_at, fault: of the last check, '' when all was well.

    older_entered_at: when the releases from before the log were entered.
    """

    __tablename__ = "release_log_head"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    checked_at: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(server_default="")
    older_entered_at: Mapped[datetime | None]
