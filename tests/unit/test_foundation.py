"""No scope, no rows: what the database gives depends on who asks, and asking without saying who is an error."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from app.db.base import db
from app.db.scope import ScopeMissing, ScopeMixed, identity_scope, platform_scope, tenant_scope
from app.db.session import transaction
from app.tenancy.models import Site
from tests.support.world import World


def test_asking_without_a_scope_is_an_error(world: World) -> None:
    with pytest.raises(ScopeMissing):
        db.session.scalar(select(func.count()).select_from(Site))


def test_a_tenant_sees_its_own_sites_only(world: World) -> None:
    ours, theirs = world.agency(), world.agency()
    site = world.site(ours)
    world.site(theirs)
    with tenant_scope(ours.id), transaction(db.session()) as session:
        assert session.scalars(select(Site.id)).all() == [site.id]


def test_identifying_somebody_shows_no_tenant_rows(world: World) -> None:
    world.site(world.agency())
    with identity_scope(), transaction(db.session()) as session:
        assert session.scalars(select(Site.id)).all() == []


def test_a_transaction_does_not_outlive_its_scope(world: World) -> None:
    agency = world.agency()
    with tenant_scope(agency.id):
        db.session.scalar(select(func.count()).select_from(Site))
        with pytest.raises(ScopeMixed), platform_scope("look around"):
            db.session.scalar(select(func.count()).select_from(Site))
        db.session.rollback()


def test_a_scope_leaves_nothing_behind_on_the_connection(world: World) -> None:
    agency = world.agency()
    with tenant_scope(agency.id), transaction(db.session()) as session:
        session.scalar(select(func.count()).select_from(Site))
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT current_agency_id()")) is None
