"""The screens of pages without scripts: every button is a form, and two people do not write over each other."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.access.permissions import Role
from app.lib.clock import utcnow
from app.pages.models import SitePage
from tests.support.browser import Browser, Page
from tests.support.installed import put_on_site
from tests.support.pagedesk import Desk, picture
from tests.support.world import World
from tests.web.conftest import Browse

FORMS = """
manifest: 1
slug: forms
name: Forms
summary: One form.
version: 1.0.0
type: app
tables:
  notes:
    fields: {title: {type: text, required: true, max: 80}}
    access: {public: [], staff: [read], api: []}
pages:
  write: {template: write.html, kind: form, title: Write a note, table: notes, fields: [title],
          params: {shade: {type: enum, options: [light, dark], label: Shade}}}
  notice: {template: notice.txt, kind: email}
"""


def filled(page: Page, **changed: str) -> dict[str, Any]:
    """What the editor's form would send, as a browser without scripts reads it from the page."""
    sent: dict[str, Any] = {"revision": page.one("#save-state input[name=revision]")["value"]}
    blocks = []
    for field in page.html.select("#page-form input, #page-form textarea, #page-form select"):
        name, kind = str(field.get("name", "")), field.get("type")
        if name == "block":
            blocks.append(field["value"])
        elif (
            not name or kind == "file" or name == "csrf_token" or (kind == "checkbox" and not field.has_attr("checked"))
        ):
            continue
        elif field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            sent[name] = chosen["value"] if chosen else ""
        else:
            sent[name] = field.get_text() if field.name == "textarea" else field.get("value", "")
    return {**sent, "block": blocks, **changed}


def kinds(page: Page) -> list[str]:
    return page.texts("#blocks h2")


@pytest.fixture
def ada(browse: Browse, desk: Desk) -> Browser:
    return browse(desk.ada)


def test_a_page_is_written_published_and_found_in_the_list(ada: Browser, desk: Desk) -> None:
    pages = f"/sites/{desk.site.public_id}/pages"
    assert ada.get(f"/sites/{desk.site.public_id}").one(f'a[href="{pages}"]')
    assert ada.get(pages).texts("main h2") == ["No pages yet"]
    assert ada.get(f"{pages}/new").one("[name=path]")["value"] == "/"
    made = ada.post(f"{pages}/new", {"title": "Opening hours", "path": "", "in_menu": "y"})
    where = made.where or ""
    page = ada.get(where)
    assert (made.status, page.heading, page.texts(".page-write-head .mono")) == (
        303,
        "Opening hours",
        ["/opening-hours"],
    )
    draft = str(page.one("#page-form")["action"])
    for kind in ("heading", "text", "columns"):
        answer = ada.post(draft, filled(page, do=f"add:{kind}"))
        assert answer.status == 303
        page = ada.get((answer.where or "").partition("#")[0])
    assert kinds(page) == ["Heading", "Text", "Columns"]
    heading, text_block, _ = (tag["data-block"] for tag in page.html.select("#blocks > li"))
    refused = ada.post(where + "/publish", filled(page, lead="Kept all the same"))
    assert (refused.status, refused.texts(".callout li")) == (422, ["Heading 1: it has no words."])
    # the list leads to the field, which is marked and says it, too
    assert refused.one(".callout li a")["href"] == f"#b-{heading}-text"
    assert refused.one(f"#b-{heading}-text")["aria-invalid"] == "true"
    assert refused.texts(f"#b-{heading}-text-error") == ["It has no words."]
    page = ada.get(where)
    assert page.one("[name=lead]")["value"] == "Kept all the same"
    words = {f"b-{heading}-text": "When", f"b-{text_block}-text": "Always.\r\n\r\nNearly."}
    assert ada.post(where + "/publish", filled(page, **words)).status == 303
    page = ada.get(where)
    assert page.texts(".page-write-head .status") == ["Published"]
    assert "Visitors see the same." in page.texts("#save-state")[0]
    with desk.session() as session:
        row = session.query(SitePage).filter_by(site_id=desk.site.id).one()
        assert row.draft["blocks"][1]["text"] == "Always.\n\nNearly."
    listed = ada.get(pages)
    assert listed.texts("#pages tbody th") == ["Opening hours /opening-hours"]
    assert ada.get(f"{pages}?q=hours&status=published").texts("#pages tbody th") == ["Opening hours /opening-hours"]
    assert ada.get(f"{pages}?status=draft").html.select("#pages") == []


