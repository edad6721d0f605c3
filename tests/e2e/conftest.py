"""The browser of the journeys: one Chromium for the session, one clean context for each visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

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
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}, "heading-order": {"enabled": True}},
}


@dataclass
class Visit:
    """A page under watch: what it complained of since it was opened."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def policy_violations(self) -> list[str]:
        return list(self.page.evaluate("window.policyViolations"))

    def axe_faults(self) -> list[str]:
        """One line for each element that breaks a WCAG 2.0 to 2.2 A or AA rule."""
        found = Axe().run(self.page, options=AXE).response["violations"]
        return [f"{fault['id']}: {' '.join(node['target'])}" for fault in found for node in fault["nodes"]]

    def sideways_overflow_px(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=launch_arguments())
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """visit(url, theme='dark', width=390, scripts=False): opens it in a clean context."""
    contexts: list[Any] = []

    def go(
        url: str,
        *,
        theme: str = "light",
        width: int = 1440,
        scripts: bool = True,
        cookies: dict[str, str] | None = None,
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900},
            has_touch=width < 500,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        given = {"theme": theme, **(cookies or {})}
        context.add_cookies([{"name": name, "value": value, "url": urljoin(url, "/")} for name, value in given.items()])
        page = context.new_page()
        page.add_init_script(WATCH_POLICY)
        watched = Visit(page)
        page.on("console", watched.note)
        page.on("pageerror", lambda error: watched.complaints.append(f"exception: {error}"))
        page.goto(url, wait_until="load")
        return watched

    yield go
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def live(test_servers: TestServers, worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The whole product running on a database of its own, with the demo world in it."""
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 9
    test_servers.make_template(lambda url: migrate(url, SECRET_KEY))
    with running(
        database_url=test_servers.clone(f"{worker_id}_live"),
        redis_url=test_servers.redis_url(f"gw{40 + number}"),
        data_dir=tmp_path_factory.mktemp("live"),
    ) as started:
        yield started
