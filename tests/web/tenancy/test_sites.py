"""Sites: list, page, make, edit, archive, restore."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.models import AuditRow, Event
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.tenancy.models import Agency, Client, Site
from tests.support.browser import Browser
from tests.support.statements import Statements
from tests.support.world import Person, World
from tests.web.conftest import Browse

VALUES = {"name": "Vinyl District", "url": "", "time_zone": "Europe/Berlin", "locale": "de", "currency": "EUR"}


def kept(site_id: Any) -> Site:
    with platform_scope("test"), transaction(db.session()) as session:
        row = session.get_one(Site, site_id)
        session.expunge(row)
        return row


def events_of(agency: Agency) -> list[tuple[str, str, str]]:
    """(type, subject, actor) in their order."""
    with platform_scope("test"), transaction(db.session()) as session:
        rows = session.scalars(select(Event).where(Event.agency_id == agency.id).order_by(Event.sequence))
        return [(row.type, row.subject, row.actor) for row in rows]


def trail_of(agency: Agency) -> list[tuple[str, str, dict[str, Any]]]:
    """(action, target name, changes) in their order."""
    with platform_scope("test"), transaction(db.session()) as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.agency_id == agency.id).order_by(AuditRow.number))
        return [(row.action, row.target_name, row.changes) for row in rows]


def archive(row: Site | Client) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(type(row), row.id).archived_at = utcnow()


def test_a_new_site_is_there_with_event_and_audit(
    ada: Browser, agency: Agency, client: Client, ada_person: Person
) -> None:
    answer = ada.post("/sites/new", {**VALUES, "client": client.public_id, "url": "https://vinyl.example"})
    assert answer.status == 303
    site_id = (answer.where or "").rpartition("/")[2]
    page = ada.get(answer.where or "")
    assert (page.status, page.heading) == (200, "Vinyl District")
    assert page.texts("#toasts .toast-title") == ["Vinyl District is there"]
    assert events_of(agency) == [("site.created", site_id, ada_person.actor.ref)]
    assert trail_of(agency) == [("site.created", "Vinyl District", {})]


def test_the_short_name_comes_from_the_name_and_finds_a_free_one(ada: Browser, client: Client) -> None:
    name = f"Vinyl {uuid7().hex[-6:]}"
    slugs = []
    for _ in range(2):
        where = ada.post("/sites/new", {**VALUES, "name": name, "client": client.public_id}).where or ""
        facts = dict(zip(ada.get(where).texts("#facts dt"), ada.get(where).texts("#facts dd"), strict=True))
        slugs.append(facts["Short name"])
    first = name.lower().replace(" ", "-")
    assert slugs == [first, f"{first}-2"]


def test_a_short_name_that_somebody_else_has_is_refused_with_a_free_one(
    ada: Browser, client: Client, world: World
) -> None:
    taken = world.site(world.agency()).slug
    page = ada.post("/sites/new", {**VALUES, "client": client.public_id, "slug": taken})
    assert page.status == 422
    assert page.errors[0].startswith(f"“{taken}” is taken. “")
    assert page.one("#name")["value"] == "Vinyl District"


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"name": " "}, ["Enter a name."]),
        ({"name": "x" * 121}, ["Field cannot be longer than 120 characters."]),
        ({"slug": "Not A Slug"}, ["3 to 40 of a–z, 0–9 and hyphens, beginning with a letter."]),
        ({"url": "javascript:alert(1)"}, ["Enter a full web address, such as https://www.example.com."]),
        ({"url": "https://ada:secret@example.com"}, ["Enter a full web address, such as https://www.example.com."]),
        ({"url": "www.example.com"}, ["Enter a full web address, such as https://www.example.com."]),
        ({"url": "https://[broken"}, ["Enter a full web address, such as https://www.example.com."]),
        ({"time_zone": "Nowhere"}, ["Not a valid choice."]),
        ({"currency": "XXX"}, ["Not a valid choice."]),
        ({"client": ""}, ["Choose a client."]),
    ],
)
@pytest.mark.parametrize("htmx", [None, "site-box"])
def test_what_is_wrong_stands_beside_its_field(
    ada: Browser, agency: Agency, client: Client, change: dict[str, str], errors: list[str], htmx: str | None
) -> None:
    page = ada.post("/sites/new", {**VALUES, "client": client.public_id, **change}, htmx=htmx)
    assert (page.status, page.errors) == (422, errors)
    assert events_of(agency) == []


@pytest.mark.parametrize("whose", ["foreign", "missing", "archived"])
def test_a_site_cannot_be_given_to_a_client_that_is_not_there(
    ada: Browser, world: World, agency: Agency, whose: str
) -> None:
    wanted = {
        "foreign": world.client(world.agency()).public_id,
        "missing": encode("cli", uuid7()),
        "archived": (old := world.client(agency)).public_id,
    }[whose]
    archive(old)
    world.client(agency)
    page = ada.post("/sites/new", {**VALUES, "client": wanted})
    assert (page.status, page.errors) == (422, ["Not a valid choice."])


def test_the_first_site_of_an_agency_needs_a_client_first(ada: Browser) -> None:
    page = ada.get("/sites/new")
    assert page.texts(".empty-state h2") == ["First a client"]


def test_an_edit_is_saved_and_says_what_changed(ada: Browser, agency: Agency, site: Site, client: Client) -> None:
    form = ada.get(f"/sites/{site.public_id}/edit")
    assert form.one("#name")["value"] == "Harbour Dental"
    sent = {"name": "Harbour", "client": client.public_id, "url": site.url, "time_zone": "Europe/London",
            "locale": "en", "currency": "EUR"}  # fmt: skip
    page = ada.post(f"/sites/{site.public_id}/edit", sent)
    assert page.errors == ["Not a valid choice."]
    answer = ada.post(f"/sites/{site.public_id}/edit", {**sent, "locale": "en_GB"})
    assert (answer.status, answer.where) == (303, f"/sites/{site.public_id}")
    assert trail_of(agency) == [
        (
            "site.changed",
            "Harbour",
            {"name": ["Harbour Dental", "Harbour"], "time_zone": ["UTC", "Europe/London"], "locale": ["en", "en_GB"]},
        )
    ]


def test_an_edit_that_changes_nothing_leaves_no_line(ada: Browser, agency: Agency, site: Site, client: Client) -> None:
    sent = {
        "name": "Again",
        "client": client.public_id,
        "url": "",
        "time_zone": "UTC",
        "locale": "de",
        "currency": "EUR",
    }
    for _ in range(2):
        assert ada.post(f"/sites/{site.public_id}/edit", sent).status == 303
    assert len(trail_of(agency)) == 1


def test_the_short_name_cannot_be_changed_by_sending_one(ada: Browser, site: Site, client: Client) -> None:
    sent = {**VALUES, "client": client.public_id, "slug": "stolen-slug", "agency_id": str(uuid7())}
    assert ada.post(f"/sites/{site.public_id}/edit", sent).status == 303
    after = kept(site.id)
    assert (after.slug, after.agency_id) == (site.slug, site.agency_id)


def test_archiving_can_be_undone(ada: Browser, agency: Agency, site: Site) -> None:
    assert ada.post(f"/sites/{site.public_id}/archive").where == f"/sites/{site.public_id}"
    page = ada.get(f"/sites/{site.public_id}")
    assert page.texts(".callout-title") == ["This site is archived"]
    assert page.one("#toasts li form")["action"] == f"/sites/{site.public_id}/restore"
    assert ada.get("/sites").ids("#sites tbody tr") == []
    assert ada.get("/sites?status=archived").ids("#sites tbody tr") == [site.public_id]
    ada.post(f"/sites/{site.public_id}/archive")  # a second click does nothing
    ada.post(f"/sites/{site.public_id}/restore")
    assert ada.get("/sites").ids("#sites tbody tr") == [site.public_id]
    assert [row[0] for row in trail_of(agency)] == ["site.archived", "site.restored"]


def test_a_site_of_an_archived_client_is_not_restored(ada: Browser, site: Site, client: Client) -> None:
    archive(site)
    archive(client)
    ada.post(f"/sites/{site.public_id}/restore")
    assert kept(site.id).archived_at is not None
    assert ada.get(f"/sites/{site.public_id}").texts("#toasts .toast-note") == [
        "This client is archived. Restore it first, or choose another."
    ]


@pytest.fixture
def many(world: World, agency: Agency, client: Client) -> list[Site]:
    """Thirty sites, the newest first in the list; five of them of another client."""
    other = world.client(agency, "Other Group")
    return [
        world.site(
            agency,
            client=other if number < 5 else client,
            name=f"Site {number:02}",
            url=f"https://s{number:02}.example",
            created_at=utcnow() - timedelta(days=number),
        )
        for number in range(30)
    ]


def names(page: Any) -> list[str]:
    return [text.split(" s")[0] for text in page.texts("#sites tbody .row-link")]


@pytest.mark.parametrize(
    ("query", "first", "number"),
    [
        ("", "Site 00", 25),
        ("?page=2", "Site 25", 5),
        ("?sort=-name", "Site 29", 25),
        ("?sort=created_at", "Site 29", 25),
        ("?sort=-created_at", "Site 00", 25),
        ("?sort=client", "Site 05", 25),
        ("?sort=-modules", "Site 00", 25),
        ("?sort=nonsense&page=-1&status=what", "Site 00", 25),
        ("?q=site 07", "Site 07", 1),
        ("?q=S07.EXAMPLE", "Site 07", 1),
        ("?q=other group", "Site 00", 5),
    ],
)
def test_the_list_is_what_its_address_says(ada: Browser, many: list[Site], query: str, first: str, number: int) -> None:
    page = ada.get(f"/sites{query}")
    found = names(page)
    if "client" in query or "modules" in query:
        assert len(found) == number
    else:
        assert (found[0], len(found)) == (first, number)
    part = ada.get(f"/sites{query}", htmx="results")
    assert names(part) == found
    assert part.html.select_one("html") is None


def test_the_list_is_filtered_by_client(ada: Browser, many: list[Site]) -> None:
    other = encode("cli", many[0].client_id)
    page = ada.get(f"/sites?client={other}&client=cli_nonsense")
    assert sorted(names(page)) == [f"Site {number:02}" for number in range(5)]
    assert page.texts(".result-bar p") == ["5 sites"]
    assert page.texts(".chip") == ["Other Group remove this filter"]


@pytest.mark.parametrize("query", ["%", "_", "\\", "100%", "'; drop table sites --"])
def test_a_search_for_special_characters_finds_what_has_them(ada: Browser, many: list[Site], query: str) -> None:
    page = ada.get("/sites", query_string={"q": query})
    assert page.texts(".empty-state h2") == ["No site matches"]


def test_a_page_past_the_end_says_so(ada: Browser, many: list[Site]) -> None:
    assert ada.get("/sites?page=99").texts(".empty-state h2") == ["No site matches"]


@pytest.mark.parametrize("rows", [1, 3])
def test_screens_cost_the_same_for_any_number_of_sites(
    ada: Browser, world: World, agency: Agency, client: Client, statements: Statements, rows: int
) -> None:
    made = [world.site(agency, client=client) for _ in range(rows)]
    ada.get("/members")  # so that the counters of the sidebar are there
    for path, number in (
        ("/sites", 5),
        (f"/sites/{made[0].public_id}", 7),
        (f"/clients/{client.public_id}", 5),
        ("/", 6),
    ):
        with statements.counted() as sent:
            assert ada.get(path).status == 200
        assert len(sent) == number, (path, *sent)


READS = [
    "/sites",
    "/sites/{site}",
    "/clients",
    "/clients/{client}",
    "/members",
    "/members/roles",
    "/",
    "/palette?q=har",
]
WRITES = ["/sites/new", "/sites/{site}/edit", "/sites/{site}/archive", "/sites/{site}/restore", "/clients/new",
          "/clients/{client}/edit", "/clients/{client}/archive", "/clients/{client}/restore", "/settings"]  # fmt: skip


@pytest.mark.parametrize("path", READS)
def test_a_viewer_may_look(vic: Browser, site: Site, client: Client, path: str) -> None:
    page = vic.get(path.format(site=site.public_id, client=client.public_id))
    assert page.status == 200
    assert page.html.select("main form[method=post]:not(.theme-switch)") == []


@pytest.mark.parametrize("path", WRITES)
def test_a_viewer_may_not_change(vic: Browser, agency: Agency, site: Site, client: Client, path: str) -> None:
    where = path.format(site=site.public_id, client=client.public_id)
    sent = {**VALUES, "client": client.public_id, "hue": "2"}
    assert vic.post(where, sent).status == 403
    assert events_of(agency) == []


@pytest.mark.parametrize("path", [path for path in READS + WRITES if "{" in path])
def test_a_foreign_site_or_client_is_answered_as_a_missing_one(
    olga: Browser, site: Site, client: Client, path: str
) -> None:
    foreign = path.format(site=site.public_id, client=client.public_id)
    missing = path.format(site=encode("ste", uuid7()), client=encode("cli", uuid7()))
    act = olga.post if path in WRITES else olga.get
    answers = [act(where) for where in (foreign, missing)]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].texts("main h1") == answers[1].texts("main h1")
    assert kept(site.id).archived_at is None


@pytest.mark.parametrize("path", ["/", "/sites", "/settings", "/audit", "/members"])
def test_nobody_is_sent_to_sign_in(browse: Browse, path: str) -> None:
    assert browse().get(path).where == f"/sign-in?next={path}"
    assert browse().get(path, htmx="results").status == 401


def test_lists_of_one_agency_hold_nothing_of_another(olga: Browser, site: Site, client: Client) -> None:
    for path in ("/sites?status=all", "/clients?status=all", "/", "/palette?q=harbour"):
        page = olga.get(path)
        assert page.status == 200
        assert "Harbour" not in page.one("main").get_text() if "palette" not in path else "Harbour" not in page.text


def test_the_palette_finds_sites_and_clients(ada: Browser, site: Site, client: Client) -> None:
    page = ada.get("/palette?q=harbour", htmx="palette-found")
    found = [(str(a["href"]), str(a["id"])) for a in page.html.select("a")]
    assert found == [
        (f"/sites/{site.public_id}", f"found-{site.public_id}"),
        (f"/clients/{client.public_id}", f"found-{client.public_id}"),
    ]
    assert ada.get("/palette?q=h", htmx="palette-found").html.select("a") == []
