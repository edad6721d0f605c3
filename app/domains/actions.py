"""Every write to domains. What people do comes first; settle() is for the check, which alone may call a name proven."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import UniqueViolation
from redis import RedisError
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.domains.evidence import Evidence, Method
from app.domains.hosts import HostRefused, parse_host
from app.domains.known import CHANGED, forget_domains
from app.domains.models import Domain
from app.domains.setup import Setup
from app.errors import Conflict, Invalid
from app.events import catalog
from app.events.outbox import changed, publish
from app.installs.models import Install
from app.lib.crypto import random_token
from app.lib.ids import encode, uuid7
from app.queue.enqueue import enqueue, redis
from app.tenancy.models import Site

log = logging.getLogger(__name__)

MOST_DOMAINS = 50  # of a site
TOKEN_LIVES = timedelta(days=7)
RETRY, DAILY, WEEKLY = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
PATIENCE = timedelta(seconds=60)  # after this long a check may be ordered again
LOST_AFTER = 3  # checks in a row
MOST_SILENT = 14  # daily checks in a row that nobody answers, before they count as misses
WWW = ("none", "to_host", "to_www")
FOR_SITES = ("embed", "api", "pages")


class TooManyDomains(Conflict):
    """A site may have 50 domains. Remove one that is no longer needed."""


class DomainThere(Conflict):
    """The site has this domain already."""


class StillProven(Conflict):
    """This domain is verified with the token it has; changing it would end that."""


class TokenExpired(Conflict):
    """The token of this domain has expired. Make a new one, and put that into the record or the page."""


def add_domain(
    db: Session, *, site: Site | None, host: str, purposes: Iterable[str], by: Actor, setup: Setup, now: datetime
) -> Domain:
    """A host name, pending until it is proven. purposes: of "embed", "api" and "pages" for a site's; one without a site is for
    the platform's own screens.

    Raises Invalid with errors on host or purposes, DomainThere, TooManyDomains.
    """
    assert by.agency_id is not None
    name = _host(host, setup)
    chosen = _purposes(purposes) if site else ["platform"]
    site_id = site.id if site else None
    # two requests at once must not make the 51st
    db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 23))"), {"owner": f"{by.agency_id} {site_id}"}
    )
    there = select(func.count()).select_from(Domain).where(Domain.agency_id == by.agency_id, Domain.site_id == site_id)
    if (db.scalar(there) or 0) >= MOST_DOMAINS:
        raise TooManyDomains()
    domain = Domain(
        id=uuid7(), agency_id=by.agency_id, site_id=site_id, host=name, purposes=chosen, token=random_token(24),
        token_expires_at=now + TOKEN_LIVES, created_by=by.id if by.kind == "person" else None, created_at=now,
    )  # fmt: skip
    try:
        with db.begin_nested():
            db.add(domain)
            db.flush()
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        raise DomainThere() from error
    db.refresh(domain)
    _tell(db, catalog.DOMAIN_ADDED, domain, by=by, changes={"purposes": [[], chosen]})
    return domain


def remove_domain(db: Session, *, domain: Domain, by: Actor) -> None:
    """End it: pages stop, nothing of the site may be framed there any more, from this moment on."""
    _tell(db, catalog.DOMAIN_REMOVED, domain, by=by)
    db.execute(delete(Domain).where(Domain.id == domain.id))
    _announce(db)


def order_check(db: Session, *, domain: Domain, now: datetime) -> None:
    """Have the proof looked for now, by a job. Ordering twice makes one check. Raises TokenExpired."""
    if not domain.verified_at and domain.token_expires_at <= now:
        raise TokenExpired()
    if domain.checking_at is None or domain.checking_at < now - PATIENCE:
        domain.checking_at = now
        enqueue(db, "domains.check", domain_id=domain.id)


def renew_token(db: Session, *, domain: Domain, by: Actor, now: datetime) -> None:
    """A new token for a domain that is not verified; the old one proves nothing any more. Raises StillProven."""
    if domain.holds:
        raise StillProven()
    domain.token, domain.token_expires_at, domain.checking_at = random_token(24), now + TOKEN_LIVES, None
    _tell(db, catalog.DOMAIN_CHANGED, domain, by=by, data={"changed": ["token"]})


def change_domain(
    db: Session, *, domain: Domain, purposes: Iterable[str], www: str, target: tuple[Install, str] | None, by: Actor
) -> None:
    """What a site's domain may do and what stands at it, from now on.

    www: of WWW, for a domain with pages. target: a module's page by its name; None: the site's own pages. Raises Invalid
    with errors on purposes, www, target.
    """
    chosen = _purposes(purposes)
    if "pages" not in chosen:
        www, target = "none", None
    _must_fit(domain, www, target)
    before, install = _facts(domain), target[0] if target else None
    domain.purposes, domain.www = chosen, www
    domain.target_install_id, domain.target_page = (install.id, target[1]) if install and target else (None, "")
    if changes := changed(before, _facts(domain)):
        _tell(db, catalog.DOMAIN_CHANGED, domain, by=by, data={"changed": sorted(changes)}, changes=changes)
        _announce(db)


def _must_fit(domain: Domain, www: str, target: tuple[Install, str] | None) -> None:
    if www not in WWW or (www != "none" and domain.host.startswith("www.")):
        raise Invalid.field("www", "Choose one of the list.", code="unknown")
    if target is not None and (target[0].site_id != domain.site_id or target[0].status in ("removing", "removed")):
        raise Invalid.field("target", "This module is not on the site.", code="unknown")


def _facts(domain: Domain) -> dict[str, Any]:
    """What the audit trail keeps."""
    install = encode("ins", domain.target_install_id) if domain.target_install_id else ""
    return {
        "purposes": list(domain.purposes),
        "www": domain.www,
        "target": f"{install}/{domain.target_page}".strip("/"),
    }


def settle(db: Session, *, domain: Domain, evidence: Evidence, by: Actor, now: datetime, finished: bool = True) -> None:
    """Write down what a check found, in platform scope, with the row locked. Three misses in a row end what it may do.

    finished: whether the check is over, or goes on to look at what stands there.
    """
    silent = 0 if evidence.method or evidence.certain else domain.found.get("silent", 0) + 1
    domain.checked_at, domain.found = now, {**evidence.found, **({"silent": silent} if silent else {})}
    if finished:
        domain.checking_at = None
    if evidence.method:
        _prove(db, domain, evidence.method, by=by, now=now)
    else:
        _miss(db, domain, silent=silent, by=by, now=now)
    db.flush()
    _announce(db)


def _prove(db: Session, domain: Domain, method: Method, *, by: Actor, now: datetime) -> None:
    held = domain.holds
    try:
        with db.begin_nested():
            domain.state, domain.method, domain.verified_at = "verified", method, domain.verified_at or now
            domain.failures, domain.next_check_at = 0, now + WEEKLY
            db.flush()
    except IntegrityError as error:  # the index knows who has it now, whichever agency
        if not isinstance(error.orig, UniqueViolation):
            raise
        db.refresh(domain)
        domain.found = {**domain.found, "held": True}
        domain.next_check_at = _again(domain, now)
        return
    if not held:
        _tell(db, catalog.DOMAIN_VERIFIED, domain, by=by, data={"method": method})


def _miss(db: Session, domain: Domain, *, silent: int, by: Actor, now: datetime) -> None:
    """silent: how many checks in a row nobody answered, which takes nothing from anybody for a while; not for ever, or who
    buys a name that was let go keeps its rights by not answering us.
    """
    if not domain.holds:
        domain.next_check_at = _again(domain, now)
        return
    if 0 < silent <= MOST_SILENT:
        domain.next_check_at = now + DAILY
        return
    domain.failures += 1
    if domain.failures >= LOST_AFTER:
        lose(db, domain=domain, by=by, now=now)
        return
    if domain.state == "verified":
        _tell(db, catalog.DOMAIN_FAILING, domain, by=by)
    domain.state, domain.next_check_at = "failing", now + DAILY


def lose(db: Session, *, domain: Domain, by: Actor, now: datetime) -> None:
    """It may do nothing any more until it is proven again."""
    domain.state, domain.next_check_at = "lost", now + WEEKLY
    _tell(db, catalog.DOMAIN_LOST, domain, by=by)
    _announce(db)


def _again(domain: Domain, now: datetime) -> datetime | None:
    """When to look again by itself: hourly while the first token lives, weekly for one that was proven once."""
    if domain.state == "lost":
        return now + WEEKLY
    return now + RETRY if now + RETRY < domain.token_expires_at else None


def _host(text_: str, setup: Setup) -> str:
    try:
        return parse_host(text_, reserved=setup.reserved, development=setup.development)
    except HostRefused as error:
        raise Invalid.field("host", str(error), code="refused") from None


def _purposes(given: Iterable[str]) -> list[str]:
    chosen = [one for one in FOR_SITES if one in set(given)]
    if not chosen:
        raise Invalid.field("purposes", "Choose at least one.", code="missing")
    return chosen


def _tell(
    db: Session, event: catalog.EventType, domain: Domain, *, by: Actor, data: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    publish(
        db, event, by=by, agency_id=domain.agency_id, site_id=domain.site_id, target=domain.public_id,
        target_name=domain.host, data={"domain": domain.public_id, "host": domain.host, **(data or {})}, changes=changes,
    )  # fmt: skip


def _announce(db: Session) -> None:
    """Every process drops what it knows, once this transaction is in the database."""
    after_commit(db, _shout)


def _shout() -> None:
    forget_domains()
    try:
        redis().publish(CHANGED, "*")
    except RedisError as error:
        log.warning("could not tell of a changed domain: %s; it is noticed within 5 s", error)
