"""Home and the agency's settings."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events.catalog import KEY_CREATED
from app.events.outbox import publish
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser
from tests.support.files import picture
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.tenancy.test_members import age_invitations, invite, new_address
from tests.web.tenancy.test_sites import events_of, trail_of


def kept(agency: Agency) -> Agency:
    with platform_scope("test"), transaction(db.session()) as session:
        row = session.get_one(Agency, agency.id)
        session.expunge(row)
        return row


def test_a_new_agency_is_told_where_to_begin(ada: Browser) -> None:
    page = ada.get("/")
    assert page.texts(".empty-state h2") == ["Welcome to Studio Lumen"]
    assert [str(a["href"]) for a in page.html.select(".empty-act a")] == ["/clients/new"]


def test_a_viewer_of_a_new_agency_is_offered_nothing_to_create(vic: Browser) -> None:
    assert vic.get("/").html.select(".empty-act a") == []


def test_home_shows_sites_without_modules_and_what_happened(ada: Browser, site: Site) -> None:
    ada.post(f"/sites/{site.public_id}/archive")
    ada.post(f"/sites/{site.public_id}/restore")
    page = ada.get("/")
    assert page.texts("#attention .row-list-text a") == ["Harbour Dental has no module yet"]
    assert page.ids("#newest-sites tbody tr") == [site.public_id]
    assert [text.split(":")[0] for text in page.texts("#activity .timeline li p:first-child")] == [
        "Site restored",
        "Site archived",
    ]


def test_home_shows_three_of_a_kind_and_how_many_more(ada: Browser, world: World, agency: Agency) -> None:
    for _ in range(5):
        world.site(agency)
    page = ada.get("/")
    assert len(page.texts("#attention .row-list-text a")) == 3
    assert page.texts("#attention .row-list-more") == ["2 more sites without a module"]


@pytest.mark.parametrize(("role", "shown"), [(Role.OWNER, 1), (Role.MEMBER, 0)])
def test_expired_invitations_concern_only_those_who_can_do_something(
    ada: Browser, browse: Browse, world: World, agency: Agency, site: Site, role: Role, shown: int
) -> None:
    invite(ada, new_address())
    age_invitations(agency, timedelta(days=8))
    page = browse(world.person(agency, role)).get("/")
    assert page.texts("#attention .badge").count("Expired") == shown


def test_activity_shows_only_what_ones_role_may_read_of(
    ada: Browser, browse: Browse, world: World, agency: Agency, ada_person: Person, site: Site
) -> None:
    with tenant_scope(agency.id), transaction(db.session()) as session:
        publish(session, KEY_CREATED, by=ada_person.actor, agency_id=agency.id, target_name="Reports")
    rows = {
        role: browse(world.person(agency, role)).get("/").texts("#activity .timeline li p:first-child")
        for role in (Role.DEVELOPER, Role.VIEWER)
    }
    assert rows == {Role.DEVELOPER: ["API key created: Reports"], Role.VIEWER: []}


def test_settings_are_saved_with_event_and_audit(ada: Browser, agency: Agency, ada_person: Person) -> None:
    sent = {"name": "Studio Luminous", "hue": "4", "time_zone": "Europe/Oslo", "currency": "NOK"}
    answer = ada.post("/settings", sent)
    assert (answer.status, answer.where) == (303, "/settings")
    row = kept(agency)
    assert (row.name, row.hue, row.time_zone, row.currency) == ("Studio Luminous", 4, "Europe/Oslo", "NOK")
    assert events_of(agency) == [("agency.changed", agency.public_id, ada_person.actor.ref)]
    assert trail_of(agency)[0][2] == {
        "name": ["Studio Lumen", "Studio Luminous"],
        "hue": [1, 4],
        "time_zone": ["UTC", "Europe/Oslo"],
        "currency": ["EUR", "NOK"],
    }
    page = ada.get("/sites")
    assert page.texts(".side-head .workspace-text b") == ["Studio Luminous"]


def test_a_new_site_begins_with_the_agencys_zone_and_currency(ada: Browser, world: World, agency: Agency) -> None:
    world.client(agency)
    ada.post("/settings", {"name": "S", "hue": "1", "time_zone": "Europe/Oslo", "currency": "NOK"})
    page = ada.get("/sites/new")
    chosen = [str(option["value"]) for option in page.html.select("#site-form option[selected]")]
    assert (chosen[0], chosen[-1]) == ("Europe/Oslo", "NOK")


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"hue": "11"}, {"hue": "x"}, {"time_zone": "Mars"}, {"currency": "ZZZ"}, {"hue": ""}]
)
def test_settings_that_make_no_sense_are_not_saved(ada: Browser, agency: Agency, change: dict[str, Any]) -> None:
    sent = {"name": "Other", "hue": "4", "time_zone": "UTC", "currency": "EUR", **change}
    page = ada.post("/settings", sent, htmx="settings-box")
    assert page.status == 422
    assert kept(agency).name == "Studio Lumen"


@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.DEVELOPER, 403), (Role.MEMBER, 403)]
)
def test_who_may_open_the_settings(browse: Browse, world: World, agency: Agency, role: Role, status: int) -> None:
    assert browse(world.person(agency, role)).get("/settings").status == status


def test_the_sidebar_shows_only_where_one_may_go(ada: Browser, vic: Browser) -> None:
    owner, viewer = (browser.get("/").texts(".side-nav a span") for browser in (ada, vic))
    assert {"Home", "Sites", "Clients", "Members", "Audit trail", "Settings"} <= set(owner)
    assert {"Audit trail", "Settings", "API keys", "Logs"} & set(viewer) == set()


def test_the_sidebar_counts_anew_after_a_change(ada: Browser, world: World, agency: Agency) -> None:
    first = ada.get("/")
    assert first.html.select(".side-nav .cnt") == []
    ada.post("/clients/new", {"name": "Vinyl Ltd"})
    assert ada.get("/").texts(".side-nav a[href='/clients'] .cnt") == ["1"]


def test_a_logo_is_drawn_anew_shown_to_everybody_and_taken_away(ada: Browser, vic: Browser, agency: Agency) -> None:
    assert ada.post("/settings/logo", {"logo": (BytesIO(picture(size=(900, 200))), "logo.png")}).status == 303
    digest = kept(agency).logo
    page = ada.get("/settings")
    assert page.html.select("#logo-card img")[0]["src"] == f"/brand/{digest}.webp"
    shown = vic.get(f"/brand/{digest}.webp")
    assert (shown.status, shown.headers["Content-Type"], shown.headers["Cache-Control"]) == (
        200, "image/webp", "public, max-age=31536000, immutable",
    )  # fmt: skip
    with Image.open(BytesIO(shown.response.get_data())) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (512, 114))
    assert ada.post("/settings/logo/remove").status == 303
    assert kept(agency).logo == ""
    assert [changes for _, _, changes in trail_of(agency) if "logo" in changes] == [
        {"logo": ["", digest[:12]]}, {"logo": [digest[:12], ""]}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (
            {"logo": (BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "logo.svg")},
            "This is no JPEG, PNG, WebP or GIF",
        ),
        ({}, "Choose a picture first."),
    ],
)
def test_what_is_no_picture_is_no_logo(ada: Browser, agency: Agency, sent: dict[str, Any], told: str) -> None:
    page = ada.post("/settings/logo", sent)
    assert (page.status, told in page.text, kept(agency).logo) == (422, True, "")


def test_a_viewer_sets_no_logo_and_made_up_names_are_none(vic: Browser, agency: Agency) -> None:
    assert vic.post("/settings/logo", {"logo": (BytesIO(picture(size=(900, 200))), "logo.png")}).status == 403
    assert kept(agency).logo == ""
    for name in ("0" * 64, "..%2f..%2fsecret", "zz"):
        assert vic.get(f"/brand/{name}.webp").status == 404
