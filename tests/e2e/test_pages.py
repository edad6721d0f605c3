"""Pages in a real browser: written with keys and mouse, looked at by a visitor, with a module at work in its frame."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import text
from werkzeug.serving import make_server

from app.analytics.setup import setup
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.domains.setup import configure_domains, current_setup
from app.embed.actions import set_closed
from app.factory import create_platform_app, create_runtime_app
from app.installs.models import Install
from app.lib.clock import utcnow
from app.pages import actions, structure
from app.pages.counting import keep_views
from app.pages.models import SitePage
from app.runtime.context import forget_install
from app.runtime.pages.spam import MIN_S
from tests.e2e.conftest import Theme, Visit
from tests.support.modules import put_on, release
from tests.support.packages import first_party, package
from tests.support.pagedesk import Desk, open_desk
from tests.support.world import World

PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
SHOTS = os.environ.get("SHOTS")
Visitor = Callable[..., Visit]


@pytest.fixture(scope="module")
def origins(wired: Config) -> Iterator[tuple[str, str]]:
    """(platform, runtime): two servers that know each other's address."""
    servers = [make_server("127.0.0.1", 0, Flask("none"), threaded=True) for _ in "ab"]
    urls = tuple(
        f"http://{host}:{server.server_port}" for host, server in zip(("localhost", "127.0.0.1"), servers, strict=True)
    )
    config = replace(wired, platform_url=urls[0], runtime_url=urls[1])
    for server, make in zip(servers, (create_platform_app, create_runtime_app), strict=True):
        server.app = make(config)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    before = current_setup()
    configure_domains(replace(before, platform_url=urls[0]))  # who may frame previews is known to the process
    yield urls[0], urls[1]
    configure_domains(before)
    for server in servers:
        server.shutdown()


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


def test_a_page_is_written_with_keys_and_mouse_and_seen_by_a_visitor(
    origins: tuple[str, str], visit: Visitor, desk: Desk
) -> None:
    platform, runtime = origins
    made = desk.page(
        blocks=[{"kind": "heading", "text": "First"}, {"kind": "text", "text": "Second"}, {"kind": "spacer"}]
    )
    seen = visit(f"{platform}/pages/{made.public_id}", cookies={"dramac_session": desk.ada.cookie})
    page, preview = seen.page, seen.page.frame_locator("#preview")
    expect(preview.locator("h1")).to_have_text("Home")
    page.get_by_role("textbox", name="Line under the title").fill("By the harbour")
    expect(preview.locator(".lead")).to_have_text("By the harbour")
    page.get_by_role("button", name="Move Text 2 up").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Move Text 1 up")).to_be_focused()
    page.locator("#blocks > li:nth-child(3) [data-grip]").drag_to(page.locator("#blocks > li:nth-child(1) header"))
    expect(page.locator("#blocks h2")).to_have_text(["Spacer", "Text", "Heading"])
    expect(preview.locator("main > :is(h2, .words, .space-m)").first).to_have_class("space-m")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state("load")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".page-write-head .status")).to_have_text("Published")
    assert (seen.complaints, seen.policy_violations()) == ([], [])
    assert desk.now(made).draft["lead"] == ""  # words and moves of one go are one step back
    there = visit(f"{runtime}/s/{desk.site.slug}/")
    expect(there.page.locator("h1")).to_have_text("Home")
    assert (there.complaints, there.policy_violations(), there.axe_faults()) == ([], [], [])


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_screens_and_pages_hold_to_policy_and_accessibility(
    origins: tuple[str, str], visit: Visitor, desk: Desk, theme: Theme, width: int
) -> None:
    platform, runtime = origins
    image = desk.image(1200, 700)
    blocks = [
        {"kind": "heading", "text": "What we do"}, {"kind": "text", "text": "Words with [a link](/about).\n\n- One\n- Two"},
        {"kind": "image", "source": image.public_id, "alt": "A door", "caption": "Our door"},
        {"kind": "button", "label": "Write", "link": "/about"}, {"kind": "spacer", "line": True},
        {"kind": "columns", "cards": True, "cells": [{"text": "### Fast\nYes."}, {"text": "### Kind\nYes."}]},
    ]  # fmt: skip
    made = desk.page(live=True, lead="By the harbour", blocks=blocks)
    desk.page("/about", "About us", live=True)
    with platform_scope("test"), transaction(db.session()) as session:
        for back in (0, 1, 4):
            day = (utcnow() - timedelta(days=back)).date()
            keep_views(session, desk.site.agency_id, desk.site.id, day, {made.id: 1 + back})
    site = f"/sites/{desk.site.public_id}/pages"
    paths = [site, f"{site}/look"] if width > 500 else [f"/pages/{made.public_id}/versions"]
    paths.append(f"/pages/{made.public_id}")
    broken = {}
    seen = visit(platform + paths[0], theme=theme, width=width, many=True, cookies={"dramac_session": desk.ada.cookie})
    for number, address in enumerate([*(platform + path for path in paths), f"{runtime}/s/{desk.site.slug}/"]):
        seen.go(address)
        if SHOTS:
            seen.page.screenshot(path=f"{SHOTS}/pages-{number}-{theme}-{width}.png")
        if found := seen.faults():
            broken[address] = found
    assert broken == {}


