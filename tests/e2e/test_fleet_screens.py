"""The fleet in a real browser: the screens by day and by night, and the way from a selection to a run that is taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.fleet.policies import set_agency_mode
from app.fleet.rings import drive
from app.fleet.rollout_queries import rollouts_page
from app.tenancy.models import Agency
from tests.e2e.conftest import Theme, Visit
from tests.support.fleet import Fleet, new_fleet
from tests.support.world import World


@pytest.fixture
def fleet(world: World, config: Config) -> Fleet:
    made = new_fleet(world, config)
    for name in ("Harbour Dental", "Quinta da Oliveira", "Casa Verde Porto"):
        made.put_on(name)
    made.release("1.1.0", extra="      more: {type: text}")
    return made


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_fleet_screens_hold_to_policy_and_accessibility(
    address: str, visit: Callable[..., Visit], fleet: Fleet, theme: Theme, width: int
) -> None:
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        set_agency_mode(session, agency=session.get_one(Agency, fleet.agency.id), mode="minor", by=fleet.ada.actor)
    drive()
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        rollout = rollouts_page(session, agency_id=fleet.agency.id)[0][0].rollout.public_id
    broken = {}
    paths = ["/fleet", f"/fleet/modules/{fleet.slug}", "/fleet/runs", "/fleet/automatic", f"/fleet/rollouts/{rollout}"]
    seen = visit(f"{address}/fleet", theme=theme, width=width, many=True, cookies={"dramac_session": fleet.ada.cookie})
    for path in paths:
        seen.go(address + path)
        if found := seen.faults():
            broken[path] = found
    assert broken == {}


def test_from_a_selection_to_a_run_that_is_taken_back(address: str, visit: Callable[..., Visit], fleet: Fleet) -> None:
    page = visit(f"{address}/fleet?drift=behind", cookies={"dramac_session": fleet.ada.cookie}).page
    page.get_by_label("Select all", exact=True).check()
    page.get_by_role("button", name="Plan upgrade").click()
    expect(page.get_by_role("heading", name="Notes 1.0.0 → 1.1.0")).to_be_visible()
    page.get_by_role("button", name="Upgrade 3 installs").click()
    expect(page.get_by_role("heading", name="Upgrade over 3 installs")).to_be_visible()
    fleet.work(fleet.runs()[0])
    expect(page.locator("#run tbody .status", has_text="Done")).to_have_count(3)
    page.get_by_role("button", name="Undo the run").click()
    page.locator("#confirm [data-confirm-yes]").click()
    expect(page.get_by_role("heading", name="Undo over 3 installs")).to_be_visible()
    fleet.work(fleet.runs()[1])
    expect(page.locator("#run tbody .status", has_text="Done")).to_have_count(3)
    page.goto(f"{address}/fleet?drift=behind")
    expect(page.locator("tbody tr")).to_have_count(3)


SETTINGS = """settings:
  - label: Look
    fields:
      tint: {type: color, default: "#3b46c8", label: Accent colour, help: "Of buttons and links."}
      note: {type: text, label: Line under the form}
      hours: {type: hours, label: Opening hours}
"""


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_setting_goes_over_the_selected_sites(
    address: str, visit: Callable[..., Visit], fleet: Fleet, theme: str, width: int
) -> None:
    fleet.release("1.2.0", extra="      more: {type: text}", more=SETTINGS)
    for name in ("Atelier Norte", "Bakery on the Square"):
        fleet.put_on(name, "1.2.0")
    cookies = {"dramac_session": fleet.ada.cookie}
    seen = visit(f"{address}/fleet/modules/{fleet.slug}", theme=theme, width=1440, cookies=cookies)
    page = seen.page  # wide at first: lists on phones have no boxes to select by
    for name in ("Atelier Norte", "Bakery on the Square", "Casa Verde Porto"):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Set a setting").click()
    page.locator("select[name=setting]").select_option("note")
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Line under the form").fill("Closed in August")
    page.get_by_role("button", name="See what it changes").click()
    expect(page.locator("#moving tbody tr")).to_have_count(2)
    expect(page.locator("#refused li")).to_have_count(1)
    assert seen.faults() == []
    page.get_by_role("button", name="Set it on 2 sites").click()
    expect(page.get_by_text("Line under the form: Closed in August")).to_be_visible()
    fleet.work(fleet.runs()[-1])
    expect(page.locator("#run tbody .status", has_text="Done")).to_have_count(2)
    assert seen.faults() == []
