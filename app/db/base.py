"""The declarative base of the platform's own tables, and the Flask-SQLAlchemy handle."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.db.session import ScopedSession
from app.lib.ids import encode, uuid7


class Base(DeclarativeBase):
    """Tables are made by sql/migrations; models map them and a test holds the two together."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


class Identified:
    """A uuid v7 key, and the public id `prefix_…` made from it."""

    public_prefix: ClassVar[str]
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)

    @property
    def public_id(self) -> str:
        return encode(self.public_prefix, self.id)


class Xid8(UserDefinedType[str]):
    """A transaction's number, for which SQLAlchemy has no type."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class Written:
    """written: the number of the transaction that wrote the row last, for who watches the logs live; only statements read it."""

    written: Mapped[str | None] = mapped_column(Xid8, server_default=func.pg_current_xact_id(), deferred=True)


class Created:
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


# Only its engines and its request-bound session are used: models are plain SQLAlchemy ones on Base.
db = SQLAlchemy(session_options={"class_": ScopedSession, "expire_on_commit": False}, disable_autonaming=True)
