"""What a publisher sees of a module over all agencies, by day and by night, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from app.analytics import jobs
from app.analytics.writing import write_rows
from app.config import Config
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import encode
from tests.e2e.conftest import Visit
from tests.support.fleet import Fleet, new_fleet
from tests.support.world import World


@pytest.fixture
def fleet(world: World, config: Config) -> Fleet:
    """Installs of some months, one of them removed, and views of the last weeks."""
    made = new_fleet(world, config)
    installs = [made.put_on(f"Site {number}") for number in range(5)]
    made.release("1.1.0", extra="      more: {type: text}")
    now = utcnow()
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("SELECT analytics_partitions(70, 7, 90)"))
        for number, install in enumerate(installs):
            began = now - timedelta(days=3 + number * 40)
            session.execute(
                text("UPDATE modules_v2 SET installed_at = :began, removed_at = :gone WHERE id = :id"),
                {"id": install.id, "began": began, "gone": began + timedelta(days=10) if number == 4 else None},
            )
    rows = [
        (
            now - timedelta(days=day, minutes=1), install.agency_id, install.site_id, install.id, install.module_id, "view", "",
            "1.0.0", "list", None, visitor, 0, "frame", "shop.example", "", "pt", "", "phone", "Firefox", "Android",
        )
        for install in installs for day in range(20) for visitor in range(day % 7 + 2)
    ]  # fmt: skip
    with runtime_pool().connection() as connection:
        write_rows(connection, rows)
    jobs.sum_up()
    return made


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_releases_and_installs_that_stay(
    address: str, visit: Callable[..., Visit], fleet: Fleet, theme: str, width: int
) -> None:
    where = f"{address}/studio/modules/{encode('mod', fleet.versions['1.0.0'].module_id)}/analytics"
    seen = visit(where, theme=theme, width=width, cookies={"dramac_session": fleet.ada.cookie})
    expect(seen.page.get_by_role("heading", name="Installs that stay")).to_be_visible()
    expect(seen.page.locator(".ch-mark title", has_text="released 1.0.0")).to_have_count(1)
    assert seen.faults() == []
