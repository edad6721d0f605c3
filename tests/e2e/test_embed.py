"""Modules on other people's sites, in a real browser: two origins that know nothing of each other but what is verified."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as Slow

from app.db.roles import STAFF, role_url
from app.lib.ids import encode
from tests.e2e.conftest import WATCH_POLICY
from tests.e2e.test_journeys import sign_in
from tests.support.hosts import Hosts, serving
from tests.support.live import SECRET_KEY, Live
from tests.support.node import SDK

pytestmark = pytest.mark.timeout(120)

RELEASE = json.loads((SDK / "package.json").read_text())["version"]

# Everything a host page may count on: what happened is in window.seen, in order.
LISTEN = """
window.seen = [];
for (const name of ["ready", "navigate", "submitted", "event", "error", "open", "close"])
  document.addEventListener(`dramac:${name}`, (event) => window.seen.push([name, event.detail]));
window.heights = [];
document.addEventListener("dramac:resize", (event) => window.heights.push([performance.now(), event.detail.height]));
"""

QUEUE = "window.dramac = window.dramac || function () { (dramac.q = dramac.q || []).push(arguments); };"


@dataclass
class Embedding:
    """A site that may embed the demo's enquiries form, strangers, and a browser to visit them."""

    live: Live
    hosts: Hosts
    install: str
    context: BrowserContext

    @property
    def sdk(self) -> str:
        return f"{self.live.runtime_url}/sdk/v1/dramac.js"

    def element(self, more: str = "", inside: str = "") -> str:
        return f'<dramac-module install="{self.install}" page="contact" {more}>{inside}</dramac-module>'

    def dark_device(self) -> None:
        """Visitors have their device set to dark from now on."""
        browser = self.context.browser
        assert browser is not None
        self.context.close()
        self.context = browser.new_context(viewport={"width": 900, "height": 700}, color_scheme="dark")

    def visit(self, body: str, *, host: str = "shop", scripts: str = "", policy: str = "", sdk: bool = True) -> Page:
        """A page of a host with the SDK on it; complaints of the console and the policy are collected."""
        head = f'<script src="{self.sdk}" async></script>' if sdk else ""
        path = self.hosts.put(f"/{len(self.hosts.pages)}", head + body, policy=policy, scripts=scripts)
        page = self.context.new_page()
        page.add_init_script(WATCH_POLICY + LISTEN)  # before the SDK, which may be quicker than the page
        page.goto(self.hosts.origin(host) + path)
        return page


@pytest.fixture(scope="module")
def hosts(live: Live) -> Iterator[Hosts]:
    with serving() as started:
        yield started


