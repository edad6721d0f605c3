"""Jobs of modules: due in the zone of the site, claimed once, made up for once, run once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.db.base import db
from app.lib.clock import utcnow
from app.modules.cron import next_run
from app.runtime.functions import schedules
from tests.support.modules import Installed


def _moments(cron: str, zone: str, start: str, number: int) -> list[str]:
    at, found = datetime.fromisoformat(start), []
    for _ in range(number):
        at = next_run(cron, time_zone=zone, after=at)
        found.append(f"{at:%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        # spring, Berlin: 02:30 is skipped on the 29th and counts as the moment after
        ("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00+00:00", ["28 01:30", "29 01:30", "30 00:30"]),
        # autumn: 02:30 comes twice on the 25th and counts once
        ("30 2 * * *", "Europe/Berlin", "2026-10-23T12:00+00:00", ["24 00:30", "25 00:30", "26 01:30"]),
        # every half hour goes by real hours, the doubled one included
        (
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:45+00:00",
            ["25 00:00", "25 00:30", "25 01:00", "25 01:30", "25 02:00"],
        ),
        ("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15+00:00", ["29 00:30", "29 01:00", "29 01:30", "29 02:00"]),
        ("0 8 * * 1-5", "America/New_York", "2026-11-20T00:00+00:00", ["20 13:00", "23 13:00", "24 13:00"]),
        ("0 8 * * *", "Asia/Kathmandu", "2026-11-20T00:00+00:00", ["20 02:15", "21 02:15"]),
    ],
)
def test_the_clock_of_the_zone_says_when(cron: str, zone: str, start: str, expected: list[str]) -> None:
    assert _moments(cron, zone, start, len(expected)) == expected


def _schedule(tools: Installed, next_at: datetime) -> None:
    tools.rows(
        "INSERT INTO module_schedules (agency_id, site_id, install_id, name, function, cron, time_zone, next_at) "
        "VALUES (:agency, :site, :install, 'daily', 'daily', '30 2 * * *', 'Europe/Berlin', :next_at)",
        agency=tools.site.agency_id, site=tools.site.id, next_at=next_at,
    )  # fmt: skip


def _row(tools: Installed) -> dict[str, object]:
    return tools.rows("SELECT next_at, due_at, last_outcome FROM module_schedules WHERE install_id = :install")[0]


NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_what_was_missed_for_days_is_run_once(tools: Installed) -> None:
    due = NOW - timedelta(days=4)
    _schedule(tools, due)
    schedules.order_due(db.session(), now=NOW)
    assert _row(tools) == {"next_at": datetime(2026, 11, 21, 1, 30, tzinfo=UTC), "due_at": due, "last_outcome": ""}
    schedules.run_scheduled(str(tools.id), "daily", due.isoformat())
    assert [item["code"] for item in tools.records("items")] == [due.isoformat()]
    assert _row(tools) == {"next_at": datetime(2026, 11, 21, 1, 30, tzinfo=UTC), "due_at": None, "last_outcome": "ok"}
    [run] = [run for run in tools.runs() if run["function"] == "daily"]
    assert (run["trigger"], run["cause"], run["outcome"]) == ("schedule", "daily", "ok")


def test_a_due_run_is_claimed_once_and_again_after_its_worker_died(tools: Installed) -> None:
    _schedule(tools, NOW)
    claimed = []
    for at in (NOW, NOW + timedelta(seconds=30), NOW + timedelta(seconds=schedules.LEASE_S + 1)):
        before = tools.rows("SELECT lease_until FROM module_schedules WHERE install_id = :install")[0]["lease_until"]
        schedules.order_due(db.session(), now=at)
        after = tools.rows("SELECT lease_until FROM module_schedules WHERE install_id = :install")[0]["lease_until"]
        claimed.append(before != after)
    assert claimed == [True, False, True]
    assert _row(tools)["due_at"] == NOW


def test_the_same_due_run_twice_works_once(tools: Installed) -> None:
    _schedule(tools, NOW)
    for _ in range(2):
        schedules.run_scheduled(str(tools.id), "daily", NOW.isoformat())
    assert len(tools.records("items")) == 1


@pytest.mark.parametrize(("status", "outcome"), [("paused", "install_not_ready"), ("removed", "gone")])
def test_an_install_that_does_not_serve_runs_nothing(tools: Installed, status: str, outcome: str) -> None:
    _schedule(tools, NOW)
    schedules.order_due(db.session(), now=NOW)
    tools.change(status=status)
    schedules.run_scheduled(str(tools.id), "daily", NOW.isoformat())
    assert _row(tools)["last_outcome"] == outcome
    assert tools.runs() == []


def test_old_accounts_are_forgotten(tools: Installed) -> None:
    schedules.run_scheduled(str(tools.id), "daily", NOW.isoformat())
    assert len(tools.runs()) == 2
    tools.rows(
        "UPDATE module_function_runs SET started_at = :old WHERE install_id = :install",
        old=utcnow() - timedelta(days=31),
    )
    schedules.forget_old()
    assert tools.runs() == []
