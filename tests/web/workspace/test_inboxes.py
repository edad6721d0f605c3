"""An inbox: its list, the record beside it, where acts lead, to whom it is shown, what it costs."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person
from tests.web.workspace.filling import sent_by

DESK = """
manifest: 1
slug: desk
name: Desk
summary: Questions and their answers.
version: 1.0.0
type: app
tables:
  topics:
    label: {one: Topic, many: Topics}
    title: name
    fields:
      name: {type: text, required: true}
  tickets:
    label: {one: Ticket, many: Tickets}
    title: subject
    fields:
      subject: {type: text, required: true, max: 160, search: true}
      text:    {type: text, multiline: true, max: 5000, search: true, label: Question}
      email:   {type: email}
      topic:   {type: ref, to: topics, on_delete: set_null}
      urgency: {type: enum, options: [low, high], default: low, required: true, colors: {high: red}}
      state:   {type: enum, options: [new, open, solved], default: new, required: true, colors: {new: orange, solved: green}}
      due:     {type: date}
      owner:   {type: user}
    states: {field: state, moves: {new: [open, solved], open: [solved], solved: [open]}}
    access: {public: [], staff: [read, create, update, delete], api: []}
    audit: true
    timeline: true
  replies:
    label: {one: Reply, many: Replies}
    title: text
    fields:
      ticket: {type: ref, to: tickets, on_delete: cascade, required: true}
      text:   {type: text, required: true}
views:
  inbox:
    type: inbox
    table: tickets
    label: To answer
    help: What somebody waits for.
    card: [subject, email, urgency, topic, due]
    main: [text, {related: replies}]
    side: [state, urgency, owner]
    filters: [urgency, topic]
    search: true
    sort: subject
    where: {state: {ne: solved}}
  quiet:   {type: inbox, table: tickets, card: [subject], main: [text]}
  tickets: {type: list, table: tickets, columns: [subject, state]}
menu: [inbox, quiet, tickets]
roles:
  agent: {label: Agent, tables: {tickets: [read, update]}, rows: {tickets: own}}
  typist: {label: Typist, tables: {topics: [read]}}