@pytest.fixture(scope="module")
def install(live: Live, hosts: Hosts) -> str:
    """The demo's enquiries on a site whose domain is shop.localhost."""
    with psycopg.connect(role_url(live.database_url, SECRET_KEY, STAFF), autocommit=True) as staff:
        row = staff.execute(
            "SELECT i.id, i.agency_id, i.site_id FROM modules_v2 i JOIN sites s ON s.id = i.site_id"
            " JOIN module_source m ON m.id = i.module_id"
            " WHERE i.status = 'active' AND s.name = 'Harbour Dental' AND m.slug = 'enquiries'"
        ).fetchone()
        assert row is not None
        staff.execute(
            "INSERT INTO external_domains (agency_id, site_id, host, purposes, state, token, token_expires_at, verified_at)"
            " VALUES (%s, %s, %s, ARRAY['embed'], 'verified', repeat('t', 30), now(), now())",
            [row[1], row[2], f"shop.localhost:{hosts.port}"],
        )
    found = encode("ins", row[0])
    deadline = time.monotonic() + 30  # what was asked before is kept for some seconds
    while (
        "shop.localhost"
        not in httpx.get(f"{live.runtime_url}/embed/{found}/contact", timeout=30).headers["Content-Security-Policy"]
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


@pytest.fixture
def embedding(live: Live, hosts: Hosts, install: str, browser: Browser) -> Iterator[Embedding]:
    context = browser.new_context(viewport={"width": 900, "height": 700})
    context.set_default_timeout(60_000)  # twenty frames take their time on a machine that does other things as well
    made = Embedding(live, hosts, install, context)
    yield made
    made.context.close()


def seen(page: Page, name: str) -> list[Any]:
    return [detail for kind, detail in page.evaluate("window.seen") if kind == name]


def wait_for(page: Page, name: str, times: int = 1) -> None:
    """Until so many were seen; what was seen instead is said, for the page is gone when the test has failed."""
    enough = "([name, n]) => window.seen.filter((one) => one[0] === name).length >= n"
    try:
        page.wait_for_function(enough, arg=[name, times])
    except Slow:
        loads = (
            "performance.getEntriesByType('resource').map((one) => [one.name, one.responseStatus, one.duration | 0])"
        )
        frames = [(frame.url, frame.locator("body").inner_text(timeout=1000)[:80]) for frame in page.frames[1:]]
        pytest.fail(f"{times} {name}, seen: {page.evaluate('window.seen')}, {page.evaluate(loads)}, {frames}")


def test_E2_E3_a_verified_site_shows_the_page_in_a_sandbox_as_tall_as_it_is(embedding: Embedding) -> None:
    page = embedding.visit(embedding.element())
    wait_for(page, "ready")
    frame = page.frame_locator("dramac-module iframe")
    expect(frame.get_by_role("button", name="Send")).to_be_visible()
    page.wait_for_function("window.heights.length > 0")
    inner = frame.locator("html").evaluate("(root) => Math.ceil(root.getBoundingClientRect().height)")
    iframe = page.locator("dramac-module iframe")
    assert iframe.evaluate("(frame) => frame.clientHeight") == inner > 300
    assert iframe.get_attribute("sandbox") == "allow-scripts allow-forms allow-popups"
    assert iframe.get_attribute("referrerpolicy") == "strict-origin"
    assert iframe.get_attribute("title") == "contact"
    assert [iframe.get_attribute(name) for name in ("allow", "loading")] == ["", "lazy"]
    assert frame.locator("html").evaluate("() => location.origin + self.origin") == f"{embedding.live.runtime_url}null"
    assert embedding.context.cookies() == []
    assert [name for name in page.evaluate("Object.keys(window)") if "dramac" in name.lower()] == ["dramac"]


def test_E2_nobody_else_shows_it_and_nobody_around_a_verified_site(embedding: Embedding) -> None:
    inner = embedding.hosts.put("/inner", f'<script src="{embedding.sdk}"></script>' + embedding.element())
    nested = f'<iframe src="{embedding.hosts.origin("shop")}{inner}"></iframe>'
    page = embedding.visit(embedding.element(inside='<a href="/write">Write to us</a>') + nested, host="elsewhere")
    wait_for(page, "error")
    assert seen(page, "error")[0]["code"] == "unavailable"
    assert seen(page, "ready") == []
    expect(page.get_by_role("link", name="Write to us")).to_be_visible()  # what the host wrote instead
    within = next(frame for frame in page.frames if frame.url.endswith(inner))
    within.wait_for_function("window.seen.length > 0")
    assert [name for name, _ in within.evaluate("window.seen")] == ["error"]
    shown = [frame.url for frame in page.frames if frame.url.startswith(embedding.live.runtime_url)]
    assert shown == []  # the browser put its own error page there


def test_a_visitor_writes_in_the_hosts_colours_and_the_host_hears_of_it(embedding: Embedding) -> None:
    look = "dramac-module { --dramac-accent: rgb(170, 0, 80); --dramac-radius: 3px; --dramac-text: url(x); }"
    page = embedding.visit(f"<style>{look}</style>" + embedding.element('theme="light" params="form=contact"'))
    wait_for(page, "navigate")
    frame = page.frame_locator("dramac-module iframe")
    root = frame.locator("html")
    assert root.evaluate("(root) => [root.style.cssText, root.dataset.theme, root.dataset.page]") == [
        "--accent: rgb(170, 0, 80); --radius: 3px; --on-accent: #fff;", "light", "contact",
    ]  # fmt: skip
    page.evaluate("document.querySelector('dramac-module').setTheme('dark')")
    expect(root).to_have_attribute("data-theme", "dark")
    page.evaluate("document.querySelector('style').textContent = 'dramac-module { --dramac-accent: gold }'")
    page.evaluate("document.documentElement.className = 'night'")  # hosts switch their look by a class of the root
    expect(root).to_have_attribute("style", "--accent: gold; --on-accent: #1b1d26;")
    root.evaluate("() => document.addEventListener('dramac:message', (event) => window.got = event.detail)")
    root.evaluate(
        "() => document.dispatchEvent(new CustomEvent('dramac:send', {detail: {name: 'cart.added', data: {id: 7}}}))"
    )
    wait_for(page, "event")
    assert seen(page, "event") == [{"name": "cart.added", "data": {"id": 7}}]
    page.evaluate("dramac.send('dramac-module', 'prefill', {name: 'Ann'})")
    root.evaluate(
        "() => new Promise((done) => { const look = () => window.got ? done() : setTimeout(look, 10); look(); })"
    )
    assert root.evaluate("() => window.got") == {"name": "prefill", "data": {"name": "Ann"}}
    frame.get_by_label("Your name").fill("Ann Lee")
    frame.get_by_label("E-mail").fill("ann@example.com")
    frame.get_by_label("Message").fill("Do you open on Sundays?")
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("alert")).to_be_visible()  # something is missing: the corrected page greets like the first
    frame.get_by_label("What is it about?").select_option(index=1)
    frame.locator("input[name=dramac_stamp]").evaluate(
        "(stamp) => new Promise((done) => setTimeout(done, 2100 - (Date.now() - 1000 * stamp.value.split('.')[0])))"
    )  # no person is as fast as this test, and forms know it
    frame.get_by_role("button", name="Send").click()
    wait_for(page, "submitted")
    assert seen(page, "submitted") == [{"page": "contact"}]
    expect(frame.get_by_role("heading", name="Message sent")).to_be_visible()
    expect(root).to_have_attribute("data-theme", "dark")
    assert seen(page, "error") == []