def test_blocks_are_moved_doubled_removed_and_all_of_it_undone_by_buttons(ada: Browser, desk: Desk) -> None:
    made = desk.page(blocks=[{"kind": "heading", "text": "A"}, {"kind": "text", "text": "B"}, {"kind": "spacer"}])
    where = f"/pages/{made.public_id}"
    seen = []
    for act, place in (("down", 0), ("copy", 0), ("remove", 3), ("undo", 0), ("undo", 0), ("undo", 0)):
        page = ada.get(where)
        block = page.html.select("#blocks > li")[place]["data-block"]
        answer = ada.post(f"{where}/draft", filled(page, do="undo" if act == "undo" else f"{act}:{block}"))
        assert answer.status == 303
        seen.append(kinds(ada.get(where)))
    assert seen == [
        ["Text", "Heading", "Spacer"], ["Text", "Text", "Heading", "Spacer"], ["Text", "Text", "Heading"],
        ["Text", "Text", "Heading", "Spacer"], ["Text", "Heading", "Spacer"], ["Heading", "Text", "Spacer"],
    ]  # fmt: skip


def test_a_draft_saves_itself_and_says_so(ada: Browser, desk: Desk) -> None:
    made = desk.page(blocks=[{"kind": "button"}])
    where = f"/pages/{made.public_id}"
    page = ada.get(where)
    answer = ada.post(f"{where}/draft", filled(page, lead="Typed", do="auto"))
    assert (answer.status, answer.one("[name=revision]")["value"]) == (200, "2")
    assert answer.texts("li") == [
        "Button 1: it has no words.", "Button 1: it needs a path such as /contact, an https address, mailto: or tel:.",
    ]  # fmt: skip
    assert str(answer.one("#save-state")["data-framed"]).startswith("http://127.0.0.1:8001/s/")
    late = ada.post(f"{where}/draft", filled(page, lead="Later", do="auto"))
    assert (late.status, "Ada Bright saved this page after you opened it." in late.texts(".save-problem")[0]) == (
        409,
        True,
    )


def test_two_editors_choose_whose_words_stay(browse: Browse, desk: Desk) -> None:
    made = desk.page()
    where = f"/pages/{made.public_id}"
    ada, second = browse(desk.ada), browse(desk.ada)
    hers = second.get(where)
    ada.post(f"{where}/draft", filled(ada.get(where), lead="Ada was first", do="save"))
    conflict = second.post(f"{where}/draft", filled(hers, lead="But I wrote this", do="save"))
    assert (conflict.status, conflict.one("[name=lead]")["value"]) == (409, "But I wrote this")
    assert "Ada Bright saved this page" in conflict.texts(".callout")[0]
    assert desk.now(made).draft["lead"] == "Ada was first"
    # the fields still began from the old draft: saving without choosing is refused again
    assert conflict.one("[name=revision]")["value"] == hers.one("[name=revision]")["value"]
    again = second.post(f"{where}/draft", filled(conflict, lead="But I wrote this", do="auto"))
    assert (again.status, again.texts("button")) == (409, ["Keep mine"])
    ada.post(f"{where}/draft", filled(ada.get(where), lead="Ada once more", do="save"))
    mine = str(again.one("button")["value"])
    newer = second.post(f"{where}/draft", filled(conflict, lead="But I wrote this", do=mine))
    # what came after the words she was told of is not replaced unseen
    assert (newer.status, desk.now(made).draft["lead"]) == (409, "Ada once more")
    mine = str(newer.one("[data-conflict] button")["value"])
    assert second.post(f"{where}/draft", filled(conflict, lead="But I wrote this", do=mine)).status == 303
    assert desk.now(made).draft["lead"] == "But I wrote this"


