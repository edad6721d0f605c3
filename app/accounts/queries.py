"""Reads of accounts: a person's sessions and sign-ins, the letter behind a reset link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.accounts.models import PasswordReset, SignInAttempt, User, UserSession
from app.lib.crypto import token_hash
from app.lib.ids import encode


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser of a person. here: it is the one that asks."""

    id: UUID
    user_agent: str
    ip: str | None
    created_at: datetime
    last_seen_at: datetime
    here: bool

    @property
    def public_id(self) -> str:
        return encode("ses", self.id)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try to sign in. outcome: signed_in, wrong, throttled or disabled."""

    outcome: str
    user_agent: str
    ip: str | None
    at: datetime


def user_with_email(db: Session, email: str) -> User | None:
    return db.scalar(select(User).where(User.email == email))


def sessions_of(db: Session, *, user_id: UUID, here: UUID, now: datetime, staff: bool) -> list[SessionRow]:
    """The person's live sessions, this one first, then by last use; at most 100."""
    idle = timedelta(hours=1) if staff else timedelta(days=14)
    rows = db.execute(
        select(UserSession.id, UserSession.user_agent, UserSession.ip, UserSession.created_at, UserSession.last_seen_at)
        .where(UserSession.user_id == user_id, UserSession.expires_at > now, UserSession.last_seen_at > now - idle)
        .order_by((UserSession.id == here).desc(), UserSession.last_seen_at.desc())
        .limit(100)
    )
    return [
        SessionRow(row.id, row.user_agent, _plain(row.ip), row.created_at, row.last_seen_at, row.id == here)
        for row in rows
    ]


def recent_sign_ins(db: Session, *, user_id: UUID, limit: int = 10) -> list[AttemptRow]:
    """The latest tries to sign in as this person, newest first, also those that failed."""
    rows = db.execute(
        select(SignInAttempt.outcome, SignInAttempt.user_agent, SignInAttempt.ip, SignInAttempt.at)
        .where(SignInAttempt.user_id == user_id)
        .order_by(SignInAttempt.at.desc())
        .limit(limit)
    )
    return [AttemptRow(row.outcome, row.user_agent, _plain(row.ip), row.at) for row in rows]


def open_reset(db: Session, *, token: str, now: datetime, lock: bool = False) -> tuple[PasswordReset, User] | None:
    """The unused, unexpired reset behind a link's token and whose it is."""
    statement = (
        select(PasswordReset, User)
        .join(User, User.id == PasswordReset.user_id)
        .where(
            PasswordReset.token_hash == token_hash(token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > now,
            User.disabled_at.is_(None),
            # a link from before the password was changed is what somebody wants to get rid of by changing it
            or_(User.password_changed_at.is_(None), User.password_changed_at <= PasswordReset.created_at),
        )
    )
    if lock:
        statement = statement.with_for_update(of=PasswordReset)
    row = db.execute(statement).one_or_none()
    return None if row is None else (row[0], row[1])


def _plain(address: object) -> str | None:
    return None if address is None else str(address).partition("/")[0]
