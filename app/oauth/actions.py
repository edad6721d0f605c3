"""What developers do with applications: register, change, rotate the secret, delete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, FieldError, Invalid
from app.events.catalog import (
    APPLICATION_CHANGED,
    APPLICATION_CREATED,
    APPLICATION_DELETED,
    APPLICATION_SECRET_ENDED,
    APPLICATION_SECRET_MADE,
    EventType,
)
from app.events.outbox import publish
from app.lib.crypto import random_token, token_hash
from app.lib.ids import uuid7
from app.oauth.clients import origins_of, redirect_fault
from app.oauth.models import SCOPES, SECRET_PREFIX, Application

MOST_ADDRESSES = 10
KINDS = ("confidential", "public")


class NoSecret(Conflict):
    """A public application has no secret: it proves itself with PKCE alone."""


class NoEarlierSecret(Conflict):
    """There is no earlier secret to end."""


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application at the only moment its secret is known; a public one has none."""

    application: Application
    secret: str | None


def create_application(
    db: Session,
    *,
    name: str,
    kind: str,
    redirect_uris: Iterable[str],
    scopes: Iterable[str],
    refresh: bool,
    alone: bool = False,
    by: Actor,
    now: datetime,
) -> NewApplication:
    """Register an application of the actor's agency.

    redirect_uris: none when nobody signs in through it. refresh: whether it may stay connected past an hour. alone: whether
    it may act by itself, where somebody of the agency lets it (families.let_in).

    Raises Invalid with an error per field (name, kind, redirect_uris, scopes, alone).
    """
    checked = _checked(name=name, kind=kind, redirect_uris=redirect_uris, scopes=scopes, alone=alone)
    assert by.agency_id is not None
    secret = _new_secret() if kind == "confidential" else None
    application = Application(
        id=uuid7(), agency_id=by.agency_id, name=checked.name, kind=kind, redirect_uris=checked.redirect_uris,
        origins=origins_of(checked.redirect_uris),
        grant_types=_grant_types(checked.redirect_uris, refresh, alone), scopes=checked.scopes, created_by=by.id, created_at=now,
        secret_hash=token_hash(secret) if secret else None, secret_made_at=now if secret else None,
    )  # fmt: skip
    db.add(application)
    db.flush()
    facts = {"kind": kind, "redirect_uris": checked.redirect_uris, "scopes": checked.scopes}
    _tell(db, APPLICATION_CREATED, application, by, changes={name: [None, value] for name, value in facts.items()})
    return NewApplication(application, secret)


def change_application(
    db: Session,
    *,
    application: Application,
    name: str,
    redirect_uris: Iterable[str],
    scopes: Iterable[str],
    refresh: bool,
    alone: bool = False,
    by: Actor,
) -> None:
    """Change what an application is called and may do. Grants given before keep their own scopes. Raises Invalid."""
    checked = _checked(name=name, kind=application.kind, redirect_uris=redirect_uris, scopes=scopes, alone=alone)
    after = {
        "name": checked.name, "redirect_uris": checked.redirect_uris, "scopes": checked.scopes,
        "grant_types": _grant_types(checked.redirect_uris, refresh, alone),
    }  # fmt: skip
    changes = {
        field: [getattr(application, field), value]
        for field, value in after.items()
        if getattr(application, field) != value
    }
    for field, value in after.items():
        setattr(application, field, value)
    application.origins = origins_of(checked.redirect_uris)
    db.flush()
    if changes:
        _tell(db, APPLICATION_CHANGED, application, by, changes=changes)


def rotate_secret(db: Session, *, application: Application, by: Actor, now: datetime) -> str:
    """A new secret; the newest so far stays valid beside it until ended, the one before that ends. Raises NoSecret."""
    if application.kind == "public":
        raise NoSecret()
    secret = _new_secret()
    application.earlier_secret_hash, application.earlier_secret_made_at = (
        application.secret_hash,
        application.secret_made_at,
    )
    application.secret_hash, application.secret_made_at = token_hash(secret), now
    db.flush()
    _tell(db, APPLICATION_SECRET_MADE, application, by)
    return secret


def end_earlier_secret(db: Session, *, application: Application, by: Actor) -> None:
    """Refuse the earlier secret from now on. Raises NoEarlierSecret."""
    if application.earlier_secret_hash is None:
        raise NoEarlierSecret()
    application.earlier_secret_hash = application.earlier_secret_made_at = None
    db.flush()
    _tell(db, APPLICATION_SECRET_ENDED, application, by)


def delete_application(db: Session, *, application: Application, by: Actor, now: datetime) -> None:
    """End an application everywhere: nobody can let it in any more, and its tokens are refused at once."""
    application.deleted_at = now
    db.flush()
    _tell(db, APPLICATION_DELETED, application, by)


@dataclass(frozen=True, slots=True)
class _Checked:
    name: str
    redirect_uris: list[str]
    scopes: list[str]


def _checked(*, name: str, kind: str, redirect_uris: Iterable[str], scopes: Iterable[str], alone: bool) -> _Checked:
    name, uris, wanted = name.strip(), list(dict.fromkeys(redirect_uris)), set(scopes)
    wrong: list[tuple[str, str]] = []
    if not 1 <= len(name) <= 80:
        wrong.append(("name", "Enter a name of at most 80 characters. People see it when they decide."))
    if kind not in KINDS:
        wrong.append(("kind", "Choose where the application runs."))
    if alone and kind == "public":
        wrong.append(("alone", "Only an application on a server can prove itself with a secret and act by itself."))
    if not (0 if alone else 1) <= len(uris) <= MOST_ADDRESSES:
        wrong.append(
            ("redirect_uris", f"Name one to {MOST_ADDRESSES} addresses that people come back to, one per line.")
        )
    wrong += [("redirect_uris", fault) for uri in uris[:MOST_ADDRESSES] if (fault := redirect_fault(uri))]
    if not wanted or not wanted <= SCOPES.keys():
        wrong.append(("scopes", f"Choose at least one of {', '.join(SCOPES)}."))
    if wrong:
        errors = [FieldError(f"/{field}", "invalid", detail) for field, detail in wrong]
        raise Invalid("Some values of the application are not acceptable.", errors=errors)
    return _Checked(name, uris, [scope for scope in SCOPES if scope in wanted])


def _grant_types(uris: list[str], refresh: bool, alone: bool) -> list[str]:
    named = {"authorization_code": bool(uris), "refresh_token": bool(uris) and refresh, "client_credentials": alone}
    return [name for name, allowed in named.items() if allowed]


def _new_secret() -> str:
    return f"{SECRET_PREFIX}{random_token()}"


def _tell(
    db: Session,
    event: EventType,
    application: Application,
    by: Actor,
    *,
    changes: dict[str, list[object]] | None = None,
) -> None:
    publish(
        db, event, by=by, agency_id=application.agency_id, target=application.public_id, target_name=application.name,
        data={"application": application.public_id, "name": application.name}, changes=changes,
    )  # fmt: skip