def test_a_picture_is_sent_with_the_form(ada: Browser, desk: Desk) -> None:
    made = desk.page(blocks=[{"kind": "image"}, {"kind": "columns"}])
    where = f"/pages/{made.public_id}"
    page = ada.get(where)
    image, columns = (tag["data-block"] for tag in page.html.select("#blocks > li"))
    files = {f"b-{image}-source-file": (BytesIO(picture()), "door.png"), "image-file": (BytesIO(b"no"), "x.png"),
             f"b-{columns}-1-source-file": (BytesIO(picture()), "b.png")}  # fmt: skip
    assert ada.post(f"{where}/draft", filled(page, do="save") | files).status == 303
    page = ada.get(where)
    assert "This is no JPEG, PNG, WebP or GIF picture" in page.text
    draft = desk.now(made).draft
    sources = [draft["image"], draft["blocks"][0]["source"], *(cell["source"] for cell in draft["blocks"][1]["cells"])]
    assert [source[:4] for source in sources] == ["", "img_", "", "img_"]
    assert [option["value"] for option in page.html.select("#site-images option")] == sorted(
        (sources[1], sources[3]), reverse=True
    )


def test_pages_of_installed_modules_are_offered_with_their_parameters(ada: Browser, desk: Desk) -> None:
    installed = put_on_site(desk.agency, desk.site, FORMS)
    made = desk.page()
    where = f"/pages/{made.public_id}"
    page = ada.get(where)
    assert page.texts("#add-module optgroup option") == ["Write a note"]  # letters are no pages
    foreign = ada.post(f"{where}/draft", filled(page, **{"do": "add:module", "add-module": f"ins_{'0' * 26}:write"}))
    assert (foreign.status, kinds(ada.get(where))) == (303, [])
    ada.post(f"{where}/draft", filled(page, do="add:module"))
    page = ada.get(where)
    block = page.one("#blocks > li")["data-block"]
    assert [tag["value"] for tag in page.html.select(f"[name=b-{block}-p-shade] option")] == ["", "light", "dark"]
    ada.post(f"{where}/draft", filled(page, **{f"b-{block}-p-shade": "dark", "do": "save"}))
    kept = desk.now(made).draft["blocks"][0]
    assert (kept["install"], kept["page"], kept["title"], kept["params"]) == (
        installed.public_id, "write", "Write a note", {"shade": "dark"},
    )  # fmt: skip


def test_a_page_is_planned_in_the_sites_own_time(ada: Browser, desk: Desk) -> None:
    made = desk.page()
    where = f"/pages/{made.public_id}"
    at = (utcnow().astimezone(ZoneInfo("Europe/Lisbon")) + timedelta(days=40)).replace(second=0, microsecond=0)
    assert ada.post(f"{where}/plan", {"publish_at": f"{at:%Y-%m-%dT%H:%M}"}).status == 303
    assert desk.now(made).publish_at == at.astimezone(UTC)
    assert ada.get(where).texts(".page-write-head .status") == ["Scheduled"]
    for text, error in (
        ("2020-01-01T10:00", "Choose a time that is still to come, within two years."),
        ("", "Choose a day and a time."),
        ("2026-02-31T10:00", "This is no day with a time. Choose one such as 24 March 2026, 09:30."),
    ):
        refused = ada.post(f"{where}/plan", {"publish_at": text})
        assert (refused.status, refused.texts("#publish_at-error")) == (422, [error])
        # the dialog opens again with what was written in it, and nothing else claims to be the reason
        assert (refused.one("#publish_at")["value"], refused.texts(".callout-title")) == (text, ["Not planned"])
        assert refused.one("#plan-page").has_attr("data-auto-open")
        assert error in refused.texts("noscript")[0]
    assert ada.post(f"{where}/drop-plan").status == 303
    assert desk.now(made).publish_at is None


