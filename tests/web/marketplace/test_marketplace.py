"""The marketplace: find a module, read what it may do, start installing it."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.config import Config
from app.tenancy.models import Agency
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


def test_a_public_module_is_found_by_its_slug_with_its_publisher(world: World, ada: Person, browse: Browse) -> None:
    slug = new_slug()
    released(world.person(world.agency("Northbeam")), notes(slug), tier="public")
    page = browse(ada).get(f"/marketplace/?q={slug}")
    assert (page.texts(".module-card h2"), page.texts(".module-card-head p")) == (["Notes"], ["Northbeam"])


def test_to_htmx_the_results_alone_are_answered(ada: Person, browse: Browse) -> None:
    slug = new_slug()
    released(ada, notes(slug))
    page = browse(ada).get(f"/marketplace/?q={slug}", htmx="results")
    assert ("<html" in page.text, page.texts(".module-card h2")) == (False, ["Notes"])


def test_no_match_offers_to_clear_the_search(ada: Person, browse: Browse) -> None:
    page = browse(ada).get("/marketplace/?q=nothing-is-called-this")
    assert page.one(".empty-state a")["href"] == "/marketplace/"


def test_the_page_of_a_module_says_what_it_may_do(ada: Person, browse: Browse) -> None:
    slug = new_slug()
    released(ada, notes(slug))
    page = browse(ada).get(f"/marketplace/{slug}")
    assert page.texts(".permissions b") == ["Keep records"]


def test_text_of_publishers_is_never_markup(ada: Person, browse: Browse) -> None:
    slug = new_slug()
    readme = "Text\n\n# <script>alert(1)</script>\n[x](javascript:alert(1)) <b hx-get='/x' hx-trigger='load'>y</b>"
    released(ada, notes(slug, files={"README.md": readme}))
    page = browse(ada).get(f"/marketplace/{slug}")
    prose = page.one(".prose")
    assert (prose.select("script, [hx-get], b"), [a.get("href") for a in prose.select("a")]) == ([], [])


def test_sites_that_have_it_are_named_and_not_offered(
    world: World, ada: Person, config: Config, browse: Browse
) -> None:
    slug = new_slug()
    version = released(ada, notes(slug))
    agency = Agency(id=ada.agency_id)
    here, free = world.site(agency, name="Has it"), world.site(agency, name="Free")
    installed(config, ada, here, version)
    page = browse(ada).get(f"/marketplace/{slug}")
    assert (page.texts("select[name=site] option"), page.texts(".split-rail .plain-list a")) == (["Free"], ["Has it"])
    assert free.public_id in page.text


def test_coming_from_a_site_that_site_is_chosen(world: World, ada: Person, browse: Browse) -> None:
    slug = new_slug()
    released(ada, notes(slug))
    agency = Agency(id=ada.agency_id)
    world.site(agency, name="A first one")
    wanted = world.site(agency, name="The one")
    browser = browse(ada)
    card = browser.get(f"/marketplace/?q={slug}&site={wanted.public_id}").one(".module-card a")
    assert browser.get(str(card["href"])).texts("select[name=site] option[selected]") == ["The one"]


def test_a_viewer_reads_but_is_not_offered_to_install(world: World, browse: Browse) -> None:
    agency = world.agency()
    slug = new_slug()
    released(world.person(agency), notes(slug))
    page = browse(world.person(agency, Role.VIEWER)).get(f"/marketplace/{slug}")
    assert (page.status, page.html.select("form[action*=install]")) == (200, [])


def test_drafts_and_internal_modules_of_others_are_not_there(world: World, ada: Person, browse: Browse) -> None:
    slug = new_slug()
    released(world.person(world.agency()), notes(slug))
    assert browse(ada).get(f"/marketplace/{slug}").status == 404