def test_E9_heights_follow_without_flicker_and_within_bounds(embedding: Embedding) -> None:
    page = embedding.visit(embedding.element('max-height="1200"'))
    wait_for(page, "ready")
    grown = page.frame_locator("dramac-module iframe").locator("main").evaluate(
        """(main) => new Promise((done) => {
          const box = main.appendChild(document.createElement("div"));
          const started = performance.now();
          let drawn = 0;
          const grow = () => {
            box.style.height = `${++drawn * 4}px`;
            if (performance.now() - started < 1000) requestAnimationFrame(grow);
            else done(Math.ceil(document.documentElement.getBoundingClientRect().height));
          };
          grow();
        })"""
    )  # fmt: skip
    iframe = page.locator("dramac-module iframe")
    expect(iframe).to_have_css("height", f"{min(grown, 1200)}px")
    heights = page.evaluate("window.heights")
    last = heights[-1][0]
    within_a_second = [height for at, height in heights if at > last - 1000]
    assert 3 <= len(within_a_second) <= 21
    assert within_a_second == sorted(within_a_second)  # never back and forth
    page.frame_locator("dramac-module iframe").locator("main").evaluate("(main) => main.style.height = '60000px'")
    expect(iframe).to_have_css("height", "1200px")


def test_E4_E7_the_frame_is_of_no_origin_and_reads_no_cookie_even_where_there_is_one(embedding: Embedding) -> None:
    embedding.context.add_cookies([{"name": "session", "value": "x", "url": embedding.live.runtime_url}])
    page = embedding.visit(embedding.element())
    wait_for(page, "ready")
    read = (
        "() => { try { return [self.origin, document.cookie]; } catch (error) { return [self.origin, error.name]; } }"
    )
    assert page.frame_locator("dramac-module iframe").locator("html").evaluate(read) == ["null", "SecurityError"]
    source = httpx.get(embedding.sdk).text
    assert [
        word for word in ("requestStorageAccess", "document.cookie", "localStorage", "eval(") if word in source
    ] == []


FORGE = """() => {
  const nonce = "A".repeat(24);
  const said = [];
  const port = () => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = (event) => said.push(event.data);
    return port2;
  };
  for (const type of ["hello", "missing"]) {
    window.postMessage({dramac: 1, type, nonce}, "*", [port()]);  // no such nonce
    const real = new URLSearchParams(document.querySelector("dramac-module").shadowRoot.querySelector("iframe").src.split("#")[1]);
    window.postMessage({dramac: 1, type, nonce: real.get("dramac")}, "*", [port()]);  // the nonce, from another window
  }
  return new Promise((done) => setTimeout(() => done(said), 500));
}"""


def test_E6_a_greeting_counts_from_the_frame_alone_and_goes_to_the_verified_origin_alone(embedding: Embedding) -> None:
    page = embedding.visit(embedding.element())
    wait_for(page, "ready")
    assert page.evaluate(FORGE) == []  # the SDK has answered on no port
    assert [name for name, _ in page.evaluate("window.seen") if name in ("ready", "error")] == ["ready"]
    # a page that is told it is at another host than where it is greets nobody
    address = f"{embedding.live.runtime_url}/embed/{embedding.install}/contact"
    hears = "window.heard = []; addEventListener('message', (event) => window.heard.push(event.data));"
    frames = "".join(
        f'<iframe src="{address}#dramac={"B" * 24}&host={host}"></iframe>'
        for host in ("https://evil.example", "null", "*", embedding.hosts.origin("elsewhere"))
    )
    other = embedding.visit(frames, scripts=hears, sdk=False)
    for number in range(4):
        other.frame_locator("iframe").nth(number).get_by_role("button", name="Send").wait_for()
    other.wait_for_timeout(300)
    assert other.evaluate("window.heard") == []


