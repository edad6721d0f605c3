"""The main job on the running product: an author uploads a package, an agency installs it, a visitor uses it, staff see the
record, a program reads it, and after removal nothing is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.support.live import OWNER, PASSWORD, Live
from tests.support.packages import zipped
from tests.support.servers import TestServers

pytestmark = pytest.mark.timeout(180)
Visitor = Callable[..., Visit]

MANIFEST = """
manifest: 1
slug: {slug}
name: {name}
summary: What guests write after their stay.
version: 1.0.0
type: app
tables:
  entries:
    label: {{one: Entry, many: Entries}}
    title: guest
    fields:
      guest: {{type: text, required: true, max: 80, search: true}}
      email: {{type: email, required: true}}
      words: {{type: text, multiline: true, required: true, max: 500}}
      state: {{type: enum, options: [new, shown], default: new, required: true}}
    access: {{public: [], staff: [read, create, update, delete], api: [read]}}
    audit: true
views:
  entries: {{type: list, table: entries, label: Guest book, columns: [guest, words, state, created_at], search: true}}
menu: [entries]
pages:
  sign: {{template: sign.html, kind: form, title: Guest book, table: entries, fields: [guest, email, words]}}
functions:
  tidy: {{file: tidy.js, on: {{table: entries, event: before_create}}}}
  nightly: {{file: nightly.js}}
jobs:
  nightly: {{call: nightly, cron: "0 3 * * *", tz: site}}
settings:
  - label: Page
    fields:
      heading: {{type: text, max: 80, required: true, default: "Our guest book", label: "Heading of the page"}}
"""
TEMPLATE = """
<h1>{{ settings.heading }}</h1>
{% if form.sent %}<p role="status">Thank you, your words are kept.</p>{% else %}
<form method="post">
  {% if form.message %}<p role="alert">{{ form.message }}</p>{% endif %}
  {% for name, label, type in [("guest", "Name", "text"), ("email", "E-mail", "text"), ("words", "Your words", "text")] %}
  <div class="w-field"><label for="f-{{ name }}">{{ label }}</label>
  <input id="f-{{ name }}" name="{{ name }}" type="{{ type }}" value="{{ form.values[name] }}">
  {% if form.errors[name] %}<p class="w-error" id="e-{{ name }}">{{ form.errors[name] }}</p>{% endif %}</div>
  {% endfor %}
  <button type="submit">Sign</button>
