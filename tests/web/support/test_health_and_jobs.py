"""The health of an install, the queue and its workers, failures; a failed job is run again by who may."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from rq import Queue, SimpleWorker
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from sqlalchemy import text

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.queue import registry
from app.queue.enqueue import redis
from app.queue.models import JobRun
from app.queue.registry import Job
from app.queue.worker import perform
from app.runtime.functions.breaker import MOST_FAILURES, breakers
from app.runtime.functions.errors import FunctionFailed
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser
from tests.support.installed import Installed, put_on_site
from tests.support.world import World
from tests.web.conftest import Browse
from tests.web.support.test_logs import MODULE, Writer


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ours(world: World, agency: Agency) -> Installed:
    return put_on_site(agency, world.site(agency), MODULE)


@pytest.fixture
def ada(browse: Browse, world: World, agency: Agency) -> Browser:
    return browse(world.person(agency, Role.OWNER))


@pytest.fixture
def sam(browse: Browse, world: World) -> Browser:
    return browse(world.person(world.agency("Dramac"), Role.MEMBER, name="Sam Reyes", staff_role="support"))


class Work:
    """A job of the tests, and what it was called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.fails = True
        self.name = f"test.work_{uuid7().hex[-8:]}"

    def run(self, **ids: Any) -> None:
        self.calls.append(ids)
        if self.fails:
            raise ValueError("it broke, token=abcdef123456")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work()
    monkeypatch.setitem(registry.JOBS, made.name, Job(made.name, made.run, queue="long", timeout_s=10))
    return made


def failing(work: Work, agency: Agency | None, ours: Installed) -> str:
    """Public id of a run that failed."""
    ids = {"install_id": str(ours.install.id)} if agency else {}
    with pytest.raises(ValueError, match="it broke"):
        perform(work.name, str(agency.id) if agency else None, ids)
    with platform_scope("test look"), transaction(db.session()) as session:
        found = session.scalars(
            text("SELECT id FROM job_runs WHERE name = :name ORDER BY id DESC"), {"name": work.name}
        )
        return encode("job", found.first())


def ordered(work: Work) -> list[tuple[Any, ...]]:
    """The orders of this job that wait, which are taken away."""
    queue = Queue("long", connection=redis(), serializer=JSONSerializer)
    found = [job for job in queue.get_jobs() if job.args[0] == work.name]
    for job in found:
        job.delete()
    return [tuple(job.args) for job in found]


# -- health


def test_the_health_of_an_install_is_counted_over_a_day(ada: Browser, agency: Agency, ours: Installed) -> None:
    write = Writer(agency, Site(id=ours.install.site_id))
    of_it = {"install_id": ours.install.id}
    for number in range(20):
        write.request(
            **of_it, duration_us=1000 * (number + 1), status=500 if number < 2 else 404 if number < 5 else 200
        )
    write.request(**of_it, at=utcnow() - timedelta(hours=25), status=500)
    write.request(install_id=uuid7(), status=500)
    for outcome in ("ok", "ok", "timeout", "refused"):
        write.run(**of_it, outcome=outcome, cpu_ms=8)
    write.mail(**of_it, status="given_up")
    page = ada.get(f"/installs/{ours.public_id}/health")
    assert page.texts(".stat .stat-value") == ["12.5 %", "20", "19 ms", "4"]
    assert page.texts(".stat .stat-note") == [
        "3 of 24 in 24 hours", "2 failed, 3 refused", "Half of them within 10 ms", "1 failed, 95 of 100 within 8 ms of CPU",
    ]  # fmt: skip
    assert page.texts("#given-up dd") == ["0", "1", "0"]
    assert sorted(page.texts("#errors .log-kind")) == ["API call", "API call", "API call", "Function run", "Mail"]
    assert "Something needs a look" in page.text
    assert page.texts(".tab-links [aria-current]") == ["Health"]


def test_an_install_that_did_nothing_is_well(ada: Browser, ours: Installed) -> None:
    page = ada.get(f"/installs/{ours.public_id}/health")
    assert page.texts(".stat .stat-value") == ["None made", "0", "–", "0"]
    assert ("Something needs a look" in page.text, page.texts("#errors h3")) == (False, ["No errors in 30 days"])


def resting(ours: Installed) -> None:
    for _ in range(MOST_FAILURES):
        with pytest.raises(FunctionFailed), breakers.guarding(ours.install.id, "capture", waited_for=False):
            raise FunctionFailed("It broke.")


