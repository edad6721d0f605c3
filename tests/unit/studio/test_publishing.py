"""Publishing survives the worker: killed in the middle it has published nothing, and the sweep finishes it or gives it up."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.modules.actions import upload_package
from app.modules.models import Version
from app.studio import jobs
from app.studio.actions import BeingPublished, order_publication
from app.studio.models import Publication
from app.studio.publishing.pipeline import STEPS
from tests.support.packages import notes, package
from tests.support.publishing import new_slug
from tests.support.world import Person, World

WORKER = """
import sys
from uuid import UUID
from app.config import Config
from app.db.scope import tenant_scope
from app.factory import create_platform_app, wire
from app.studio import jobs

config = Config.from_env()
wire(config)
with create_platform_app(config).app_context(), tenant_scope(UUID(sys.argv[1])):
    jobs.publish(sys.argv[2])
"""


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def ordered(ada: Person) -> Publication:
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        read = package(notes(new_slug()))
        version = upload_package(session, package=read, agency_id=ada.agency_id, by=ada.actor, now=utcnow())
        session.flush()
        made = order_publication(session, version=version, tier="public", by=ada.actor, now=utcnow())
        with pytest.raises(BeingPublished):
            order_publication(session, version=version, tier="", by=ada.actor, now=utcnow())
        return made


def look(publication: Publication) -> tuple[str, str, list[str]]:
    """(state of the try, state of the version, states of the steps)."""
    with platform_scope("test"), transaction(db.session()) as session:
        session.expire_all()
        found = session.get_one(Publication, publication.id)
        version = session.get_one(Version, publication.version_id)
        return found.status, version.status, [step["state"] for step in found.steps]


def run(ada: Person, publication: Publication) -> None:
    with tenant_scope(ada.agency_id):
        jobs.publish(str(publication.id))
        db.session.remove()


def stand_still(publication: Publication, *, attempts: int) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text(
                "UPDATE module_publications SET changed_at = now() - interval '2 minutes', attempts = :n WHERE id = :i"
            ),
            {"n": attempts, "i": publication.id},
        )


def test_a_job_killed_while_it_publishes_has_published_nothing_and_the_next_one_does(
    ada: Person, ordered: Publication, config: Config
) -> None:
    environment = {
        "DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url, "SECRET_KEY": ",".join(config.secret_keys),
        "DATA_DIR": str(config.data_dir), "PLATFORM_URL": config.platform_url, "RUNTIME_URL": config.runtime_url,
    }  # fmt: skip
    arguments = [sys.executable, "-c", WORKER, str(ada.agency_id), str(ordered.id)]
    with psycopg.connect(config.database_url) as blocker:
        blocker.execute("SET LOCAL ROLE dramac_staff")
        blocker.execute("SELECT 1 FROM module_versions WHERE id = %s FOR UPDATE", [ordered.version_id])
        process = subprocess.Popen(arguments, env=environment, cwd=Path(__file__).parents[3], stderr=subprocess.PIPE)
        try:
            _wait_until_it_publishes(ordered, process)
        finally:
            process.kill()
            process.wait(10)
    assert look(ordered) == ("running", "draft", ["done"] * (len(STEPS) - 1) + ["now"])
    stand_still(ordered, attempts=1)
    jobs.sweep()  # orders it again
    run(ada, ordered)
    assert look(ordered) == ("published", "published", ["done"] * len(STEPS))
    run(ada, ordered)  # the order that was handed over twice
    assert look(ordered)[0] == "published"


def _wait_until_it_publishes(ordered: Publication, process: subprocess.Popen[bytes]) -> None:
    """Until every check is over and the job is at the lock that the test holds."""
    deadline = time.monotonic() + 60
    while look(ordered)[2][-1] != "now":
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_was_stopped_three_times_is_given_up_and_says_so(ada: Person, ordered: Publication) -> None:
    stand_still(ordered, attempts=3)
    jobs.sweep()
    assert look(ordered)[:2] == ("failed", "draft")
    run(ada, ordered)
    assert look(ordered)[:2] == ("failed", "draft")
