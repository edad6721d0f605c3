"""The plan's page: what it shows, what has to be agreed to, what is said when it is not."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.installs.jobs import provision
from app.installs.models import Install
from app.tenancy.models import Agency, Site
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse

SETTINGS = "settings: [{label: Mail, fields: {greeting: {type: text, required: true, max: 20}}}]\n"


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def site(world: World, ada: Person) -> Site:
    return world.site(Agency(id=ada.agency_id))


def changed(slug: str, version: str = "2.0.0") -> dict[str, bytes]:
    """The notes without their body, with a scope and a setting more."""
    files = notes(slug, version=version)
    text = (
        files["module.yaml"]
        .decode()
        .replace("      body: {type: text, multiline: true}\n", "      mood: {type: text}\n")
    )
    return {
        "module.yaml": (text + SETTINGS + "permissions: {email: true}\n").encode(),
        "CHANGELOG.md": b"# 2.0.0\n- Moods, **at last**.",
    }


def stored(person: Person, install_id: object) -> Install:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return session.get_one(Install, install_id)


def test_the_plan_is_reached_from_the_install_and_shows_each_part(
    ada: Person, site: Site, config: Config, browse: Browse
) -> None:
    slug = new_slug()
    install = installed(config, ada, site, released(ada, notes(slug)))
    browser = browse(ada)
    address = f"/installs/{install.public_id}/upgrade"
    assert "Nothing newer" in browser.get(address).text
    released(ada, changed(slug))
    assert browser.get(f"/installs/{install.public_id}").one(f'a[href="{address}"]').get_text(strip=True) == (
        "See the plan of the upgrade"
    )
    page = browser.get(address)
    assert page.texts("#losses .badge") == ["Parked"]
    assert page.texts("#tables tbody tr .badge") == ["Changed", "Parked", "Added"]
    assert [one.split("\n")[0] for one in page.texts("#permissions li")] == ["New Asks for sending e-mail"]
    assert page.one("#upgrade [name=greeting]").has_attr("required")
    assert page.one("#changelog .prose li strong").get_text() == "at last"
    assert "**" not in page.one("#changelog").get_text()


def test_an_upgrade_needs_both_agreements_and_the_setting(
    ada: Person, site: Site, config: Config, browse: Browse
) -> None:
    slug = new_slug()
    install = installed(config, ada, site, released(ada, notes(slug)))
    new = released(ada, changed(slug))
    browser, address = browse(ada), f"/installs/{install.public_id}/upgrade"
    form = {"version": new.public_id, "has.greeting": "1", "greeting": "Hello", "agree": "1", "lose": "1"}
    answers = [
        browser.post(address, {name: value for name, value in form.items() if name != left})
        for left in ("lose", "agree", "greeting")
    ]
    assert [(one.status, "Nothing was changed" in one.text) for one in answers] == [
        (409, True),
        (409, True),
        (422, True),
    ]
    assert answers[0].one("[name=greeting]")["value"] == "Hello"
    assert stored(ada, install.id).version_id == install.version_id
    assert browser.post(address, form).status == 303
    with tenant_scope(ada.agency_id):
        provision(str(install.id))
    moved = stored(ada, install.id)
    assert (moved.status, moved.version_id, moved.settings["greeting"]) == ("active", new.id, "Hello")


def test_who_may_look_may_not_upgrade_and_others_see_nothing(
    ada: Person, site: Site, config: Config, world: World, browse: Browse
) -> None:
    slug = new_slug()
    install = installed(config, ada, site, released(ada, notes(slug)))
    new = released(ada, notes(slug, version="1.1.0"))
    viewer = world.person(Agency(id=ada.agency_id), Role.VIEWER)
    address = f"/installs/{install.public_id}/upgrade"
    page = browse(viewer).get(address)
    assert (page.status, page.texts("#upgrade")) == (200, [])
    assert browse(viewer).post(address, {"version": new.public_id}).status == 403
    assert browse(world.person(world.agency())).get(address).status == 404
    assert browse(ada).get(f"{address}?version=9.9.9").status == 404
    assert browse(ada).post(address, {"version": "ver_nonsense"}).status == 404