def test_E9_a_page_cannot_take_the_visitor_away(embedding: Embedding) -> None:
    page = embedding.visit(embedding.element())
    wait_for(page, "ready")
    tried = "(root) => { try { top.location = 'https://evil.example/'; return 'gone'; } catch (error) { return error.name; } }"
    assert page.frame_locator("dramac-module iframe").locator("html").evaluate(tried) == "SecurityError"
    assert page.url.startswith(embedding.hosts.origin("shop"))


STRICT = (
    "default-src 'none'; script-src {sdk} 'self'; frame-src {runtime}; style-src 'none'; connect-src 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def test_E4_E7_E8_the_strictest_host_policy_has_nothing_to_say_and_no_storage_is_needed(embedding: Embedding) -> None:
    integrity = httpx.get(f"{embedding.live.runtime_url}/sdk/releases.json").json()[RELEASE]["integrity"]
    address = f"{embedding.live.runtime_url}/sdk/v{RELEASE}/dramac.js"
    tag = f'<script src="{address}" integrity="{integrity}" crossorigin="anonymous" defer></script>'
    modes = [embedding.element(f'mode="{mode}" label="{mode}"') for mode in ("inline", "popup", "button")]
    policy = STRICT.format(sdk=address, runtime=embedding.live.runtime_url)
    complaints: list[str] = []
    embedding.context.on(
        "console", lambda message: complaints.append(message.text) if message.type == "error" else None
    )
    page = embedding.visit(tag + "".join(modes), policy=policy, sdk=False)
    wait_for(page, "ready")
    page.get_by_role("button", name="popup").click()
    wait_for(page, "ready", 2)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="button").click()
    wait_for(page, "ready", 3)
    for frame in page.frames:
        assert frame.evaluate("window.policyViolations") == [], frame.url
    assert complaints == []
    inner = page.frames[1]
    refusals = """() => ["localStorage", "sessionStorage", "cookie", "indexedDB"].map((kind) => {
      try {
        if (kind === "cookie") return document.cookie;
        return kind === "indexedDB" ? String(indexedDB.open("x")) : String(window[kind]);
      } catch (error) { return error.name; }
    })"""
    assert inner.evaluate(refusals) == ["SecurityError"] * 4  # and everything above worked without


def test_a_popup_and_a_button_load_when_opened_and_give_the_focus_back(embedding: Embedding) -> None:
    body = embedding.element('mode="popup" trigger="#own"') + '<a id="own" href="/write">Write to us</a>'
    corner = embedding.element('mode="button" label="Ask us" position="top-left" close-label="Schließen"')
    page = embedding.visit(body + corner)
    button = page.get_by_role("button", name="Ask us")
    expect(button).to_have_attribute("aria-expanded", "false")
    assert page.locator("iframe").count() == 0
    button.click()
    panel = page.get_by_role("dialog", name="Ask us")
    expect(panel).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    place = button.bounding_box()
    assert place is not None
    assert (place["x"], place["y"]) == (20, 20)
    wait_for(page, "ready")
    panel.get_by_role("button", name="Schließen").click()
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    page.get_by_role("link", name="Write to us").click()  # the host's own link, taken over
    dialog = page.get_by_role("dialog", name="contact")
    expect(dialog).to_be_visible()
    wait_for(page, "ready", 2)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Write to us")).to_be_focused()
    wait_for(page, "close", 2)
    assert [name for name, _ in page.evaluate("window.seen") if name in ("open", "close")] == ["open", "close"] * 2


def test_scripts_mount_and_unmount_before_and_after_the_sdk_has_loaded(embedding: Embedding) -> None:
    options = f"{{install: '{embedding.install}', page: 'contact', theme: 'dark', params: {{form: 'contact'}}}}"
    early = f"""
      {QUEUE}
      window.submitted = 0;
      dramac("nonsense");
      dramac("mount", "#app", {options});
      dramac("on", "ready", () => window.submitted += 1);
      dramac("ready", () => {{
        const late = document.createElement("script");
        late.src = "{embedding.sdk}";
        late.dataset.install = "{embedding.install}";
        late.dataset.page = "contact";
        late.dataset.container = "#placed";
        document.body.append(late);
      }});
    """
    tag = f"<script>const s = document.createElement('script'); s.src = '{embedding.sdk}'; document.body.append(s)</script>"
    page = embedding.visit('<div id="app"></div><div id="placed"></div>' + f"<script>{early}</script>" + tag, sdk=False)
    wait_for(page, "ready", 2)
    assert page.evaluate("window.submitted") == 2
    assert page.evaluate("[dramac.version, dramac.instances().length]") == [RELEASE, 2]
    source = page.locator("#app iframe").get_attribute("src")
    assert source is not None
    assert source.partition("#")[0].endswith("/contact?form=contact&theme=dark")
    page.evaluate("window.kept = document.querySelector('#app dramac-module'); dramac.unmount('#app')")
    assert page.locator("#app iframe").count() == 0
    page.evaluate("document.querySelector('#placed').append(window.kept)")  # a router puts the same node elsewhere
    wait_for(page, "ready", 3)
    assert page.evaluate("window.kept.isReady") is True
    page.evaluate("window.kept.setAttribute('page', 'nothing-here')")
    wait_for(page, "error")


