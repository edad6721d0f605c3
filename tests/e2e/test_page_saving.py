"""The page editor keeps every word: with two people at one page, without an answer, and with the session gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Dialog, Locator, Page, expect
from werkzeug.serving import make_server

from app.config import Config
from app.factory import create_platform_app
from app.pages.models import SitePage
from tests.e2e.conftest import Visit
from tests.support.pagedesk import Desk, open_desk
from tests.support.world import World

Visitor = Callable[..., Visit]
WRITING_MS = 1500  # longer than the editor waits before it saves


@pytest.fixture(scope="module")
def platform(wired: Config) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, Flask("none"), threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    server.app = create_platform_app(replace(wired, platform_url=url))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield url
    server.shutdown()


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


@pytest.fixture
def made(desk: Desk) -> SitePage:
    return desk.page(blocks=[{"kind": "text", "text": "Opening hours"}])


@pytest.fixture
def editor(platform: str, visit: Visitor, desk: Desk, made: SitePage) -> Page:
    return visit(f"{platform}/pages/{made.public_id}", cookies={"dramac_session": desk.ada.cookie}).page


def lead(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Line under the title")


def kept(page: Page) -> int:
    """How many bundles of unsaved words this browser holds."""
    return int(page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('dramac.page.')).length"))


def saved_as(desk: Desk, made: SitePage, words: str, page: Page) -> bool:
    for _ in range(100):
        if desk.now(made).draft["lead"] == words:
            return True
        page.wait_for_timeout(100)
    return False


def test_nobodys_words_are_replaced_before_somebody_has_chosen(editor: Page, desk: Desk, made: SitePage) -> None:
    desk.save(made, 1, lead="Written by the other person")
    lead(editor).fill("Mine")
    conflict = editor.locator("[data-conflict]")
    expect(conflict).to_contain_text("saved this page after you opened it")
    lead(editor).press_sequentially(", and more")
    editor.wait_for_timeout(WRITING_MS)
    assert desk.now(made).draft["lead"] == "Written by the other person"
    assert kept(editor) == 1
    # a button that sends the whole form leads to the choice, not past it
    editor.get_by_role("button", name="Save draft").last.click()
    expect(conflict.get_by_role("button", name="Keep mine")).to_be_focused()
    conflict.get_by_role("button", name="Keep mine").click()
    expect(conflict).to_have_count(0)
    assert saved_as(desk, made, "Mine, and more", editor)
    assert kept(editor) == 0
    lead(editor).fill("And on")  # and everything saves itself again
    assert saved_as(desk, made, "And on", editor)


def test_the_answer_to_a_whole_form_does_not_arm_the_next_key_either(editor: Page, desk: Desk, made: SitePage) -> None:
    desk.save(made, 1, lead="Written by the other person")
    with editor.expect_navigation():  # as without scripts: the conflict is in the page that comes back
        editor.evaluate(
            "() => { document.getElementById('lead').value = 'Mine';"
            "setTimeout(() => HTMLFormElement.prototype.submit.call(document.getElementById('page-form'))); }"
        )
    expect(editor.locator("[data-conflict]")).to_be_visible()
    expect(lead(editor)).to_have_value("Mine")
    lead(editor).press("x")
    editor.wait_for_timeout(WRITING_MS)
    assert desk.now(made).draft["lead"] == "Written by the other person"
    editor.get_by_role("link", name="Load theirs").click()
    expect(lead(editor)).to_have_value("Written by the other person")
    assert kept(editor) == 0


def test_without_an_answer_it_says_so_tries_again_and_warns_of_leaving(
    editor: Page, desk: Desk, made: SitePage
) -> None:
    editor.route("**/draft", lambda route: route.abort())
    lead(editor).fill("By the harbour")
    problem = editor.locator("#save-problem")
    expect(problem).to_contain_text("Not saved: no answer; trying again")
    expect(editor.get_by_text("Draft saved")).to_be_hidden()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    editor.once("dialog", stay)
    editor.get_by_role("link", name="Sites").first.click(no_wait_after=True)
    editor.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    editor.get_by_role("button", name="Save draft").last.click()  # not to a browser's page of errors
    expect(problem).to_contain_text("Not saved")
    lead(editor).press("End")
    lead(editor).press_sequentially(", since 1902")
    editor.unroute("**/draft")
    assert saved_as(desk, made, "By the harbour, since 1902", editor)
    expect(problem).to_be_empty()
    expect(editor.get_by_text("Draft saved")).to_be_visible()
    assert kept(editor) == 0


def test_a_server_that_fails_is_tried_again_too(editor: Page, desk: Desk, made: SitePage) -> None:
    editor.route("**/draft", lambda route: route.fulfill(status=502, body="<p>Bad gateway"))
    lead(editor).fill("By the harbour")
    expect(editor.locator("#save-problem")).to_contain_text("Not saved: no answer; trying again")
    editor.unroute("**/draft")
    editor.get_by_role("button", name="Try now").click()
    assert saved_as(desk, made, "By the harbour", editor)


def test_who_is_signed_out_signs_in_in_another_tab_and_goes_on(
    platform: str, editor: Page, desk: Desk, made: SitePage
) -> None:
    editor.context.clear_cookies()
    lead(editor).fill("By the harbour")
    problem = editor.locator("#save-problem")
    expect(problem).to_contain_text("Not saved: you are signed out")
    where = problem.get_by_role("link", name="Sign in in a new tab").get_attribute("href") or ""
    assert (where.startswith("/sign-in?"), kept(editor)) == (True, 1)
    editor.context.add_cookies([{"name": "dramac_session", "value": desk.ada.cookie, "url": platform}])
    editor.evaluate("dispatchEvent(new Event('focus'))")
    assert saved_as(desk, made, "By the harbour", editor)
    expect(problem).to_be_empty()
    assert kept(editor) == 0
    # and the forms of the page go through, too, with the token of the new session
    editor.get_by_role("button", name="Undo").click()
    expect(editor.get_by_text("Undone")).to_be_visible()


def test_words_of_an_editor_that_was_closed_are_offered_to_their_writer_alone(
    platform: str, editor: Page, desk: Desk, made: SitePage, world: World
) -> None:
    editor.context.clear_cookies()
    lead(editor).fill("By the harbour")
    expect(editor.locator("#save-problem")).to_contain_text("you are signed out")
    editor.on("dialog", lambda dialog: dialog.accept())
    other = world.person(desk.agency)
    editor.context.add_cookies([{"name": "dramac_session", "value": other.cookie, "url": platform}])
    editor.evaluate("dispatchEvent(new Event('focus'))")
    expect(editor.locator("#save-problem")).to_contain_text("not yours to change as you are signed in now")
    assert desk.now(made).draft["lead"] == ""  # nobody writes in another person's name
    editor.goto(f"{platform}/pages/{made.public_id}")
    expect(editor.locator("#kept-words")).to_be_empty()
    editor.context.add_cookies([{"name": "dramac_session", "value": desk.ada.cookie, "url": platform}])
    editor.goto(f"{platform}/pages/{made.public_id}")
    expect(editor.locator("#kept-words")).to_contain_text("Words of yours were not saved")
    desk.save(made, 1, lead="Written by the other person")
    editor.get_by_role("button", name="Put them back").click()
    expect(editor.locator("[data-conflict]")).to_be_visible()  # both are there to choose between
    expect(lead(editor)).to_have_value("By the harbour")
    editor.get_by_role("button", name="Keep mine").click()
    assert saved_as(desk, made, "By the harbour", editor)
    expect(editor.locator("[data-conflict]")).to_have_count(0)
    editor.reload()
    expect(lead(editor)).to_have_value("By the harbour")
    expect(editor.locator("#kept-words")).to_be_empty()
