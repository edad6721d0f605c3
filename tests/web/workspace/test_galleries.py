"""A gallery: its pictures and what stands in place of one, its order, its pages, who may add a picture, what it costs."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.runtime.files.actions import store_file
from app.runtime.files.queries import upload_fields
from app.tenancy.models import Agency, Site
from tests.support import files
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person

HOMES = """
manifest: 1
slug: homes
name: Homes
summary: Homes and their pictures.
version: 1.0.0
type: app
tables:
  agents:
    label: {one: Agent, many: Agents}
    title: name
    fields:
      name: {type: text, required: true}
  homes:
    label: {one: Home, many: Homes}
    title: name
    fields:
      name:   {type: text, required: true, max: 120, search: true}
      photos: {type: files, accept: [image, pdf], max: 12}
      plan:   {type: file, accept: [pdf]}
      price:  {type: money, min: 0}
      area:   {type: integer}
      city:   {type: text, max: 80, search: true}
      state:  {type: enum, options: [offered, reserved, closed], default: offered, required: true, colors: {offered: green}}
      agent:  {type: ref, to: agents, on_delete: set_null}
      owner:  {type: user}
    access: {public: [], staff: [read, create, update, delete], api: []}
views:
  gallery:
    type: gallery
    table: homes
    label: Pictures
    help: Every home that is not sold.
    image: photos
    card: [name, price, city, state, agent]
    filters: [state, agent]
    sort: name
    where: {state: {ne: closed}}
  plans: {type: gallery, table: homes, image: plan}
  homes: {type: list, table: homes, columns: [name, state]}
menu: [gallery, plans, homes]
roles:
  seller: {label: Seller, tables: {homes: [read, create, update]}, rows: {homes: own}}
  typist: {label: Typist, tables: {agents: [read]}}
