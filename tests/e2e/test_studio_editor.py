"""The Studio's editor in a real browser: completion, saving by keyboard, marks, tests and a preview; light, dark, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Route, expect

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import tenant_scope
from app.lib.ids import decode
from app.studio.editor.jobs import attempt
from tests.e2e.conftest import Visit
from tests.support.world import Person, World


@pytest.fixture
def priya(world: World) -> Person:
    return world.person(world.agency(), Role.DEVELOPER, name="Priya Nair")


def test_what_is_wrong_is_marked_while_it_is_written_and_mended_with_one_click(
    address: str, visit: Callable[..., Visit], priya: Person
) -> None:
    seen = visit(f"{address}/studio/projects/new", cookies={"dramac_session": priya.cookie})
    page = seen.page
    page.get_by_label("Name").fill("Opening times")
    page.get_by_label("Data list").check()
    page.get_by_role("button", name="Create project").click()
    editor = page.get_by_role("textbox", name="module.yaml, source")
    expect(page.locator(".cm-editor")).to_be_visible()
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nroless: {}")
    page.keyboard.press("Escape")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1, timeout=3_000)  # nothing was saved
    expect(page.locator("#saved")).to_have_text("Not saved")
    page.locator(".cm-lintRange-error").hover()
    page.get_by_role("button", name="Change to roles").click()
    expect(page.locator(".cm-lint-marker-error")).to_have_count(0)
    expect(page.locator(".cm-content")).to_contain_text("roles: {}")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nmenus: []")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("button", name="Change to menu")).to_be_visible()
    expect(page.locator("#status-problem")).to_contain_text("menus")
    assert seen.faults() == []


def test_a_module_is_begun_broken_mended_and_tested(address: str, visit: Callable[..., Visit], priya: Person) -> None:
    seen = visit(f"{address}/studio/projects/new", cookies={"dramac_session": priya.cookie})
    page = seen.page
    page.get_by_label("Name").fill("Opening times")
    page.get_by_label("Data list").check()
    page.get_by_role("button", name="Create project").click()
    editor = page.get_by_role("textbox", name="module.yaml, source")
    expect(page.locator(".cm-editor")).to_be_visible()  # which takes the place of a plain field of the same name
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nrole")
    expect(page.get_by_role("option", name="roles")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type("z: {}")
    expect(page.locator("#saved")).to_have_text("Not saved")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_have_text("Saved")
    expect(page.locator(".studio-checks")).to_contain_text('did you mean "roles"?')
    expect(page.locator(".cm-lint-marker-error")).to_be_visible()
    for _ in range(len("rolez: {}") + 1):
        page.keyboard.press("Backspace")
    page.keyboard.press("Control+s")
    expect(page.locator(".studio-ok")).to_be_visible()
    page.get_by_role("button", name="Run 3 tests").click()
    waiting = page.locator("#tests-result [hx-get]")
    with tenant_scope(priya.agency_id):
        attempt(str(decode("trl", str(waiting.get_attribute("hx-get")).rsplit("/", 1)[1])))
        db.session.remove()
    expect(page.locator("#tests-result")).to_contain_text("3 passed")
    assert (seen.complaints, seen.policy_violations(), seen.axe_faults()) == ([], [], [])
    editor.click()
    page.keyboard.type("x")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_have_text("Saved")  # over the revision that the first save made


def test_what_is_typed_before_the_schema_has_come_is_completed_and_judged_by_it(
    address: str, visit: Callable[..., Visit], priya: Person
) -> None:
    page = visit(f"{address}/studio/projects/new", cookies={"dramac_session": priya.cookie}).page
    held: list[Route] = []
    page.route("**/schemas/**", lambda route: held.append(route))
    page.get_by_label("Name").fill("Opening times")
    page.get_by_label("Data list").check()
    page.get_by_role("button", name="Create project").click()
    page.get_by_role("textbox", name="module.yaml, source").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nrolez: {}\nrole")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(0)
    assert len(held) == 1
    held[0].continue_()
    expect(page.get_by_role("option", name="roles")).to_be_visible()
    expect(page.locator(".cm-lint-marker-error").first).to_be_visible()


def test_what_is_typed_while_a_save_is_on_its_way_is_not_lost(
    address: str, visit: Callable[..., Visit], priya: Person
) -> None:
    page = visit(f"{address}/studio/projects/new", cookies={"dramac_session": priya.cookie}).page
    page.get_by_label("Name").fill("Opening times")
    page.get_by_label("Data list").check()
    page.get_by_role("button", name="Create project").click()
    page.get_by_role("textbox", name="module.yaml, source").click()
    held: list[Route] = []
    page.route("**/save", lambda route: held.append(route))
    page.keyboard.press("Control+End")
    for text in ("# one", " two", " three"):
        page.keyboard.type(text)
        page.keyboard.press("Control+s")
    page.keyboard.type(" four")
    expect(page.locator("#editor[data-changed]")).to_have_count(1)
    for route in held:  # the third save waits for the first; the second would have said less than it
        with page.expect_response("**/save") as answer:
            route.continue_()
        assert answer.value.status == 200
        page.wait_for_timeout(300)
    assert [parse_qs(str(route.request.post_data))["content"][0].splitlines()[-1] for route in held] == [
        "# one", "# one two three",
    ]  # fmt: skip
    expect(page.locator("#saved")).to_have_text("Not saved")
    page.unroute("**/save")
    page.route("**/save", lambda route: route.abort())
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts .toast")).to_have_count(1)
    expect(page.locator("#editor[data-changed]")).to_have_count(1)
    page.unroute("**/save")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_have_text("Saved")
    expect(page.locator("#editor[data-changed]")).to_have_count(0)
    page.reload()
    expect(page.locator("#source")).to_have_value(re.compile("# one two three four$"))


@pytest.mark.parametrize(("theme", "width"), [("dark", 1440), ("light", 390)])
def test_the_editor_holds_to_policy_and_accessibility(
    address: str, visit: Callable[..., Visit], priya: Person, theme: str, width: int
) -> None:
    seen = visit(f"{address}/studio/projects/new", theme=theme, width=width, cookies={"dramac_session": priya.cookie})
    assert (seen.axe_faults(), seen.sideways_overflow_px()) == ([], 0)
    seen.page.get_by_label("Name").fill("Opening times")
    seen.page.get_by_role("button", name="Create project").click()
    expect(seen.page.locator(".cm-editor")).to_be_visible()
    assert (seen.complaints, seen.policy_violations(), seen.axe_faults()) == ([], [], [])
    assert seen.sideways_overflow_px() <= 0


def test_without_scripts_a_file_is_saved_by_its_button(
    address: str, visit: Callable[..., Visit], priya: Person
) -> None:
    page = visit(f"{address}/studio/projects/new", scripts=False, cookies={"dramac_session": priya.cookie}).page
    page.get_by_label("Name").fill("Opening times")
    page.get_by_role("button", name="Create project").click()
    page.get_by_role("link", name="prices.html").click()
    page.locator("#source").fill("<h1>{{ settings.heading }}!</h1>")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#source")).to_have_value("<h1>{{ settings.heading }}!</h1>")
    expect(page.locator(".studio-ok")).to_be_visible()
