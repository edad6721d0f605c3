"""A tree: what is below what, what is open, what is found, and putting a record below another; to whom."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person

HANDBOOK = """
manifest: 1
slug: handbook
name: Handbook
summary: Articles below each other.
version: 1.0.0
type: app
tables:
  articles:
    label: {one: Article, many: Articles}
    title: name
    fields:
      name:  {type: text, required: true, max: 120, search: true}
      above: {type: ref, to: articles, on_delete: set_null, label: Below}
      state: {type: enum, options: [draft, published, retired], default: draft, required: true, colors: {published: green}}
      owner: {type: user}
    access: {public: [], staff: [read, create, update, delete], api: []}
  posts:
    label: {one: Post, many: Posts}
    title: name
    fields:
      name: {type: text, required: true, search: true}
      boss: {type: ref, to: posts, on_delete: restrict}
    access: {public: [], staff: [read, create, update], api: []}
    timeline: true
views:
  handbook:
    {type: tree, table: articles, parent: above, card: [name, state, above, owner], sort: name, label: All articles, help: All.}
  current:  {type: tree, table: articles, parent: above, sort: name, where: {state: {ne: retired}}}
  chart:    {type: tree, table: posts, parent: boss}
  articles: {type: list, table: articles, columns: [name, above, state]}
menu: [handbook, current, chart, articles]
roles:
  writer: {label: Writer, tables: {articles: [read, create, update]}, rows: {articles: own}}
  none:   {label: None, tables: {posts: [read]}}
