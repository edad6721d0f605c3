"""users, user_sessions, password_resets, sign_in_attempts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, func
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Created, Identified, Written
from app.lib.trace import current_request_id


class User(Identified, Created, Base):
    """A person. staff_role: "support" or "administrator" for the platform's own people."""

    __tablename__ = "users"
    public_prefix = "usr"

    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    staff_role: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(server_default="UTC", default="UTC")
    locale: Mapped[str] = mapped_column(server_default="en", default="en")
    disabled_at: Mapped[datetime | None]
    password_changed_at: Mapped[datetime | None]


class UserSession(Identified, Created, Base):
    """One signed-in browser. The cookie's token is kept as its SHA-256 only."""

    __tablename__ = "user_sessions"
    public_prefix = "ses"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    agency_id_chosen: Mapped[UUID | None]
    support_access_id: Mapped[UUID | None]  # by which leave one of the staff is looking at an agency
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(server_default="")
    user: Mapped[User] = relationship(lazy="raise")


class PasswordReset(Identified, Created, Base):
    __tablename__ = "password_resets"
    public_prefix = "rst"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInAttempt(Identified, Written, Base):
    """outcome: signed_in, wrong, throttled or disabled."""

    __tablename__ = "sign_in_attempts"
    public_prefix = "sia"

    email_hash: Mapped[bytes] = mapped_column(LargeBinary)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(server_default="")
    outcome: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    request_id: Mapped[str] = mapped_column(server_default="", default=current_request_id)
