"""A board: its columns, figures and cards, and moving a card; to whom, and what is said when it cannot be moved."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person

SALES = """
manifest: 1
slug: sales
name: Sales
summary: Deals on their way.
version: 1.0.0
type: app
tables:
  stages:
    label: {one: Stage, many: Stages}
    title: name
    fields:
      name: {type: text, required: true}
  deals:
    label: {one: Deal, many: Deals}
    title: name
    fields:
      name:   {type: text, required: true, max: 80, search: true}
      stage:  {type: ref, to: stages, on_delete: set_null}
      status: {type: enum, options: [open, won, lost], default: open, required: true, colors: {won: green, lost: red}}
      amount: {type: money, currency: paid_in}
      paid_in: {type: text, max: 3}
      stars:  {type: rating}
      due:    {type: date}
      reason: {type: text, visible_if: {status: lost}, label: Why it was lost}
      owner:  {type: user}
    check: [{when: {status: lost}, require: [reason]}]
    access: {public: [], staff: [read, create, update, delete], api: [read]}
views:
  pipeline:
    type: board
    table: deals
    by: stage
    card: [name, amount, due, stage, status]
    sum: amount
    filters: [status]
    sort: name
    where: {status: {ne: lost}}
  outcome:  {type: board, table: deals, label: How it ended, by: status, card: [name], sum: stars, sort: -name}
  open:     {type: board, table: deals, by: status, card: [name], where: {status: {in: [open, won]}}}
  deals:    {type: list, table: deals, columns: [name, status]}
menu: [pipeline, outcome, deals]
roles:
  seller: {label: Seller, tables: {deals: [read, create, update], stages: [read]}, rows: {deals: own}}
  blind:  {label: Blind, tables: {deals: [read, update]}}
