"""Every write to embedding by people: tokens made and revoked, pages closed and opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.embed.models import ClosedPage, EmbedToken
from app.embed.tokens import make_token
from app.errors import Conflict, FieldError, Invalid, NotFound
from app.events.catalog import EMBED_PAGE_CLOSED, EMBED_PAGE_OPENED, EMBED_TOKEN_CREATED, EMBED_TOKEN_REVOKED
from app.events.outbox import publish
from app.installs.actions import announce
from app.installs.models import Install
from app.lib.crypto import key_id, token_hash
from app.lib.ids import uuid7

MOST_TOKENS = 100
MOST_DAYS = 366


class TokenAlreadyRevoked(Conflict):
    """This embed token is revoked already."""


class TooManyTokens(Conflict):
    """This module has 100 embed tokens that work. Revoke those that nobody uses first."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token at the only moment its text is known."""

    row: EmbedToken
    text: str


def create_token(
    db: Session,
    *,
    install: Install,
    name: str,
    origins: Iterable[str],
    expires_at: datetime,
    verified: Iterable[str],
    keys: tuple[str, ...],
    by: Actor,
    now: datetime,
) -> NewToken:
    """A token that opens the closed pages of one install. The text is in the result and nowhere else.

    origins: where it works, each one of `verified`; none: on all of them, those to come included. Raises Invalid with an
    error per field (name, origins, expires), TooManyTokens.
    """
    chosen = tuple(dict.fromkeys(origins))
    _check(name=name.strip(), origins=chosen, verified=set(verified), expires_at=expires_at, now=now)
    living = select(func.count()).where(
        EmbedToken.install_id == install.id, EmbedToken.revoked_at.is_(None), EmbedToken.expires_at > now
    )
    if (db.scalar(living) or 0) >= MOST_TOKENS:
        raise TooManyTokens()
    token_id = uuid7()
    text = make_token(keys, token_id=token_id, install_id=install.id, origins=chosen, expires_at=expires_at)
    row = EmbedToken(
        id=token_id, agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, name=name.strip(),
        shown=text[-6:], kid=key_id(keys[0]), token_hash=token_hash(text), origins=list(chosen), expires_at=expires_at,
        usage_count=0, created_by=by.id if by.kind == "person" else None, created_at=now,
    )  # fmt: skip
    db.add(row)
    db.flush()
    publish(
        db, EMBED_TOKEN_CREATED, by=by, agency_id=row.agency_id, site_id=row.site_id, install_id=row.install_id,
        target=row.public_id, target_name=row.name, data={"token": row.public_id, "name": row.name},
        changes={"origins": [None, list(chosen)], "expires_at": [None, expires_at.isoformat()]},
    )  # fmt: skip
    return NewToken(row, text)


def revoke_token(db: Session, *, token: EmbedToken, by: Actor, now: datetime) -> None:
    """End a token and the sessions made from it, at once. Raises TokenAlreadyRevoked."""
    if token.revoked_at is not None:
        raise TokenAlreadyRevoked()
    token.revoked_at = now
    db.flush()
    publish(
        db, EMBED_TOKEN_REVOKED, by=by, agency_id=token.agency_id, site_id=token.site_id, install_id=token.install_id,
        target=token.public_id, target_name=token.name, data={"token": token.public_id, "name": token.name},
    )  # fmt: skip


def set_closed(
    db: Session, *, install: Install, page: str, pages: Iterable[str], closed: bool, by: Actor, now: datetime
) -> None:
    """Let a page open only with a token, or to everybody. pages: those the install has. Raises NotFound.

    Visitors' servers know within five seconds. To say what holds already changes nothing.
    """
    if page not in pages:
        raise NotFound()
    if closed:
        row = {"agency_id": install.agency_id, "site_id": install.site_id, "install_id": install.id, "page": page}
        added = insert(ClosedPage).values(**row, closed_at=now).on_conflict_do_nothing().returning(ClosedPage.page)
        changed = db.scalar(added)
    else:
        gone = delete(ClosedPage).where(ClosedPage.install_id == install.id, ClosedPage.page == page)
        changed = db.scalar(gone.returning(ClosedPage.page))
    if changed is None:
        return
    publish(
        db, EMBED_PAGE_CLOSED if closed else EMBED_PAGE_OPENED, by=by, agency_id=install.agency_id,
        site_id=install.site_id, install_id=install.id, target=install.public_id, target_name=page, data={"page": page},
    )  # fmt: skip
    announce(db, install)


def _check(*, name: str, origins: tuple[str, ...], verified: set[str], expires_at: datetime, now: datetime) -> None:
    errors = []
    if not 1 <= len(name) <= 120:
        errors.append(
            FieldError("/name", "invalid", "Enter a name of at most 120 characters, such as the site that will use it.")
        )
    if unknown := [one for one in origins if one not in verified]:
        errors.append(FieldError("/origins", "invalid", f"{unknown[0][:120]} is not a verified domain of this site."))
    if not 0 < (expires_at - now).total_seconds() <= MOST_DAYS * 86400:
        errors.append(FieldError("/expires", "invalid", "Choose a day within a year."))
    if errors:
        raise Invalid("Some values of the token are not acceptable.", errors=errors)
