"""Twenty installs upgraded by a worker of its own that is killed in the middle: all end in a stated state that serves."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.installs import jobs
from app.installs.upgrades import upgrade_install
from app.lib.clock import utcnow
from tests.unit.installs.conftest import Desk

COUNT = 20
WORKER = """
import sys
from uuid import UUID
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.factory import create_platform_app, wire
from app.installs import jobs

config = Config.from_env()
wire(config)
with create_platform_app(config).app_context(), tenant_scope(UUID(sys.argv[1])):
    for install_id in sys.argv[2:]:
        jobs.provision(install_id)
        db.session.remove()
"""


def states(ids: list[str]) -> dict[str, tuple[str, str, str]]:
    query = text(
        "SELECT i.id::text, i.status, v.version, m.state FROM modules_v2 i JOIN module_versions v ON v.id = i.version_id"
        " JOIN install_moves m ON m.install_id = i.id WHERE i.id::text = ANY (:ids)"
    )
    with platform_scope("test"), transaction(db.session()) as session:
        return {row[0]: (row[1], row[2], row[3]) for row in session.execute(query, {"ids": ids})}


def test_twenty_installs_and_a_worker_killed_in_the_middle(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    old = desk.publish(fields="phone: {type: phone}")
    installs = [desk.install(old)]
    for _ in range(COUNT - 1):
        installs.append(desk.install(old, site=desk.world.site(desk.agency)))
    for install in installs:
        desk.rows(
            old, "INSERT INTO guests (site_id, name, phone) VALUES (current_site_id(), 'Ann', '+351210000001')",
            site_id=install.site_id,
        )  # fmt: skip
    new = desk.publish(desk.slug(old), version="2.0.0", fields="mood: {type: text, default: good}")
    for install in installs:
        desk.do(upgrade_install, install, version=new, lose=True, now=utcnow())
    ids = [str(install.id) for install in installs]
    config = desk.config
    environment = {
        "DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url, "SECRET_KEY": ",".join(config.secret_keys),
        "DATA_DIR": str(config.data_dir), "PLATFORM_URL": config.platform_url, "RUNTIME_URL": config.runtime_url,
    }  # fmt: skip
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(desk.agency.id), *ids], env=environment, cwd=Path(__file__).parents[3]
    )
    try:
        deadline = time.monotonic() + 60
        while sum(state[0] == "active" for state in states(ids).values()) < COUNT // 3:
            assert worker.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        worker.kill()
        worker.wait(10)
    left = [one for one, state in states(ids).items() if state[0] == "provisioning"]
    assert left
    monkeypatch.setattr(jobs, "STALLED", timedelta(0))
    jobs.sweep()  # orders them again; here they are worked off in order
    for install in installs:
        if str(install.id) in left:
            desk.run(jobs.provision, install)
    assert set(states(ids).values()) == {("active", "2.0.0", "watching")}
    for install in installs:
        assert desk.rows(old, "SELECT name, phone, mood FROM guests", site_id=install.site_id) == [
            ("Ann", "+351210000001", "good")
        ]
