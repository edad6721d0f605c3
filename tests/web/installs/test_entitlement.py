"""Modules with a price: the trial that begins with the first install, leave given by staff, and what rests without either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events.models import Event
from app.gateway.actions import create_key
from app.installs.entitlement import jobs
from app.installs.entitlement.actions import NotEntitled
from app.installs.entitlement.models import Leave
from app.installs.entitlement.queries import entitlement_of
from app.installs.entitlement.rules import Entitlement, entitled
from app.installs.models import Install
from app.lib.clock import utcnow
from app.modules.models import Version
from app.runtime.context import forget_install
from app.tenancy.models import Site
from tests.support.letters import Postbox
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse

PRICED = "pricing: [{{id: solo, label: Solo, amount: 900, currency: EUR, per: month, trial_days: {days}}}]\n"
PAGE = "pages: {list: {template: list.html, kind: page, title: Notes}}\n"
MONTH, ONCE = 14, 0


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def site(world: World, ada: Person) -> Site:
    return world.site(world_agency(ada))


def world_agency(person: Person) -> Any:
    class Named:
        id = person.agency_id

    return Named()


@pytest.fixture
def priced(world: World) -> Callable[[int], Version]:
    """A module of somebody else that costs something, open to everybody."""

    def made(days: int) -> Version:
        files = notes(new_slug(), files={"templates/list.html": "<h1>Our notes</h1>"})
        files["module.yaml"] += (PRICED.format(days=days) + PAGE).encode()
        return released(world.person(world.agency("Publisher")), files, tier="public")

    return made


def now_of(person: Person, version: Version) -> Entitlement:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return entitlement_of(session, agency_id=person.agency_id, version_id=version.id)


def end(person: Person, *, days_ago: float = 0.001) -> None:
    """As if the time of everything the agency was given were over."""
    with platform_scope("test"), transaction(db.session()) as session:
        for leave in session.scalars(select(Leave).where(Leave.agency_id == person.agency_id)):
            leave.starts_at -= timedelta(days=60)
            leave.ends_at = utcnow() - timedelta(days=days_ago)
    forget_install()


NOW = utcnow()  # tests are collected long before they run


@pytest.mark.parametrize(
    ("found", "may"),
    [
        (Entitlement("free"), True),
        (Entitlement("own"), True),
        (Entitlement("none"), False),
        (Entitlement("none", trial_days=14), False),
        (Entitlement("grant"), True),
        (Entitlement("trial", NOW + timedelta(minutes=1)), True),
        (Entitlement("trial", NOW - timedelta(microseconds=1)), False),
        (Entitlement("grant", NOW - timedelta(days=1)), False),
    ],
)
def test_the_judge(found: Entitlement, may: bool) -> None:
    assert entitled(found, now=NOW) is may


def test_a_free_module_and_ones_own_need_nothing(ada: Person, site: Site, world: World, config: Config) -> None:
    free = released(world.person(world.agency("Publisher")), notes(new_slug()), tier="public")
    assert now_of(ada, free) == Entitlement("free")
    files = notes(new_slug())
    files["module.yaml"] += PRICED.format(days=0).encode()
    own = released(ada, files)
    assert now_of(ada, own).kind == "own"
    assert installed(config, ada, site, own).status == "active"


def test_a_trial_begins_with_the_first_install_and_is_the_only_one(
    browse: Browse, world: World, ada: Person, site: Site, priced: Callable[[int], Version], config: Config
) -> None:
    version = priced(MONTH)
    assert now_of(ada, version) == Entitlement("none", None, 14)
    assert "14 days to try it" in browse(ada).get(f"/marketplace/{version.manifest['slug']}").text
    before = utcnow()
    installed(config, ada, site, version)
    found = now_of(ada, version)
    assert found.kind == "trial"
    assert found.until is not None
    assert abs(found.until - before - timedelta(days=14)) < timedelta(minutes=1)
    second = world.site(world_agency(ada), name="Other")
    installed(config, ada, second, version)
    assert now_of(ada, version).until == found.until
    with platform_scope("test"), transaction(db.session()) as session:
        types = list(session.scalars(select(Event.type).where(Event.agency_id == ada.agency_id)))
    assert types.count("entitlement.trial_started") == 1


def test_without_a_trial_or_after_it_installing_is_refused(
    browse: Browse, ada: Person, site: Site, priced: Callable[[int], Version], config: Config, world: World
) -> None:
    paid = priced(ONCE)
    with pytest.raises(NotEntitled):
        installed(config, ada, site, paid)
    page = browse(ada).get(f"/marketplace/{paid.manifest['slug']}")
    assert "It has a price and no trial." in page.text
    assert not page.html.select("form[action^='/install/']")
    trial = priced(MONTH)
    installed(config, ada, site, trial)
    end(ada)
    with pytest.raises(NotEntitled):
        installed(config, ada, world.site(world_agency(ada), name="Other"), trial)
    assert (
        browse(ada).post(f"/marketplace/{trial.manifest['slug']}/try", {}).where
        == f"/marketplace/{trial.manifest['slug']}"
    )


def test_after_its_end_pages_api_and_screens_say_so_and_records_stay(
    browse: Browse,
    ada: Person,
    site: Site,
    priced: Callable[[int], Version],
    config: Config,
    runtime_app: Flask,
    api_app: Flask,
) -> None:
    version = priced(MONTH)
    install = installed(config, ada, site, version)
    secret = key_of(config, ada, site, install)
    slug = version.manifest["slug"]

    def api(method: str = "GET") -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        return api_app.test_client().open(
            f"/api/modules/{slug}/notes",
            method=method,
            headers=headers,
            json={"title": "One"} if method == "POST" else None,
        )

    def page() -> Any:
        return runtime_app.test_client().get(f"/embed/{install.public_id}/list")

    assert api("POST").status_code == 201
    assert page().status_code == 200
    end(ada)
    refused = api()
    assert (refused.status_code, refused.json["code"]) == (403, "not_entitled")
    assert refused.content_type == "application/problem+json"
    seen = page()
    assert seen.status_code == 503
    assert "trial" not in seen.text.lower()
    screens = browse(ada).get(f"/installs/{install.public_id}/records/notes")
    assert "One" in screens.text
    assert "The trial ended on" in screens.text
    assert not screens.html.select("a[href*='/notes/new']")
    assert browse(ada).post(f"/installs/{install.public_id}/records/notes/new", {"v-title": "Two"}).status in (
        403,
        404,
        503,
    )
    assert "The trial ended on" in browse(ada).get(f"/installs/{install.public_id}").text
    give(config, browse, ada, version)
    assert api().json["data"][0]["title"] == "One"
    assert page().status_code == 200


def test_an_end_that_comes_while_a_process_knows_the_install_is_noticed_at_once(
    ada: Person,
    site: Site,
    priced: Callable[[int], Version],
    config: Config,
    runtime_app: Flask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = priced(MONTH)
    install = installed(config, ada, site, version)
    client = runtime_app.test_client()
    assert client.get(f"/embed/{install.public_id}/list").status_code == 200
    monkeypatch.setattr("app.runtime.context.utcnow", lambda: utcnow() + timedelta(days=15))
    assert client.get(f"/embed/{install.public_id}/list").status_code == 503


def test_staff_give_leave_and_take_it_back(
    browse: Browse, ada: Person, site: Site, priced: Callable[[int], Version], config: Config, world: World
) -> None:
    version = priced(ONCE)
    given = give(config, browse, ada, version, note="Order 12")
    assert given.where == "/staff/marketplace/entitlements"
    assert now_of(ada, version) == Entitlement("grant", None, 0)
    install = installed(config, ada, site, version)
    assert install.status == "active"
    staff = browse(staff_of(world))
    listed = staff.get("/staff/marketplace/entitlements?q=notes")
    assert "Order 12" in listed.text
    assert "Notes" in browse(ada).get("/audit").text
    with platform_scope("test"), transaction(db.session()) as session:
        leave = session.scalars(select(Leave).where(Leave.agency_id == ada.agency_id)).one().public_id
    assert staff.post("/staff/marketplace/entitlements/revoke", {"leave": leave}).status == 303
    assert not entitled(now_of(ada, version), now=utcnow())
    assert staff.post("/staff/marketplace/entitlements/revoke", {"leave": leave}).status == 404
    assert browse(ada).get("/staff/marketplace/entitlements").status == 404
    wrong = staff.post("/staff/marketplace/entitlements", {"agency": "nobody", "module": version.manifest["slug"]})
    assert wrong.status == 422
    assert "There is no agency with this short name." in wrong.text


def test_letters_come_three_days_before_and_at_the_end_once_each(
    ada: Person, site: Site, priced: Callable[[int], Version], config: Config, postbox: Postbox
) -> None:
    installed(config, ada, site, priced(MONTH))
    jobs.remind()
    assert postbox.to(ada.email) == []
    with platform_scope("test"), transaction(db.session()) as session:
        session.scalars(select(Leave).where(Leave.agency_id == ada.agency_id)).one().ends_at = utcnow() + timedelta(
            days=2.9
        )
    jobs.remind()
    jobs.remind()
    [first] = postbox.to(ada.email)
    assert "ends on" in first["Subject"]
    end(ada)
    jobs.remind()
    jobs.remind()
    subjects = [letter["Subject"] for letter in postbox.to(ada.email)]
    assert [one for one in subjects if "has ended" in one] == ["The trial of Notes has ended"]


def test_an_agency_gives_itself_nothing(ada: Person, priced: Callable[[int], Version]) -> None:
    version = priced(ONCE)
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        session.add(Leave(agency_id=ada.agency_id, module_id=version.module_id, kind="grant", starts_at=utcnow()))
        with pytest.raises(ProgrammingError):
            session.flush()
        session.rollback()


# -- how


def key_of(config: Config, person: Person, site: Site, install: Install) -> str:
    with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
        made = create_key(
            session, site=session.get_one(Site, site.id), install_id=install.id, name="Till", kind="secret",
            scopes=["read", "write"], by=person.actor, now=utcnow(),
        )  # fmt: skip
        return made.token


def staff_of(world: World) -> Person:
    return world.person(world.agency("Platform"), staff_role="administrator", name="Sam Staff")


def give(config: Config, browse: Browse, person: Person, version: Version, note: str = "") -> Any:
    from app.tenancy.models import Agency

    with platform_scope("test"), transaction(db.session()) as session:
        slug = session.get_one(Agency, person.agency_id).slug
    form = {"agency": slug, "module": version.manifest["slug"], "ends_on": "", "note": note}
    answer = browse(staff_of(World(config))).post("/staff/marketplace/entitlements", form)
    forget_install()
    return answer