def test_a_function_that_rests_is_set_going_again_from_here(ada: Browser, ours: Installed) -> None:
    resting(ours)
    page = ada.get(f"/installs/{ours.public_id}/health")
    assert page.texts("#resting li code") == ["capture"]
    assert "The last one: It broke." in page.text
    wake = f"/installs/{ours.public_id}/functions/capture/wake"
    assert ada.post(wake, {}).status == 303
    assert breakers.resting(ours.install.id) == []
    assert ada.post(wake, {}).status == 404
    assert "Resting function set going again" in ada.get("/audit").text


def test_another_agency_wakes_nothing(browse: Browse, world: World, ours: Installed) -> None:
    resting(ours)
    wake = f"/installs/{ours.public_id}/functions/capture/wake"
    olga = browse(world.person(world.agency("Other"), Role.OWNER))
    assert olga.post(wake, {}).status == 404
    assert [one.function for one in breakers.resting(ours.install.id)] == ["capture"]


def test_a_webhook_that_was_switched_off_is_set_going_again_from_here(
    ada: Browser, agency: Agency, ours: Installed
) -> None:
    ada.post(
        "/webhooks",
        {
            "url": "https://hooks.example.com/in",
            "site": "agency",
            "patterns": "site.*",
            "concurrency": "4",
            "per_minute": "0",
        },
    )
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(
            text("UPDATE external_webhooks SET disabled_at = now(), disabled_reason = 'failing' WHERE agency_id = :a"),
            {"a": agency.id},
        )
    page = ada.get(f"/installs/{ours.public_id}/health")
    assert "Every attempt failed for five days." in page.texts("#breakers li")[0]
    assert ada.post(str(page.one("#breakers form")["action"])).status == 303
    assert ada.get(f"/installs/{ours.public_id}/health").texts("#breakers li") == []
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text("UPDATE external_webhooks SET held_until = now() + interval '1 hour' WHERE agency_id = :a"),
            {"a": agency.id},
        )
    page = ada.get(f"/installs/{ours.public_id}/health")
    assert "because the receiver asked to be left alone." in page.texts("#breakers li")[0]
    assert ada.post(str(page.one("#breakers form")["action"])).status == 303
    assert ada.get(f"/installs/{ours.public_id}/health").texts("#breakers li") == []


# -- jobs


def test_the_agency_runs_its_failed_job_again_once(
    ada: Browser, browse: Browse, world: World, agency: Agency, ours: Installed, work: Work
) -> None:
    run_id = failing(work, agency, ours)
    page = ada.get(f"/logs?kind=job&q={work.name}")
    retry = str(page.one(".log-acts form")["action"])
    assert retry == f"/logs/jobs/{run_id}/retry"
    viewer = browse(world.person(agency, Role.VIEWER))
    assert (viewer.post(retry).status, browse(world.person(world.agency())).post(retry).status) == (403, 404)
    back = page.one(".log-acts form [name=back]")["value"]
    assert back == f"/logs?kind=job&q={work.name}"
    again = ada.post(retry, {"back": str(back)})
    assert (again.where, ada.post(retry).status) == (back, 409)
    assert [args[:3] for args in ordered(work)] == [(work.name, str(agency.id), {"install_id": str(ours.install.id)})]
    assert ada.get(f"/logs?kind=job&q={work.name}").html.select(".log-acts form") == []
    [line] = [json.loads(one) for one in ada.get(f"/logs.jsonl?kind=job&q={work.name}").text.splitlines()]
    assert (line["detail"]["settled"], line["detail"]["settled_by"]) == ("retried", "Ada Bright")


def test_staff_sees_failed_jobs_of_all_and_deals_with_them_but_whose_they_are_only_by_leave(
    sam: Browser, ada: Browser, agency: Agency, ours: Installed, work: Work
) -> None:
    theirs, own = failing(work, agency, ours), failing(work, None, ours)
    page = sam.get("/staff/queue")
    assert [one for one in page.ids("#failed .log-line") if one in (theirs, own)] == [own, theirs]
    assert "ValueError: it broke, token=[redacted]" in page.one(f"#{own} pre").get_text()
    assert page.texts(f"#{own} .log-place") == ["The platform"]
    hidden = page.one(f"#{theirs}")
    assert (page.texts(f"#{theirs} .log-title"), page.texts(f"#{theirs} .log-place")) == (["ValueError"], ["An agency"])
    assert [word for word in ("Studio Lumen", str(ours.install.id), "it broke", "Trace") if word in str(hidden)] == []
    given_reason(sam, str(hidden.select(".log-detail p a")[0]["href"]), agency)
    allow(ada)
    page = sam.get("/staff/queue")
    trace = page.one(f"#{theirs} pre").get_text()
    assert ("ValueError: it broke, token=[redacted]" in trace, "abcdef123456" in page.text) == (True, False)
    assert page.texts(f"#{theirs} .log-place") == ["Studio Lumen"]
    looks = [
        line for line in ada.get("/audit?action=support.viewed").texts("#audit tbody tr") if "/staff/queue" in line
    ]
    assert len(looks) == 1
    assert [sam.post(f"/staff/jobs/{theirs}/discard").status, sam.post(f"/staff/jobs/{own}/retry").status] == [303, 303]
    assert sam.post(f"/staff/jobs/{theirs}/retry").status == 409
    assert [args[:3] for args in ordered(work)] == [(work.name, None, {})]
    assert set(sam.get("/staff/queue").ids("#failed .log-line")) & {theirs, own} == set()
    assert [ada.get("/staff/queue").status, ada.post(f"/staff/jobs/{own}/retry").status] == [404, 404]


