"""What is done with connections: enter a registration, connect, renew, end."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.actors import SYSTEM, Actor
from app.connections.letters import tell_broken
from app.connections.models import Connection
from app.connections.service import Given, Service, ServiceRefused, ServiceSilent
from app.connections.setup import Setup
from app.errors import Conflict, Invalid, NotFound
from app.events.catalog import (
    CONNECTION_BROKEN,
    CONNECTION_CLIENT_CHANGED,
    CONNECTION_ENDED,
    CONNECTION_MADE,
    EventType,
)
from app.events.outbox import publish
from app.installs.actions import announce
from app.installs.models import Install
from app.lib.crypto import CannotOpen, random_token, seal, token_hash, unseal
from app.lib.ids import uuid7
from app.modules.manifest import Manifest
from app.modules.manifest.connections import Connection as Declared
from app.modules.models import Version
from app.runtime.functions.connections import sealed_token

ANSWERED_WITHIN = timedelta(minutes=10)
EARLY = timedelta(minutes=5)  # before its end a token is renewed, or at half its life when that is less
AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))  # while a service is silent; then hourly
GIVEN_UP_AFTER = timedelta(days=3)


class NoRegistration(Conflict):
    """Enter the client id first that the service gave your agency."""


class NotAnswered(Conflict):
    """This answer belongs to no connection that you began in this browser in the last ten minutes. Connect again."""


class NotAgreed(Conflict):
    """The service did not let the module in. Nothing was connected."""


def declared_of(db: Session, install: Install, name: str) -> Declared:
    """The connection as the installed version declares it. Raises NotFound."""
    found = Manifest.from_dict(db.get_one(Version, install.version_id).manifest).connections.get(name)
    if found is None:
        raise NotFound()
    return found


def connection_for(db: Session, *, install: Install, name: str) -> Connection:
    """The row of a declared connection, made when there is none, held until the transaction ends."""
    row = {
        "id": uuid7(),
        "agency_id": install.agency_id,
        "site_id": install.site_id,
        "install_id": install.id,
        "name": name,
    }
    db.execute(insert(Connection).values(**row).on_conflict_do_nothing(index_elements=["install_id", "name"]))
    return db.scalars(
        select(Connection).where(Connection.install_id == install.id, Connection.name == name).with_for_update()
    ).one()


def save_client(
    db: Session, *, install: Install, name: str, client_id: str, secret: str, setup: Setup, by: Actor
) -> Connection:
    """Keep the agency's registration with the service; secret "" for one without. What was connected ends.

    Raises NotFound, Invalid (client_id).
    """
    declared = declared_of(db, install, name)
    if not client_id or len(client_id) > 500 or len(secret) > 2000 or not (client_id + secret).isprintable():
        raise Invalid.field("client_id", "Enter the client id as the service shows it.")
    connection = connection_for(db, install=install, name=name)
    _forget_tokens(connection, state="new")
    connection.client_id = client_id
    connection.client_secret_sealed = _sealed(setup, connection, "client_secret", secret) if secret else ""
    db.flush()
    announce(db, install)
    _tell(db, CONNECTION_CLIENT_CHANGED, connection, declared, by)
    return connection


def begin(db: Session, *, install: Install, name: str, session_id: UUID, host: str, setup: Setup, now: datetime) -> str:
    """The service's address to send the person to. The answer is taken in this browser session only, for ten minutes.

    host: of the agency's own where the session is, "" for the platform's usual one; the state brings it back. Raises NotFound,
    NoRegistration.
    """
    declared = declared_of(db, install, name)
    connection = connection_for(db, install=install, name=name)
    state, verifier = f"{random_token()}.{host}" if host else random_token(), random_token(48)
    address = _service(connection, declared, setup).address(state=state, verifier=verifier)
    connection.asked_state, connection.asked_session_id, connection.asked_at = token_hash(state), session_id, now
    connection.asked_verifier_sealed = _sealed(setup, connection, "verifier", verifier)
    db.flush()
    return address


def answered(db: Session, *, state: str, session_id: UUID, now: datetime) -> tuple[Connection, str]:
    """(the connection that waits for this answer, its verifier); it waits for no other from then on. Raises NotAnswered."""
    found = db.scalars(
        select(Connection).where(Connection.asked_state == token_hash(state)).with_for_update()
    ).one_or_none()
    if found is None or found.asked_at is None or found.asked_session_id != session_id:
        raise NotAnswered()
    late, verifier = found.asked_at + ANSWERED_WITHIN < now, found.asked_verifier_sealed
    _forget_asking(found)
    db.flush()
    if late:
        raise NotAnswered()
    return found, verifier


def complete(
    db: Session, *, connection: Connection, verifier: str, code: str | None, issuer: str | None, setup: Setup, by: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """Redeem what answered() found. code None: the service sent an error. Raises NotAgreed; then nothing is changed."""
    install = db.get_one(Install, connection.install_id)
    declared = declared_of(db, install, connection.name)
    if code is None or (declared.issuer is not None and issuer != declared.issuer):
        raise NotAgreed()
    try:
        opened = unseal(setup.keys, verifier, sealed_token(connection.id, "verifier"))
        given = _service(connection, declared, setup).redeem(code, verifier=opened)
    except (ServiceRefused, ServiceSilent) as error:
        raise NotAgreed(f"{declared.label}: {error} Nothing was connected.") from error
    _keep(connection, given, setup, now)
    connection.state, connection.token_url = "connected", declared.token_url
    connection.connected_by, connection.connected_at = by.id, now
    db.flush()
    announce(db, install)
    _tell(db, CONNECTION_MADE, connection, declared, by)


def renew(db: Session, *, connection: Connection, setup: Setup, now: datetime) -> None:
    """New tokens before the present ones end. A refusal breaks the connection and tells people; silence is borne for days."""
    install = db.get_one(Install, connection.install_id)
    try:
        declared = declared_of(db, install, connection.name)
    except NotFound:  # this version does not have it; going back brings it back
        connection.refresh_at = None
        return
    try:
        if not connection.refresh_sealed:
            raise ServiceRefused("The service gave no way to renew the connection.")
        refresh = unseal(setup.keys, connection.refresh_sealed, sealed_token(connection.id, "refresh"))
        given = _service(connection, declared, setup).renew(refresh, scopes=tuple(connection.scopes))
    except (ServiceRefused, CannotOpen, NoRegistration) as error:
        _break(db, connection, declared, str(error) if isinstance(error, ServiceRefused) else "", setup)
    except ServiceSilent as error:
        _wait(db, connection, declared, str(error), setup, now)
    else:
        _keep(connection, given, setup, now)
    db.flush()
    announce(db, install)


def disconnect(db: Session, *, install: Install, name: str, setup: Setup, by: Actor) -> None:
    """Give the tokens back, as far as the service takes them, and forget them. Raises NotFound."""
    declared = declared_of(db, install, name)
    connection = connection_for(db, install=install, name=name)
    if connection.state == "new":
        return
    kept = connection.refresh_sealed or connection.access_sealed
    part = "refresh" if connection.refresh_sealed else "access"
    if kept and connection.token_url == declared.token_url:
        _give_back(connection, declared, setup, kept, part)
    _forget_tokens(connection, state="new")
    db.flush()
    announce(db, install)
    _tell(db, CONNECTION_ENDED, connection, declared, by)


def _give_back(connection: Connection, declared: Declared, setup: Setup, kept: str, part: str) -> None:
    try:
        token = unseal(setup.keys, kept, sealed_token(connection.id, part))
        _service(connection, declared, setup).give_back(token)
    except CannotOpen:
        pass  # sealed under keys that are gone: nobody can use it, and it is forgotten


def _service(connection: Connection, declared: Declared, setup: Setup) -> Service:
    client_id = declared.client_id or connection.client_id
    if not client_id:
        raise NoRegistration()
    secret = ""
    if connection.client_secret_sealed and not declared.client_id:
        secret = unseal(setup.keys, connection.client_secret_sealed, sealed_token(connection.id, "client_secret"))
    return Service(declared, client_id=client_id, secret=secret, redirect_uri=setup.redirect_uri, egress=setup.egress())


def _keep(connection: Connection, given: Given, setup: Setup, now: datetime) -> None:
    connection.access_sealed = _sealed(setup, connection, "access", given.access)
    if given.refresh:
        connection.refresh_sealed = _sealed(setup, connection, "refresh", given.refresh)
    connection.scopes, connection.failing_since, connection.failure = list(given.scopes), None, ""
    lasts = timedelta(seconds=given.lasts_s) if given.lasts_s else None
    connection.expires_at = now + lasts if lasts else None
    early = min(EARLY, lasts / 2) if lasts and connection.refresh_sealed else timedelta(0)
    connection.refresh_at = now + lasts - early if lasts else None


def _wait(db: Session, connection: Connection, declared: Declared, why: str, setup: Setup, now: datetime) -> None:
    since = connection.failing_since = connection.failing_since or now
    if now - since >= GIVEN_UP_AFTER:
        _break(db, connection, declared, "The service has not answered for three days.", setup)
        return
    passed = now - since
    pause = next((step for step in AGAIN if passed < step * 3), timedelta(hours=1))
    connection.failure, connection.refresh_at = why[:300], now + pause


def _break(db: Session, connection: Connection, declared: Declared, why: str, setup: Setup) -> None:
    _forget_tokens(connection, state="broken")
    connection.failure = why or "What was kept of the connection cannot be opened any more."
    _tell(db, CONNECTION_BROKEN, connection, declared, SYSTEM)
    tell_broken(db, connection, declared.label, setup=setup)


def _forget_tokens(connection: Connection, *, state: str) -> None:
    connection.state, connection.access_sealed, connection.refresh_sealed, connection.scopes = state, "", "", []
    connection.expires_at = connection.refresh_at = connection.failing_since = None
    connection.failure, connection.token_url = "", ""
    _forget_asking(connection)


def _forget_asking(connection: Connection) -> None:
    connection.asked_state = connection.asked_at = connection.asked_session_id = None
    connection.asked_verifier_sealed = ""


def _sealed(setup: Setup, connection: Connection, part: str, plain: str) -> str:
    return seal(setup.keys, plain, sealed_token(connection.id, part))


def _tell(db: Session, event: EventType, connection: Connection, declared: Declared, by: Actor) -> None:
    publish(
        db, event, by=by, agency_id=connection.agency_id, site_id=connection.site_id, install_id=connection.install_id,
        target=connection.public_id, target_name=declared.label,
        data={"connection": connection.public_id, "name": connection.name, "service": declared.label},
    )  # fmt: skip
