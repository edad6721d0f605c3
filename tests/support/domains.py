"""Domains of the tests: proven ones without a name server, by what the check itself calls at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.access.actors import Actor, job
from app.access.permissions import Role
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.domains.actions import add_domain, settle
from app.domains.evidence import Evidence
from app.domains.known import forget_domains
from app.domains.models import Domain
from app.domains.setup import current_setup
from app.lib.clock import utcnow
from app.tenancy.models import Site

BY_DNS = Evidence("dns", True, {})
MISSING = Evidence("", True, {})
SILENT = Evidence("", False, {})


def added_domain(site: Site, host: str, *, purposes: Iterable[str] = ("embed",), by: Actor | None = None) -> Domain:
    """A domain of a site that nobody has proven yet."""
    actor = by or Actor(kind="system", agency_id=site.agency_id, role=Role.OWNER)
    with tenant_scope(site.agency_id), transaction(db.session()) as session:
        return add_domain(
            session, site=site, host=host, purposes=purposes, by=actor, setup=current_setup(), now=utcnow()
        )


def verified_domain(site: Site, host: str, *, purposes: Iterable[str] = ("embed",), **values: Any) -> Domain:
    """A proven domain of a site. values: columns such as www or target_page."""
    return check(added_domain(site, host, purposes=purposes), BY_DNS, **values)


def platform_domain(agency_id: UUID, host: str) -> Domain:
    """A proven host at which an agency has the platform itself."""
    actor = Actor(kind="system", agency_id=agency_id, role=Role.OWNER)
    with tenant_scope(agency_id), transaction(db.session()) as session:
        domain = add_domain(session, site=None, host=host, purposes=[], by=actor, setup=current_setup(), now=utcnow())
    made = check(domain, BY_DNS)
    forget_domains()
    return made


def check(domain: Domain, evidence: Evidence, **values: Any) -> Domain:
    """What becomes of a domain when a check finds this."""
    with platform_scope("test check"), transaction(db.session()) as session:
        found = session.get_one(Domain, domain.id, with_for_update=True)
        for name, value in values.items():
            setattr(found, name, value)
        settle(session, domain=found, evidence=evidence, by=job("domains.check"), now=utcnow())
        return found