"""


@pytest.fixture
def book(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, HANDBOOK)


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def article(module: Installed, name: str, above: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return module.add("articles", name=name, above=above["id"] if above else None, **more)


def drawn(page: Page) -> list[str]:
    """Each record that is shown, indented by how deep it is."""
    return [
        "  " * len(node.find_parents("li")) + " ".join(node.select_one(".tree-title").get_text().split())
        for node in page.html.select(".tree-node")
    ]


def opened(module: Installed, *records: dict[str, Any], view: str = "handbook", **more: str) -> str:
    query = urlencode([*(("open", one["id"]) for one in records), *more.items()])
    return f"{base(module)}/{view}?{query}"


def move(person: Browser, module: Installed, view: str, record: dict[str, Any], to: str, query: str = "") -> Page:
    sent = {"card": record["id"], "version": record["version"], "to": to}
    return person.post(f"{base(module)}/{view}/under{query}", sent, htmx="results")


def said(page: Page) -> dict[str, Any]:
    [item] = json.loads(page.response.headers["HX-Trigger"])["toasts"]["items"]
    return dict(item)


def above(module: Installed, record: dict[str, Any], field: str = "above", table: str = "articles") -> Any:
    return module.data.get(table, record["id"]).values[field]


def test_a_tree_begins_with_its_tops_and_opens_level_by_level(ada: Browser, book: Installed) -> None:
    start, guides = article(book, "Start"), article(book, "Guides", state="published")
    setup = article(book, "Setup", guides)
    article(book, "Linux", setup)
    article(book, "Billing", guides)
    page = ada.get(f"{base(book)}/handbook")
    assert (drawn(page), page.texts(".result-bar [role=status]")) == (["Guides", "Start"], ["5 articles"])
    assert page.texts(f"#node-{guides['id']} .tree-below") == ["2 below"]
    assert page.texts(f"#node-{guides['id']} dd") == ["Published"]
    assert page.html.select(f"#node-{start['id']} a.tree-flip") == []
    assert page_faults(page.text, ada.app) == []
    flip = page.one(f"#flip-{guides['id']}")
    assert flip["aria-expanded"] == "false"
    page = ada.get(str(flip["href"]))
    assert drawn(page) == ["Guides", "  Billing", "  Setup", "Start"]
    assert page.one(f"#flip-{guides['id']}")["aria-expanded"] == "true"
    page = ada.get(str(page.one(f"#flip-{setup['id']}")["hx-get"]), htmx="results")
    assert drawn(page) == ["Guides", "  Billing", "  Setup", "    Linux", "Start"]
    assert page.html.select("html") == []
    link = str(page.one(f"#title-{setup['id']}")["href"])
    back = ada.get(link).one('.crumbs a[href*="/handbook"]')
    assert (back.get_text(), drawn(ada.get(str(back["href"])))) == ("All articles", drawn(page))
    closed = ada.get(str(page.one(f"#flip-{guides['id']}")["href"]))
    assert drawn(closed) == ["Guides", "Start"]
    again = ada.get(str(closed.one(f"#flip-{guides['id']}")["href"]))
    assert drawn(again) == drawn(page)  # what was open inside is open again


def test_all_of_a_level_is_opened_and_everything_closed_at_once(ada: Browser, book: Installed) -> None:
    one, two = article(book, "One"), article(book, "Two")
    article(book, "Deep", article(book, "Below one", one))
    article(book, "Below two", two)
    page = ada.get(str(ada.get(f"{base(book)}/handbook").one("#tree-more")["href"]))
    assert drawn(page) == ["One", "  Below one", "Two", "  Below two"]
    page = ada.get(str(page.one("#tree-more")["href"]))
    assert drawn(page) == ["One", "  Below one", "    Deep", "Two", "  Below two"]
    assert page.html.select("#tree-more") == []
    assert drawn(ada.get(str(page.one("#tree-less")["href"]))) == ["One", "Two"]


def test_a_search_shows_what_it_finds_with_what_is_above_it(ada: Browser, book: Installed) -> None:
    guides = article(book, "Guides")
    setup = article(book, "Setup", guides)
    linux = article(book, "Linux setup", setup)
    article(book, "Kernel", linux)
    article(book, "Setup of printers")
    article(book, "Other")
    page = ada.get(opened(book, guides, q="setup"))
    assert drawn(page) == ["Guides", "  Setup", "    Linux setup", "Setup of printers"]
    assert page.texts(".result-bar [role=status]") == ["3 articles"]
    assert [node["id"] for node in page.html.select("[data-context]")] == [f"node-{guides['id']}"]
    assert page.texts("[data-context] > .tree-row .tree-context") == ["above a match"]
    assert page_faults(page.text, ada.app) == []
    way = str(page.one(f"#node-{linux['id']} > .tree-row a.tree-below")["href"])
    assert drawn(ada.get(way)) == ["Guides", "  Setup", "    Linux setup", "      Kernel", "Other", "Setup of printers"]
    kept = [str(one["value"]) for one in ada.get(opened(book, guides)).html.select("[form=list-filters][name=open]")]
    assert kept == [guides["id"]]  # the search leaves open what is open
    page = ada.get(f"{base(book)}/handbook?f.state=published")
    assert (page.texts(".empty-state h2"), page.texts(".chip")) == (
        ["Nothing matches"],
        ["State: Published remove this filter"],
    )


def test_what_is_below_a_record_that_the_view_leaves_out_stands_at_the_top_and_says_so(
    ada: Browser, book: Installed
) -> None:
    guides = article(book, "Guides")
    old = article(book, "Old ways", guides, state="retired")
    kept = article(book, "Still true", old)
    page = ada.get(f"{base(book)}/current")
    assert (drawn(page), page.texts(".result-bar [role=status]")) == (["Guides", "Still true"], ["2 articles"])
    assert page.texts(f"#node-{kept['id']} .tree-hint") == ["Below: Old ways, which is not shown here"]
    assert page.html.select(f"#flip-{guides['id']}") == []  # what is left out is not counted
    page = ada.get(f"{base(book)}/current?q=true")
    assert (drawn(page), page.texts(".tree-hint")) == (["Still true"], ["Below: Old ways, which is not shown here"])


def test_a_role_sees_its_own_records_and_no_name_of_another(mel: Browser, mel_person: Person, book: Installed) -> None:
    book.give_role(mel_person, "writer")
    theirs = article(book, "Secret plans")
    mine = article(book, "Mine", theirs, owner=str(mel_person.id))
    article(book, "Further", mine)
    page = mel.get(f"{base(book)}/handbook")
    assert (drawn(page), "Secret plans" in page.text) == (["Mine"], False)
    assert page.texts(".tree-hint") == ["Below one of the articles you do not see"]
    assert page.html.select("a.tree-flip") == []  # what is below it is not theirs
    spots = mel.get(f"{base(book)}/handbook/spots?card={mine['id']}")
    assert spots.texts("option") == ["At the top, below none"]
    assert move(mel, book, "handbook", theirs, "top").status == 409
    assert move(mel, book, "handbook", mine, theirs["id"]).status == 422  # as if it were not there
    assert above(book, mine) == theirs["id"]


def test_a_record_is_put_below_another_and_back(ada: Browser, book: Installed) -> None:
    guides, start = article(book, "Guides"), article(book, "Start")
    page = move(ada, book, "handbook", start, guides["id"], "?limit=50")
    assert (page.status, drawn(page), above(book, start)) == (200, ["Guides", "  Start"], guides["id"])
    where = urlsplit(page.response.headers["HX-Replace-Url"])
    assert (where.path, parse_qs(where.query)) == (f"{base(book)}/handbook", {"limit": ["50"], "open": [guides["id"]]})
    notice = said(page)
    assert (notice["title"], notice["text"]) == ("Start is moved", "Below: Guides")
    back = ada.post(notice["undo"])
    assert (urlsplit(back.where).path, above(book, start)) == (f"{base(book)}/handbook", None)


def test_a_move_of_a_table_with_a_history_is_undone_by_it(ada: Browser, book: Installed) -> None:
    head = book.add("posts", name="Head")
    hand = book.add("posts", name="Hand")
    page = move(ada, book, "chart", hand, head["id"])
    back = ada.post(said(page)["undo"])
    assert (urlsplit(back.where).path, above(book, hand, "boss", "posts")) == (f"{base(book)}/chart", None)


def test_a_circle_is_refused_with_the_reason(ada: Browser, book: Installed) -> None:
    guides = article(book, "Guides")
    setup = article(book, "Setup", guides)
    for to in (guides["id"], setup["id"]):
        page = move(ada, book, "handbook", guides, to)
        why = "Below cannot be the record itself or one below it."
        assert (page.status, said(page)["text"], above(book, guides)) == (422, why, None)
        assert page.texts(f"#node-{guides['id']} > .tree-row .tree-why") == [why]
    spots = ada.get(f"{base(book)}/handbook/spots?card={guides['id']}")
    assert spots.texts("option") == ["At the top, below none"]


def test_where_a_record_can_go_is_found_by_name(ada: Browser, book: Installed) -> None:
    guides = article(book, "Guides")
    setup = article(book, "Setup", guides)
    article(book, "Setup", article(book, "Printers"))
    article(book, "Linux", setup)
    page = ada.get(f"{base(book)}/handbook/spots?card={setup['id']}&words=setup")
    assert page.texts("option") == ["Setup — Printers"]
    page = ada.get(f"{base(book)}/handbook/spots?card={setup['id']}")
    assert page.texts("option") == ["At the top, below none", "Guides", "Printers", "Setup — Printers"]
    assert ada.get(f"{base(book)}/handbook/spots?card=x&words=zzz").texts("option") == ["Nothing is called so"]
    assert ada.get(f"{base(book)}/articles/spots").status == 404


@pytest.mark.parametrize(
    ("view", "sent", "status"),
    [
        ("handbook", {"to": "never"}, 400),
        ("handbook", {"to": ""}, 400),
        ("handbook", {"to": "top", "card": "x"}, 400),
        ("handbook", {"to": "00000000-0000-7000-8000-000000000000"}, 422),
        ("handbook", {"to": "top", "version": "7"}, 412),
        ("articles", {"to": "top"}, 404),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(
    ada: Browser, book: Installed, view: str, sent: dict[str, str], status: int
) -> None:
    one = article(book, "One", article(book, "Above"))
    asked = {"card": one["id"], "version": "1", **sent}
    assert ada.post(f"{base(book)}/{view}/under", asked, htmx="results").status == status
    assert book.data.get("articles", one["id"]).version == 1


def test_new_below_a_record_fills_it_in_and_leads_back(ada: Browser, book: Installed) -> None:
    guides = article(book, "Guides")
    page = ada.get(opened(book, guides))
    link = next(str(a["href"]) for a in page.html.select(f"#node-{guides['id']} .tree-row-acts a"))
    form = ada.get(link)
    assert form.one("[name=v-above] [selected]")["value"] == guides["id"]
    back = urlsplit(str(form.html.select_one(".form-actions a")["href"]))
    assert (back.path, parse_qs(back.query)) == (f"{base(book)}/handbook", {"in": ["handbook"], "open": [guides["id"]]})


def test_a_long_branch_is_shown_further_and_then_as_a_list(ada: Browser, book: Installed) -> None:
    guides = article(book, "Guides")
    for number in range(204):
        article(book, f"Article {number:03}", guides)
    page = ada.get(opened(book, guides))
    assert len(drawn(page)) == 26
    for most in (50, 100, 200):
        page = ada.get(str(page.one(f"#more-{guides['id']}")["href"]))
        assert len(drawn(page)) == 1 + most
    rest = page.one(".tree-more a")
    assert dict(parse_qsl(urlsplit(str(rest["href"])).query)) == {"f.above": guides["id"]}
    assert page.texts(".tree-more") == ["The first 200 are shown. All of them as a list"]
    found = ada.get(f"{base(book)}/handbook?q=article&limit=200")
    assert found.texts(".tree-cut") == ["The first 200 of 204 are shown. Search for more words to narrow them."]


def test_an_old_or_broken_address_still_opens(ada: Browser, book: Installed) -> None:
    guides = article(book, "Guides")
    article(book, "Setup", guides)
    query = f"open=x&open=00000000-0000-7000-8000-000000000000&open={guides['id']}&limit=7&sort=nope&cursor=x&open="
    assert drawn(ada.get(f"{base(book)}/handbook?{query}")) == ["Guides", "  Setup"]


def test_records_that_are_above_themselves_from_before_are_found_and_can_be_freed(
    ada: Browser, book: Installed
) -> None:
    one = article(book, "One")
    two = article(book, "Two", one)
    with book.data.transaction() as tx:  # as a version without the tree may have left them
        text = f'UPDATE "{book.data.context.schema}".articles SET above = $1::uuid WHERE id = $2::uuid'
        tx.send([(text, [two["id"], one["id"]])])
    page = ada.get(f"{base(book)}/handbook?q=two")
    assert drawn(page)[0] in ("One", "Two")
    assert page.texts(".tree-hint") == ["Part of a circle: it is above itself. Move it to the top."]
    assert move(ada, book, "handbook", one, "top").status == 200
    assert drawn(ada.get(opened(book, one))) == ["One", "  Two"]


def test_a_very_deep_tree_is_drawn(ada: Browser, book: Installed) -> None:
    last, made = None, []
    for number in range(120):
        last = article(book, f"Level {number:03}", last)
        made.append(last)
    page = ada.get(f"{base(book)}/handbook?q=level&limit=200")
    assert (page.status, sorted(name.strip() for name in drawn(page))) == (200, [one["name"] for one in made])
    assert len(drawn(ada.get(opened(book, *made[:40])))) == 41


def test_who_may_only_look_gets_a_tree_without_acts(vic: Browser, book: Installed) -> None:
    one = article(book, "One", article(book, "Above"))
    page = vic.get(f"{base(book)}/handbook")
    assert drawn(page) == ["Above"]
    assert page.html.select("#move, dialog#tree-to, .tree-move, .tree-row-acts, [data-movable]") == []
    assert move(vic, book, "handbook", one, "top").status == 403
    assert vic.get(f"{base(book)}/handbook/spots?card={one['id']}").status == 403


def test_who_may_not_read_the_table_has_no_tree(mel: Browser, mel_person: Person, book: Installed) -> None:
    book.give_role(mel_person, "none")
    assert mel.get(f"{base(book)}/handbook").status == 404
    assert mel.get(f"{base(book)}/chart").texts(".empty-state h2") == ["No posts yet"]


def test_a_tree_is_not_there_for_another_agency(olga: Browser, book: Installed) -> None:
    one = article(book, "One")
    assert olga.get(f"{base(book)}/handbook").status == 404
    assert olga.get(f"{base(book)}/handbook/spots").status == 404
    assert move(olga, book, "handbook", one, "top").status == 404


def test_without_a_script_a_move_leads_back_to_the_tree(ada: Browser, book: Installed) -> None:
    one = article(book, "One", article(book, "Above"))
    page = ada.post(f"{base(book)}/handbook/under?q=one", {"card": one["id"], "version": 1, "to": "top"})
    assert (page.status, page.where) == (303, f"{base(book)}/handbook?in=handbook&q=one")


def test_a_tree_costs_the_same_for_any_number_of_records_and_levels(
    ada: Browser, book: Installed, statements: Statements
) -> None:
    cost, found, made = [], [], []
    for number in (1, 6):
        last = None
        for level in range(number):
            last = article(book, f"Level {level}", last)
            made.append(last)
            article(book, f"Beside {level}", last)
        for path, into in ((opened(book, *made), cost), (opened(book, q="beside"), found)):
            ada.get(path)
            with statements.of_modules() as sent:
                assert ada.get(path).status == 200
            into.append(len(sent))
    assert cost == [4, 4]  # the tops, how many there are, what is open, what is below each
    assert found == [4, 4]  # what was found, how many, what is above it, what is below each