def test_twenty_on_one_page_and_a_frame_the_host_wrote_itself(embedding: Embedding) -> None:
    address = f"{embedding.live.runtime_url}/embed/{embedding.install}/contact?theme=auto"
    own = f'<iframe id="own" src="{address}" width="600"></iframe>'
    modules = embedding.element('loading="eager"') * 20
    page = embedding.visit(own + modules, scripts=f"{QUEUE} dramac('frame', '#own');")
    wait_for(page, "ready", 21)
    wait_for(page, "navigate", 21)  # said right after the first height
    heights = page.evaluate("[...document.querySelectorAll('dramac-module')].map((one) => one.offsetHeight)")
    assert len(set(heights)) == 1
    assert heights[0] > 300
    assert page.locator("#own").evaluate("(frame) => frame.clientHeight") > 300
    assert seen(page, "error") == []


def test_a_frame_of_the_host_that_was_there_before_the_script_is_taken_up(embedding: Embedding) -> None:
    address = f"{embedding.live.runtime_url}/embed/{embedding.install}/contact"
    page = embedding.visit(f'<iframe id="own" src="{address}"></iframe>', sdk=False)
    page.frame_locator("#own").get_by_role("button", name="Send").wait_for()
    page.add_script_tag(url=embedding.sdk)
    page.evaluate("dramac('frame', '#own')")
    wait_for(page, "ready")
    page.wait_for_function("parseInt(document.querySelector('#own').style.height) > 300")


LOSE_ONE = """
const src = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "src");
window.lost = 0;
Object.defineProperty(HTMLIFrameElement.prototype, "src", {...src, set(value) {
  if (value.includes("#dramac=") && window.lost++ === 0) return;
  src.set.call(this, value);
}});
"""


def test_a_frame_of_the_host_is_taken_up_though_the_browser_lost_its_fragment(embedding: Embedding) -> None:
    # Chromium drops one that is set while the frame's page is arriving: one time in five, with twenty others on the page
    address = f"{embedding.live.runtime_url}/embed/{embedding.install}/contact"
    frame = f"const own = document.createElement('iframe'); own.id = 'own'; own.src = '{address}'; document.body.append(own);"
    page = embedding.visit("", scripts=f"{QUEUE} {LOSE_ONE} {frame} dramac('frame', '#own');")
    wait_for(page, "ready")
    assert page.evaluate("window.lost") == 2
    page.wait_for_function("parseInt(document.querySelector('#own').style.height) > 300")
    assert seen(page, "error") == []


def test_what_a_visitor_types_outlives_attributes_that_are_not_the_pages_address(embedding: Embedding) -> None:
    page = embedding.visit(embedding.element())
    wait_for(page, "ready")
    name = page.frame_locator("dramac-module iframe").get_by_label("Your name")
    name.fill("Ann Lee")
    page.evaluate("""async () => {
      const element = document.querySelector("dramac-module");
      const set = (given) => Object.entries(given).forEach(([key, value]) => element.setAttribute(key, value));
      const beat = () => new Promise((done) => setTimeout(done, 50));
      set({"aria-label": "Write to us", "data-aos-animate": "fade", tabindex: "-1", role: "region"});
      set({class: "in", style: "margin: 1px"});
      await beat();
      element.removeAttribute("aria-label");
      set({theme: "dark", title: "Write to us", "max-height": "300", label: "Write", token: "x"});
      await beat();
      element.updateSettings({theme: "light", maxHeight: 400});
      await beat();
    }""")
    iframe = page.locator("dramac-module iframe")
    expect(iframe).to_have_css("height", "400px")
    expect(iframe).to_have_attribute("title", "Write to us")
    expect(page.frame_locator("dramac-module iframe").locator("html")).to_have_attribute("data-theme", "light")
    expect(name).to_have_value("Ann Lee")
    assert len(seen(page, "ready")) == 1
    page.evaluate("document.querySelector('dramac-module').setAttribute('param-form', 'contact')")  # another address
    wait_for(page, "ready", 2)
    expect(name).to_have_value("")
    page.evaluate("document.querySelector('dramac-module').setAttribute('page', 'Not a name')")
    wait_for(page, "error")
    page.evaluate("document.querySelector('dramac-module').setAttribute('aria-label', 'x')")
    page.wait_for_timeout(100)
    assert [error["code"] for error in seen(page, "error")] == ["bad_options"]  # said once, not at every attribute


