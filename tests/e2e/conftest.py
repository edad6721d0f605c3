"""The browser of the journeys: one Chromium for the session, one clean context for each visit."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urljoin

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app.db.migrate import migrate
from tests.support.chromium import find_chromium, launch_arguments
from tests.support.live import SECRET_KEY, Live, running
from tests.support.servers import TestServers

# Chromium, two products and two test runs share the processors: what is slow then is no fault
expect.set_options(timeout=30_000)

WATCH_POLICY = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.policyViolations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""
COLOURS_ARE_THERE = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  do await frame(); while (document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === "running"));
}"""
# To describe what passed costs axe twice as much as to find what fails.
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}, "heading-order": {"enabled": True}},
    "resultTypes": ["violations"],
}
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
Theme = Literal["light", "dark"]
OTHER: dict[Theme, Theme] = {"light": "dark", "dark": "light"}


@dataclass
class Visit:
    """A tab under watch: what the page in it complained of since it was opened. theme: what its system has now."""

    page: Page
    theme: Theme = "light"
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def go(self, url: str) -> int:
        """Another page in the same tab, which is cheaper than another visit; its status."""
        self.complaints.clear()
        answer = self.page.goto(url, wait_until="load")
        assert answer is not None
        return answer.status

    def policy_violations(self) -> list[str]:
        return list(self.page.evaluate("window.policyViolations"))

    def axe_faults(self, options: dict[str, Any] = AXE) -> list[str]:
        """One line for each element that breaks a WCAG 2.0 to 2.2 A or AA rule."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(f"{AXE_SCRIPT};0")
        found = self.page.evaluate(f"axe.run({json.dumps(options)}).then((results) => results.violations)")
        return [f"{fault['id']}: {' '.join(node['target'])}" for fault in found for node in fault["nodes"]]

    def sideways_overflow_px(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def faults(self, *, axe: bool = True) -> list[str]:
        """What is wrong with the page in both themes: everything in the present one, then colours and width in the other.

        The tab stays in the other: the next page is looked at the other way round.
        """
        found = self.axe_faults() if axe else []
        found += self._too_wide()
        self._turn()
        colours = self.axe_faults(COLOURS) if axe else []
        if colours:  # Chromium may be late with the style of what is folded away; a fault of ours stays
            self.page.wait_for_timeout(1000)
            colours = self.axe_faults(COLOURS)
        found += [f"{self.theme}: {fault}" for fault in [*colours, *self._too_wide()]]
        return [*found, *self.policy_violations(), *self.complaints]

    def _turn(self) -> None:
        """As when the system goes dark at sunset; done once every colour has changed."""
        self.theme = OTHER[self.theme]
        self.page.emulate_media(color_scheme=self.theme)
        self.page.evaluate(COLOURS_ARE_THERE)

    def _too_wide(self) -> list[str]:
        sideways = self.sideways_overflow_px()
        return [f"{sideways} px too wide"] if sideways > 0 else []


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=launch_arguments())
        yield chromium
        chromium.close()


# As in a busy browser, which hands out keys and clicks before timers: those that only wait for their turn come late.
LATE_TIMERS = """
const real = setTimeout;
window.setTimeout = (run, ms = 0, ...rest) => real(run, ms > 1 ? ms : 3000, ...rest);
"""


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """visit(url, theme='dark', width=390, scripts=False): opens it in a clean context, whose system has that theme.

    many: for a tab that looks at one page after the other, each of them with axe.
    """
    contexts: list[Any] = []

    def go(
        url: str,
        *,
        theme: Theme = "light",
        width: int = 1440,
        scripts: bool = True,
        many: bool = False,
        cookies: dict[str, str] | None = None,
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900},
            has_touch=width < 500,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            color_scheme=theme,
        )
        contexts.append(context)
        context.add_cookies(
            [{"name": name, "value": value, "url": urljoin(url, "/")} for name, value in (cookies or {}).items()]
        )
        page = context.new_page()
        page.add_init_script(WATCH_POLICY + AXE_SCRIPT if many else WATCH_POLICY)
        watched = Visit(page, theme)
        page.on("console", watched.note)
        page.on("pageerror", lambda error: watched.complaints.append(f"exception: {error}"))
        page.goto(url, wait_until="load")
        return watched

    yield go
    for context in contexts:
        context.close()


class KeptAlive(WSGIRequestHandler):
    """One connection for many requests, as in front of every real server."""

    protocol_version = "HTTP/1.1"


def serve(app: Any) -> Iterator[str]:
    """The address of a WSGI application that runs in a thread of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=KeptAlive)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def address(platform_app: Flask, api_app: Flask) -> Iterator[str]:
    """The platform with the schemas that the API serves beside it, as one host does."""

    def both(environ: dict[str, object], start_response: Callable[..., object]) -> object:
        app = api_app if str(environ["PATH_INFO"]).startswith("/schemas/") else platform_app
        return app.wsgi_app(environ, start_response)  # type: ignore[arg-type]  # plain WSGI

    yield from serve(both)


@pytest.fixture(scope="session")
def live(test_servers: TestServers, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The whole product running on a database of its own, with the demo world in it."""
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 9
    test_servers.make_template(lambda url: migrate(url, SECRET_KEY))
    with running(
        database_url=test_servers.clone(f"{worker_id}_live"),
        admin_url=test_servers.admin_url(f"{worker_id}_live"),
        redis_url=test_servers.redis_url(f"gw{40 + number}"),
        data_dir=tmp_path_factory.mktemp("live"),
    ) as started:
        yield started
