"""Case bundles: what stands in them and what never does; whom their link opens for, and how long."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.support.cases.actions import forget_old, make_case
from app.support.cases.links import link_text
from app.support.cases.models import CaseBundle
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.support.test_logs import MODULE, Writer

CANARY = "c4n4ryZx81q0"


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ours(world: World, agency: Agency) -> Installed:
    return put_on_site(agency, world.site(agency), MODULE)


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


@pytest.fixture
def sam(browse: Browse, world: World) -> Browser:
    return browse(world.person(world.agency("Dramac"), Role.MEMBER, name="Sam Reyes", staff_role="support"))


def made(ada: Browser, ours: Installed, *, whom: str = "support", days: str = "7") -> str:
    """Path of the link of a new bundle."""
    path = f"/installs/{ours.public_id}/cases"
    assert ada.post(path, {"note": "It fails", "for": whom, "days": days}).status == 303
    return str(ada.get(path).html.select("#cases [data-copy]")[0]["data-copy"]).removeprefix("http://localhost:8000")


def test_a_bundle_tells_what_happened_without_secrets_and_people(
    ada: Browser, sam: Browser, agency: Agency, ours: Installed
) -> None:
    write = Writer(agency, Site(id=ours.install.site_id))
    of_it = {"install_id": ours.install.id}
    request_id = write.request("/api/things", status=500, user_agent=f"Bearer {CANARY}", ip="192.0.2.77", **of_it)
    write.run("greet", outcome="error", error=f"token={CANARY} of joe@example.test", **of_it)
    write.mail("ENQ-0017: Yuki Tanaka", kind="module.letter", **of_it)
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(
            text("UPDATE modules_v2 SET settings = CAST(:s AS jsonb), secrets = CAST(:x AS jsonb) WHERE id = :id"),
            {"s": json.dumps({"accent": "#fff", "reply_to": "joe@example.test", "api_token": CANARY}),
             "x": json.dumps({"stripe_key": f"v1.{CANARY}"}), "id": ours.install.id},
        )  # fmt: skip
    link = made(ada, ours)
    page = sam.get(link)
    assert page.heading == "Logged on Harbour Dental"
    content = json.loads(sam.get(f"{link}?as=json").text)
    assert content["settings"] == {
        "accent": "#fff", "reply_to": "[e-mail]", "api_token": "[redacted]", "stripe_key": "[redacted]",
    }  # fmt: skip
    assert [(line["kind"], line["title"]) for line in content["log"]] == [
        ("mail", "module.letter"), ("run", "greet route"), ("request", "GET /api/things"),
    ]  # fmt: skip
    assert [line["request_id"] for line in content["errors"]] == ["", request_id]
    assert content["install"]["version"]["version"] == "1.0.0"
    assert content["health_24_h"]["calls_failed"] == 1
    packed = zipfile.ZipFile(io.BytesIO(sam.get(f"{link}?as=zip").response.get_data()))
    assert (packed.namelist(), json.loads(packed.read("case.json"))) == (
        ["case.json", "errors.jsonl", "log.jsonl"],
        content,
    )
    everything = page.text + json.dumps(content) + packed.read("log.jsonl").decode()
    assert [word for word in (CANARY, "joe@example.test", "192.0.2.77", "Tanaka") if word in everything] == []
    trail = ada.get("/audit").texts("#audit tbody tr")
    assert [("Sam Reyes" in line, "Case bundle opened" in line) for line in trail[:1]] == [(True, True)]


def test_a_link_opens_for_whom_it_was_made(
    ada: Browser, sam: Browser, browse: Browse, world: World, agency: Agency, ours: Installed
) -> None:
    tom = world.person(agency, Role.VIEWER, name="Tom")
    others = [browse(world.person(agency, Role.ADMIN)), browse(world.person(world.agency()))]
    for_tom, for_support = made(ada, ours, whom=tom.actor.ref), made(ada, ours)
    assert (for_tom.startswith("/cases/"), for_support.startswith("/staff/cases/")) == (True, True)
    assert [one.get(for_tom).status for one in (browse(tom), ada, sam, *others)] == [200, 200, 404, 404, 404]
    assert [one.get(for_support).status for one in (sam, ada, *others)] == [200, 404, 404, 404]
    # the staff's address with the signature of a bundle that is not theirs: the database shows it nothing
    assert sam.get(for_tom.replace("/cases/", "/staff/cases/")).status == 404
    assert browse().get(for_support).where == f"/sign-in?next={for_support}"


def test_who_makes_a_bundle_for_support_sees_exactly_what_is_sent(ada: Browser, sam: Browser, ours: Installed) -> None:
    link = made(ada, ours)
    own = str(ada.get(f"/installs/{ours.public_id}/cases").one("#cases td a")["href"])
    assert own == link.replace("/staff/cases/", "/cases/")
    assert (ada.get(own).status, ada.get(f"{own}?as=json").text) == (200, sam.get(f"{link}?as=json").text)
    assert sam.get(own).status == 404


def test_a_bundle_for_the_modules_publisher_opens_for_its_makers_while_it_lasts(
    ada: Browser, sam: Browser, browse: Browse, world: World, agency: Agency
) -> None:
    publisher = world.agency("Workshop")
    ours = put_on_site(agency, world.site(agency), MODULE, publisher=publisher)
    path = f"/installs/{ours.public_id}/cases"
    assert ada.get(path).texts("#for option") == [
        "Dramac’s support",
        "Another agency, who publishes the module",
        "Ada Bright",
    ]
    link = made(ada, ours, whom="publisher")
    pat = browse(world.person(publisher, Role.DEVELOPER, name="Pat Voss"))
    others = [browse(world.person(publisher, Role.VIEWER)), browse(world.person(world.agency(), Role.OWNER)), sam]
    assert [one.get(link).status for one in (pat, *others)] == [200, 404, 404, 404]
    assert pat.get(link).heading == "Logged on Harbour Dental"
    assert sam.get(link.replace("/cases/", "/staff/cases/")).status == 404
    assert [pat.get(where).status for where in (path, f"/installs/{ours.public_id}/logs")] == [404, 404]
    opened = [line for line in ada.get("/audit").texts("#audit tbody tr") if "Case bundle opened" in line]
    assert len(opened) == 2
    assert "Pat Voss (Workshop)" in opened[0]
    row = ada.get(path).texts("#cases tbody td")
    assert (row[1], row[2] != "Never") == ("The module’s publisher", True)
    form = str(ada.get(path).one("#cases form")["action"])
    assert ada.post(form).status == 303
    assert pat.get(link).status == 404


@pytest.mark.parametrize("how", ["revoked", "expired", "changed", "unsigned", "nonsense"])
def test_a_link_ends(
    ada: Browser, sam: Browser, ours: Installed, agency: Agency, ada_person: Person, platform_app: Any, how: str
) -> None:
    link = made(ada, ours)
    assert sam.get(link).status == 200
    if how == "revoked":
        form = str(ada.get(f"/installs/{ours.public_id}/cases").one("#cases form")["action"])
        assert ada.post(form).status == 303
    elif how == "expired":
        link = f"/staff/cases/{_old(ours, ada_person, platform_app, days_ago=2)}"
    else:
        last = "A" if link[-1] != "A" else "B"
        link = {"changed": link[:-1] + last, "unsigned": link.partition(".")[0], "nonsense": "/staff/cases/x"}[how]
    assert [sam.get(link).status, sam.get(f"{link}?as=zip").status] == [404, 404]


def _old(ours: Installed, ada: Person, app: Any, *, days_ago: int) -> str:
    """The last part of the link of a bundle for support that held for a day."""
    with tenant_scope(ada.agency_id, user_id=ada.id), transaction(db.session()) as session:
        case = make_case(
            session, install=session.get_one(Install, ours.install.id), note="It fails", for_user_id=None, days=1,
            by=ada.actor, now=utcnow() - timedelta(days=days_ago),
        )  # fmt: skip
        return link_text(app.config["DRAMAC"].secret_keys, case.id)


@pytest.mark.parametrize("form", [{"note": " "}, {"note": "x" * 501}, {"days": "90"}, {"for": "usr_x"}, {"for": ""}])
def test_a_bundle_needs_a_note_an_end_and_somebody(ada: Browser, ours: Installed, form: dict[str, str]) -> None:
    given = {"note": "It fails", "for": "support", "days": "1", **form}
    page = ada.post(f"/installs/{ours.public_id}/cases", given)
    wrong = next(iter(form))
    assert (page.status, page.heading, len(page.errors)) == (422, "Logged", 1)
    assert page.one(f"#case-form [name={wrong}]")["aria-invalid"] == "true"
    if wrong != "note":
        assert page.one("#case-form [name=note]").get_text() == "It fails"


def test_a_bundle_is_made_for_nobody_outside(ada: Browser, world: World, ours: Installed) -> None:
    olga = encode("usr", world.person(world.agency()).id)
    given = {"note": "It fails", "for": olga, "days": "1"}
    assert ada.post(f"/installs/{ours.public_id}/cases", given).status == 422


def test_bundles_are_forgotten_thirty_days_after_their_end(
    ours: Installed, ada_person: Person, platform_app: Any
) -> None:
    for days_ago in (32, 29):
        _old(ours, ada_person, platform_app, days_ago=days_ago)
    forget_old()
    with tenant_scope(ada_person.agency_id), transaction(db.session()) as session:
        left = session.scalars(select(CaseBundle).where(CaseBundle.install_id == ours.install.id)).all()
    assert [(utcnow() - case.created_at).days for case in left] == [29]