def test_versions_can_be_looked_at_and_restored(ada: Browser, desk: Desk) -> None:
    made = desk.page(lead="First", live=True)
    where = f"/pages/{made.public_id}"
    ada.post(f"{where}/publish", filled(ada.get(where), lead="Second"))
    page = ada.get(f"{where}/versions")
    assert page.texts("#versions tbody th") == ["2 · Home Published", "1 · Home Published"]
    assert page.texts("#versions td[data-label=By]") == ["Ada Bright", "Ada Bright"]
    first = page.html.select("#versions tbody tr")[1]
    look = ada.get(str(first.select_one("a")["href"]))  # type: ignore[index]  # there is one
    assert re.fullmatch(rf"http://127.0.0.1:8001/s/{desk.site.slug}/-/preview/pag_\S+", look.where or "")
    assert ada.post(f"/page-versions/{first['id']}/restore").status == 303
    assert (desk.now(made).draft["lead"], ada.get(where).status) == ("First", 200)


def test_a_page_is_taken_off_deleted_and_restored(ada: Browser, desk: Desk) -> None:
    made = desk.page("/about", "About", live=True)
    where, pages = f"/pages/{made.public_id}", f"/sites/{desk.site.public_id}/pages"
    assert (ada.post(f"{where}/unpublish").status, desk.now(made).status) == (303, "draft")
    assert (ada.post(f"{where}/delete").status, desk.now(made).status) == (303, "deleted")
    assert ada.get(where).texts("main h2") == ["This page is deleted"]
    assert ada.get(f"{pages}?status=deleted").texts("#pages tbody th") == ["About /about"]
    assert (ada.post(f"{where}/restore").status, desk.now(made).status) == (303, "draft")


def test_look_and_redirects_are_set_on_their_own_screens(ada: Browser, desk: Desk) -> None:
    desk.page("/contact", "Contact", live=True)
    pages = f"/sites/{desk.site.public_id}/pages"
    given = {
        "accent": "#1E3A8A",
        "font": "classic",
        "theme": "dark",
        "tagline": "By the sea",
        "footer": "Rua 1",
        "listed": "y",
    }
    assert ada.post(f"{pages}/look", given).status == 303
    form = ada.get(f"{pages}/look")
    assert [form.one(f"[name={name}]")["value"] for name in ("accent", "tagline")] == ["#1e3a8a", "By the sea"]
    assert ada.post(f"{pages}/look", {**given, "accent": "red;}body{"}).errors == ["Choose a colour such as #1e3a8a."]
    assert ada.post(f"{pages}/redirects", {"source": "/old", "target": "/contact"}).status == 303
    loop = ada.post(f"{pages}/redirects", {"source": "/contact-us", "target": "/contact-us"})
    assert (loop.status, loop.errors) == (422, ["This would lead in a circle."])
    row = ada.get(f"{pages}/redirects").one("#redirects tbody tr")
    assert " ".join(row.get_text(" ").split()).startswith("/old /contact")
    assert ada.post(f"/page-redirects/{row['id']}/remove").status == 303
    assert ada.get(f"{pages}/redirects").html.select("#redirects") == []


def test_a_viewer_looks_and_changes_nothing(browse: Browse, desk: Desk, world: World) -> None:
    made = desk.page(blocks=[{"kind": "heading", "text": "A"}])
    vic = world.person(desk.agency, Role.VIEWER, name="Vic")
    page = browse(vic).get(f"/pages/{made.public_id}")
    assert (page.status, page.html.select("#page-form button, [data-page-editor]")) == (200, [])
    assert browse(vic).post(f"/pages/{made.public_id}/draft", {"do": "save"}).status == 403
    assert desk.now(made).revision == 1


@pytest.mark.parametrize("blocks", [1, 6])
def test_the_editor_costs_the_same_for_any_number_of_blocks(
    ada: Browser, desk: Desk, statements: Any, blocks: int
) -> None:
    made = desk.page(blocks=[{"kind": "text", "text": str(number)} for number in range(blocks)])
    ada.get(f"/pages/{made.public_id}")
    with statements.counted() as sent:
        assert ada.get(f"/pages/{made.public_id}").status == 200
    assert len([one for one in sent if not one.startswith("SELECT set_config")]) == 5