def given_reason(sam: Browser, where: str, agency: Agency) -> None:
    """Sam says why, and learns whose it is."""
    assert agency.name not in sam.get(where).text
    short = sam.post(where, {"reason": "because", "hours": "1"})
    assert (short.status, short.heading, len(short.errors)) == (422, "Why you look", 1)
    assert sam.post(where, {"reason": "Bookings fail since Monday", "hours": "1"}).where == (
        f"/staff/agencies/{agency.public_id}"
    )
    assert sam.post(where, {"reason": "Bookings fail since Monday", "hours": "1"}).status == 303  # asked already


def allow(ada: Browser) -> None:
    form = ada.get("/support-access").html.select('form[action$="/allow"]')[0]
    assert ada.post(str(form["action"])).status == 303


def test_a_job_that_is_done_or_under_way_is_not_run_again(
    ada: Browser, agency: Agency, work: Work, ours: Installed
) -> None:
    work.fails = False
    perform(work.name, str(agency.id), {})
    with platform_scope("test look"), transaction(db.session()) as session:
        row = session.execute(text("SELECT id FROM job_runs WHERE name = :name"), {"name": work.name}).one()
        under_way = JobRun(
            id=uuid7(), agency_id=agency.id, name=work.name, status="running", started_at=utcnow(),
            gives_up_at=utcnow() + timedelta(minutes=1),
        )  # fmt: skip
        session.add(under_way)
    ids: list[UUID] = [row.id, under_way.id]
    assert [ada.post(f"/logs/jobs/{encode('job', one)}/retry").status for one in ids] == [409, 409]
    assert ordered(work) == []


def test_the_queues_and_workers_are_as_they_are(sam: Browser) -> None:
    queue = Queue("long", connection=redis(), serializer=JSONSerializer)
    waiting = queue.enqueue("app.queue.worker.perform", "test.nothing", None, {})
    worker = SimpleWorker([queue], connection=redis(), serializer=JSONSerializer, name=uuid7().hex)
    worker.register_birth()
    try:
        page = sam.get("/staff/queue")
    finally:
        worker.register_death()
        RqJob.fetch(waiting.id, connection=redis(), serializer=JSONSerializer).delete()
    rows = {
        row.select("th")[0].get_text(): [cell.get_text() for cell in row.select("td")]
        for row in page.html.select("#queues tbody tr")
    }
    assert list(rows) == ["high", "default", "long"]
    assert int(rows["long"][0]) >= 1
    assert rows["long"][1].endswith(" s")
    assert worker.name[:12] in page.texts("#workers tbody th")


def test_failures_are_found_by_their_request(sam: Browser, ada: Browser, agency: Agency) -> None:
    request_id = encode("req", uuid7())
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(
            text(
                "INSERT INTO failed_requests (id, at, request_id, agency_id, surface, method, path, status, error, trace) "
                "VALUES (:id, now(), :request, :agency, 'platform', 'GET', '/clients/secret', 500, 'KeyError: x', "
                "'Traceback: in x')"
            ),
            {"id": uuid7(), "request": request_id, "agency": agency.id},
        )
    page = sam.get(f"/staff/failures?q={request_id}")
    assert (page.texts(".log-title"), page.texts(".log-place"), page.texts("pre")) == (["KeyError"], ["An agency"], [])
    assert [word for word in ("/clients/secret", agency.name, agency.public_id) if word in page.text] == []
    given_reason(sam, str(page.one(".log-detail p a")["href"]), agency)
    assert sam.get(f"/staff/failures?q={request_id}").texts("pre") == []  # asked, not allowed
    allow(ada)
    page = sam.get(f"/staff/failures?q={request_id}")
    assert (page.texts(".log-title"), page.texts("pre")) == (["/clients/secret"], ["Traceback: in x"])
    assert "/staff/failures" in ada.get("/audit?action=support.viewed").texts("#audit tbody tr")[0]
    assert sam.get("/staff/failures?q=req_nobody").texts(".log-title") == []
    assert ada.get("/staff/failures").status == 404
