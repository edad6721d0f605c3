"""The form of a record: every type there and back, what is wrong with it, and two people at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.browser import Browser, Page
from tests.support.installed import Installed
from tests.support.pages import page_faults
from tests.support.world import Person
from tests.web.workspace.filling import sent_by


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def record_at(module: Installed, page: Page, table: str = "jobs") -> dict[str, Any]:
    assert page.status == 303, page.errors or page.texts(".error-list li") or page.text[:2000]
    record_id = str(page.where).partition("?")[0].rpartition("/")[2]
    return module.data.get(table, record_id).values  # type: ignore[arg-type]  # a text is as good


ROUND_TRIPS = [
    ("name", {"name": "Paint"}, "Paint"),
    ("notes", {"notes": "One\r\nTwo"}, "One\nTwo"),
    ("body", {"body": "<p>Hi <b>you</b></p><script>x</script>"}, "<p>Hi <b>you</b></p>"),
    ("key", {"key": "paint-it"}, "paint-it"),
    ("email", {"email": "Ada@Example.com"}, "Ada@example.com"),
    ("phone", {"phone": "912 345 678"}, "+351912345678"),
    ("link", {"link": "https://example.com/a?b=1"}, "https://example.com/a?b=1"),
    ("people", {"people": "12"}, 12),
    ("weight", {"weight": "1,25"}, 1.25),
    ("price", {"price": "1.299,50"}, 129950),
    ("price", {"price": "1,299"}, 129900),
    ("share", {"share": "12.5"}, 12.5),
    ("urgent", {"urgent": "y"}, True),
    ("day", {"day": "2026-03-14"}, "2026-03-14"),
    ("at_time", {"at_time": "14:30"}, "14:30:00"),
    ("starts", {"starts": "2026-07-01T10:00"}, "2026-07-01T09:00:00.000000Z"),  # Lisbon in summer
    ("takes", {"takes": "1:30"}, 5400),
    ("takes", {"takes": "45 min"}, 2700),
    ("state", {"state": "open"}, "open"),
    ("tags", {"tags": "loud, wet, loud"}, ["loud", "wet"]),
    ("paint", {"paint": "#1A2B3C"}, "#1a2b3c"),
    ("stars", {"stars": "4"}, 4),
    ("place", {"place.city": "Porto", "place.country": "PT"}, {"city": "Porto", "country": "PT"}),
    ("spot", {"spot.lat": "41.15", "spot.lng": "-8.61"}, {"lat": 41.15, "lng": -8.61}),
    ("opening", {"opening.mon": "9:00-12:30, 13:30-17:00"}, {"mon": [["09:00", "12:30"], ["13:30", "17:00"]]}),
    ("repeats", {"repeats.preset": "FREQ=WEEKLY"}, "FREQ=WEEKLY"),
    ("repeats", {"repeats.preset": "custom", "repeats": "FREQ=MONTHLY;BYMONTHDAY=1"}, "FREQ=MONTHLY;BYMONTHDAY=1"),
    ("pin", {"pin": "1234"}, {"set": True}),
    ("extra", {"extra": '{"size": 3}'}, {"size": 3}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "written", "kept"), ROUND_TRIPS, ids=[f"{one[0]}-{at}" for at, one in enumerate(ROUND_TRIPS)]
)
def test_every_type_goes_through_the_form_and_comes_back_unchanged(
    ada: Browser, jobs: Installed, field: str, written: dict[str, str], kept: Any
) -> None:
    form = ada.get(f"{base(jobs)}/jobs/new")
    made = record_at(jobs, ada.post(f"{base(jobs)}/jobs/new", sent_by(form, **{"name": "Job", **written})))
    assert made[field] == kept
    again = ada.get(f"{base(jobs)}/jobs/{made['id']}/edit")
    saved = record_at(jobs, ada.post(f"{base(jobs)}/jobs/{made['id']}/edit", sent_by(again, notes="Changed")))
    assert {**saved, "version": 0, "updated_at": 0} == {**made, "notes": "Changed", "version": 0, "updated_at": 0}


def test_people_and_other_records_are_chosen_from_lists(ada: Browser, ada_person: Person, jobs: Installed) -> None:
    north, south = jobs.add("crews", name="North"), jobs.add("crews", name="South")
    form = ada.get(f"{base(jobs)}/jobs/new")
    assert form.texts("#v-crew option") == ["None", "North", "South"]
    assert form.texts("#v-boss option") == ["None", "Ada Bright"]
    sent = sent_by(form, name="Job", crew=north["id"], helpers=[south["id"], north["id"]], boss=str(ada_person.id))
    made = record_at(jobs, ada.post(f"{base(jobs)}/jobs/new", sent))
    assert (made["crew"], made["helpers"], made["boss"]) == (
        north["id"],
        [south["id"], north["id"]],
        str(ada_person.id),
    )


def test_a_record_among_many_is_found_by_its_name_with_and_without_scripts(ada: Browser, jobs: Installed) -> None:
    ids = [jobs.add("crews", name=f"Crew {number:02}")["id"] for number in range(53)]
    form = ada.get(f"{base(jobs)}/jobs/new")
    assert len(form.html.select("#v-crew option")) == 51
    found = ada.get(f"{base(jobs)}/jobs/options/crew?v-crew.find=crew+52&v-crew={ids[0]}", htmx="v-crew")
    assert found.texts("option") == ["None", "Crew 00", "Crew 52"]
    made = record_at(jobs, ada.post(f"{base(jobs)}/jobs/new", sent_by(form, **{"name": "Job", "crew.find": "crew 52"})))
    assert made["crew"] == ids[52]
    several = ada.post(f"{base(jobs)}/jobs/new", sent_by(form, **{"name": "Job", "crew.find": "crew 5"}))
    assert (several.status, several.errors) == (422, ['"crew 5" names 3 records; be more exact.'])


def test_a_form_says_everything_that_is_wrong_and_keeps_what_was_written(ada: Browser, jobs: Installed) -> None:
    form = ada.get(f"{base(jobs)}/jobs/new")
    wrong = sent_by(
        form, notes="Keep this", email="nobody", price="a lot", people="99", starts="later", takes="long", extra="{"
    )
    page = ada.post(f"{base(jobs)}/jobs/new", wrong)
    assert page.status == 422
    assert page.texts(".error-list a") == [
        "Name: Is required.",
        "Email: Must be an e-mail address such as ada@example.com.",
        "People: Must be at most 50.",
        "Price: Must be a number such as 1299.50.",
        "Starts: Must be a day and time such as 2026-03-14 09:30.",
        "Takes: Must be hours and minutes such as 1:30.",
        'Extra: Must be JSON such as {"size": 3} (line 1).',
    ]
    assert page.one("#v-notes").get_text().strip() == "Keep this"
    assert page.one("#v-price")["value"] == "a lot"
    assert page_faults(page.text, ada.app) == []
    assert jobs.data.count("jobs") == 0


def test_what_the_database_refuses_stands_at_its_field(ada: Browser, jobs: Installed) -> None:
    jobs.add("jobs", name="First", key="taken")
    form = ada.get(f"{base(jobs)}/jobs/new")
    page = ada.post(f"{base(jobs)}/jobs/new", sent_by(form, name="Second", key="taken"))
    assert (page.status, page.texts("#v-key-error")) == (422, ["Is taken already."])


def test_a_field_that_does_not_apply_is_left_alone(ada: Browser, jobs: Installed) -> None:
    form = ada.get(f"{base(jobs)}/jobs/new")
    assert json.loads(str(form.one("#v-reason-field")["data-visible-if"])) == {"v-urgent": True}
    made = record_at(jobs, ada.post(f"{base(jobs)}/jobs/new", sent_by(form, name="Calm", reason="None really")))
    assert made["reason"] is None
    made = record_at(jobs, ada.post(f"{base(jobs)}/jobs/new", sent_by(form, name="Hurry", urgent="y", reason="Rain")))
    assert made["reason"] == "Rain"


def test_a_secret_is_never_shown_is_kept_and_can_be_removed(ada: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Safe", pin="hunter2-secret")
    edit = f"{base(jobs)}/jobs/{job['id']}/edit"
    form = ada.get(edit)
    assert "hunter2" not in form.text
    assert record_at(jobs, ada.post(edit, sent_by(form, name="Safer")))["pin"] == {"set": True}
    assert record_at(jobs, ada.post(edit, sent_by(ada.get(edit), **{"pin.clear": "y"})))["pin"] == {"set": False}


def test_a_status_offers_only_where_it_may_go(ada: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Job", state="new")
    form = ada.get(f"{base(jobs)}/jobs/{job['id']}/edit")
    assert [str(tag["value"]) for tag in form.html.select("[name=v-state]")] == ["new", "open"]
    page = ada.post(f"{base(jobs)}/jobs/{job['id']}/edit", sent_by(form, state="closed"))
    assert (page.status, page.texts(".error-list a")) == (
        422,
        ['State: "new" cannot become "closed"; it can become open.'],
    )


def test_two_people_at_once_see_both_values_and_choose(ada: Browser, mel: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Roof", notes="Old", price=100)
    edit = f"{base(jobs)}/jobs/{job['id']}/edit"
    mine = ada.get(edit)
    mel.post(edit, sent_by(mel.get(edit), name="Roof of Mel", price="2.00"))
    page = ada.post(edit, sent_by(mine, name="Roof of Ada", notes="New"))
    assert page.status == 412
    assert page.texts(".callout-title") == ["Changed meanwhile by Mel Worker. Nothing of yours is saved yet."]
    lines = [page.texts(f".callout tbody tr:nth-child({at}) > *") for at in (1, 2)]
    assert lines == [["Name", "Roof of Mel", "Roof of Ada"], ["Price", "€2.00", "not changed by you"]]
    assert jobs.data.get("jobs", job["id"]).values["name"] == "Roof of Mel"
    assert page.one(".callout a")["href"] == edit
    kept = record_at(jobs, ada.post(edit, sent_by(page)))
    assert (kept["name"], kept["notes"], kept["price"]) == ("Roof of Ada", "New", 200)


def test_a_new_record_can_start_from_another_and_from_the_list(ada: Browser, jobs: Installed) -> None:
    crew = jobs.add("crews", name="North")
    job = jobs.add("jobs", name="Roof", key="roof", tags=["wet"], price=500)
    copy = ada.get(f"{base(jobs)}/jobs/new?copy={job['id']}")
    values = [copy.one(f"#v-{name}").get("value") for name in ("name", "key", "tags", "price")]
    assert values == ["Roof", "", "wet", "5.00"]
    prefilled = ada.get(f"{base(jobs)}/jobs/new?f.crew={crew['id']}&f.state=open")
    assert prefilled.texts("#v-crew option[selected]") == ["North"]
    assert prefilled.html.select("[name=v-state][checked]")[0]["value"] == "open"


def test_save_and_add_another_comes_back_to_an_empty_form(ada: Browser, jobs: Installed) -> None:
    form = ada.get(f"{base(jobs)}/crews/new")
    page = ada.post(f"{base(jobs)}/crews/new", sent_by(form, name="North", _then="another"))
    assert page.where == f"{base(jobs)}/crews/new"
    assert jobs.data.count("crews") == 1


def test_saving_through_htmx_answers_with_the_form_or_the_way_on(ada: Browser, jobs: Installed) -> None:
    form = ada.get(f"{base(jobs)}/crews/new")
    wrong = ada.post(f"{base(jobs)}/crews/new", sent_by(form, name=""), htmx="record-box")
    assert (wrong.status, wrong.html.select("html"), wrong.errors) == (422, [], ["Is required."])
    right = ada.post(f"{base(jobs)}/crews/new", sent_by(form, name="North"), htmx="record-box")
    assert (right.status, str(right.headers["HX-Redirect"]).startswith(f"{base(jobs)}/crews/")) == (200, True)


@pytest.mark.parametrize(
    "path", ["jobs/new", "jobs/{id}/edit", "jobs/{id}/move", "jobs/{id}/delete", "todo/import", "todo"]
)
def test_a_viewer_changes_nothing(vic: Browser, jobs: Installed, path: str) -> None:
    job = jobs.add("jobs", name="Mine")
    sent = {"v-name": "Theirs", "to": "open", "ids": job["id"], "_act": "delete"}
    assert vic.post(f"{base(jobs)}/{path.format(id=job['id'])}", sent).status == 403
    assert jobs.data.get("jobs", job["id"]).version == 1


def test_a_form_without_changes_writes_nothing(ada: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Same", starts="2026-03-14T10:00:30Z", weight="1.5", takes=61)
    edit = f"{base(jobs)}/jobs/{job['id']}/edit"
    assert record_at(jobs, ada.post(edit, sent_by(ada.get(edit)))) == jobs.data.get("jobs", job["id"]).values
    assert jobs.data.get("jobs", job["id"]).version == 1


def test_no_control_is_called_like_a_property_of_a_form(ada: Browser, jobs: Installed) -> None:
    """A field may be called `form`, `action` or `elements`; a control of that name would hide the form's own from scripts."""
    form = ada.get(f"{base(jobs)}/jobs/new").one("#record-form")
    names = {str(tag[key]) for tag in form.select("input, select, textarea") for key in ("name", "id") if tag.get(key)}
    assert {name for name in names if not name.startswith(("v-", "_"))} == {"csrf_token"}
