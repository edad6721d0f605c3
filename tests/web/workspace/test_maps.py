"""A map: its list, its points and what they say, what is in view, who sees which, and whose pictures a page may show."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.tenancy.models import Agency, Site
from app.workspace import maps
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person

PLACES = """
manifest: 1
slug: places
name: Places
summary: Where to go.
version: 1.0.0
type: app
tables:
  kinds:
    label: {one: Kind, many: Kinds}
    title: name
    fields:
      name: {type: text, required: true}
  stops:
    label: {one: Stop, many: Stops}
    title: name
    fields:
      name:  {type: text, required: true, search: true}
      kind:  {type: ref, to: kinds, on_delete: set_null}
      state: {type: enum, options: [open, closed, gone], default: open, required: true}
      place: {type: geo}
      phone: {type: phone}
      owner: {type: user}
    access: {public: [], staff: [read, create, update, delete], api: [read]}
views:
  map:
    type: map
    table: stops
    label: Where
    at: place
    card: [name, kind, phone, place]
    filters: [state]
    where: {state: {ne: gone}}
  plain: {type: map, table: stops, at: place}
  stops: {type: list, table: stops, columns: [name]}
menu: [map, plain, stops, kinds]
roles:
  walker: {label: Walker, tables: {stops: [read], kinds: [read]}, rows: {stops: own}}
  caller: {label: Caller, tables: {stops: [read]}}
  kinder: {label: Kinder, tables: {kinds: [read]}}