def test_a_panels_words_and_place_change_while_it_is_open(embedding: Embedding) -> None:
    page = embedding.visit(embedding.element('mode="button" label="Ask us"'))
    page.get_by_role("button", name="Ask us").click()
    wait_for(page, "ready")
    page.evaluate("dramac.update('dramac-module', {label: 'Write to us', position: 'top-left', closeLabel: 'Away'})")
    expect(page.get_by_role("dialog", name="Write to us")).to_be_visible()
    expect(page.get_by_role("button", name="Away")).to_be_visible()
    place = page.get_by_role("button", name="Write to us").bounding_box()
    assert place is not None
    assert (place["x"], place["y"]) == (20, 20)
    page.evaluate("dramac.update('dramac-module', {trigger: '#own'})")
    expect(page.get_by_role("button", name="Write to us")).to_be_hidden()
    assert len(seen(page, "ready")) == 1


@pytest.mark.parametrize(
    ("host", "theme"),
    [
        ("", "light"),
        ("body { background: #fff }", "light"),
        ("body { background: #101218; color: #fff }", "dark"),
        ("body > div { background: oklch(0.2 0.02 260) }", "dark"),
        ("body { background: #101218 } body > div { background: rgb(255 255 255 / .95) }", "light"),
        ("body { background: linear-gradient(#111, #333); color: #eee }", "dark"),
        (":root { color-scheme: dark }", "dark"),
        (":root { color-scheme: light dark }", "dark"),  # what the browser paints there is dark on such a device
        (":root { color-scheme: light dark } body { background: #fff }", "light"),
        ("dramac-module { --dramac-page: #111 }", "dark"),
    ],
)
def test_on_a_dark_device_auto_is_as_dark_as_the_host_is(embedding: Embedding, host: str, theme: str) -> None:
    """A site that declares nothing is light to a browser, whatever the visitor's device is."""
    embedding.dark_device()
    popup = embedding.element('mode="popup" label="Ask us"')
    page = embedding.visit(f"<style>{host}</style><div>{popup}{embedding.element()}</div>")
    wait_for(page, "ready")
    expect(page.frame_locator("iframe").locator("html")).to_have_attribute("data-theme", theme)
    page.get_by_role("button", name="Ask us").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_have_css("color-scheme", theme)
    if "--dramac-page" not in host:
        painted = "(dialog) => getComputedStyle(dialog).backgroundColor"
        assert (dialog.evaluate(painted) == "rgb(255, 255, 255)") == (theme == "light")


def test_auto_follows_a_host_that_turns_dark_and_a_frame_of_its_own(embedding: Embedding) -> None:
    embedding.dark_device()
    address = f"{embedding.live.runtime_url}/embed/{embedding.install}/contact"
    frames = (
        f'<iframe id="own" src="{address}?theme=auto"></iframe><iframe id="set" src="{address}?theme=dark"></iframe>'
    )
    night = "<style>body { transition: background-color .2s } .night body { background: #111 }</style>"
    page = embedding.visit(
        night + embedding.element() + frames,
        scripts=f"{QUEUE} dramac('frame', '#own'); dramac('frame', '#set');",
    )
    wait_for(page, "ready", 3)
    own, given = page.frame_locator("#own").locator("html"), page.frame_locator("#set").locator("html")
    root = page.frame_locator("dramac-module iframe").locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    expect(own).to_have_attribute("data-theme", "light")
    expect(given).to_have_attribute("data-theme", "dark")  # the host chose it
    page.evaluate("document.documentElement.className = 'night'")
    expect(root).to_have_attribute("data-theme", "dark")  # once the colours have faded


@pytest.mark.parametrize(
    ("accent", "words"),
    [("#ffe066", "rgb(27, 29, 38)"), ("#102040", "rgb(255, 255, 255)"), ("oklch(0.9 0.1 100)", "rgb(27, 29, 38)")],
)
def test_a_buttons_words_are_readable_on_its_colour(embedding: Embedding, accent: str, words: str) -> None:
    own = embedding.element(f'mode="popup" label="Own" accent="{accent}"')
    hosts = f"<style>.hosts {{ --dramac-accent: {accent} }}</style>" + embedding.element(
        'class="hosts" mode="popup" label="Host"'
    )
    page = embedding.visit(own + hosts)
    for name in ("Own", "Host"):
        expect(page.get_by_role("button", name=name)).to_have_css("color", words)