@pytest.mark.parametrize(("width", "scripts"), [(390, True), (1280, False)])
def test_a_menu_of_three_levels_opens_with_keys_and_stays_in_the_window(
    origins: tuple[str, str], visit: Visitor, desk: Desk, width: int, scripts: bool
) -> None:
    _, runtime = origins
    made = [desk.page(path, title, live=True) for path, title in
            (("/a", "About us"), ("/a/b", "Our people"), ("/a/b/c", "Reception"))]  # fmt: skip
    with desk.session() as session:
        for above, page in pairwise(made):
            structure.place_page(
                session, page=session.get_one(SitePage, page.id), path=page.path, in_menu=True, menu_label="",
                parent=session.get_one(SitePage, above.id), by=desk.ada.actor,
            )  # fmt: skip
    seen = visit(f"{runtime}/s/{desk.site.slug}/a", width=width, scripts=scripts)
    menu = seen.page.get_by_role("navigation", name="Main")
    menu.locator("summary").focus()
    seen.page.keyboard.press("Enter")
    for _ in range(3):
        seen.page.keyboard.press("Tab")
    expect(menu.get_by_role("link", name="Reception")).to_be_focused()
    box = menu.locator("details > ul").bounding_box()
    assert box is not None
    assert (box["x"] >= 0, box["x"] + box["width"] <= width) == (True, True)


def test_a_modules_form_works_inside_a_page(
    origins: tuple[str, str], visit: Visitor, desk: Desk, world: World, config: Config
) -> None:
    _, runtime = origins
    released = release(package(first_party("enquiries")), world.agency("Publisher"))
    install = put_on(released, desk.site, config=config, settings={"notify_to": "desk@example.test"})
    install.data().insert("forms", {"name": "Contact", "key": "contact", "heading": "Write to us"})
    block = {"kind": "module", "install": install.public_id, "page": "contact", "title": "Contact form", "height": 900}
    desk.page(live=True, blocks=[block])
    seen = visit(f"{runtime}/s/{desk.site.slug}/-/nothing")
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.page.goto(f"{runtime}/s/{desk.site.slug}/")
    frame = seen.page.frame_locator("iframe[title='Contact form']")
    expect(frame.get_by_role("heading", name="Write to us")).to_be_visible()
    # the frame is as tall as what it shows, not as its author guessed, and its page was asked for once
    box = seen.page.locator("iframe[title='Contact form']")
    expect(box).not_to_have_attribute("height", "900")
    inner = frame.locator("html").evaluate("html => Math.ceil(html.getBoundingClientRect().height)")
    assert abs(int(box.get_attribute("height") or 0) - inner) <= 1
    assert len([one for one in asked if "/embed/" in one and "/contact?" in one]) == 1
    # its style sheet was taken although the frame's origin is nobody's
    assert frame.locator("form").first.evaluate("form => getComputedStyle(form).display") == "grid"
    inside = next(one for one in seen.page.frames if "/embed/" in one.url)
    reached = "() => { try { return Boolean(parent.document.title) } catch (error) { return error.name } }"
    assert inside.evaluate(reached) == "SecurityError"
    frame.get_by_role("textbox", name="Name").fill("Rita")
    frame.get_by_role("textbox", name="E-mail").fill("rita@example.com")
    frame.get_by_role("textbox", name="Message").fill("Good morning")
    seen.page.wait_for_timeout(MIN_S * 1000 + 100)  # who is quicker is taken for a machine
    frame.get_by_role("button").last.click()
    expect(frame.get_by_text("Thank you. We have received your message")).to_be_visible()
    assert [one["email"] for one in install.records("enquiries")] == ["rita@example.com"]
    assert (seen.page.url, seen.policy_violations()) == (f"{runtime}/s/{desk.site.slug}/", [])


def test_links_and_forms_of_a_module_lead_on_within_its_frame(
    origins: tuple[str, str], visit: Visitor, desk: Desk, world: World, config: Config
) -> None:
    _, runtime = origins
    released = release(package(first_party("enquiries")), world.agency("Publisher"))
    install = put_on(released, desk.site, config=config, settings={"notify_to": "desk@example.test"})
    for key in ("contact", "visit", "survey"):
        install.data().insert("forms", {"name": key, "key": key, "heading": f"About your {key}"})
    desk.page(live=True, blocks=[{"kind": "module", "install": install.public_id, "page": "contact", "title": "Form"}])
    seen = visit(f"{runtime}/s/{desk.site.slug}/")
    frame = seen.page.frame_locator("iframe[title='Form']")
    expect(frame.get_by_role("heading", name="About your contact")).to_be_visible()
    frame.locator("main").evaluate("main => { main.innerHTML = '<a href=\"contact?form=visit\">To the visit</a>'; }")
    frame.get_by_role("link", name="To the visit").click()
    expect(frame.get_by_role("heading", name="About your visit")).to_be_visible()
    form = "<form action=contact><input type=hidden name=form value=survey><button>To the survey</button></form>"
    frame.locator("main").evaluate("(main, form) => { main.innerHTML = form; }", form)
    frame.get_by_role("button", name="To the survey").click()
    expect(frame.get_by_role("heading", name="About your survey")).to_be_visible()


