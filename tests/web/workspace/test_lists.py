"""The list of a table: what it shows, finds, narrows, orders, and to whom."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from app.lib.ids import encode
from tests.support.browser import Browser, Page
from tests.support.installed import Installed
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person

SCRIPT = '<script>alert("x")</script>'


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def names(page: Page) -> list[str]:
    return page.texts("tbody .row-link")


def test_the_way_to_records_is_the_first_screen_of_the_menu(ada: Browser, jobs: Installed) -> None:
    assert ada.get(base(jobs)).where == f"{base(jobs)}/board"
    page = ada.get(f"{base(jobs)}/todo")
    assert page.texts(".segments a") == ["Board", "To do", "Crews"]
    assert [str(use["href"]).partition("#")[2] for use in page.html.select(".segments use")] == [
        "columns-3",
        "table",
        "table",
    ]
    assert ada.get(f"{base(jobs)}/job").status == 404  # of one record: no screen of its own


def test_the_sidebar_leads_to_the_records_of_each_install(ada: Browser, jobs: Installed) -> None:
    page = ada.get("/")
    assert page.texts(f'.side-nav a[href="{base(jobs)}"]') == ["Jobs"]


def test_a_list_shows_each_value_in_its_own_way(ada: Browser, ada_person: Person, jobs: Installed) -> None:
    crew = jobs.add("crews", name="North")
    job = jobs.add(
        "jobs", name="Paint the hall", state="open", crew=crew["id"], boss=str(ada_person.id), price=129900,
        starts="2026-11-23T10:00:00Z", tags=["loud", "wet"],
    )  # fmt: skip
    page = ada.get(f"{base(jobs)}/todo")
    assert page.texts("#records thead th:not(.pick)") == [
        "Number",
        "Name",
        "State",
        "Crew",
        "Boss",
        "Price",
        "Starts",
        "Tags",
    ]
    cells = page.texts(f"#r-{job['id']} td:not(.pick)")
    assert cells == ["Paint the hall", "Open", "North", "AB Ada Bright", "€1,299.00", "23 Nov, 10:00", "loud wet"]
    assert page.one(f"#r-{job['id']} .status")["data-tone"] == "orange"
    assert page.one(f"#r-{job['id']} td a")["href"] == f"{base(jobs)}/crews/{crew['id']}"
    assert page_faults(page.text, ada.app) == []


def test_a_view_hides_what_it_leaves_out_and_the_table_shows_all(ada: Browser, jobs: Installed) -> None:
    jobs.add("jobs", name="Done", state="closed")
    jobs.add("jobs", name="Open")
    assert names(ada.get(f"{base(jobs)}/todo?col=name")) == ["Open"]
    assert names(ada.get(f"{base(jobs)}/jobs?col=name&sort=name")) == ["Done", "Open"]


def test_search_order_filters_and_columns_are_in_the_address(ada: Browser, ada_person: Person, jobs: Installed) -> None:
    north, south = jobs.add("crews", name="North"), jobs.add("crews", name="South")
    jobs.add("jobs", name="Alpha roof", crew=north["id"], urgent=True, day="2026-03-10", price=300)
    jobs.add("jobs", name="Beta roof", crew=south["id"], boss=str(ada_person.id), day="2026-03-12", price=100)
    jobs.add("jobs", name="Gamma floor", state="open", price=200)

    def found(query: str) -> list[str]:
        return names(ada.get(f"{base(jobs)}/todo?col=name&{query}"))

    assert found("q=roof") == ["Alpha roof", "Beta roof"]
    assert found("sort=-price") == ["Alpha roof", "Gamma floor", "Beta roof"]
    assert found(f"f.crew={north['id']}") == ["Alpha roof"]
    assert found(f"f.crew={north['id']}&f.crew=none") == ["Alpha roof", "Gamma floor"]
    assert found("f.state=open") == ["Gamma floor"]
    assert found("f.boss=me") == ["Beta roof"]
    assert found("f.urgent=true") == ["Alpha roof"]
    assert found("f.day.from=2026-03-11&f.day.to=2026-03-12") == ["Beta roof"]
    assert found("q=roof&f.state=open") == []
    assert ada.get(f"{base(jobs)}/todo?f.state=open").texts(".chip") == ["State: Open remove this filter"]


@pytest.mark.parametrize(
    "query",
    [
        "sort=boss",
        "sort=nothing",
        "f.state=never",
        "f.crew=1",
        "f.day.from=soon",
        "limit=7",
        "cursor=zz",
        "col=pin",
        "f.pin=1",
    ],
)
def test_what_an_address_says_wrong_is_left_out(ada: Browser, jobs: Installed, query: str) -> None:
    jobs.add("jobs", name="Only one")
    assert names(ada.get(f"{base(jobs)}/todo?{query}")) == ["J-001"]


def test_pages_follow_each_other_without_repeating(ada: Browser, jobs: Installed) -> None:
    for number in range(27):
        jobs.add("crews", name=f"Crew {number:02}")
    page = ada.get(f"{base(jobs)}/crews?sort=name")
    assert (names(page)[0], len(names(page)), page.texts(".result-bar p")) == ("Crew 00", 25, ["27 crews"])
    following = str(page.html.select(".pages a")[-1]["href"])
    assert names(ada.get(following, htmx="results")) == ["Crew 25", "Crew 26"]


def test_an_empty_list_says_what_it_is_for_and_a_narrowed_one_how_to_widen_it(
    ada: Browser, vic: Browser, jobs: Installed
) -> None:
    page = ada.get(f"{base(jobs)}/jobs")
    assert page.texts(".empty-state h2") == ["No jobs yet"]
    assert page.texts(".empty-state p") == ["Everything somebody has to go and do."]
    assert ada.get(f"{base(jobs)}/jobs?q=x").texts(".empty-state h2") == ["Nothing matches"]
    assert vic.get(f"{base(jobs)}/jobs").html.select(".empty-state a") == []


def test_what_people_write_is_never_markup(ada: Browser, jobs: Installed) -> None:
    crew = jobs.add("crews", name=SCRIPT)
    texts = dict.fromkeys(("name", "notes", "reason"), SCRIPT)
    job = jobs.add(
        "jobs", **texts, urgent=True, crew=crew["id"], helpers=[crew["id"]], tags=[SCRIPT], extra={SCRIPT: SCRIPT},
        place={"line1": SCRIPT}, body=f"<p>Fine</p>{SCRIPT}<img src=x onerror=alert(1)>",
    )  # fmt: skip
    columns = "&".join(
        f"col={name}" for name in ("name", "notes", "reason", "crew", "helpers", "tags", "place", "body")
    )
    for path in (f"jobs?{columns}", f"jobs/{job['id']}", f"jobs/{job['id']}/edit", f"crews/{crew['id']}", "jobs/new"):
        page = ada.get(f"{base(jobs)}/{path}")
        assert page.status == 200
        assert [tag for tag in page.html.select("script") if not tag.get("nonce")] == [], path
        assert page.html.select("[onerror]") == [], path
        assert page_faults(page.text, ada.app) == [], path


def test_a_viewer_sees_records_and_no_act(vic: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Look at me")
    listed = vic.get(f"{base(jobs)}/todo")
    assert names(listed) == ["J-001"]
    assert listed.html.select(".page-act a, .bulk-bar, .pick") == []
    shown = vic.get(f"{base(jobs)}/jobs/{job['id']}")
    assert shown.html.select('main form, main a[href*="/edit"], main a[href*="/new"]') == []


def test_another_agency_finds_nothing_here(olga: Browser, ada: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Private")
    paths = [
        "",
        "/todo",
        "/jobs/new",
        f"/jobs/{job['id']}",
        f"/jobs/{job['id']}/edit",
        "/todo/export.csv",
        "/todo/import",
    ]
    assert [olga.get(base(jobs) + path).status for path in paths] == [404] * len(paths)
    assert olga.post(f"{base(jobs)}/jobs/{job['id']}/delete").status == 404
    assert ada.get(f"{base(jobs)}/jobs/{job['id']}").status == 200


def test_an_install_that_is_not_there_is_not_found(ada: Browser, jobs: Installed) -> None:
    assert ada.get(f"/installs/{encode('ins', jobs.install.site_id)}/records").status == 404
    assert ada.get(f"{base(jobs)}/nothing").status == 404


def test_a_role_of_the_module_decides_which_tables_and_rows_there_are(
    mel: Browser, mel_person: Person, jobs: Installed
) -> None:
    mine = jobs.add("jobs", name="Mine", boss=str(mel_person.id))
    other = jobs.add("jobs", name="Not mine")
    jobs.add("crews", name="North")
    jobs.give_role(mel_person, "worker")
    page = mel.get(f"{base(jobs)}/todo?col=name")
    assert (names(page), page.texts(".segments a")) == (["Mine"], ["Board", "To do"])
    assert mel.get(f"{base(jobs)}/jobs/{mine['id']}").status == 200
    assert mel.get(f"{base(jobs)}/jobs/{other['id']}").status == 404
    assert mel.get(f"{base(jobs)}/crews").status == 404
    assert mel.post(f"{base(jobs)}/jobs/{other['id']}/edit", {"v-name": "Stolen"}).status == 404
    assert mel.post(f"{base(jobs)}/jobs/{mine['id']}/delete").status == 403
    assert jobs.data.get("jobs", other["id"]).values["name"] == "Not mine"


@pytest.mark.parametrize("path", ["todo?f.crew=none", "jobs", "crews"])
def test_a_list_costs_the_same_for_one_record_and_for_three(
    ada: Browser, ada_person: Person, jobs: Installed, statements: Statements, path: str
) -> None:
    def fill() -> None:
        crew = jobs.add("crews", name="Crew")
        jobs.add("jobs", name="Job", helpers=[crew["id"]], boss=str(ada_person.id), tags=["a"])

    fill()
    ada.get(f"{base(jobs)}/{path}")  # the sidebar's counters are kept for a while
    costs = []
    for _ in range(2):
        with statements.counted() as platform, statements.of_modules() as module:
            assert ada.get(f"{base(jobs)}/{path}").status == 200
        costs.append((len(platform), len(module)))
        fill()
        fill()
    assert costs[0] == costs[1]
    assert costs[0][1] <= 5


def test_a_link_to_a_record_carries_the_list_along(ada: Browser, jobs: Installed) -> None:
    for name in ("A", "B", "C"):
        jobs.add("jobs", name=name)
    page = ada.get(f"{base(jobs)}/todo?sort=-name&f.state=new&col=name")
    second = str(page.html.select("tbody .row-link")[1]["href"])
    assert parse_qs(urlsplit(second).query) == {"in": ["todo"], "sort": ["-name"], "f.state": ["new"], "col": ["name"]}
    shown = ada.get(second)
    beside = [str(tag["title"]) for tag in shown.html.select(".neighbours a")]
    assert beside == ["Before: C", "Next: A"]
    assert shown.texts(".crumbs li")[2] == "To do"


def test_how_a_list_looks_stays_while_it_is_searched(ada: Browser, jobs: Installed) -> None:
    jobs.add("jobs", name="Roof")
    address = f"{base(jobs)}/todo?col=price&col=name&limit=50&sort=-name&f.state=new"
    page = ada.get(address)
    assert page.texts("#records thead th:not(.pick)") == ["Name", "Price"]
    kept = [(str(tag["name"]), str(tag["value"])) for tag in page.html.select("#results input[form=list-filters]")]
    assert kept == [("col", "price"), ("col", "name"), ("limit", "50"), ("sort", "-name")]
    also = [(str(tag["name"]), str(tag["value"])) for tag in page.html.select(".view-menu input[type=hidden]")]
    assert also == [("sort", "-name"), ("f.state", "new")]
    assert page.one(".view-menu a")["href"] == f"{base(jobs)}/todo?sort=-name&f.state=new"