def test_names_of_earlier_sdks_still_do_what_they_did(embedding: Embedding) -> None:
    page = embedding.visit('<div id="app"></div>')
    page.wait_for_function("window.dramac?.version")
    page.evaluate(f"""() => {{
      window.got = [];
      const hear = (detail) => window.got.push(detail);
      const onMessage = (event) => hear(event.detail);
      window.mine = dramac.init({{container: "#app", moduleId: "{embedding.install}", page: "contact", onMessage}});
      dramac.on("message", hear);
      window.mine.on("message", hear);
      dramac.on("ready", hear);
      dramac.off("ready", hear);
    }}""")
    wait_for(page, "ready")
    assert page.evaluate("[dramac.getVersion(), dramac.getInstances().length, window.got]") == [RELEASE, 1, []]
    root = page.frame_locator("dramac-module iframe").locator("html")
    root.evaluate("() => document.addEventListener('dramac:message', (event) => window.got = event.detail.data)")
    page.evaluate("dramac.sendMessage('#app', 'one', 1); window.mine.sendMessage('two', 2)")
    root.evaluate(
        "() => new Promise((done) => { const look = () => window.got === 2 ? done() : setTimeout(look, 10); look(); })"
    )
    say = "() => document.dispatchEvent(new CustomEvent('dramac:send', {detail: {name: 'cart.added', data: 7}}))"
    root.evaluate(say)
    page.wait_for_function("window.got.length === 3")
    page.evaluate("dramac.off('message'); window.mine.off('message')")
    root.evaluate(say)
    page.wait_for_function("window.got.length === 4")  # only what was given to init() still listens
    page.evaluate("window.mine.destroy()")
    assert page.locator("iframe").count() == 0


def test_a_page_that_is_not_there_is_told_from_a_site_that_may_not_show_it(embedding: Embedding) -> None:
    missing = f'<dramac-module install="{embedding.install}" page="contct"><p>Write to us</p></dramac-module>'
    page = embedding.visit(missing)
    wait_for(page, "error")
    [error] = seen(page, "error")
    assert (error["code"], "no page of this name" in error["message"]) == ("not_found", True)
    expect(page.get_by_text("Write to us")).to_be_visible()
    stranger = embedding.visit(missing, host="elsewhere")
    wait_for(stranger, "error")
    [error] = seen(stranger, "error")
    assert (error["code"], "domain" in error["message"]) == ("unavailable", True)


SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shift += one.value; })
  .observe({type: "layout-shift", buffered: true});
