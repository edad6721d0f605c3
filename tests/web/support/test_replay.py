"""Replay: a read of records from the log, asked again as its key, of the installed version or another."""

from __future__ import annotations

import html
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.gateway.actions import create_key
from app.gateway.models import ApiKey
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.models import Version
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.support.test_logs import MODULE, Writer


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER)


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


@pytest.fixture
def ours(world: World, agency: Agency) -> Installed:
    made = put_on_site(agency, world.site(agency), MODULE)
    made.add("things", name="Anchor")
    return made


@pytest.fixture
def key(ours: Installed, ada_person: Person) -> ApiKey:
    with tenant_scope(ada_person.agency_id, user_id=ada_person.id), transaction(db.session()) as session:
        return create_key(
            session, site=session.get_one(Site, ours.install.site_id), install_id=None, name="Till", kind="secret",
            scopes=["read"], by=ada_person.actor, now=utcnow(),
        ).key  # fmt: skip


@pytest.fixture
def called(agency: Agency, ours: Installed, key: ApiKey) -> Any:
    """called("/api/modules/logged/things"): a line of the log."""

    def write(path: str, **values: Any) -> None:
        writer = Writer(agency, Site(id=ours.install.site_id))
        writer.request(path, install_id=ours.install.id, credential=key.public_id, **values)

    return write


def replayed(ada: Browser, **values: str) -> Page:
    line = str(ada.get("/logs?kind=request").html.select(".log-acts [name=line]")[0]["value"])
    return ada.post("/logs/replay", {"line": line, **values})


def answers(page: Page) -> list[list[str]]:
    return [[cell.get_text().strip() for cell in row.select("td")][:2] for row in page.html.select("#answers tbody tr")]


def test_a_read_that_failed_is_asked_again_beside_what_was_recorded(ada: Browser, called: Any) -> None:
    called("/api/modules/logged/things", status=500, error_code="internal")
    page = replayed(ada)
    assert (page.status, answers(page)) == (200, [["500", "internal"], ["200", "–"]])
    assert '"name": "Anchor"' in html.unescape(page.texts("#body code, #body pre")[0]).replace('":"', '": "')


def test_one_record_is_asked_for_and_may_be_gone(ada: Browser, called: Any) -> None:
    called(f"/api/modules/logged/things/{uuid7()}", status=200)
    assert answers(replayed(ada)) == [["200", "–"], ["404", "not_found"]]


def test_another_version_answers_as_it_sees_the_tables(ada: Browser, called: Any, ours: Installed) -> None:
    called("/api/modules/logged/things")
    with platform_scope("test world"), transaction(db.session()) as session:
        old = session.get_one(Version, ours.install.version_id)
        things = old.manifest["tables"]["things"]
        closed = {**things, "access": {**things["access"], "api": []}}
        manifest = {**old.manifest, "tables": {"things": closed}}
        values = {"id": uuid7(), "old": old.id, "manifest": json.dumps(manifest)}
        columns = [c.name for c in Version.__table__.columns if c.name not in ("id", "version", "manifest", "digest")]
        names = ", ".join(columns)
        session.execute(
            text(
                f"INSERT INTO module_versions (id, version, manifest, digest, {names}) "  # our own columns
                f"SELECT :id, '0.9.0', CAST(:manifest AS jsonb), repeat('e', 64), {names} FROM module_versions WHERE id = :old"
            ),
            values,
        )
    page = replayed(ada)
    [choice] = [option for option in page.html.select("#version option") if option.get_text() == "0.9.0"]
    assert page.html.select("#version option[selected]")[0].get_text() == "1.0.0"
    assert answers(replayed(ada, version=str(choice["value"])))[1][0] in ("403", "404")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/api/modules/logged/things", {"method": "POST"}),
        ("/api/modules/logged/fn/greet", {"method": "POST"}),
        ("/api/modules/logged/events", {}),
        ("/api/modules/logged/files/x", {}),
        ("/api/modules/logged/things/x", {}),
    ],
)
def test_what_may_write_or_was_not_kept_is_not_asked_again(
    ada: Browser, called: Any, path: str, values: dict[str, str]
) -> None:
    called(path, **values)
    page = ada.get("/logs?kind=request")
    assert page.html.select(".log-acts [name=line]") == []
    line = str(page.html.select(".log-acts .link")[0]["href"]).partition("line=")[2]
    assert ada.post("/logs/replay", {"line": line}).status == 404


@pytest.mark.parametrize("how", ["revoked", "expired", "another site"])
def test_a_key_that_reads_nothing_any_more_reads_nothing_here(
    ada: Browser, called: Any, key: ApiKey, world: World, agency: Agency, how: str
) -> None:
    called("/api/modules/logged/things")
    elsewhere = world.site(agency)
    change = {
        "revoked": {"revoked_at": utcnow()},
        "expired": {"expires_at": utcnow() - timedelta(hours=1)},
        "another site": {"site_id": elsewhere.id},
    }
    with platform_scope("test world"), transaction(db.session()) as session:
        row = session.get_one(ApiKey, key.id)
        for name, value in change[how].items():
            setattr(row, name, value)
    assert replayed(ada).status == 409


def test_who_may_replay(
    ada: Browser, browse: Browse, world: World, agency: Agency, called: Any, config: Config
) -> None:
    called("/api/modules/logged/things")
    line = str(ada.get("/logs?kind=request").html.select(".log-acts [name=line]")[0]["value"])
    others = [browse(world.person(agency, Role.MEMBER)), browse(world.person(world.agency()))]
    assert [one.post("/logs/replay", {"line": line}).status for one in others] == [403, 404]
    assert ada.post("/logs/replay", {"line": "x"}).status == 404