"""


@pytest.fixture
def sales(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, SALES)


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def columns(page: Page) -> dict[str, list[str]]:
    """{heading: titles of its cards}."""
    return {
        " ".join(column.select_one("h2").get_text(" ").split()): [
            " ".join(card.get_text().split()) for card in column.select(".board-title")
        ]
        for column in page.html.select(".board-column")
    }


def moves(page: Page, heading: str) -> list[str]:
    """Where the cards of a column may go."""
    column = next(one for one in page.html.select(".board-column") if heading in one.select_one("h2").get_text())
    return [" ".join(button.get_text().split()) for button in column.select("button[name=to]")]


def move(person: Browser, module: Installed, board: str, record: dict[str, Any], to: str, **more: Any) -> Page:
    sent = {"card": record["id"], "version": record["version"], "to": to, **more}
    return person.post(f"{base(module)}/{board}/move", sent, htmx="results")


def said(page: Page) -> dict[str, Any]:
    """The toast that came with an answer for htmx."""
    [item] = json.loads(page.response.headers["HX-Trigger"])["toasts"]["items"]
    return dict(item)


def now(module: Installed, record: dict[str, Any], field: str, table: str = "deals") -> Any:
    return module.data.get(table, record["id"]).values[field]


def test_a_board_by_records_has_a_column_for_each_and_one_for_those_without(ada: Browser, sales: Installed) -> None:
    late, early = sales.add("stages", name="Offer made"), sales.add("stages", name="First talk")
    boat = sales.add("deals", name="Boat", stage=early["id"], amount=120000, paid_in="USD", due="2026-03-14")
    sales.add("deals", name="Anchor", stage=early["id"], amount=5000, paid_in="eur")
    sales.add("deals", name="Crane", stage=early["id"], amount=2500)
    sales.add("deals", name="Gone", stage=late["id"], status="lost", reason="Price")
    page = ada.get(f"{base(sales)}/pipeline")
    assert columns(page) == {"First talk": ["Anchor", "Boat", "Crane"], "Offer made": []}
    assert page.texts(".board-column .cnt") == ["3", "0"]
    assert page.texts(".board-sum") == ["Amount: €75.00 · $1,200.00"]  # currencies are not added up; none is the site's
    assert page.texts(f"#card-{boat['id']} dd") == ["$1,200.00", "14 Mar 2026", "Open"]
    assert page.texts(f"#card-{boat['id']} dt:not(.sr-only)") == ["Due"]
    link = str(page.one(f"#card-{boat['id']} .board-title")["href"])
    assert ada.get(link).one('.crumbs a[href*="/pipeline"]').get_text() == "Pipeline"
    assert page_faults(page.text, ada.app) == []
    sales.add("deals", name="Lost soul")
    assert columns(ada.get(f"{base(sales)}/pipeline"))["None"] == ["Lost soul"]


def test_a_board_by_options_follows_the_manifest_and_stars_are_added_up_as_a_number(
    ada: Browser, sales: Installed
) -> None:
    for name, stars in (("Ada's", 3), ("Ben's", 4)):
        sales.add("deals", name=name, status="won", stars=stars)
    page = ada.get(f"{base(sales)}/outcome")
    assert page.texts(".segments [aria-current]") == ["How it ended"]
    assert columns(page) == {"Open": [], "Won": ["Ben's", "Ada's"], "Lost": []}
    assert page.texts(".board-sum") == ["Stars: 7"]
    assert [dot["data-tone"] for dot in page.html.select(".board-column h2 .status")] == ["neutral", "green", "red"]
    assert columns(ada.get(f"{base(sales)}/open")) == {"Open": [], "Won": ["Ben's", "Ada's"]}  # lost can never be there


def test_search_and_filters_narrow_a_board_and_a_filter_on_its_field_its_columns(
    ada: Browser, sales: Installed
) -> None:
    stage = sales.add("stages", name="Talk")
    sales.add("deals", name="Red boat", stage=stage["id"])
    sales.add("deals", name="Red car", stage=stage["id"], status="won")
    path = f"{base(sales)}/pipeline"
    assert columns(ada.get(f"{path}?q=boat"))["Talk"] == ["Red boat"]
    page = ada.get(f"{path}?f.status=won")
    assert (columns(page)["Talk"], page.texts(".chip")) == (["Red car"], ["Status: Won remove this filter"])
    assert urlsplit(str(page.one(".chip")["href"])).path == path
    assert list(columns(ada.get(f"{base(sales)}/outcome?f.status=won"))) == ["Won"]
    page = ada.get(f"{path}?q=nothing+like+it")
    assert page.texts(".empty-state h2") == ["Nothing matches"]
    assert ada.get(f"{path}?f.status=won", htmx="results").html.select("html") == []


def test_a_full_column_shows_the_first_cards_and_the_way_to_the_others(ada: Browser, sales: Installed) -> None:
    stage = sales.add("stages", name="Talk")
    for number in range(28):
        sales.add("deals", name=f"Deal {number:02}", stage=stage["id"])
    page = ada.get(f"{base(sales)}/pipeline")
    assert (len(columns(page)["Talk"]), page.texts(".board-column .cnt")) == (25, ["28"])
    more = page.one(".board-more a")
    further = ada.get(str(more["hx-get"]), htmx=f"more-{stage['id']}")
    assert further.texts(".board-title") == ["Deal 25", "Deal 26", "Deal 27"]
    assert further.html.select(".board-more, .board") == []
    assert len(columns(ada.get(str(more["href"])))["Talk"]) == 28  # without a script: that column alone, in full


def test_new_in_a_column_fills_in_its_value_and_leads_back_to_the_whole_board(ada: Browser, sales: Installed) -> None:
    page = ada.get(f"{base(sales)}/outcome?q=x")
    form = ada.get(str(page.html.select(".board-column header a")[1]["href"]))
    assert form.one("[name=v-status][checked]")["value"] == "won"
    back = urlsplit(str(form.html.select_one(".form-actions a")["href"]))
    assert (back.path, parse_qs(back.query)) == (f"{base(sales)}/outcome", {"in": ["outcome"], "q": ["x"]})


def test_a_move_changes_the_one_field_and_answers_with_the_board(ada: Browser, sales: Installed) -> None:
    deal = sales.add("deals", name="Boat", stars=2)
    page = move(ada, sales, "outcome", deal, "won")
    assert (page.status, columns(page)) == (200, {"Open": [], "Won": ["Boat"], "Lost": []})
    assert (now(sales, deal, "status"), now(sales, deal, "stars"), now(sales, deal, "version")) == ("won", 2, 2)
    notice = said(page)
    assert (notice["title"], notice["text"]) == ("Boat is moved", "Status: Won")
    back = ada.post(notice["undo"])  # the table keeps no history: the card goes the way back
    assert (urlsplit(back.where).path, now(sales, deal, "status")) == (f"{base(sales)}/outcome", "open")


def test_a_move_is_undone_by_the_history_where_states_know_no_way_back(ada: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Roof")
    page = ada.get(f"{base(jobs)}/board?f.urgent=true")
    assert (moves(page, "New"), moves(page, "Open"), moves(page, "Closed")) == (["Open"], ["New", "Closed"], [])
    ada.post(f"{base(jobs)}/board/move", {"card": job["id"], "version": 1, "to": "open"}, htmx="results")
    closing = {"card": job["id"], "version": 2, "to": "closed"}
    page = ada.post(f"{base(jobs)}/board/move?q=roof", closing, htmx="results")
    assert columns(page)["Closed"] == ["Roof"]
    back = ada.post(said(page)["undo"])
    assert (back.where, now(jobs, job, "state", "jobs")) == (f"{base(jobs)}/board?in=board&q=roof", "open")


def test_a_refused_move_leaves_the_card_and_says_why(ada: Browser, sales: Installed, jobs: Installed) -> None:
    deal = sales.add("deals", name="Boat")
    page = move(ada, sales, "outcome", deal, "lost")
    assert (page.status, columns(page)["Open"], now(sales, deal, "status")) == (422, ["Boat"], "open")
    why = "Why it was lost is required for this record."
    assert (said(page)["title"], said(page)["text"], said(page)["level"]) == ("Boat was not moved", why, "error")
    assert page.texts(f"#card-{deal['id']} .board-why") == [f"{why} Edit it"]
    job = jobs.add("jobs", name="Roof")
    page = ada.post(f"{base(jobs)}/board/move", {"card": job["id"], "version": 1, "to": "closed"}, htmx="results")
    assert (page.status, columns(page)["New"]) == (422, ["Roof"])
    assert 'cannot become "closed"' in said(page)["text"]


def test_a_card_that_changed_since_is_not_moved(ada: Browser, sales: Installed) -> None:
    deal = sales.add("deals", name="Boat")
    sales.data.update("deals", deal["id"], {"stars": 5})
    page = move(ada, sales, "outcome", deal, "won")
    assert (page.status, now(sales, deal, "status"), columns(page)["Open"]) == (412, "open", ["Boat"])
    sales.data.delete("deals", deal["id"])
    page = move(ada, sales, "outcome", deal, "won")
    assert (page.status, columns(page)["Open"]) == (409, [])


@pytest.mark.parametrize(
    ("board", "sent", "status"),
    [
        ("outcome", {"to": "never"}, 404),
        ("outcome", {"to": "none"}, 404),  # the field is required
        ("outcome", {"to": "won", "card": "x"}, 400),
        ("outcome", {"to": "won", "version": ""}, 400),
        ("outcome", {"to": "won", "version": "99999999999999999999"}, 412),
        ("deals", {"to": "won"}, 404),  # a list
        ("nothing", {"to": "won"}, 404),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(
    ada: Browser, sales: Installed, board: str, sent: dict[str, str], status: int
) -> None:
    deal = sales.add("deals", name="Boat")
    assert move(ada, sales, board, deal, **sent).status == status
    assert now(sales, deal, "version") == 1


def test_without_a_script_a_move_leads_back_to_the_board(ada: Browser, sales: Installed) -> None:
    deal = sales.add("deals", name="Boat")
    page = ada.post(f"{base(sales)}/outcome/move?q=boat", {"card": deal["id"], "version": 1, "to": "won"})
    assert (page.status, page.where) == (303, f"{base(sales)}/outcome?in=outcome&q=boat")
    assert columns(ada.get(page.where))["Won"] == ["Boat"]


def test_who_may_not_change_records_gets_a_board_without_moving(vic: Browser, sales: Installed) -> None:
    deal = sales.add("deals", name="Boat")
    page = vic.get(f"{base(sales)}/outcome")
    assert columns(page)["Open"] == ["Boat"]
    assert page.html.select("#move, .board-move, button[name=to], .board-column header a, script[src*=board]") == []
    assert move(vic, sales, "outcome", deal, "won").status == 403
    assert now(sales, deal, "status") == "open"


def test_a_role_sees_and_moves_its_own_cards_only(mel: Browser, mel_person: Person, sales: Installed) -> None:
    sales.give_role(mel_person, "seller")
    theirs, mine = sales.add("deals", name="Theirs"), sales.add("deals", name="Mine", owner=str(mel_person.id))
    page = mel.get(f"{base(sales)}/outcome")
    assert (columns(page)["Open"], page.texts(".board-column .cnt")) == (["Mine"], ["1", "0", "0"])
    assert move(mel, sales, "outcome", theirs, "won").status == 409
    assert move(mel, sales, "outcome", mine, "won").status == 200
    assert (now(sales, theirs, "status"), now(sales, mine, "status")) == ("open", "won")


def test_columns_that_somebody_may_not_read_are_said_to_be_hidden(
    mel: Browser, mel_person: Person, sales: Installed
) -> None:
    sales.give_role(mel_person, "blind")
    sales.add("deals", name="Boat", stage=sales.add("stages", name="Secret stage")["id"])
    page = mel.get(f"{base(sales)}/pipeline")
    assert (page.texts(".empty-state h2"), "Secret stage" in page.text) == (["You do not see the columns"], False)


def test_a_board_is_not_there_for_another_agency(olga: Browser, sales: Installed) -> None:
    deal = sales.add("deals", name="Boat")
    assert olga.get(f"{base(sales)}/outcome").status == 404
    assert move(olga, sales, "outcome", deal, "won").status == 404
    assert now(sales, deal, "status") == "open"


def test_a_board_costs_the_same_for_any_number_of_columns_and_cards(
    ada: Browser, sales: Installed, statements: Statements
) -> None:
    cost = []
    for number in (1, 4):
        for _ in range(number):
            stage = sales.add("stages", name=f"Stage {number}")
            for card in range(number):
                sales.add("deals", name=f"Deal {card}", stage=stage["id"])
        sales.add("deals", name="None yet")
        ada.get(f"{base(sales)}/pipeline")
        with statements.of_modules() as sent:
            assert ada.get(f"{base(sales)}/pipeline").status == 200
        cost.append(len(sent))
    assert cost == [4, 4]  # the columns, their counts and sums, the cards, those without a column
