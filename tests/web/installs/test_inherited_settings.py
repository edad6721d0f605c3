"""Settings screens where the agency and the client have a say: what they show, what a form changes, what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.installs.jobs import provision
from app.installs.models import Install, ModuleSettings
from app.modules.models import Version
from app.runtime.context import forget_install
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse

MORE = """
pages:
  hello: {template: hello.html, kind: page}
settings:
  - label: General
    fields:
      greeting: {type: text, required: true, max: 20}
      tint: {type: color}
      loud: {type: boolean, default: false}
      token: {type: secret}
"""


@dataclass
class Place:
    ada: Person
    slug: str
    version: Version
    browser: Browser
    config: Config

    @property
    def page(self) -> str:
        return f"/modules/{self.slug}/settings"

    def put_on(self, site: Site, **settings: str) -> Install:
        return installed(self.config, self.ada, site, self.version, settings)

    def save(self, path: str, **form: str) -> Page:
        """Send the form, look at what it touches, send it again."""
        first = self.browser.post(path, form)
        hidden = {str(one["name"]): str(one["value"]) for one in first.html.select("input[type=hidden][name^=sealed]")}
        form.pop("token", None)  # a page never shows it again
        return self.browser.post(path, {**form, **hidden, "reviewed": str(first.one("[name=reviewed]")["value"])})


@pytest.fixture
def place(world: World, config: Config, browse: Browse) -> Place:
    ada = world.person(world.agency())
    slug = new_slug()
    files = notes(slug, files={"templates/hello.html": "<p id=said>{{ settings.greeting }}</p>"})
    files["module.yaml"] += MORE.encode()
    return Place(ada, slug, released(ada, files), browse(ada), config)


def stored(person: Person, install: Install) -> Install:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return session.get_one(Install, install.id)


def levels(person: Person) -> list[ModuleSettings]:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return list(session.scalars(select(ModuleSettings)))


def test_a_change_is_shown_before_it_is_made_and_then_runs(place: Place, world: World, runtime_app: Flask) -> None:
    site = world.site(Agency(id=place.ada.agency_id))
    install = place.put_on(site, greeting="Own")
    other = place.put_on(world.site(Agency(id=place.ada.agency_id), name="Quinta"), greeting="Own")
    place.browser.post(f"/installs/{other.public_id}/settings", {"greeting": "Own", "seen": "greeting"})
    first = place.browser.post(place.page, {"greeting": "From us", "seen": "greeting"})
    assert (first.status, levels(place.ada)) == (200, [])
    assert first.texts("#touches h2") == ["No site changes now"]
    place.save(place.page, greeting="From us", seen="greeting")
    answer = place.browser.post(f"/installs/{install.public_id}/settings", {"back.greeting": "1"})
    forget_install()
    said = Browser(runtime_app).get(f"/embed/{install.public_id}/hello")
    assert (answer.status, stored(place.ada, install).settings, said.texts("#said")) == (303, {}, ["From us"])
    place.save(place.page, greeting="Anew", seen="greeting")
    forget_install()
    assert Browser(runtime_app).get(f"/embed/{install.public_id}/hello").texts("#said") == ["Anew"]
    assert stored(place.ada, other).settings == {"greeting": "Own"}


def test_the_form_says_where_a_value_comes_from_and_leaves_it_there(place: Place, world: World) -> None:
    install = place.put_on(world.site(Agency(id=place.ada.agency_id)), greeting="Own")
    place.save(place.page, tint="#aabbcc", loud="y", seen="tint")
    page = f"/installs/{install.public_id}/settings"
    shown = place.browser.get(page)
    assert (shown.one("[name=tint]")["value"], shown.one("[name=loud]").has_attr("checked")) == ("#aabbcc", True)
    assert [text for text in shown.texts(".setting-origin") if "From" in text] == [
        "From the agency. Use it as the site’s own value, whatever changes above"
    ] * 2
    seen = ["greeting", "tint", "loud", "token"]
    place.browser.post(page, {"greeting": "Own", "tint": "#aabbcc", "loud": "1", "seen": seen})
    unchanged = stored(place.ada, install).settings
    place.browser.post(page, {"greeting": "Own", "tint": "#aabbcc", "own.tint": "1", "seen": seen})
    assert (unchanged, stored(place.ada, install).settings) == (
        {"greeting": "Own"}, {"greeting": "Own", "tint": "#aabbcc", "loud": False},
    )  # fmt: skip


def test_a_locked_setting_says_who_and_why_and_refuses(place: Place, world: World) -> None:
    install = place.put_on(world.site(Agency(id=place.ada.agency_id)), greeting="Own")
    place.save(
        place.page, **{"greeting": "Same", "lock.greeting": "1", "reason.greeting": "One voice", "seen": "greeting"}
    )
    page = f"/installs/{install.public_id}/settings"
    shown = place.browser.get(page)
    assert shown.one("[name=greeting]").has_attr("disabled")
    assert shown.texts("[data-locked]") == [
        f"{place.ada.name} locked it for all sites of the agency: One voice. The value given here waits until it is unlocked."
    ]
    refused = place.browser.post(page, {"greeting": "Mine"})
    assert (refused.status, stored(place.ada, install).settings) == (422, {"greeting": "Own"})
    assert "locked it for all sites of the agency: One voice" in refused.errors[0]
    client = f"{place.page}/{client_id(place.ada, install)}"
    assert place.browser.post(client, {"greeting": "Mine", "seen": "greeting"}).status == 422


def client_id(person: Person, install: Install) -> str:
    from app.lib.ids import encode

    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return encode("cli", session.get_one(Site, install.site_id).client_id)


def test_the_wizard_takes_what_it_needs_from_above(place: Place, world: World) -> None:
    site = world.site(Agency(id=place.ada.agency_id))
    query = {"site": site.public_id, "version": place.version.version, "agree": place.version.digest}
    address = f"/install/{place.slug}?{urlencode(query)}"
    assert place.browser.post(address, {"greeting": ""}).status == 422
    place.save(place.page, greeting="From us", seen="greeting")
    shown = place.browser.get(f"/install/{place.slug}/settings?{urlencode(query)}")
    assert shown.one("[name=greeting]")["value"] == "From us"
    answer = place.browser.post(address, {"greeting": "From us", "seen": ["greeting", "loud"]})
    with tenant_scope(place.ada.agency_id), transaction(db.session()) as session:
        install = session.scalars(select(Install).where(Install.site_id == site.id)).one()
    with tenant_scope(place.ada.agency_id):
        provision(str(install.id))
    assert (answer.status, stored(place.ada, install).status, install.settings) == (303, "active", {})


def test_a_secret_of_the_agency_travels_sealed_and_is_never_shown(place: Place) -> None:
    first = place.browser.post(place.page, {"token": "s3cret-value", "seen": "token"})
    assert "s3cret-value" not in first.text
    saved = place.save(place.page, token="s3cret-value", seen="token")
    assert (saved.status, "s3cret-value" in place.browser.get(place.page).text) == (303, False)
    assert list(levels(place.ada)[0].secrets) == ["token"]


def test_a_change_that_was_not_looked_at_is_not_made(place: Place) -> None:
    first = place.browser.post(place.page, {"tint": "#aabbcc", "seen": "tint"})
    mark = str(first.one("[name=reviewed]")["value"])
    other = place.browser.post(place.page, {"tint": "#000000", "seen": "tint", "reviewed": mark})
    assert (other.status, levels(place.ada)) == (200, [])


def test_what_is_wrong_is_said_at_the_field(place: Place) -> None:
    answer = place.browser.post(place.page, {"tint": "red", "seen": "tint"})
    assert (answer.status, len(answer.errors), levels(place.ada)) == (422, 1, [])


@pytest.mark.parametrize(("role", "status"), [(Role.DEVELOPER, 403), (Role.VIEWER, 403), (Role.ADMIN, 200)])
def test_only_those_who_manage_the_fleet_may_change_a_level(
    place: Place, world: World, browse: Browse, role: Role, status: int
) -> None:
    person = world.person(Agency(id=place.ada.agency_id), role)
    assert browse(person).post(place.page, {"tint": "#aabbcc", "seen": "tint"}).status == status


def test_a_module_and_a_client_of_others_do_not_exist(place: Place, world: World, browse: Browse) -> None:
    elsewhere = world.agency("Elsewhere")
    olga, theirs = browse(world.person(elsewhere)), world.client(elsewhere)
    assert olga.get(place.page).status == 404
    assert place.browser.get(f"{place.page}/{theirs.public_id}").status == 404


def test_the_page_of_all_sites_costs_the_same_for_any_number(place: Place, world: World, statements: object) -> None:
    cost = []
    for more in (1, 2):
        for _ in range(more):
            place.put_on(world.site(Agency(id=place.ada.agency_id)), greeting="Own")
        place.browser.get(place.page)
        with statements.counted() as sent:  # type: ignore[attr-defined]
            assert len(place.browser.get(place.page).html.select("#clients tbody tr")) == (1 if more == 1 else 3)
        cost.append(len(sent))
    assert cost[0] == cost[1] <= 12
