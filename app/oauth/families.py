"""Grants and their tokens: made at redemption, narrowed by nobody, ended together."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import SYSTEM, Actor
from app.accounts.models import User
from app.errors import Conflict
from app.events.catalog import ACCESS_GRANTED, ACCESS_REUSED, ACCESS_REVOKED, EventType
from app.events.outbox import publish
from app.lib.crypto import token_hash
from app.lib.ids import uuid7
from app.mail.actions import post
from app.mail.letters import compose
from app.oauth.models import ACCESS_LASTS, GRANT_LASTS, REFRESH_LASTS, Application, Code, Grant, Token
from app.tenancy.models import Agency, Membership, Site

_NAME = text("SELECT name FROM oauth_client_name(:client)")


class GrantAlreadyEnded(Conflict):
    """This application was shut out already."""


class NotByItself(Conflict):
    """This application acts for people only. Allow it to work by itself first, under Applications."""


class AlreadyLetIn(Conflict):
    """This application works by itself on that site already. End that first to let it in differently."""


def person_behind(db: Session, *, agency_id: UUID, user_id: UUID | None, since: datetime) -> User | None:
    """The person, while they are a member, not disabled, and have the password they had when they consented.

    A new password ends what was granted before: whoever knew the old one may have been the one who consented.
    """
    return db.scalars(
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(
            User.id == user_id,
            Membership.agency_id == agency_id,
            User.disabled_at.is_(None),
            or_(User.password_changed_at.is_(None), User.password_changed_at <= since),
        )
    ).one_or_none()


def start_family(db: Session, *, code: Code, person: User, now: datetime) -> Grant:
    """The grant that a code is redeemed for."""
    grant = Grant(
        id=uuid7(), agency_id=code.agency_id, site_id=code.site_id, install_id=code.install_id, client_id=code.client_id,
        user_id=code.user_id, created_by=code.user_id, scopes=code.scopes, created_at=code.created_at, expires_at=now + GRANT_LASTS,
    )  # fmt: skip
    db.add(grant)
    db.flush()
    code.used_at, code.grant_id = now, grant.id
    _granted(db, grant, Actor(kind="person", id=person.id, name=person.name, agency_id=grant.agency_id))
    return grant


def let_in(
    db: Session,
    *,
    application: Application,
    site_id: UUID,
    install_id: UUID | None,
    scopes: list[str],
    by: Actor,
    now: datetime,
) -> Grant:
    """Let an application of the agency's own act by itself on one site (client credentials); None: every module.

    Raises NotByItself, AlreadyLetIn. The scopes are those of the application.
    """
    if "client_credentials" not in application.grant_types:
        raise NotByItself()
    grant = Grant(
        id=uuid7(), agency_id=application.agency_id, site_id=site_id, install_id=install_id, client_id=application.id,
        created_by=by.id, scopes=scopes, created_at=now,
    )  # fmt: skip
    try:
        with db.begin_nested():  # two clicks can race: the unique key decides
            db.add(grant)
            db.flush()
    except IntegrityError as error:
        raise AlreadyLetIn() from error
    _granted(db, grant, by)
    return grant


def own_grants(db: Session, *, application_id: UUID) -> list[Grant]:
    """Where an application may act by itself now, oldest first."""
    live = (Grant.client_id == application_id, Grant.user_id.is_(None), Grant.revoked_at.is_(None))
    return list(db.scalars(select(Grant).where(*live).order_by(Grant.id)))


def keep_token(db: Session, *, grant: Grant, kind: str, token: str, scopes: list[str], now: datetime) -> Token:
    """Store one token of a family, as its hash; it never outlives the grant."""
    until = now + (ACCESS_LASTS if kind == "access" else REFRESH_LASTS)
    row = Token(
        id=uuid7(), agency_id=grant.agency_id, site_id=grant.site_id, grant_id=grant.id, client_id=grant.client_id, kind=kind,
        token_hash=token_hash(token), scopes=scopes, created_at=now, expires_at=min(until, grant.expires_at or until),
    )  # fmt: skip
    db.add(row)
    db.flush()
    return row


def locked_grant(db: Session, grant_id: UUID) -> Grant:
    """The grant, held until the transaction ends: a refresh and an end of it happen one after the other."""
    return db.scalars(
        select(Grant).where(Grant.id == grant_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def revoke_grant(db: Session, *, grant: Grant, by: Actor, now: datetime) -> None:
    """Shut an application out: every token of the grant is refused at once. Raises GrantAlreadyEnded."""
    grant = locked_grant(db, grant.id)
    if grant.revoked_at is not None:
        raise GrantAlreadyEnded()
    grant.revoked_at = now
    db.flush()
    _tell(db, ACCESS_REVOKED, grant, by)


def end_reused(db: Session, *, grant_id: UUID, keys: tuple[str, ...], now: datetime) -> None:
    """A code or refresh token came a second time: somebody else has it. The family ends and its person gets a letter."""
    grant = locked_grant(db, grant_id)
    if grant.revoked_at is not None:
        return
    grant.revoked_at = now
    db.flush()
    name = _tell(db, ACCESS_REUSED, grant, SYSTEM)
    person, site = db.get(User, grant.user_id), db.get_one(Site, grant.site_id)
    if person is None:  # no longer a member: nothing of this agency is told them
        return
    words = compose(
        "oauth/reused",
        name=person.name,
        application=name,
        site=site.name,
        agency=db.get_one(Agency, grant.agency_id).name,
    )
    post(db, keys=keys, kind="oauth.reused", recipient=person.email, agency_id=grant.agency_id, **words.parts())


def _granted(db: Session, grant: Grant, by: Actor) -> None:
    name = str(db.scalar(_NAME, {"client": grant.client_id}))
    publish(
        db, ACCESS_GRANTED, by=by, agency_id=grant.agency_id, site_id=grant.site_id, install_id=grant.install_id,
        target=grant.public_id, target_name=name, data={"grant": grant.public_id, "application": name, "scopes": grant.scopes},
        changes={"scopes": [None, grant.scopes]},
    )  # fmt: skip


def _tell(db: Session, event: EventType, grant: Grant, by: Actor) -> str:
    name = str(db.scalar(_NAME, {"client": grant.client_id}))
    publish(
        db, event, by=by, agency_id=grant.agency_id, site_id=grant.site_id, install_id=grant.install_id,
        target=grant.public_id, target_name=name, data={"grant": grant.public_id, "application": name},
    )  # fmt: skip
    return name
