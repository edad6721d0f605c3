"""Releases that risk something wait for the platform's staff; the decision reaches the author. Withdrawing tells who has it."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.ids import decode
from app.mail.models import Mail
from app.modules.models import Module, Version
from app.studio import jobs, withdrawal
from app.studio.models import Publication
from app.studio.publishing import accessibility
from app.tenancy.models import Agency
from tests.support.packages import notes, zipped
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse

RISKY = "permissions: {personal_data: true, email: true}\n"


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def sam(world: World) -> Person:
    """Of the platform's staff."""
    return world.person(world.agency("Platform"), name="Sam Staff", staff_role="administrator")


def risky(slug: str, version: str = "1.0.0") -> dict[str, bytes]:
    files = notes(slug, version=version)
    files["module.yaml"] += RISKY.encode()
    return files


def ordered(person: Person, browse: Browse, files: dict[str, bytes], tier: str) -> str:
    """The address of a publication whose job has run."""
    browser = browse(person)
    draft = browser.post("/studio/upload", {"package": (io.BytesIO(zipped(files)), "package.zip")}).where or ""
    where = str(browser.post(f"{draft}/publish", {"tier": tier}).where)
    work(person, where)
    return where


def work(person: Person, where: str) -> None:
    with tenant_scope(person.agency_id):
        jobs.publish(str(decode("pub", where.rpartition("/")[2])))
        db.session.remove()


def status(where: str) -> tuple[str, str]:
    with platform_scope("test"), transaction(db.session()) as session:
        found = session.get_one(Publication, decode("pub", where.rpartition("/")[2]))
        return found.status, session.get_one(Version, found.version_id).status


def letters(kind: str, person: Person) -> list[str]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(session.scalars(select(Mail.subject).where(Mail.kind == kind, Mail.recipient == person.email)))


def test_a_risky_release_waits_is_let_pass_by_staff_and_then_published(
    ada: Person, sam: Person, browse: Browse
) -> None:
    slug = new_slug()
    where = ordered(ada, browse, risky(slug), "public")
    page = browse(ada).get(where)
    assert (status(where), "waits for a review" in page.text) == (("held", "draft"), True)
    staff, number = browse(sam), where.rpartition("/")[2]
    assert number in str(staff.get("/staff/releases").html)
    shown = staff.get(f"/staff/releases/{number}")
    assert (shown.status, "Keeps personal data" in shown.text, "module.yaml" in shown.text) == (200, True, True)
    assert staff.post(f"/staff/releases/{number}", {"do": "pass"}).status == 303
    work(ada, where)
    assert (status(where), browse(ada).get(f"/marketplace/{slug}").status) == (("published", "published"), 200)
    assert staff.post(f"/staff/releases/{number}", {"do": "pass"}).status == 409


def test_a_refusal_needs_a_reason_which_reaches_the_author(ada: Person, sam: Person, browse: Browse) -> None:
    where = ordered(ada, browse, risky(new_slug()), "public")
    staff, number = browse(sam), where.rpartition("/")[2]
    assert staff.post(f"/staff/releases/{number}", {"do": "refuse", "reason": "no"}).status == 422
    reason = "Say on the form what the address is kept for."
    assert staff.post(f"/staff/releases/{number}", {"do": "refuse", "reason": reason}).status == 303
    assert (status(where)[0], reason in browse(ada).get(where).text, letters("studio.refused", ada)) == (
        "refused", True, ["Notes 1.0.0 was not let pass"],
    )  # fmt: skip


def test_what_only_its_agency_sees_never_waits_and_cannot_be_opened_unseen(ada: Person, browse: Browse) -> None:
    slug = new_slug()
    where = ordered(ada, browse, risky(slug), "internal")
    assert status(where) == ("published", "published")
    with platform_scope("test"), transaction(db.session()) as session:
        version = session.get_one(
            Version, session.get_one(Publication, decode("pub", where.rpartition("/")[2])).version_id
        )
        public = session.get_one(Module, version.module_id).public_id
    answer = browse(ada).post(f"/studio/modules/{public}/tier", {"tier": "public"})
    work(ada, str(answer.where))
    assert status(str(answer.where)) == ("held", "published")


def test_staff_are_told_when_no_browser_has_seen_its_pages(
    ada: Person, sam: Person, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accessibility, "find_browser", lambda: None)
    files = risky(new_slug()) | {"templates/all.html": b"<h1>All</h1>"}
    files["module.yaml"] += b"pages: {all: {template: all.html}}\n"
    where = ordered(ada, browse, files, "public")
    said = "Accessibility was not looked at: no browser on this server."
    assert said in browse(ada).get(where).text
    shown = browse(sam).get(f"/staff/releases/{where.rpartition('/')[2]}")
    assert said in shown.one(".callout[data-tone=warn]").get_text(" ", strip=True)


def test_the_queue_is_for_staff_alone(ada: Person, browse: Browse) -> None:
    assert browse(ada).get("/staff/releases").status in (403, 404)


def test_withdrawing_names_own_sites_counts_others_and_tells_them(
    ada: Person, world: World, config: Config, browse: Browse
) -> None:
    slug, olga = new_slug(), world.person(world.agency("Elsewhere"), name="Olga")
    released(ada, notes(slug), tier="public")
    version = released(ada, notes(slug, version="1.0.1"), tier="public")
    with platform_scope("test"), transaction(db.session()) as session:
        own, other = session.get_one(Agency, ada.agency_id), session.get_one(Agency, olga.agency_id)
    installed(config, ada, world.site(own, name="Harbour Dental"), version)
    theirs = installed(config, olga, world.site(other, name="Quinta"), version)
    browser = browse(ada)
    page = browser.get(f"/studio/versions/{version.public_id}/withdraw").text
    assert ("Harbour Dental" in page, "1 site of 1 other agency" in page, "Quinta" in page, "1.0.0" in page) == (
        True, True, False, True,
    )  # fmt: skip
    reason = "Confirmations were sent twice."
    assert browser.post(f"/studio/versions/{version.public_id}/yank", {"reason": reason}).status == 303
    withdrawal.tell(str(version.id))
    assert letters("studio.withdrawn", olga) == ["Notes 1.0.1 was withdrawn by its publisher"]
    notice = browse(olga).get(f"/installs/{theirs.public_id}").text
    assert (reason in notice, "Go to 1.0.0" in notice) == (True, True)
    gone = {"version": version.public_id}
    assert browse(olga).post(f"/installs/{theirs.public_id}/upgrade", gone).status in (404, 409, 422)