"""


@pytest.fixture
def desk(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, DESK)


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def tickets(module: Installed, *subjects: str, **more: Any) -> list[dict[str, Any]]:
    return [module.add("tickets", subject=subject, **more) for subject in subjects]


def listed(page: Page) -> list[str]:
    return page.texts(".inbox-title")


def shown(page: Page) -> str:
    """The name of the record beside the list, and that its row is marked."""
    [name] = page.texts("#inbox-name")
    assert page.texts(".inbox-title[aria-current]") in ([name], [])
    return name


def asked(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


def act(person: Browser, module: Installed, record: dict[str, Any], what: str, carry: str, **sent: str) -> Page:
    return person.post(f"{base(module)}/tickets/{record['id']}/{what}", {"_list": carry, "in": "inbox", **sent})


def test_the_first_record_is_beside_the_list_with_its_panels_and_acts(ada: Browser, desk: Installed) -> None:
    topic = desk.add("topics", name="Billing")
    [first, _] = tickets(desk, "Anchor", "Boat", text="Where is it?", email="a@b.example", topic=topic["id"])
    desk.add("replies", ticket=first["id"], text="On its way")
    tickets(desk, "Closed one", state="solved")
    page = ada.get(f"{base(desk)}/inbox")
    assert page_faults(page.text, ada.app) == []
    assert (page.texts(".segments [aria-current]"), page.texts(".list-help")) == (
        ["To answer"],
        ["What somebody waits for."],
    )
    assert (listed(page), shown(page)) == (["Anchor", "Boat"], "Anchor")
    assert page.texts(".result-bar [role=status]") == ["2 tickets"]
    assert page.html.select(".inbox[data-opened]") == []  # nobody chose it: a phone shows the list
    row = page.html.select(".inbox-row")[0]
    assert [one.get_text(" ", strip=True) for one in row.select("dd")] == ["a@b.example", "Low", "Billing"]
    assert len(row.select("a")) == 1  # all of a row is one link
    assert page.texts(".split-main h2") == ["Question", "Replies", "History"]
    assert "Where is it?" in page.text
    assert "Into the record, back to its row" in page.texts("#shortcuts dt")
    assert page.texts(".split-rail dt")[:3] == ["State", "Urgency", "Owner"]
    assert page.texts(".moves button") == ["Move to open", "Move to solved"]
    assert page.one("#record-acts button.menu-item[data-tone=bad]").get_text() == "Delete"


def test_the_first_moment_of_a_card_stands_in_its_corner(ada: Browser, desk: Installed) -> None:
    tickets(desk, "Anchor", due="2026-03-14")
    page = ada.get(f"{base(desk)}/inbox")
    assert page.texts(".inbox-when") == ["Due: 14 Mar 2026"]
    assert page.texts(".inbox-row dt") == ["Urgency"]


def test_a_chosen_record_is_in_the_address_and_htmx_gets_it_alone(ada: Browser, desk: Installed) -> None:
    [_, boat, _] = tickets(desk, "Anchor", "Boat", "Crane")
    page = ada.get(f"{base(desk)}/inbox?f.urgency=low")
    link = page.html.select(".inbox-title")[1]
    assert (link["href"], link["hx-push-url"]) == (link["hx-get"], "true")
    assert asked(str(link["href"])) == {"f.urgency": ["low"], "record": [boat["id"]]}
    whole = ada.get(str(link["href"]))
    assert (shown(whole), bool(whole.html.select(".inbox[data-opened]"))) == ("Boat", True)
    part = ada.get(str(link["href"]), htmx="inbox-record")
    assert (shown(part), part.html.select(".inbox-row, html")) == ("Boat", [])
    beside = [str(one["href"]) for one in part.html.select(".neighbours a")]
    assert [shown(ada.get(one)) for one in beside] == ["Anchor", "Crane"]
    assert asked(beside[0])["f.urgency"] == ["low"]
    back = part.one(".inbox-back")
    assert (back.get_text(), asked(str(back["href"]))) == ("To answer", {"f.urgency": ["low"]})


def test_search_and_filters_keep_the_chosen_record_while_it_matches(ada: Browser, desk: Installed) -> None:
    [anchor, red] = tickets(desk, "Anchor", "Red boat", urgency="high")
    path, chosen = f"{base(desk)}/inbox", f"record={red['id']}"
    page = ada.get(f"{path}?{chosen}")
    kept = page.one("#inbox-chosen")
    assert (kept["name"], kept["value"], kept["form"]) == ("record", red["id"], "list-filters")
    page = ada.get(f"{path}?q=boat&{chosen}", htmx="results")
    assert (listed(page), shown(page)) == (["Red boat"], "Red boat")
    assert page.one(".chip")["hx-include"] == "#inbox-chosen"
    page = ada.get(f"{path}?q=anchor&{chosen}", htmx="results")
    assert (listed(page), shown(page), page.html.select("#inbox-chosen")) == (["Anchor"], "Anchor", [])
    assert ada.get(f"{path}?q=nothing+like+it&{chosen}").texts(".empty-state h2") == ["Nothing matches"]
    assert shown(ada.get(f"{path}?sort=-subject&record=no-id&after=no-cursor&f.topic=x&col=y")) == "Red boat"
    assert shown(ada.get(f"{path}?record={anchor['id']}&sort=-subject")) == "Anchor"


def test_an_address_of_a_record_that_has_moved_on_says_so_and_leads_to_it(ada: Browser, desk: Installed) -> None:
    [anchor] = tickets(desk, "Anchor")
    [solved] = tickets(desk, "Boat", state="solved")
    page = ada.get(f"{base(desk)}/inbox?record={solved['id']}")
    assert (shown(page), page.texts(".callout-title")) == ("Anchor", ["“Boat” is not among these"])
    assert urlsplit(str(page.one(".callout a")["href"])).path == f"{base(desk)}/tickets/{solved['id']}"
    gone = ada.get(f"{base(desk)}/inbox?record={solved['id']}", htmx="inbox-record")
    assert gone.texts(".empty-state h2") == ["It is not among these any more"]
    desk.data.delete("tickets", anchor["id"])
    page = ada.get(f"{base(desk)}/inbox?record={solved['id']}")
    assert (page.texts(".callout-title"), page.texts(".empty-state h2")) == (
        ["“Boat” is not among these"],
        ["No tickets yet"],
    )


def test_the_list_goes_on_by_cursor_and_a_record_further_down_keeps_its_page(ada: Browser, desk: Installed) -> None:
    tickets(desk, *(f"Ticket {number:02}" for number in range(28)))
    page = ada.get(f"{base(desk)}/inbox?f.urgency=low")
    more = page.one("#inbox-more a")
    assert (len(listed(page)), more["href"]) == (25, more["hx-get"])
    further = ada.get(str(more["hx-get"]), htmx="inbox-more")
    assert (listed(further), further.html.select("#inbox-more, .inbox")) == (
        ["Ticket 25", "Ticket 26", "Ticket 27"],
        [],
    )
    whole = ada.get(str(further.html.select(".inbox-title")[1]["href"]))
    assert (listed(whole), shown(whole)) == (listed(further), "Ticket 26")
    start = ada.get(str(whole.one(".inbox-start")["href"]))
    assert (listed(start)[0], start.texts(".chip")) == ("Ticket 00", ["Urgency: Low remove this filter"])


def test_after_a_change_one_comes_back_to_the_record_or_to_the_next_where_it_has_left(
    ada: Browser, desk: Installed
) -> None:
    [_, boat, crane] = tickets(desk, "Anchor", "Boat", "Crane")
    where = f"{base(desk)}/inbox?f.urgency=low&record={boat['id']}"
    page = ada.get(where)
    edit = str(next(one["href"] for one in page.html.select(".inbox-head a") if "/edit?" in str(one["href"])))
    form = ada.get(edit)
    assert str(form.one(".form-actions a")["href"]) == where
    saved = ada.post(urlsplit(edit).path, sent_by(form, subject="Boat, blue"))
    assert saved.where == where
    carry = {one["name"]: one["value"] for one in page.html.select(".moves input")}["_list"]
    solved = act(ada, desk, boat, "move", carry, to="solved", _version="2")
    assert asked(solved.where or "") == {"f.urgency": ["low"], "record": [crane["id"]]}
    opened = act(ada, desk, crane, "move", carry, to="open", _version="1")
    assert (asked(opened.where or "")["record"], shown(ada.get(opened.where or ""))) == ([crane["id"]], "Crane")
    refused = act(ada, desk, crane, "move", carry, to="new", _version="2")
    assert asked(refused.where or "")["record"] == [crane["id"]]


def test_after_deleting_the_next_record_is_chosen_and_undo_brings_back_the_one(ada: Browser, desk: Installed) -> None:
    [anchor, boat, crane] = tickets(desk, "Anchor", "Boat", "Crane")
    desk.add("replies", ticket=anchor["id"], text="Goes with it, and comes back with it")
    where = act(ada, desk, anchor, "delete", "in=inbox&f.urgency=low").where or ""
    assert (urlsplit(where).path, asked(where)) == (
        f"{base(desk)}/inbox",
        {"f.urgency": ["low"], "record": [boat["id"]]},
    )
    undo = str(ada.get(where).one("#toasts .toast form")["action"])
    assert asked(act(ada, desk, crane, "delete", "in=inbox&q=crane").where or "") == {"q": ["crane"]}  # nothing is left
    last = act(ada, desk, boat, "delete", "in=inbox").where or ""
    assert asked(last) == {}
    assert ada.get(last).texts(".empty-state h2") == ["No tickets yet"]
    back = ada.post(undo)
    assert asked(back.where or "") == {"f.urgency": ["low"], "record": [anchor["id"]]}
    assert shown(ada.get(back.where or "")) == "Anchor"


def test_a_new_record_is_opened_beside_the_list_it_was_made_from(ada: Browser, desk: Installed) -> None:
    page = ada.get(f"{base(desk)}/inbox")
    assert page.texts(".empty-state h2, .empty-state p") == ["No tickets yet", "What somebody waits for."]
    form = ada.get(str(page.one(".page-act a")["href"]))
    assert urlsplit(str(form.one(".form-actions a")["href"])).path == f"{base(desk)}/inbox"
    made = ada.post(f"{base(desk)}/tickets/new", sent_by(form, subject="Anchor"))
    assert (urlsplit(made.where or "").path, shown(ada.get(made.where or ""))) == (f"{base(desk)}/inbox", "Anchor")


def test_what_is_added_to_a_record_leads_back_to_it_in_the_list(ada: Browser, desk: Installed) -> None:
    [_, boat] = tickets(desk, "Anchor", "Boat")
    where = f"{base(desk)}/inbox?q=boat&record={boat['id']}"
    add = str(ada.get(where).one("#related-replies-ticket header a")["href"])
    form = ada.get(add)
    assert str(form.one(".form-actions a")["href"]) == where
    assert form.one("#v-ticket option[selected]")["value"] == boat["id"]
    made = ada.post(urlsplit(add).path, sent_by(form, text="On its way"))
    assert made.where == where
    assert "On its way" in ada.get(where).text
    elsewhere = ada.post(urlsplit(add).path, sent_by(form, text="Again") | {"_list": "back=in%3Dtickets%26record%3D1"})
    assert urlsplit(elsewhere.where or "").path.startswith(f"{base(desk)}/replies/")


def test_a_record_on_its_own_page_and_other_lists_are_as_before(ada: Browser, desk: Installed) -> None:
    [anchor, boat] = tickets(desk, "Anchor", "Boat")
    page = ada.get(f"{base(desk)}/tickets/{anchor['id']}?in=tickets")
    assert urlsplit(str(page.one(".neighbours a")["href"])).path == f"{base(desk)}/tickets/{boat['id']}"
    gone = ada.post(f"{base(desk)}/tickets/{boat['id']}/delete", {"_list": "in=tickets", "in": "tickets"})
    assert urlsplit(gone.where or "").path == f"{base(desk)}/tickets"


def test_who_may_only_look_gets_no_acts(vic: Browser, desk: Installed) -> None:
    tickets(desk, "Anchor")
    page = vic.get(f"{base(desk)}/inbox")
    assert shown(page) == "Anchor"
    assert page.html.select(".inbox form, .page-act a[href*=new], .inbox-head a[href*=edit]") == []


def test_a_role_sees_its_own_records_only(mel: Browser, mel_person: Person, desk: Installed) -> None:
    desk.give_role(mel_person, "agent")
    [theirs] = tickets(desk, "Theirs")
    tickets(desk, "Mine", owner=str(mel_person.id))
    page = mel.get(f"{base(desk)}/inbox?record={theirs['id']}")
    assert (listed(page), shown(page), "Theirs" in page.text) == (["Mine"], "Mine", False)
    part = mel.get(f"{base(desk)}/inbox?record={theirs['id']}", htmx="inbox-record")
    assert (part.texts(".empty-state h2"), "Theirs" in part.text) == (["It is not among these any more"], False)
    assert page.texts(".split-main h2") == ["History"]  # replies are not theirs to read


def test_an_inbox_is_there_for_nobody_else(olga: Browser, mel: Browser, mel_person: Person, desk: Installed) -> None:
    desk.give_role(mel_person, "typist")
    for person in (olga, mel):
        assert person.get(f"{base(desk)}/inbox").status == 404
        assert person.get(f"{base(desk)}/inbox", htmx="inbox-record").status == 404
        assert person.get(f"{base(desk)}/inbox", htmx="inbox-more").status == 404


def test_an_inbox_costs_the_same_for_any_number_and_the_list_is_not_read_again_for_another_record(
    ada: Browser, desk: Installed, statements: Statements
) -> None:
    cost = []
    for number in (3, 20):
        for made in tickets(
            desk, *(f"Ticket {one}" for one in range(number)), topic=desk.add("topics", name="T")["id"]
        ):
            desk.add("replies", ticket=made["id"], text="Yes")
        path = f"{base(desk)}/inbox?record={made['id']}"
        for target in (None, "inbox-record"):
            ada.get(path, htmx=target)
            with statements.of_modules() as sent:
                assert ada.get(path, htmx=target).status == 200
            cost.append(len(sent))
    # the list, how many, the topics to filter by; the record, those beside it, its replies and how many, its history
    assert cost == [9, 6, 9, 6]