"""
LISBON, PORTO, SUVA, APIA = (38.72, -9.14), (41.15, -8.61), (-18.14, 178.44), (-13.83, -171.77)


@pytest.fixture
def places(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, PLACES)


def at(module: Installed, name: str = "map") -> str:
    return f"/installs/{module.public_id}/records/{name}"


def add(module: Installed, name: str, place: tuple[float, float] | None, **more: Any) -> dict[str, Any]:
    there = {"place": {"lat": place[0], "lng": place[1]}} if place else {}
    return module.add("stops", name=name, **there, **more)


def entries(page: Page) -> list[str]:
    return sorted(page.texts(".map-entry-head a"))


def points(person: Browser, page: Page, more: str = "") -> dict[str, list[float]]:
    """{title: place} of the points the page asks for."""
    answer = person.get(str(page.one("[data-map-list]")["data-points"]) + more)
    return {title: [lat, lng] for _, lat, lng, title in answer.response.json["points"]}


def test_a_map_lists_what_has_a_place_and_counts_what_has_none(ada: Browser, places: Installed) -> None:
    kind = places.add("kinds", name="Café")
    add(places, "Miradouro", LISBON, kind=kind["id"], phone="+351 210 000 001")
    add(places, "<i>Ribeira</i>", PORTO)
    add(places, "Nowhere", None)
    add(places, "Gone", LISBON, state="gone")
    page = ada.get(at(places))
    assert entries(page) == ["<i>Ribeira</i>", "Miradouro"]
    assert page.texts(".result-bar p") == ["2 stops"]
    assert page.texts(".map-entry dd") == ["Café", "+351210000001"]
    assert points(ada, page) == {"Miradouro": list(LISBON), "<i>Ribeira</i>": list(PORTO)}
    [line] = page.texts(".map-line")
    assert line == "1 without a place. Show it"
    without = ada.get(str(page.one(".map-line a")["href"]))
    assert (entries(without), without.texts(".chip")) == (["Nowhere"], ["Without a place remove this filter"])
    assert [page_faults(one.text, ada.app) for one in (page, without)] == [[], []]
    assert ada.get(at(places, "plain")).texts(".map-entry dd") == []  # a card without fields is its title


def test_search_filters_and_pages_narrow_list_and_points_alike(ada: Browser, places: Installed) -> None:
    for number in range(30):
        add(places, f"Stop {number:02}", LISBON, state="closed" if number % 10 == 0 else "open")
    page = ada.get(at(places))
    assert len(entries(page)) == 25
    further = ada.get(str(page.html.select(".pages a")[-1]["href"]))
    assert sorted([*entries(page), *entries(further)]) == [f"Stop {number:02}" for number in range(30)]
    assert len(points(ada, further)) == 30
    found = ada.get(f"{at(places)}?f.state=closed&map=38.7,-9.1,12")
    assert entries(found) == sorted(points(ada, found)) == ["Stop 00", "Stop 10", "Stop 20"]
    kept = {one["name"]: one["value"] for one in found.html.select('[data-map-list] input[form="list-filters"]')}
    assert kept == {"map": "38.7,-9.1,12", "box": ""}
    link = str(found.html.select(".map-entry a")[0]["href"])
    assert parse_qs(urlsplit(link).query) == {"in": ["map"], "f.state": ["closed"], "map": ["38.7,-9.1,12"]}
    back = str(ada.get(link).one('.crumbs a[href*="/map"]')["href"])
    assert parse_qs(urlsplit(back).query) == {"in": ["map"], "f.state": ["closed"], "map": ["38.7,-9.1,12"]}
    assert entries(ada.get(f"{at(places)}?q=stop+07")) == ["Stop 07"]
    assert "Nothing matches" in ada.get(f"{at(places)}?q=zebra").text


@pytest.mark.parametrize(
    ("box", "seen"),
    [
        ("36,-10,42,-8", ["Lisbon", "Porto"]),
        ("38.72,-9.14,38.72,-9.14", ["Lisbon"]),  # its edges are part of it
        ("36,350,42,352", ["Lisbon", "Porto"]),  # another turn of the earth
        ("-30,170,0,-170", ["Apia", "Suva"]),  # over the 180th meridian
        ("-30,170,0,190", ["Apia", "Suva"]),
        ("-30,-170,0,170", []),
        ("-90,-200,90,200", ["Apia", "Lisbon", "Porto", "Suva"]),
        ("0,0,1,1", []),
    ],
)
def test_only_what_is_in_view_is_listed(ada: Browser, places: Installed, box: str, seen: list[str]) -> None:
    for name, place in (("Lisbon", LISBON), ("Porto", PORTO), ("Suva", SUVA), ("Apia", APIA), ("Nowhere", None)):
        add(places, name, place)
    page = ada.get(f"{at(places)}?box={box}")
    assert entries(page) == seen
    assert sorted(points(ada, page)) == ["Apia", "Lisbon", "Porto", "Suva"]  # the map itself shows all
    assert sorted(points(ada, page, f"&box={box}")) == seen
    assert page.one("#map-only").has_attr("checked")
    assert ("Nothing in view" in page.text) is not bool(seen)


@pytest.mark.parametrize(
    "query",
    [
        "box=1,2,3",
        "box=9,0,1,1",
        "box=a,b,c,d",
        "box=nan,0,1,inf",
        "map=x",
        "map=91,0,3",
        "map=0,0,99",
        "placed=some",
        "cursor=x",
    ],
)
def test_what_an_address_says_wrongly_is_ignored(ada: Browser, places: Installed, query: str) -> None:
    add(places, "Lisbon", LISBON)
    page = ada.get(f"{at(places)}?{query}")
    assert (page.status, entries(page), page.one("[data-map-list]")["data-at"]) == (200, ["Lisbon"], "")


def test_a_point_says_what_its_card_says(ada: Browser, places: Installed) -> None:
    kind = places.add("kinds", name="Café")
    stop, gone = add(places, "A", LISBON, kind=kind["id"]), add(places, "B", LISBON, state="gone")
    assert ada.get(f"{at(places)}?card={stop['id']}&f.state=open").texts("dd") == ["Café"]
    for other in (gone["id"], "nothing", str(kind["id"])):
        assert ada.get(f"{at(places)}?card={other}").status == 404


def test_of_too_many_points_the_first_are_drawn_and_that_is_said(
    ada: Browser, places: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.workspace.views import maps as views

    monkeypatch.setattr(maps, "MOST_POINTS", 2)
    monkeypatch.setattr(views, "MOST_POINTS", 2)
    for name in ("A", "B", "C"):
        add(places, name, LISBON)
    add(places, "D", PORTO)
    page = ada.get(at(places))
    assert "The map shows the first 2 of them." in page.text
    address = str(page.one("[data-map-list]")["data-points"])
    answer = ada.get(address).response.json
    assert (len(answer["points"]), answer["more"]) == (2, True)
    closer = ada.get(f"{address}&box=41,-9,42,-8").response.json
    assert ([one[3] for one in closer["points"]], closer["more"]) == (["D"], False)


# -- whose


def test_own_rows_other_roles_and_other_agencies(
    ada: Browser,
    mel: Browser,
    vic: Browser,
    olga: Browser,
    mel_person: Person,
    world: Any,
    agency: Agency,
    places: Installed,
) -> None:
    kind = places.add("kinds", name="Secret kind")
    add(places, "Others'", LISBON, kind=kind["id"])
    mine = add(places, "Mine", PORTO, owner=str(mel_person.id))
    other = put_on_site(agency, world.site(agency), PLACES)
    add(other, "Elsewhere", LISBON)
    places.give_role(mel_person, "walker")
    page = mel.get(at(places))
    assert entries(page) == sorted(points(mel, page)) == ["Mine"]
    assert page.texts(".map-line") == []
    assert mel.get(f"{at(places)}?card={mine['id']}").status == 200
    assert entries(vic.get(at(places))) == ["Mine", "Others'"]
    assert [olga.get(at(places) + query).status for query in ("", "?points=1", f"?card={mine['id']}")] == [404] * 3
    assert sorted(points(ada, ada.get(at(places)))) == ["Mine", "Others'"]


def test_the_names_of_records_a_role_may_not_read_stay_hidden(
    mel: Browser, mel_person: Person, places: Installed
) -> None:
    kind = places.add("kinds", name="Secret kind")
    stop = add(places, "A", LISBON, kind=kind["id"])
    places.give_role(mel_person, "caller")
    assert "Secret kind" not in mel.get(at(places)).text
    assert "Secret kind" not in mel.get(f"{at(places)}?card={stop['id']}").text


def test_a_role_without_the_table_has_no_map(mel: Browser, mel_person: Person, places: Installed) -> None:
    places.give_role(mel_person, "kinder")
    assert [mel.get(at(places) + query).status for query in ("", "?points=1")] == [404, 404]


def test_what_stands_in_an_empty_map(ada: Browser, vic: Browser, places: Installed) -> None:
    assert "No stops yet" in ada.get(at(places)).text
    assert ada.get(at(places)).html.select(".empty-state a")
    assert "Somebody who may add them" in vic.get(at(places)).text
    add(places, "Nowhere", None)
    assert "None has a place yet" in ada.get(at(places)).text


# -- what it costs, and what it may load


def test_a_map_costs_the_same_for_any_number_of_records(
    ada: Browser, places: Installed, statements: Statements
) -> None:
    cost = []
    for more in (1, 40):
        for number in range(more):
            kind = places.add("kinds", name=f"K {number}")
            add(places, f"S {number}", LISBON, kind=kind["id"])
        for query in ("", "?points=1"):
            with statements.of_modules() as sent:
                ada.get(at(places) + query)
            cost.append(len(sent))
    assert cost == [4, 1, 4, 1]


def test_pictures_of_a_tile_server_are_allowed_on_the_map_alone(ada: Browser, places: Installed) -> None:
    add(places, "Lisbon", LISBON)
    before = ada.get(at(places))
    assert "img-src 'self' data:;" in before.response.headers["Content-Security-Policy"]
    assert "Natural Earth" in before.text
    config = ada.app.config["DRAMAC"]
    object.__setattr__(config, "map_tiles", "https://tiles.example.com:8443/{z}/{x}/{y}.png?key=1")
    object.__setattr__(config, "map_credit", "© Streets, https://tiles.example.com/licence")
    try:
        page, other = ada.get(at(places)), ada.get(at(places, "stops"))
    finally:
        object.__setattr__(config, "map_tiles", "")
        object.__setattr__(config, "map_credit", "")
    assert "img-src 'self' data: https://tiles.example.com:8443;" in page.response.headers["Content-Security-Policy"]
    assert page.one("[data-map]")["data-tiles"] == "https://tiles.example.com:8443/{z}/{x}/{y}.png?key=1"
    assert page.one(".map-credit a")["href"] == "https://tiles.example.com/licence"
    assert "tiles.example.com" not in other.response.headers["Content-Security-Policy"]
    assert page_faults(page.text, ada.app) == []
