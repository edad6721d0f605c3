"""Sums are what the raw events say: late ones included, done twice the same, whoever is killed in between."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.analytics import jobs, sums
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from tests.unit.analytics.conftest import Count, Counted, at, some_events, sum_up

pytestmark = pytest.mark.usefixtures("days")
DIMENSIONS = ("page", "version", "name")
OF_VIEWS = ("surface", "place", "referrer", "language", "country", "device", "browser", "system")
FIELDS = tuple(
    re.findall(
        r"\w+",
        "at agency site install module event name version page page_id visitor value surface place referrer language country "
        "device browser system",
    )
)


def expected(rows: list[Any], counted: Counted) -> dict[tuple[Any, ...], tuple[int, int, int, int]]:
    """The same sums in plain Python."""
    zone = ZoneInfo(counted.zone)
    seen: dict[tuple[Any, ...], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    total: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in (dict(zip(FIELDS, row, strict=True)) for row in rows):
        local = row["at"].astimezone(zone)
        midnight = datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(UTC)
        hour = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        named = [("", ""), *((name, row[name]) for name in DIMENSIONS)]
        named += [(name, row[name]) for name in OF_VIEWS] if row["event"] == "view" else []
        subject = ("install", row["install"]) if row["install"] else ("pages", row["site"])
        for grain, bucket in (("hour", hour), ("day", midnight)):
            for level, whose in (subject, ("site", row["site"])):
                for dimension, value in named:
                    if dimension and not value:
                        continue
                    key = (local.date(), grain, level, whose, row["event"], dimension, value, bucket)
                    seen[key][row["visitor"]] += 1
                    total[key] += row["value"]
    return {
        key: (sum(by.values()), len(by), sum(1 for n in by.values() if n > 1), total[key]) for key, by in seen.items()
    }


@pytest.mark.parametrize(("seed", "zone"), [(1, "Europe/Lisbon"), (2, "Asia/Kolkata"), (3, "America/Sao_Paulo")])
def test_every_figure_is_what_the_raw_events_say(counted: Count, seed: int, zone: str) -> None:
    here = counted(zone)
    some_events(here, seed, 400)
    rows = list(here.rows)
    here.write()
    sum_up()
    assert here.sums() == expected(rows, here)


def test_a_job_takes_one_turn_and_orders_the_next_while_days_are_behind(
    counted: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    sum_up()
    here = counted()
    some_events(here, 1, 100)
    rows = list(here.rows)
    here.write()
    monkeypatch.setattr(jobs, "TURN_S", 0.0)
    woken: list[str] = []
    monkeypatch.setattr(jobs, "wake", woken.append)
    turns = 1
    jobs.sum_up_in_turns()
    while len(woken) == turns and turns < 50:
        jobs.sum_up_in_turns()
        turns += 1
    assert turns > 2
    assert here.sums() == expected(rows, here)


def test_late_events_are_in_and_doing_it_again_changes_nothing(counted: Count) -> None:
    here = counted()
    some_events(here, 1, 100)
    rows = list(here.rows)
    here.write()
    sum_up()
    some_events(here, 2, 100)  # days that were summed already
    rows += here.rows
    here.write()
    sum_up()
    once = here.sums()
    assert once == expected(rows, here)
    stamps = here.ask("SELECT xmin::text FROM module_analytics_aggregates WHERE site_id = :site ORDER BY 1")
    assert sum_up() == 0
    jobs.recompute(str(here.site.id))
    assert here.sums() == once
    assert here.ask("SELECT xmin::text FROM module_analytics_aggregates WHERE site_id = :site ORDER BY 1") == stamps


def test_everything_can_be_worked_out_anew_from_the_raw_events(counted: Count) -> None:
    here = counted()
    some_events(here, 3, 200)
    rows = list(here.rows)
    here.write()
    sum_up()
    here.ask("UPDATE module_analytics_aggregates SET count = count + 7 WHERE site_id = :site")
    here.ask("DELETE FROM module_analytics_aggregates WHERE site_id = :site AND event = 'view'")
    here.ask(
        "UPDATE module_analytics_aggregates SET value = 'never' WHERE site_id = :site AND dimension = 'page' AND value = 'a'"
    )
    jobs.recompute(str(here.site.id))
    assert here.sums() == expected(rows, here)


def test_a_job_that_dies_leaves_what_it_was_at_to_the_next(counted: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    here = counted()
    some_events(here, 4, 150)
    rows = list(here.rows)
    here.write()
    whole, calls = sums.sum_events, []

    def dying(*args: Any, **how: Any) -> bool:
        done = whole(*args, **how)
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(jobs, "sum_events", dying)
    with pytest.raises(KeyboardInterrupt):
        sum_up()
    monkeypatch.undo()
    assert here.sums() != expected(rows, here)
    sum_up()
    assert here.sums() == expected(rows, here)


def test_a_day_is_the_sites_own(counted: Count) -> None:
    here = counted("America/Sao_Paulo")  # three hours behind UTC, all year
    here.add(at=at(3, 2, 59))
    here.add(at=at(3, 3, 0))
    here.write()
    sum_up()
    days = sorted(key[0] for key in here.sums(grain="day", level="site", dimension="", event="view"))
    assert days == [at(4).date(), at(3).date()]


def test_a_site_that_moves_to_another_zone_has_other_days(counted: Count) -> None:
    here = counted("UTC")
    for hour in (1, 12, 23):
        here.add(at=at(3, hour), visitor=hour)
    here.write()
    sum_up()
    assert here.of("view") == [(3, 3)]
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text("UPDATE sites SET time_zone = 'America/New_York' WHERE id = :site"), {"site": here.site.id}
        )
    jobs.recompute(str(here.site.id))
    assert here.of("view") == [(1, 1), (2, 2)]


def test_sums_outlive_the_raw_events(counted: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    here = counted("UTC")
    here.add(at=at(10))
    here.write()
    sum_up()
    monkeypatch.setattr(sums, "EVENT_DAYS", 5)
    here.ask("DELETE FROM module_analytics_events WHERE site_id = :site")
    here.ask(
        "INSERT INTO module_analytics_marks (agency_id, site_id, at) SELECT agency_id, id, :at FROM sites WHERE id = :site",
        at=at(10),
    )
    sum_up()
    jobs.recompute(str(here.site.id))
    assert here.of("view") == [(1, 1)]
    assert here.ask("SELECT 1 FROM module_analytics_marks WHERE site_id = :site") == []


def test_old_days_are_dropped_and_coming_ones_are_there(app_context: None) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("SELECT analytics_partitions(95, 7, 100)"))
    jobs.partitions()
    with platform_scope("test"), transaction(db.session()) as session:
        found = session.scalars(
            text(
                "SELECT right(inhrelid::regclass::text, 8) FROM pg_inherits "
                "WHERE inhparent = 'module_analytics_events'::regclass"
            )
        ).all()
    today = datetime.now(UTC).date()
    assert min(found) == f"{today - timedelta(days=90):%Y%m%d}"
    assert max(found) == f"{today + timedelta(days=7):%Y%m%d}"


def test_calls_and_runs_are_summed_from_their_logs(counted: Count) -> None:
    here = counted("UTC")
    for number, (status, took) in enumerate([(200, 900), (200, 20_000), (404, 1000), (500, 90_000)]):
        here.ask(
            "INSERT INTO external_api_requests (at, request_id, agency_id, site_id, install_id, method, path, status, duration_us) "
            "VALUES (:at, :request, :agency, :site, :install, 'GET', '/', :status, :took)",
            at=datetime.now(UTC), request=f"r{number}", agency=here.site.agency_id, install=here.install.id,
            status=status, took=took,
        )  # fmt: skip
    for outcome in ("ok", "refused", "timeout"):
        here.ask(
            "INSERT INTO module_function_runs (agency_id, site_id, install_id, version, function, trigger, outcome, cpu_ms) "
            "VALUES (:agency, :site, :install, '1', 'f', 'route', :outcome, 12)",
            agency=here.site.agency_id, install=here.install.id, outcome=outcome,
        )  # fmt: skip
    jobs.sum_calls()
    found = {key[4]: value[0] for key, value in here.sums(grain="day", level="install", dimension="").items()}
    assert found == {"call": 4, "call_failed": 1, "run": 3, "run_failed": 1}
    steps = {
        int(key[6]): value[0]
        for key, value in here.sums(grain="day", level="site", dimension="latency", event="call").items()
    }
    assert sum(steps.values()) == 4
    assert all(
        (8 / 7) ** (step - 1) < us <= (8 / 7) ** step
        for step, us in zip(sorted(steps), [900, 1000, 20_000, 90_000], strict=True)
    )
    once = here.sums()
    jobs.sum_calls()
    jobs.recompute(str(here.site.id))
    assert here.sums() == once


def test_names_beyond_the_most_used_of_a_day_are_counted_as_one(
    counted: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "MOST_NAMES", 2)
    here = counted()
    for name, times in (("cart.added", 3), ("cart.opened", 2), ("other.one", 1), ("other.two", 1)):
        for visitor in range(times):
            here.add("custom", at=at(1), visitor=visitor, name=name, value=10)
    here.add("click", at=at(1), name="other.one")  # of another kind, which has its own most
    here.add("custom", at=at(0, 0), name="other.one")  # another day
    here.write()
    sum_up()
    found = here.sums(level="site", grain="day", dimension="name")
    told = sorted((str(key[0] - min(k[0] for k in found)), key[4], key[6], *value) for key, value in found.items())
    assert [row[1:] for row in told if row[0].startswith("0:")] == [
        ("click", "other.one", 1, 1, 0, 0), ("custom", "(other)", 2, 1, 1, 20), ("custom", "cart.added", 3, 3, 0, 30),
        ("custom", "cart.opened", 2, 2, 0, 20),
    ]  # fmt: skip
    assert [row[1:3] for row in told if not row[0].startswith("0:")] == [("custom", "other.one")]
    once = here.sums()
    jobs.recompute(str(here.site.id))
    assert here.sums() == once
