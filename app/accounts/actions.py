"""Every write to people, sessions and resets: sign in and out, passwords, profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.models import PasswordReset, SignInAttempt, User, UserSession
from app.accounts.passwords import hash_password, is_outdated, matches, weakness
from app.accounts.queries import open_reset, user_with_email
from app.accounts.throttle import is_throttled, recent_failures
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.lib.crypto import random_token, token_hash
from app.lib.ids import uuid7
from app.mail.actions import post
from app.mail.letters import compose

STAYS = timedelta(days=30)
STAFF_STAYS = timedelta(hours=24)
RESET_STAYS = timedelta(minutes=30)
RESETS_PER_HOUR = 3


class EmailTaken(Conflict):
    """Somebody already has an account with this e-mail address."""


class LinkExpired(NotFound):
    """This link was used already or is too old. Ask for a new one."""


class WrongPassword(Forbidden):
    """That is not your current password."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request comes from: for sessions, throttling and the list of sign-ins."""

    address: str | None
    user_agent: str


def normal_email(email: str) -> str:
    """How addresses are kept and compared: trimmed, lower case."""
    return email.strip().lower()


def create_user(
    db: Session,
    *,
    email: str,
    name: str,
    password: str | None,
    now: datetime,
    staff_role: str | None = None,
    time_zone: str = "UTC",
    locale: str = "en_GB",
) -> User:
    """A new person. password: None for one who will set it by a reset. Raises EmailTaken, Invalid (weak password)."""
    if password is not None:
        must_be_strong(password, about=(email, name))
    user = User(
        id=uuid7(),
        email=normal_email(email),
        name=name,
        password_hash=None if password is None else hash_password(password),
        password_changed_at=None if password is None else now,
        staff_role=staff_role,
        time_zone=time_zone,
        locale=locale,
    )
    try:
        with db.begin_nested():  # the unique key decides, not a look before
            db.add(user)
            db.flush()
    except IntegrityError as error:
        raise EmailTaken() from error
    return user


def sign_in(db: Session, *, email: str, password: str, visit: Visit, now: datetime) -> str | None:
    """Check a password and start a session: its token for the cookie, or None for every kind of refusal alike.

    Needs identity_scope() and must be committed either way: the attempt is what throttling counts. Unknown address,
    wrong password, throttled and disabled all cost one argon2 computation and look the same from outside.
    """
    email = normal_email(email)
    key = token_hash(email)
    # tries at one account go one after the other, else fifty at once would all see the count before them
    db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:key, 'hex'), 11))"), {"key": key})
    throttled = is_throttled(recent_failures(db, email_hash=key, address=visit.address, now=now), now=now)
    user = user_with_email(db, email)
    right = matches(None if throttled or user is None else user.password_hash, password)
    outcome = _outcome(user, throttled=throttled, right=right)
    db.add(
        SignInAttempt(
            id=uuid7(),
            email_hash=key,
            user_id=user.id if user else None,
            ip=visit.address,
            user_agent=visit.user_agent[:400],
            outcome=outcome,
            at=now,
        )
    )
    if user is None or outcome != "signed_in":
        return None
    if user.password_hash and is_outdated(user.password_hash):
        user.password_hash = hash_password(password)
    return start_session(db, user=user, visit=visit, now=now)


def _outcome(user: User | None, *, throttled: bool, right: bool) -> str:
    if throttled:
        return "throttled"
    if not right or user is None:
        return "wrong"
    return "disabled" if user.disabled_at else "signed_in"


def start_session(db: Session, *, user: User, visit: Visit, now: datetime, agency_id: UUID | None = None) -> str:
    """A new session of somebody who has just proved who they are; returns the token, which is kept nowhere."""
    token = random_token()
    db.add(
        UserSession(
            id=uuid7(),
            user_id=user.id,
            token_hash=token_hash(token),
            agency_id_chosen=agency_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + (STAFF_STAYS if user.staff_role else STAYS),
            ip=visit.address,
            user_agent=visit.user_agent[:400],
        )
    )
    db.flush()
    return token


def end_token(db: Session, *, token: str) -> None:
    """End the session of a token, if there is one: sign-out, and what a browser had before a new sign-in."""
    db.execute(delete(UserSession).where(UserSession.token_hash == token_hash(token)))