def test_what_does_not_serve_is_a_hole_and_what_is_closed_elsewhere_is_not(
    origins: tuple[str, str], visit: Visitor, desk: Desk, world: World, config: Config
) -> None:
    platform, runtime = origins
    released = release(package(first_party("enquiries")), world.agency("Publisher"))
    install = put_on(released, desk.site, config=config, settings={"notify_to": "desk@example.test"})
    install.data().insert("forms", {"name": "Contact", "key": "contact", "heading": "Write to us"})
    with desk.session() as session:
        row = session.get_one(Install, install.id)
        set_closed(
            session, install=row, page="contact", pages=["contact"], closed=True, by=desk.ada.actor, now=utcnow()
        )
    forget_install(install.id)
    shown = {"kind": "module", "install": install.public_id, "page": "contact", "title": "Contact form"}
    page = desk.page(
        blocks=[{**shown}, {"kind": "text", "text": "In between"}, {**shown, "page": "nowhere", "title": "Gone"}]
    )
    with desk.session() as session:
        actions.publish_page(session, page=session.get_one(SitePage, page.id), by=desk.ada.actor, now=utcnow())
    seen = visit(f"{runtime}/s/{desk.site.slug}/")
    expect(
        seen.page.frame_locator("iframe[title='Contact form']").get_by_role("heading", name="Write to us")
    ).to_be_visible()
    expect(seen.page.locator("iframe[title='Gone']")).to_be_hidden()
    editor = visit(f"{platform}/pages/{page.public_id}", cookies={"dramac_session": desk.ada.cookie})
    within = editor.page.frame_locator("#preview")
    heading = within.frame_locator("iframe[title='Contact form']").get_by_role("heading", name="Write to us")
    expect(heading).to_be_visible()
    within.locator("iframe[title='Gone']").scroll_into_view_if_needed()
    expect(within.frame_locator("iframe[title='Gone']").get_by_text("Visitors see nothing here")).to_be_visible()
    with desk.session() as session:
        session.get_one(Install, install.id).status = "paused"
    forget_install(install.id)
    seen.page.reload()
    expect(seen.page.locator("iframe[title='Contact form']")).to_be_hidden()
    assert seen.page.get_by_text("refused to connect").count() == 0
    expect(seen.page.get_by_text("In between")).to_be_visible()
    editor.page.reload()
    expect(editor.page.get_by_text("Visitors see nothing here: the module is paused on this site.")).to_be_visible()
    expect(
        editor.page.get_by_text("Visitors see nothing here: this module’s page is no longer on the site.")
    ).to_be_visible()


def test_a_sites_own_page_tells_what_happens_on_it_also_when_the_browser_has_kept_it(
    origins: tuple[str, str], browser: Browser, desk: Desk
) -> None:
    _, runtime = origins
    button = {"kind": "button", "label": "About us", "link": "/about"}
    page, elsewhere = desk.page(live=True, blocks=[button]), desk.page("/about", "About", live=True)
    context = browser.new_context(user_agent=PERSON)
    tab, told, problems = context.new_page(), [], []
    tab.on(
        "response",
        lambda answer: told.append((answer.url, answer.status)) if "/embed/analytics" in answer.url else None,
    )
    tab.on("console", lambda message: problems.append(message.text))
    for times in (1, 2):
        tab.goto(f"{runtime}/s/{desk.site.slug}/")
        tab.wait_for_timeout(1500)
        assert [status for url, status in told if url.endswith("/key")] == [200] * times
    tab.evaluate("dispatchEvent(new ErrorEvent('error', { message: 'Something broke' }))")
    # what is sent while a page is left comes without the borrowed name of a browser, as a program's: so it stays a while
    tab.evaluate("addEventListener('click', (event) => event.preventDefault(), { once: true })")
    tab.get_by_role("link", name="About us").click()
    tab.wait_for_timeout(1500)
    tab.goto(f"{runtime}/s/{desk.site.slug}/about")
    tab.wait_for_timeout(1500)
    assert problems == []  # the policy lets through all of it
    assert {status for url, status in told if not url.endswith("/key")} == {204}
    assert context.cookies() == []
    context.close()
    setup().counting.queue.flush()
    with platform_scope("test"), transaction(db.session()) as session:
        query = text(
            "SELECT page, page_id, event, name FROM module_analytics_events WHERE site_id = :site AND visitor IS NOT NULL"
        )
        found = [tuple(row) for row in session.execute(query, {"site": desk.site.id})]
    assert found.count(("/", page.id, "mount", "")) == 2
    assert ("/", page.id, "error", "Something broke") in found
    assert ("/", page.id, "click", "button.about-us") in found
    assert found.count(("/about", elsewhere.id, "mount", "")) == 1
