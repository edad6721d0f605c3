"""The live view of logs in a real browser: what took long comes by itself, a job that ends takes the place of its first line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app.access.permissions import Role
from app.lib.clock import utcnow
from app.queue.history import kept
from app.queue.registry import Job
from tests.e2e.conftest import Visit
from tests.support.world import World
from tests.web.support.test_logs import Writer


def test_the_live_view_shows_what_took_long_and_a_job_once(
    address: str, visit: Callable[..., Visit], world: World
) -> None:
    agency = world.agency("Studio Lumen")
    write, ada = Writer(agency, world.site(agency)), world.person(agency, Role.OWNER)
    seen = visit(f"{address}/logs?live=1", width=1280, cookies={"dramac_session": ada.cookie})
    lines = seen.page.locator("#log-lines [data-line]")
    with kept(Job("demo.job", lambda: None), agency_id=str(agency.id), ids={}, request_id=""):
        lines.filter(has_text="demo.job").wait_for()
        assert lines.filter(has_text="running").count() == 1
        write.request("/api/slow", status=504, at=utcnow() - timedelta(seconds=40))
        lines.filter(has_text="/api/slow").wait_for()
    lines.filter(has_text="done").wait_for()
    assert (lines.filter(has_text="demo.job").count(), lines.count()) == (1, 2)
    assert seen.faults() == []