</form>{% endif %}
"""
TIDY = 'export default function (ctx, input) { return { ...input.new, guest: input.new.guest.trim().replace(/\\s+/g, " ") }; }'
NIGHTLY = "export default function (ctx) { return { entries: ctx.db.entries.count({}) }; }"


def guest_book(slug: str, name: str) -> bytes:
    """The zip of a package with a table, a list, a form for visitors, functions, a timed job and a setting."""
    return zipped(
        {
            "module.yaml": MANIFEST.format(slug=slug, name=name).encode(),
            "templates/sign.html": TEMPLATE.encode(),
            "functions/tidy.js": TIDY.encode(),
            "functions/nightly.js": NIGHTLY.encode(),
        }
    )


@dataclass(frozen=True)
class Catalogue:
    """What an install leaves in a database, told by the superuser."""

    schemas: frozenset[str]
    tables: frozenset[str]
    roles: frozenset[str]
    functions: frozenset[str]
    jobs: frozenset[str]
    keys: frozenset[str]


@pytest.fixture
def catalogue(live: Live, test_servers: TestServers, worker_id: str) -> Callable[[], Catalogue]:
    def read() -> Catalogue:
        with psycopg.connect(test_servers.admin_url(f"{worker_id}_live"), autocommit=True) as admin:

            def found(query: str) -> frozenset[str]:
                return frozenset(row[0] for row in admin.execute(query.encode()))

            return Catalogue(
                schemas=found("SELECT nspname FROM pg_namespace WHERE nspname ~ '^mod_'"),
                tables=found("SELECT oid::regclass::text FROM pg_class WHERE relnamespace::regnamespace::text ~ '^mod_'"),
                # roles belong to the whole server, on which other tests make theirs
                roles=found("SELECT rolname FROM pg_roles JOIN module_source ON rolname = 'mod_' || short_id"),
                functions=found("SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace::regnamespace::text ~ '^mod_'"),
                jobs=found("SELECT install_id || ' ' || name FROM module_schedules"),
                keys=found("SELECT shown FROM api_keys WHERE revoked_at IS NULL"),
            )  # fmt: skip

    return read


def sign_in(page: Page) -> None:
    page.get_by_role("textbox", name="E-mail").fill(OWNER)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Studio Lumen", level=1)).to_be_visible()


REFUSED = "error: Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"


def quiet(*visits: Visit) -> None:
    """No page broke its policy, none complained but of the one wrong form that was sent on purpose."""
    for seen in visits:
        assert [complaint for complaint in seen.complaints if complaint != REFUSED] == []
        assert seen.policy_violations() == []


def upload_and_publish(page: Page, live: Live, slug: str, name: str, *, scripts: bool = True) -> None:
    page.goto(f"{live.platform_url}/studio/upload")
    file: Any = {"name": f"{slug}.zip", "mimeType": "application/zip", "buffer": guest_book(slug, name)}
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("heading", name=f"{name} 1.0.0")).to_be_visible()
    page.get_by_role("button", name="Publish 1.0.0").click()
    published = page.locator("main").get_by_text(f"{name} 1.0.0 is published")
    while not scripts and not published.is_visible():  # Playwright's own time limit of a test ends it
        page.wait_for_timeout(300)
        page.get_by_role("link", name="Refresh").or_(published).first.click()
    expect(published).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Show the version").click()
    expect(page.locator("main").get_by_text("Published", exact=True)).to_be_visible()


def install(page: Page, live: Live, slug: str, site: str, heading: str) -> None:
    page.goto(f"{live.platform_url}/marketplace/{slug}")
    page.locator("main").get_by_label("Site").select_option(label=site)
    page.get_by_role("button", name="Install", exact=True).click()
    expect(page.get_by_role("heading", name=f"What it will be able to do on {site}")).to_be_visible()
    page.get_by_role("button", name="Agree and continue").click()
    page.get_by_label("Heading of the page").fill(heading)
    page.get_by_role("button", name=f"Install on {site}").click()


def sign_the_book(page: Page, live: Live, guest: str) -> None:
    page.wait_for_timeout(2100)  # people need longer than two seconds; machines are told to be slower
    page.get_by_label("Name").fill(guest)
    page.get_by_label("E-mail").fill("not an address")
    page.get_by_label("Your words").fill("A quiet house with a view of the river.")
    page.get_by_role("button", name="Sign").click()
    expect(page.locator("#e-email")).to_be_visible()
    expect(page.get_by_label("Your words")).to_have_value("A quiet house with a view of the river.")
    page.get_by_label("E-mail").fill("guest@example.com")
    page.get_by_role("button", name="Sign").click()
    expect(page.get_by_role("status")).to_have_text("Thank you, your words are kept.")


def test_from_upload_to_visitor_to_record_to_program_and_away_again(
    live: Live, visit: Visitor, catalogue: Callable[[], Catalogue]
) -> None:
    before = catalogue()
    staff = visit(f"{live.platform_url}/sign-in")
    page = staff.page
    sign_in(page)
    upload_and_publish(page, live, "guest-book", "Guest book")

    install(page, live, "guest-book", "Alma Yoga", "First heading")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=20_000)
    expect(page.locator("#install-status")).to_have_text("Active")
    page.get_by_role("link", name="Show its pages and records").click()
    install_url = page.url
    page.locator("main").get_by_role("link", name="Settings", exact=True).click()
    page.get_by_label("Heading of the page").fill("Words of our guests")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Heading of the page")).to_have_value("Words of our guests")

    page.goto(install_url)
    address = page.locator("main").get_by_role("link", name="Guest book", exact=True).get_attribute("href")
    assert address is not None
    assert address.startswith(live.runtime_url)
    guest = visit(address)
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("Words of our guests")
    sign_the_book(guest.page, live, "  Marta    Silva ")
    assert guest.page.context.cookies(live.runtime_url) == [
        cookie for cookie in guest.page.context.cookies(live.runtime_url) if cookie["name"] == "theme"
    ]

    page.locator("main").get_by_role("link", name="Records", exact=True).click()
    row = page.locator("table tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Marta Silva")
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Marta Silva", level=1)).to_be_visible()
    expect(page.locator("main").get_by_text("A quiet house with a view of the river.").first).to_be_visible()

    token = make_key(page, live, "Alma Yoga: Guest book")
    with httpx.Client(
        base_url=f"{live.platform_url}/api/modules/guest-book", headers={"Authorization": f"Bearer {token}"}
    ) as api:
        answer = api.get("/entries", params={"state": "new"})
        assert answer.status_code == 200
        [entry] = answer.json()["data"]
        assert (entry["guest"], entry["email"]) == ("Marta Silva", "guest@example.com")
        assert api.get(f"/entries/{entry['id']}").json()["data"]["words"] == "A quiet house with a view of the river."
        assert httpx.get(str(api.base_url) + "entries").status_code == 401

        assert catalogue() != before
        page.goto(install_url)
        page.get_by_role("button", name="Remove from Alma Yoga").click()
        page.get_by_role("button", name="Remove module").click()
        expect(page.get_by_text("Its data is kept until")).to_be_visible(timeout=30_000)
        assert api.get("/entries").status_code == 401
    assert httpx.get(address).status_code == 404
    assert catalogue() == before
    quiet(staff, guest)


def make_key(page: Page, live: Live, target: str) -> str:
    """A read key for one module, made on screen; it is shown this once."""
    page.goto(f"{live.platform_url}/keys/new")
    page.get_by_role("textbox", name="Name").fill("Front desk")
    page.locator("select[name=target]").select_option(label=target)
    page.get_by_role("button", name="Create key").click()
    found = re.search(r"dmc_sk_[0-9A-Za-z]{49}", page.content())
    assert found is not None
    return found[0]


def test_the_same_without_javascript(live: Live, visit: Visitor) -> None:
    staff = visit(f"{live.platform_url}/sign-in", scripts=False)
    page = staff.page
    sign_in(page)
    upload_and_publish(page, live, "visitors-book", "Visitors book", scripts=False)
    install(page, live, "visitors-book", "Harbour Kids", "Tell us")
    link = page.locator("main").get_by_role("link", name="Guest book", exact=True)
    for _ in range(40):
        if link.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    address = link.get_attribute("href")
    assert address is not None
    guest = visit(address, scripts=False)
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("Tell us")
    sign_the_book(guest.page, live, "Jonas Berg")
    page.locator("main").get_by_role("link", name="Records", exact=True).click()
    expect(page.locator("table tbody tr")).to_have_count(1)
    page.goto(f"{live.platform_url}/installs?q=visitors")
    page.locator("main").get_by_role("link", name="Visitors book").click()
    page.get_by_role("button", name="Remove from Harbour Kids").click()
    page.get_by_role("button", name="Remove module").click()
    expect(page.get_by_role("heading", name="Visitors book", level=1)).to_be_visible()
