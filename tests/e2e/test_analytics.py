"""A page on somebody else's site is looked at and used: it stands on the agency's dashboard, and nobody was given a cookie."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, expect
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from app.db.roles import STAFF, role_url
from app.lib.ids import decode
from app.queue.enqueue import PERFORM
from tests.e2e.conftest import Visit
from tests.e2e.test_embed import Embedding, hosts, install, wait_for  # noqa: F401  # fixtures
from tests.e2e.test_journeys import sign_in
from tests.support.hosts import Hosts
from tests.support.live import SECRET_KEY, Live

pytestmark = pytest.mark.timeout(180)
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def told(live: Live, install_id: str) -> list[tuple[Any, ...]]:
    """(event, place, name) of what came in for an install in the last minutes, from the test's own browser."""
    with psycopg.connect(role_url(live.database_url, SECRET_KEY, STAFF), autocommit=True) as staff:
        return staff.execute(
            "SELECT event, place, name FROM module_analytics_events WHERE install_id = %s AND language = 'sv' ORDER BY at, event",
            [decode("ins", install_id)],
        ).fetchall()


def test_what_happens_in_an_embed_is_on_the_dashboard(live: Live, hosts: Hosts, install: str, browser: Browser) -> None:  # noqa: F811
    context = browser.new_context(user_agent=PERSON, locale="sv-SE")
    host = Embedding(live, hosts, install, context)
    page = host.visit(host.element('loading="eager"'))
    wait_for(page, "ready")
    frame = page.frame_locator("dramac-module iframe").first
    frame.get_by_label("Name").first.fill("Astrid")
    page.frames[-1].evaluate(
        "document.dispatchEvent(new CustomEvent('dramac:track', {detail: {name: 'plan.chosen', value: 2}}))"
    )
    page.frames[-1].evaluate("setTimeout(() => { throw new Error('made up by a test'); })")
    page.wait_for_timeout(1500)
    page.close(run_before_unload=True)  # leaving tells how long it was looked at
    wanted = {"view", "mount", "start", "custom", "error", "time"}
    deadline = time.monotonic() + 30
    rows = told(live, install)
    while not wanted <= {event for event, _, _ in rows}:
        assert time.monotonic() < deadline, rows
        time.sleep(0.3)
        rows = told(live, install)
    assert [event for event, _, _ in rows].count("view") == 1
    assert {place for _, place, _ in rows} == {"shop.localhost"}
    assert {name for event, _, name in rows if event in ("custom", "error")} == {
        "plan.chosen",
        "Uncaught Error: made up by a test",
    }
    assert context.cookies() == []
    context.close()

    staff = browser.new_context(viewport={"width": 1280, "height": 900})
    screen = staff.new_page()
    screen.goto(f"{live.platform_url}/sign-in")
    sign_in(screen)
    orders = Queue("long", connection=Redis.from_url(live.environ["REDIS_URL"]), serializer=JSONSerializer)
    orders.enqueue(PERFORM, "analytics.sum_up", None, {}, "")  # as the clock does every minute
    deadline = time.monotonic() + 90
    while True:
        screen.goto(f"{live.platform_url}/installs/{install}/analytics?range=24h")
        if screen.get_by_text("shop.localhost").count():
            break
        assert time.monotonic() < deadline
        time.sleep(1)
    expect(screen.get_by_text("plan.chosen")).to_be_visible()
    expect(screen.get_by_text("Uncaught Error: made up by a test")).to_be_visible()
    screen.get_by_role("link", name="Swedish").click()
    expect(screen.get_by_text("Language: Swedish")).to_be_visible()
    assert screen.locator(".stat-value").first.inner_text().startswith("1")
    seen = Visit(screen)
    assert seen.axe_faults() == []
    staff.close()
