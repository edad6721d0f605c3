"""Installing: the wizard asks before anything happens, the page says where it stands, removal can be undone."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.installs.jobs import deprovision, provision
from app.installs.models import Install
from app.modules.models import Version
from app.tenancy.models import Agency, Site
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse

SETTINGS = """
settings:
  - label: General
    fields:
      greeting: {type: text, required: true, max: 20}
      loud: {type: boolean, default: false}
      token: {type: secret}
      accent: {type: color, default: "#3b46c8", visible_if: {loud: true}}
"""


def with_settings(slug: str, *, version: str = "1.0.0") -> dict[str, bytes]:
    files = notes(slug, version=version)
    files["module.yaml"] += SETTINGS.encode()
    return files


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def site(world: World, ada: Person) -> Site:
    return world.site(Agency(id=ada.agency_id))


def address(slug: str, site: Site, version: Version, step: str = "") -> str:
    query = {"site": site.public_id, "version": version.version, "agree": version.digest}
    return f"/install/{slug}{step}?{urlencode(query)}"


def stored(person: Person, install_id: object) -> Install:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return session.get_one(Install, install_id)


def only_install(person: Person, site: Site) -> Install:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return session.query(Install).filter_by(site_id=site.id).one()


def test_the_wizard_goes_from_site_to_permissions_to_settings(ada: Person, site: Site, browse: Browse) -> None:
    slug, browser = new_slug(), browse(ada)
    version = released(ada, with_settings(slug))
    first = browser.get(f"/install/{slug}")
    second = browser.get(f"/install/{slug}?{urlencode({'site': site.public_id, 'version': '1.0.0'})}")
    third = browser.get(address(slug, site, version, "/settings"))
    assert [page.one("[aria-current=step]").get_text(strip=True)[1:] for page in (first, second, third)] == [
        "Site", "Permissions", "Settings",
    ]  # fmt: skip


def test_settings_are_not_reached_without_agreeing(ada: Person, site: Site, browse: Browse) -> None:
    slug = new_slug()
    released(ada, with_settings(slug))
    page = browse(ada).get(f"/install/{slug}/settings?{urlencode({'site': site.public_id, 'version': '1.0.0'})}")
    assert (page.status, (page.where or "").startswith(f"/install/{slug}?")) == (303, True)


def test_installing_orders_the_job_and_the_page_shows_where_it_stands(ada: Person, site: Site, browse: Browse) -> None:
    slug, browser = new_slug(), browse(ada)
    version = released(ada, with_settings(slug))
    answer = browser.post(address(slug, site, version), {"greeting": "Hello"})
    install = only_install(ada, site)
    assert (answer.status, answer.where, install.status) == (303, f"/installs/{install.public_id}", "provisioning")
    assert browser.get(answer.where or "").one("#state")["data-state"] in ("queued", "running")
    with tenant_scope(ada.agency_id):
        provision(str(install.id))
    assert (stored(ada, install.id).status, stored(ada, install.id).settings["greeting"]) == ("active", "Hello")


def test_wrong_settings_are_said_at_the_field_and_nothing_is_installed(ada: Person, site: Site, browse: Browse) -> None:
    slug, browser = new_slug(), browse(ada)
    version = released(ada, with_settings(slug))
    answer = browser.post(address(slug, site, version), {"greeting": "x" * 30})
    assert (answer.status, len(answer.errors), answer.one("[name=greeting]")["value"]) == (422, 1, "x" * 30)
    assert "No modules installed yet" in browser.get("/installs").text


def test_a_second_install_of_the_same_module_is_refused(
    ada: Person, site: Site, config: Config, browse: Browse
) -> None:
    slug = new_slug()
    version = released(ada, notes(slug))
    installed(config, ada, site, version)
    answer = browse(ada).post(address(slug, site, version), {})
    assert (answer.status, "already has Notes" in answer.text) == (409, True)


def test_secrets_are_kept_when_the_field_is_left_empty_and_never_shown(
    ada: Person, site: Site, config: Config, browse: Browse
) -> None:
    version = released(ada, with_settings(new_slug()))
    install = installed(config, ada, site, version, {"greeting": "Hi", "token": "s3cret-value"})
    browser, page = browse(ada), f"/installs/{install.public_id}/settings"
    answer = browser.post(page, {"greeting": "Hi there", "token": ""})
    kept = stored(ada, install.id)
    assert (answer.status, kept.settings["greeting"], kept.secrets) == (303, "Hi there", install.secrets)
    assert "s3cret-value" not in browser.get(page).text


def test_pausing_and_resuming(ada: Person, site: Site, config: Config, browse: Browse) -> None:
    install = installed(config, ada, site, released(ada, notes(new_slug())))
    browser = browse(ada)
    browser.post(f"/installs/{install.public_id}/pause")
    paused = stored(ada, install.id).status
    told = browser.get("/").texts("#attention .row-list-text a")
    lines = browser.get(f"/sites/{site.public_id}").texts(".timeline li p:first-child")
    browser.post(f"/installs/{install.public_id}/resume")
    assert (paused, stored(ada, install.id).status) == ("paused", "active")
    assert (told, browser.get("/").texts("#attention .row-list-text a")) == ([f"Notes is paused on {site.name}"], [])
    assert lines[:2] == ["Module paused: Notes", "Module installed: Notes"]


def test_removing_and_bringing_back(ada: Person, site: Site, config: Config, browse: Browse) -> None:
    install = installed(config, ada, site, released(ada, notes(new_slug())))
    browser = browse(ada)
    browser.post(f"/installs/{install.public_id}/remove")
    with tenant_scope(ada.agency_id):
        deprovision(str(install.id))
    page = browser.get("/installs?removed=1")
    assert (stored(ada, install.id).status, page.texts("tbody tr td:first-child a, tbody tr th a")[:1]) == (
        "removed",
        ["Notes"],
    )
    browser.post(f"/installs/{install.public_id}/restore")
    with tenant_scope(ada.agency_id):
        provision(str(install.id))
    assert stored(ada, install.id).status == "active"


def test_upgrading_shows_the_changes_and_moves_to_the_new_version(
    ada: Person, site: Site, config: Config, browse: Browse
) -> None:
    slug = new_slug()
    install = installed(config, ada, site, released(ada, notes(slug)))
    newer = released(ada, notes(slug, version="1.1.0", extra="      more: {type: text}"))
    browser = browse(ada)
    assert "1.1.0 is available" in browser.get(f"/installs/{install.public_id}").text
    browser.post(f"/installs/{install.public_id}/upgrade", {"version": newer.public_id})
    with tenant_scope(ada.agency_id):
        provision(str(install.id))
    kept = stored(ada, install.id)
    assert (kept.version_id, kept.status) == (newer.id, "active")


@pytest.mark.parametrize("act", ["pause", "settings", "remove", "upgrade"])
def test_changing_is_refused_to_a_viewer(world: World, config: Config, browse: Browse, act: str) -> None:
    agency = world.agency()
    ada = world.person(agency)
    install = installed(config, ada, world.site(agency), released(ada, notes(new_slug())))
    assert browse(world.person(agency, Role.VIEWER)).post(f"/installs/{install.public_id}/{act}").status == 403


@pytest.mark.parametrize("page", ["", "/settings", "/roles"])
def test_an_install_does_not_exist_for_another_agency(
    world: World, ada: Person, site: Site, config: Config, browse: Browse, page: str
) -> None:
    install = installed(config, ada, site, released(ada, with_settings(new_slug()), tier="public"), {"greeting": "Hi"})
    olga = browse(world.person(world.agency("Elsewhere")))
    assert (
        olga.get(f"/installs/{install.public_id}{page}").status,
        browse(ada).get(f"/installs/{install.public_id}{page}").status,
    ) == (404, 200)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_for_any_number(
    world: World, config: Config, browse: Browse, rows: int, statements: object
) -> None:
    agency = world.agency()
    ada = world.person(agency)
    version = released(ada, notes(new_slug()))
    for _ in range(rows):
        installed(config, ada, world.site(agency), version)
    browser = browse(ada)
    browser.get("/installs")
    with statements.exactly(5):  # type: ignore[attr-defined]
        page = browser.get("/installs")
    assert len(page.html.select("tbody tr")) == rows