def end_session(db: Session, *, user_id: UUID, session_id: UUID) -> None:
    """End one session of a person. Raises NotFound for anybody else's."""
    ended = db.execute(delete(UserSession).where(UserSession.user_id == user_id, UserSession.id == session_id))
    if not ended.rowcount:  # type: ignore[attr-defined]  # a DELETE's result has it
        raise NotFound()


def end_other_sessions(db: Session, *, user_id: UUID, keep: UUID | None) -> int:
    """End every session of a person but one; returns how many."""
    statement = delete(UserSession).where(UserSession.user_id == user_id)
    if keep is not None:
        statement = statement.where(UserSession.id != keep)
    return int(db.execute(statement).rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it


def choose_agency(db: Session, *, session_id: UUID, agency_id: UUID) -> None:
    """Remember in which agency a session works. That the person belongs to it is the caller's to check."""
    db.execute(update(UserSession).where(UserSession.id == session_id).values(agency_id_chosen=agency_id))


def change_profile(db: Session, *, user_id: UUID, name: str, time_zone: str, locale: str) -> None:
    """A person's own name, zone (IANA) and locale (CLDR)."""
    db.execute(update(User).where(User.id == user_id).values(name=name, time_zone=time_zone, locale=locale))


def change_password(
    db: Session, *, user_id: UUID, session_id: UUID, old: str, new: str, keys: tuple[str, ...], now: datetime
) -> str:
    """Replace the password by somebody who knows the old one; returns a new token for the session that asked.

    Raises WrongPassword, Invalid. The person gets a letter, in case it was not they.
    """
    user = db.get_one(User, user_id, with_for_update=True)
    if not matches(user.password_hash, old):
        raise WrongPassword()
    _set_password(db, user=user, new=new, keys=keys, now=now)
    token = random_token()  # the old token dies with the old password (ASVS 7.2.4)
    db.execute(update(UserSession).where(UserSession.id == session_id).values(token_hash=token_hash(token)))
    return token


def request_password_reset(
    db: Session, *, email: str, link: Callable[[str], str], keys: tuple[str, ...], now: datetime
) -> None:
    """Send a reset link, valid 30 minutes, if somebody has this address. The caller answers the same either way.

    link: the full address for a token. At most three letters an hour go to one person.
    """
    token = random_token()
    user = user_with_email(db, normal_email(email))
    # written for nobody as well: the time it takes must not tell whether there is an account
    words = compose("accounts/reset", name=user.name if user else "", link=link(token), minutes=30)
    if user is None or user.disabled_at or _resets_since(db, user.id, now - timedelta(hours=1)) >= RESETS_PER_HOUR:
        return
    db.add(
        PasswordReset(
            id=uuid7(), user_id=user.id, token_hash=token_hash(token), created_at=now, expires_at=now + RESET_STAYS
        )
    )
    post(db, keys=keys, kind="accounts.reset", recipient=user.email, **words.parts())


def _resets_since(db: Session, user_id: UUID, since: datetime) -> int:
    statement = select(func.count()).select_from(PasswordReset)
    return db.scalar(statement.where(PasswordReset.user_id == user_id, PasswordReset.created_at > since)) or 0


def reset_password(db: Session, *, token: str, new: str, keys: tuple[str, ...], now: datetime) -> User:
    """Set a password by a link from a letter; every session of the person ends. Raises LinkExpired, Invalid."""
    found = open_reset(db, token=token, now=now, lock=True)
    if found is None:
        raise LinkExpired()
    reset, user = found
    _set_password(db, user=user, new=new, keys=keys, now=now)
    reset.used_at = now
    db.execute(delete(PasswordReset).where(PasswordReset.user_id == user.id, PasswordReset.id != reset.id))
    end_other_sessions(db, user_id=user.id, keep=None)
    return user


def _set_password(db: Session, *, user: User, new: str, keys: tuple[str, ...], now: datetime) -> None:
    must_be_strong(new, about=(user.email, user.name))
    user.password_hash = hash_password(new)
    user.password_changed_at = now
    words = compose("accounts/password_changed", name=user.name)
    post(db, keys=keys, kind="accounts.password_changed", recipient=user.email, **words.parts())


def must_be_strong(password: str, *, about: tuple[str, ...]) -> None:
    """Raises Invalid on the field `password` with how to make it better."""
    problem = weakness(password, about=about)
    if problem:
        raise Invalid.field("password", problem, code="weak_password")