"""


def test_what_the_server_wrote_is_there_at_once_and_the_frame_takes_its_place_without_a_move(
    embedding: Embedding,
) -> None:
    address = f"{embedding.live.runtime_url}/embed/{embedding.install}/contact.html?form=contact"
    part = httpx.get(address, timeout=30).text  # as the host's own server does
    body = f"<style>p {{ height: 40px }}</style><p>Before</p>{part}<p>After</p>"
    page = embedding.visit(body, scripts=SHIFTS)
    source = httpx.get(page.url.replace("shop.localhost", "127.0.0.1")).text
    assert source.count('name="email"') == 1  # what view-source shows
    wait_for(page, "ready")
    page.wait_for_function("document.querySelector('dramac-module').shadowRoot.querySelector('.served') === null")
    expect(page.frame_locator("dramac-module iframe").get_by_role("button", name="Send")).to_be_visible()
    page.wait_for_function(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    )
    assert page.evaluate("window.shift") == 0
    quiet = embedding.context.browser
    assert quiet is not None
    unscripted = quiet.new_context(java_script_enabled=False)
    plain = unscripted.new_page()
    plain.goto(page.url)
    expect(plain.get_by_role("heading", name="Become a patient")).to_be_visible()
    unscripted.close()


def test_a_page_that_needs_no_frame_stays_what_the_server_wrote(embedding: Embedding) -> None:
    inner = f'<main class="served w-page" data-theme="auto" data-complete="{embedding.install} contact  ">All is here</main>'
    element = embedding.element(inside=f'<template shadowrootmode="open">{inner}</template>')
    page = embedding.visit(element)
    wait_for(page, "ready")
    assert page.locator("iframe").count() == 0
    page.evaluate("document.querySelector('dramac-module').setTheme('dark')")
    expect(page.locator(".served")).to_have_attribute("data-theme", "dark")
    page.evaluate("document.querySelector('dramac-module').setAttribute('params', 'form=contact')")
    wait_for(page, "ready", 2)  # now it is another page than the one that was served
    expect(page.frame_locator("iframe").get_by_role("button", name="Send")).to_be_visible()


def test_E5_people_close_a_page_make_a_token_and_their_site_opens_it(embedding: Embedding) -> None:
    """The Embed page as its people use it, then the token on their site, then the token revoked."""
    page = embedding.context.new_page()
    page.add_init_script(WATCH_POLICY)
    page.goto(f"{embedding.live.platform_url}/sign-in")
    sign_in(page)
    page.goto(f"{embedding.live.platform_url}/installs/{embedding.install}/embed")
    live = page.frame_locator("dramac-module iframe").get_by_role("button", name="Send")
    expect(live).to_be_visible()
    page.get_by_label("Shown").select_option("popup")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(live).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Close it").click()
    expect(page.get_by_role("button", name="Open it")).to_be_visible()
    expect(live).to_be_visible()  # the preview comes with a session of the platform's own
    assert page.evaluate("window.policyViolations") == []
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Name").fill("Members' area")
    page.get_by_label(embedding.hosts.origin("shop")).check()
    page.get_by_role("button", name="Create token").click()
    token = page.locator("#key-value").inner_text()
    site = embedding.visit(embedding.element() + embedding.element(f'id="with" token="{token}"'))
    wait_for(site, "error")
    assert [error["code"] for error in seen(site, "error")] == ["no_session"]
    inside = site.frame_locator("#with iframe")
    expect(inside.get_by_role("button", name="Send")).to_be_visible()
    assert token not in site.frames[2].url + site.frames[1].url  # addresses are kept in logs
    inside.get_by_label("Your name").fill("Ann")
    inside.get_by_role("button", name="Send").click()  # the session goes along with the form
    expect(inside.get_by_role("alert")).to_be_visible()
    page.goto(f"{embedding.live.platform_url}/installs/{embedding.install}/embed")
    row = page.get_by_role("row", name="Members' area")
    expect(row).to_contain_text("Active")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("Revoked")
    site.evaluate("document.querySelector('#with').refresh()")
    site.wait_for_function("window.seen.filter((one) => one[0] === 'error').length > 1")
    assert "revoked" in seen(site, "error")[-1]["message"]
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_role("button", name="Close it")).to_be_visible()


LONG = "appointments-and-enquiries.neighbourhood-dentistry-practice.example.com"
CUT = """(words) => {
  const found = document.evaluate(`//main//*[text()[contains(., "${words}")]]`, document, null, 7, null);
  const cut = [];
  for (let i = 0; i < found.snapshotLength; i++) {
    const range = document.createRange();
    range.selectNodeContents(found.snapshotItem(i));
    const {left, right} = range.getBoundingClientRect();
    if (left < 0 || right > innerWidth) cut.push([found.snapshotItem(i).tagName, left, right]);
  }
  return [found.snapshotLength > 0, cut];
}"""
OVER = """() => [...document.querySelectorAll("main .code-block")].filter((block) => {
  const button = block.querySelector(".btn").getBoundingClientRect(), code = block.querySelector("pre").getBoundingClientRect();
  const head = block.querySelector("figcaption").getBoundingClientRect();
  const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
  return !apart(button, code) || (head.width > 1 && !apart(button, head));
}).map((block) => block.innerText)"""


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 1280)])
def test_long_host_names_are_read_whole_and_copy_buttons_hide_nothing(
    embedding: Embedding, visit: Callable[..., Any], theme: str, width: int
) -> None:
    with psycopg.connect(role_url(embedding.live.database_url, SECRET_KEY, STAFF), autocommit=True) as staff:
        row = staff.execute(
            "INSERT INTO external_domains (agency_id, site_id, host, purposes, state, token, token_expires_at)"
            " SELECT agency_id, site_id, %s, ARRAY['embed'], 'pending', repeat('t', 43), now() + interval '7 days'"
            " FROM external_domains WHERE host LIKE 'shop.localhost:%%' LIMIT 1 RETURNING id, site_id",
            [f"{theme}.{LONG}"],
        ).fetchone()
    assert row is not None
    seen = visit(f"{embedding.live.platform_url}/sign-in", theme=theme, width=width, many=True)
    sign_in(seen.page)
    for path, words in (
        (f"/domains?site={encode('ste', row[1])}", LONG),
        (f"/domains/{encode('dom', row[0])}", LONG),
        (f"/domains/{encode('dom', row[0])}", "<meta name="),
        (f"/installs/{embedding.install}/embed", "/contact.html"),
    ):
        seen.go(f"{embedding.live.platform_url}{path}")
        assert seen.page.evaluate(CUT, words) == [True, []], (path, words)
        assert seen.page.evaluate(OVER) == [], path
        assert seen.faults() == [], path