"""


@pytest.fixture
def homes(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, HOMES)


def send(module: Installed, content: bytes, name: str) -> str:
    data = module.data
    fields = upload_fields(data.context, data.access)
    return str(store_file(data.context, data.access, io.BytesIO(content), name=name, fields=fields).id)


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def titles(page: Page) -> list[str]:
    return page.texts(".gallery-title")


def tile(page: Page, record: dict[str, Any]) -> Any:
    return page.one(f"#card-{record['id']}")


def test_a_tile_shows_the_first_picture_how_many_there_are_and_the_facts(ada: Browser, homes: Installed) -> None:
    sent = [
        send(homes, files.PDF, "plan.pdf"),
        send(homes, files.picture(size=(1200, 900)), "sea-view_balcony.png"),
        send(homes, files.picture(), "IMG_2041.png"),
    ]
    agent = homes.add("agents", name="Noor")
    loft = homes.add("homes", name="Loft", photos=sent, price=32000000, city="Porto", agent=agent["id"])
    page = ada.get(f"{base(homes)}/gallery")
    assert page_faults(page.text, ada.app) == []
    assert page.texts(".segments [aria-current]") == ["Pictures"]
    assert page.texts(".list-help") == ["Every home that is not sold."]
    picture = tile(page, loft).select_one("img")
    where = f"{base(homes)}/files/{sent[1]}"
    assert (picture["alt"], picture["src"]) == ("sea view balcony", f"{where}?size=small")
    assert picture["srcset"] == f"{where}?size=small 320w, {where}?size=medium 960w"
    assert (picture["width"], picture["height"]) == ("1200", "900")
    assert page.texts(".gallery-count") == ["2 pictures"]
    assert page.texts(f"#card-{loft['id']} dd") == ["€320,000.00", "Porto", "Offered", "Noor"]
    assert (ada.get(picture["src"]).headers["Content-Type"], ada.get(f"{where}?size=medium").status) == (
        "image/webp",
        200,
    )
    link = str(page.one(".gallery-title")["href"])
    assert ada.get(link).one('.crumbs a[href*="/gallery"]').get_text() == "Pictures"


def test_what_has_no_picture_gets_a_place_for_one_and_a_file_that_is_none_its_name(
    ada: Browser, homes: Installed
) -> None:
    bare, papers = (
        homes.add("homes", name="Bare"),
        homes.add("homes", name="Papers", photos=[send(homes, files.PDF, "a.pdf")]),
    )
    page = ada.get(f"{base(homes)}/gallery?q=a")
    assert [tile(page, one).select_one(".gallery-file").get_text() for one in (bare, papers)] == ["No picture", "a.pdf"]
    assert page.html.select(".gallery img") == []
    add = urlsplit(str(tile(page, bare).select_one(".btn")["href"]))
    assert (add.path, add.fragment) == (f"{base(homes)}/homes/{bare['id']}/edit", "v-photos")
    assert parse_qs(add.query) == {"in": ["gallery"], "q": ["a"]}
    form = ada.get(f"{add.path}?{add.query}")
    assert form.one("#v-photos legend").get_text() == "Photos"
    plans = ada.get(f"{base(homes)}/plans")  # a field that takes no pictures
    assert (titles(plans), plans.html.select(".gallery .btn")) == (["Papers", "Bare"], [])


def test_a_tall_picture_is_shown_whole_and_only_the_first_ones_are_read_at_once(ada: Browser, homes: Installed) -> None:
    homes.add("homes", name="A", photos=[send(homes, files.picture(size=(200, 900)), "a.png")])
    for number in range(5):
        homes.add("homes", name=f"B {number}", photos=[send(homes, files.picture(), f"{number}.png")])
    page = ada.get(f"{base(homes)}/gallery")
    assert [bool(one.has_attr("data-whole")) for one in page.html.select(".gallery-picture")] == [True] + [False] * 5
    assert [one["loading"] for one in page.html.select(".gallery img")] == ["eager"] * 4 + ["lazy"] * 2
    assert str(page.html.select(".gallery img")[1]["srcset"]).endswith("?size=small 40w")
    assert page.html.select(".gallery img")[1]["alt"] == "Picture of B 0"


def test_search_filters_and_the_order_narrow_a_gallery_and_stay_in_its_address(ada: Browser, homes: Installed) -> None:
    homes.add("homes", name="Red house", price=300)
    homes.add("homes", name="Red loft", price=100, state="reserved")
    homes.add("homes", name="Barn", price=200)
    homes.add("homes", name="Sold", state="closed")
    path = f"{base(homes)}/gallery"
    page = ada.get(path)
    assert (titles(page), page.texts(".result-bar [role=status]")) == (["Barn", "Red house", "Red loft"], ["3 homes"])
    chosen = page.one("#filter-sort option[selected]")
    assert (chosen["value"], chosen.get_text()) == ("name", "Name, A to Z")
    assert titles(ada.get(f"{path}?q=red")) == ["Red house", "Red loft"]
    page = ada.get(f"{path}?f.state=offered&sort=-price")
    assert (titles(page), page.texts(".chip")) == (["Red house", "Barn"], ["State: Offered remove this filter"])
    assert page.one("#filter-sort option[selected]")["value"] == "-price"
    assert urlsplit(str(page.one(".chip")["href"])).query == "sort=-price"
    assert page.texts("#filter-sort option")[:2] == ["Newest first", "Oldest first"]
    assert titles(ada.get(f"{path}?sort=photos&f.state=never&after=x&col=nothing")) == ["Barn", "Red house", "Red loft"]
    assert ada.get(f"{path}?q=nothing+like+it").texts(".empty-state h2") == ["Nothing matches"]
    assert ada.get(path, htmx="results").html.select("html") == []


def test_a_page_is_in_the_address_and_one_comes_back_to_it_from_a_record(ada: Browser, homes: Installed) -> None:
    for number in range(28):
        homes.add("homes", name=f"Home {number:02}")
    first = ada.get(f"{base(homes)}/gallery?f.state=offered")
    assert len(titles(first)) == 25
    second = ada.get(str(first.one(".pages a")["href"]))
    assert (titles(second), second.texts(".result-bar [role=status]")) == (
        ["Home 25", "Home 26", "Home 27"],
        ["Further homes"],
    )
    assert titles(ada.get(str(second.one(".pages a")["href"])))[0] == "Home 00"
    record = ada.get(str(second.html.select(".gallery-title")[0]["href"]))
    back = str(record.one('.crumbs a[href*="/gallery"]')["href"])
    assert titles(ada.get(back)) == titles(second)
    chip = urlsplit(str(second.one(".chip")["href"]))
    assert parse_qs(chip.query) == {}  # where it stood says nothing once a filter is gone
    narrowed = ada.get(f"{back}&q=home")  # a cursor of another order or filter: from the beginning
    assert titles(narrowed)[0] == "Home 00"


def test_who_may_not_change_records_only_looks(vic: Browser, homes: Installed) -> None:
    homes.add("homes", name="Bare")
    page = vic.get(f"{base(homes)}/gallery")
    assert (titles(page), page.html.select(".gallery .btn, .page-act a")) == (["Bare"], [])


def test_a_role_sees_its_own_rows_only(mel: Browser, mel_person: Person, homes: Installed) -> None:
    homes.give_role(mel_person, "seller")
    homes.add("homes", name="Theirs")
    homes.add("homes", name="Mine", owner=str(mel_person.id))
    page = mel.get(f"{base(homes)}/gallery")
    assert (titles(page), page.texts(".result-bar [role=status]")) == (["Mine"], ["1 home"])


def test_a_gallery_of_a_table_one_may_not_read_is_neither_offered_nor_there(
    mel: Browser, mel_person: Person, homes: Installed
) -> None:
    homes.give_role(mel_person, "typist")
    assert mel.get(f"{base(homes)}/gallery").status == 404
    assert "Pictures" not in mel.get(f"{base(homes)}/agents").texts(".segments a")


def test_a_gallery_is_not_there_for_another_agency(olga: Browser, homes: Installed) -> None:
    assert olga.get(f"{base(homes)}/gallery").status == 404


def test_an_empty_gallery_says_what_comes_here(ada: Browser, homes: Installed) -> None:
    page = ada.get(f"{base(homes)}/gallery")
    assert page.texts(".empty-state h2, .empty-state p") == ["No homes yet", "Every home that is not sold."]


def test_a_gallery_costs_the_same_for_any_number_of_records_and_pictures(
    ada: Browser, homes: Installed, statements: Statements
) -> None:
    cost = []
    for number in (1, 12):
        for _ in range(number):
            photos = [send(homes, files.picture(), "a.png") for _ in "12"]
            homes.add("homes", name="Home", photos=photos, agent=homes.add("agents", name="A")["id"])
        ada.get(f"{base(homes)}/gallery")
        with statements.of_modules() as sent:
            assert ada.get(f"{base(homes)}/gallery").status == 200
        cost.append(len(sent))
    assert cost == [3, 3]  # the agents to filter by, the records, how many there are
