"""Every macro and layout in a real browser: policy, accessibility, phone width, behaviour with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import LATE_TIMERS, Theme, Visit, serve
from tests.unit.web.gallery import create_gallery

Visitor = Callable[..., Visit]
CODES = (400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 503)
PAGES = ["home", "list", "form", "empty", "wizard", "parts", "studio", "sign-in", "runtime"]


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    """Address of the running gallery."""
    yield from serve(create_gallery())


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_every_page_is_quiet_accessible_and_fits(gallery: str, visit: Visitor, theme: Theme, width: int) -> None:
    seen, broken = visit(f"{gallery}/home", theme=theme, width=width, many=True), {}
    for name in PAGES:
        seen.go(f"{gallery}/{name}{'?theme=auto' * (name == 'runtime')}")
        broken[name] = seen.faults()
    assert broken == {name: [] for name in PAGES}


def test_error_pages_are_accessible_and_name_the_request(gallery: str, visit: Visitor) -> None:
    seen, broken = visit(f"{gallery}/home", many=True), {}
    for code in CODES:
        assert seen.go(f"{gallery}/error/{code}") == code
        broken[code] = seen.axe_faults() + seen.policy_violations()
        expect(seen.page.locator(".error-id code")).to_have_text("req_01jd3v9k2m8q")
    assert broken == {code: [] for code in CODES}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_open_dialogs_menus_and_the_palette_are_accessible(gallery: str, visit: Visitor, theme: str) -> None:
    seen = visit(f"{gallery}/list", theme=theme)
    page = seen.page
    page.get_by_role("button", name="New site").click()
    expect(page.get_by_role("dialog", name="New site")).to_be_visible()
    assert seen.axe_faults() == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Actions for Vinyl District").click()
    expect(page.get_by_role("link", name="Open")).to_be_focused()
    assert seen.axe_faults() == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search or jump to")).to_be_focused()
    assert seen.axe_faults() == []
    assert seen.complaints == []


def test_the_palette_filters_asks_the_server_and_goes(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/home").page
    page.keyboard.press("Control+k")
    page.keyboard.type("harbour")
    expect(page.get_by_role("option", name="Harbour Dental")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/form")


def test_what_is_typed_as_soon_as_the_page_is_there_is_asked(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/list").page
    page.add_init_script(LATE_TIMERS)
    page.goto(f"{gallery}/home", wait_until="load")
    page.keyboard.press("Control+k")
    with page.expect_request(re.compile(r"[?&]q=harbour"), timeout=2500):
        page.keyboard.type("harbour")


def test_a_name_has_to_be_typed_before_a_site_is_deleted(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/list").page
    page.get_by_role("button", name="Actions for Fjordcamp").click()
    page.get_by_role("button", name="Delete…").click()
    sure = page.get_by_role("alertdialog", name="Delete Harbour Dental?")
    expect(sure.get_by_role("button", name="Delete site")).to_be_disabled()
    sure.get_by_role("textbox").fill("Harbour Dental")
    sure.get_by_role("button", name="Delete site").click()
    page.wait_for_url("**/home")


def test_a_question_is_asked_before_an_act_and_no_means_no(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/parts").page
    page.get_by_role("button", name="Ask first").click()
    sure = page.get_by_role("alertdialog", name="Delete 3 leads?")
    sure.get_by_role("button", name="Cancel").click()
    expect(sure).to_be_hidden()
    assert page.url.endswith("/parts")
    page.get_by_role("button", name="Ask first").click()
    sure.get_by_role("button", name="Ask first").click()
    page.wait_for_url("**/home")


def test_a_toast_comes_with_a_fragment_and_can_be_undone(gallery: str, visit: Visitor) -> None:
    seen = visit(f"{gallery}/parts")
    page = seen.page
    page.get_by_role("button", name="Show a toast").click()
    expect(page.locator("#row")).to_have_text("Swapped")
    expect(page.locator(".toast-title")).to_have_text("Lead archived")
    assert seen.axe_faults() == []
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/home")
    assert seen.complaints == []


def test_an_error_answer_leaves_the_page_and_shows_its_request(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/parts").page
    page.get_by_role("button", name="Break").click()
    expect(page.locator("#flash code")).to_have_text("req_1")
    expect(page.locator("#row")).to_have_text("Before")


def test_what_is_wrong_is_listed_and_leads_to_its_field(gallery: str, visit: Visitor) -> None:
    seen = visit(f"{gallery}/form")
    page = seen.page
    page.get_by_label("Reply-to e-mail").fill("desk@harbour")
    page.get_by_role("button", name="Save changes").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    assert seen.axe_faults() == []
    summary.get_by_role("link", name="Address: Enter the address").click()
    expect(page.get_by_label("Address")).to_be_focused()
    expect(page.get_by_label("Address")).to_have_attribute("aria-invalid", "true")


def test_a_field_shows_only_while_its_condition_holds(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/form").page
    subject = page.get_by_label("Reminder subject")
    expect(subject).to_be_hidden()
    expect(subject).to_be_disabled()
    page.get_by_label("Send reminders").check()
    expect(subject).to_be_visible()
    expect(subject).to_be_enabled()


def test_the_save_bar_appears_with_the_first_change_and_leaves_with_discard(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/form").page
    bar = page.locator("[data-save-bar]")
    expect(bar).to_be_hidden()
    page.get_by_label("Name").fill("Harbour")
    expect(bar).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(bar).to_be_hidden()
    expect(page.get_by_label("Name")).to_have_value("")


def test_filters_go_into_the_address_and_back_restores_them(gallery: str, visit: Visitor) -> None:
    seen = visit(f"{gallery}/list")
    page = seen.page
    page.get_by_text("Status", exact=True).first.click()
    page.get_by_label("Live").check()
    page.wait_for_url("**/list?status=live*")
    expect(page.locator(".chip")).to_contain_text("Status: Live")
    page.get_by_role("searchbox").fill("dental")
    page.wait_for_url("**q=dental*")
    page.go_back()
    page.wait_for_url("**/list?status=live*")
    expect(page.get_by_role("searchbox")).to_have_value("")
    assert seen.policy_violations() == []
    assert seen.complaints == []


def test_rows_are_reached_and_picked_by_keys(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/list").page
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Vinyl District")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-bar] [role=status]")).to_have_text("1 site selected", use_inner_text=True)
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="Harbour Dental")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url("**/home")


def test_single_keys_can_be_switched_off(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/list").page
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.reload()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def test_the_theme_changes_at_once_and_stays(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/home").page
    page.get_by_role("button", name="Maya Okafor").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    page.reload()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))


def test_a_job_asks_until_it_is_done(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/wizard").page
    expect(page.locator("#job-1")).to_have_attribute("data-state", "done", timeout=5000)
    expect(page.locator("#job-1 progress")).to_have_count(0)


def test_a_folder_is_sent_with_its_paths(
    gallery: str, visit: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("module") / "enquiries"
    (folder / "forms").mkdir(parents=True)
    (folder / "module.yaml").write_text("name: enquiries")
    (folder / "forms" / "contact.html").write_text("<p>")
    page = visit(f"{gallery}/wizard").page
    page.locator("#package-folder").set_input_files(folder)
    expect(page.locator("[data-drop-name]")).to_have_text("enquiries/ (2)")
    page.get_by_role("button", name="Check the package").click()
    page.wait_for_url("**/home")
    expect(page.locator(".toast-title")).to_have_text("2 files")
    names = page.locator(".toast-note").inner_text().split(", ")
    assert sorted(names) == ["enquiries/forms/contact.html", "enquiries/module.yaml"]


def test_a_dropped_folder_is_sent_with_its_paths(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/wizard").page
    # a real drop needs a person's hand; the entries are what browsers give for one
    page.evaluate(
        """async () => {
          const zone = document.querySelector("[data-drop]");
          const file = (name) => ({ isFile: true, isDirectory: false, name, file: (done) => done(new File(["x"], name)) });
          const folder = (name, entries) => ({ isFile: false, isDirectory: true, name, createReader: () => {
            const batches = [entries, []];
            return { readEntries: (done) => done(batches.shift()) };
          } });
          const event = new Event("drop", { bubbles: true, cancelable: true });
          const tree = folder("enquiries", [file("module.yaml"), folder("forms", [file("contact.html")])]);
          event.dataTransfer = { items: [{ webkitGetAsEntry: () => tree }], files: [] };
          zone.dispatchEvent(event);
        }"""
    )
    expect(page.locator("[data-drop-name]")).to_have_text("enquiries/ (2)")
    page.get_by_role("button", name="Check the package").click()
    page.wait_for_url("**/home")
    names = page.locator(".toast-note").inner_text().split(", ")
    assert sorted(names) == ["enquiries/forms/contact.html", "enquiries/module.yaml"]


def test_injected_html_is_inert(gallery: str, visit: Visitor) -> None:
    """What an attacker may get into a page: no script, no handler, no htmx attribute of theirs does anything."""
    seen = visit(f"{gallery}/parts")
    page = seen.page
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.evaluate(
        """() => {
          const box = document.createElement("div");
          box.innerHTML = '<img src="data:," onerror="window.ran=1"><b hx-get="/found?q=stolen" hx-trigger="load">x</b>';
          document.body.append(box);
          htmx.process(box);
          const script = document.createElement("script");
          script.textContent = "window.ran = 1";
          document.body.append(script);
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert [url for url in requests if "stolen" in url] == []


@pytest.mark.parametrize("name", ["list", "form", "wizard", "sign-in"])
def test_pages_work_without_scripts(gallery: str, visit: Visitor, name: str) -> None:
    page = visit(f"{gallery}/{name}", scripts=False, width=390).page
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".js-only:visible")).to_have_count(0)


def test_without_scripts_filters_have_a_button_and_dialogs_open(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/list", scripts=False).page
    page.get_by_role("searchbox").fill("dental")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/list?q=dental*")
    page.get_by_role("button", name="New site").click()
    expect(page.get_by_role("dialog", name="New site")).to_be_visible()


def test_without_scripts_the_sidebar_opens_on_a_phone(gallery: str, visit: Visitor) -> None:
    page = visit(f"{gallery}/home", scripts=False, width=390).page
    link = page.get_by_role("link", name="Marketplace")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Navigation").click()
    expect(link).to_be_visible()
