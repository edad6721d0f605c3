"""One record: what is shown of it, what happened to it, what can be done with it and with many at once."""

from __future__ import annotations

from typing import Any

import pytest

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import NotFound
from app.installs.models import Install
from app.runtime.context import InstallNotReady, forget_install, load_install
from tests.support.browser import Browser, Page
from tests.support.installed import Installed
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person
from tests.web.workspace.filling import sent_by


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def toast(page: Page) -> tuple[str, str | None]:
    """The title of the notice on a page, and where its Undo leads."""
    title = page.texts("#toasts .toast-title")[0]
    undo = str(page.html.select("#toasts .toast form")[0].get("action") or "")
    return title, undo or None


def values(module: Installed, record: dict[str, Any]) -> dict[str, Any]:
    return module.data.get("jobs", record["id"]).values


def exists(module: Installed, record: dict[str, Any]) -> bool:
    try:
        return bool(values(module, record))
    except NotFound:
        return False


def test_a_record_shows_its_panels_its_facts_and_what_belongs_to_it(
    ada: Browser, ada_person: Person, jobs: Installed
) -> None:
    crew = jobs.add("crews", name="North")
    job = jobs.add("jobs", name="Roof", notes="Two\nlines", crew=crew["id"], boss=str(ada_person.id), extra={"a": 1})
    page = ada.get(f"{base(jobs)}/jobs/{job['id']}")
    assert page.heading == "Roof"
    assert page.texts(".split-main .card h2") == ["Notes", "Extra", "History"]
    assert page.texts(".split-rail .card dt")[:7] == ["State", "Crew", "Boss", "Price", "Starts", "Tags", "Pin"]
    assert page.texts(".split-rail .card dd")[:7] == ["New", "North", "AB Ada Bright", "–", "–", "–", "Not set"]
    assert page_faults(page.text, ada.app) == []
    other = ada.get(f"{base(jobs)}/crews/{crew['id']}")
    assert other.texts("#related-jobs-crew tbody .row-link") == ["J-001"]
    add = other.one("#related-jobs-crew .card-act a")["href"]
    assert ada.get(str(add)).texts("#v-crew option[selected]") == ["North"]
    assert page_faults(other.text, ada.app) == []


def test_the_history_says_who_changed_what_in_words(ada: Browser, ada_person: Person, jobs: Installed) -> None:
    north = jobs.add("crews", name="North")
    job = jobs.add("jobs", name="Roof", pin="old")
    edit = f"{base(jobs)}/jobs/{job['id']}/edit"
    ada.post(edit, sent_by(ada.get(edit), crew=north["id"], price="5", pin="new-secret"))
    ada.post(f"{base(jobs)}/jobs/{job['id']}/move", {"to": "open", "_version": "2"})
    page = ada.get(f"{base(jobs)}/jobs/{job['id']}")
    assert page.texts("#history .timeline > li > div > p") == [
        "Ada Bright changed state from New to Open",
        "Ada Bright changed it",
        "Dramac created it",
    ]
    assert page.texts("#history .steps > div") == ["Price – €5.00", "Crew – North", "Pin changed"]
    assert "new-secret" not in page.text


def test_a_status_moves_by_a_button_and_only_where_it_may(ada: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Roof")
    where = f"{base(jobs)}/jobs/{job['id']}"
    assert ada.get(where).texts(".moves button") == ["Move to open"]
    assert ada.post(f"{where}/move", {"to": "open", "_version": "1"}).where == where
    assert toast(ada.get(where)) == ("State: Open", None)
    ada.post(f"{where}/move", {"to": "new", "_version": "1"})
    assert toast(ada.get(where))[0] == "Nothing was changed"
    ada.post(f"{where}/move", {"to": "nowhere", "_version": "2"})
    assert toast(ada.get(where))[0] == "Nothing was changed"
    assert values(jobs, job)["state"] == "open"


def test_a_deleted_record_comes_back_by_undo(ada: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Roof", tags=["wet"])
    gone = ada.post(f"{base(jobs)}/jobs/{job['id']}/delete", {"in": "todo"})
    assert (gone.status, gone.where, exists(jobs, job)) == (303, f"{base(jobs)}/todo", False)
    title, undo = toast(ada.get(str(gone.where)))
    assert title == "Roof is deleted"
    back = ada.post(str(undo))
    assert back.where == f"{base(jobs)}/jobs/{job['id']}"
    assert {**values(jobs, job), "version": 0, "updated_at": 0} == {**job, "version": 0, "updated_at": 0}
    ada.post(str(undo))
    assert toast(ada.get(f"{base(jobs)}/todo"))[0] in ("Undone", "This cannot be undone any more")


def test_a_record_that_others_need_is_not_deleted(ada: Browser, jobs: Installed) -> None:
    area = jobs.add("areas", name="Harbour")
    jobs.add("crews", name="North", area=area["id"])
    where = f"{base(jobs)}/areas/{area['id']}"
    assert ada.post(f"{where}/delete").where == where
    assert toast(ada.get(where)) == ("Harbour is not deleted", None)


def test_nobody_undoes_what_another_site_did(ada: Browser, olga: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Roof")
    gone = ada.post(f"{base(jobs)}/jobs/{job['id']}/delete")
    _, undo = toast(ada.get(str(gone.where)))
    assert olga.post(str(undo)).status == 404
    assert not exists(jobs, job)


def test_programs_are_shown_only_to_people_who_see_keys(ada: Browser, mel: Browser, jobs: Installed) -> None:
    job = jobs.add("jobs", name="Roof")
    where = f"{base(jobs)}/jobs/{job['id']}"
    assert f"/jobs/{job['id']}" in ada.get(where).texts(".code-block code")[0]
    assert mel.get(where).html.select(".code-block") == []


def act(who: Browser, jobs: Installed, records: list[dict[str, Any]], **sent: str) -> Page:
    ids = [record["id"] for record in records]
    return who.post(f"{base(jobs)}/todo?sort=name", {"ids": ids, **sent})


def test_many_records_get_one_value_and_can_have_their_old_ones_back(ada: Browser, jobs: Installed) -> None:
    made = [jobs.add("jobs", name=name) for name in ("A", "B", "C")]
    done = act(ada, jobs, made[:2], _act="set", _set="state=open")
    assert (done.status, done.where) == (303, f"{base(jobs)}/todo?sort=name")
    assert [values(jobs, one)["state"] for one in made] == ["open", "open", "new"]
    title, undo = toast(ada.get(str(done.where)))
    assert title == "2 jobs changed"
    ada.post(str(undo))
    assert [values(jobs, one)["state"] for one in made] == ["new", "new", "new"]


def test_many_are_changed_all_or_none_and_the_one_in_the_way_is_named(ada: Browser, jobs: Installed) -> None:
    fine, stuck = jobs.add("jobs", name="Fine", state="open"), jobs.add("jobs", name="Stuck", state="new")
    page = act(ada, jobs, [fine, stuck], _act="set", _set="state=closed")
    assert page.status == 422
    assert page.texts(".callout li") == ['Stuck: state: "new" cannot become "closed"; it can become open']
    assert sorted(str(tag["value"]) for tag in page.html.select("[data-select][checked]")) == sorted(
        [fine["id"], stuck["id"]]
    )
    assert [values(jobs, one)["version"] for one in (fine, stuck)] == [1, 1]
    assert page_faults(page.text, ada.app) == []


def test_many_are_assigned_tagged_and_deleted(ada: Browser, ada_person: Person, jobs: Installed) -> None:
    made = [jobs.add("jobs", name=name, tags=["old"]) for name in ("A", "B")]
    act(ada, jobs, made, _act="set", _set=f"boss={ada_person.id}")
    act(ada, jobs, made, _act="tag", _tag="new one")
    assert [(values(jobs, one)["boss"], values(jobs, one)["tags"]) for one in made] == [
        (str(ada_person.id), ["old", "new one"])
    ] * 2
    gone = act(ada, jobs, made, _act="delete")
    assert [exists(jobs, one) for one in made] == [False, False]
    ada.post(str(toast(ada.get(str(gone.where)))[1]))
    assert [exists(jobs, one) for one in made] == [True, True]


@pytest.mark.parametrize(
    ("sent", "status", "problem"),
    [
        ({"_act": "set", "_set": "state=open"}, 422, "No record was chosen. Tick at least one, then try again."),
        ({"_act": "set", "_set": "", "ids": "one"}, 422, "Choose what to change."),
        ({"_act": "set", "_set": "name=Hacked", "ids": "one"}, 422, "Choose what to change."),
        ({"_act": "tag", "_tag": " ", "ids": "one"}, 422, "Write a tag first."),
        ({"_act": "format", "ids": "one"}, 400, None),
    ],
)
def test_an_act_that_makes_no_sense_changes_nothing(
    ada: Browser, jobs: Installed, sent: dict[str, str], status: int, problem: str | None
) -> None:
    job = jobs.add("jobs", name="Roof")
    if "ids" in sent:
        sent = {**sent, "ids": job["id"]}
    page = ada.post(f"{base(jobs)}/todo", sent)
    assert page.status == status
    assert problem is None or page.texts("#results .callout-title") == [problem]
    assert values(jobs, job)["version"] == 1


def test_ids_of_another_table_or_nobody_change_nothing(ada: Browser, jobs: Installed) -> None:
    job, crew = jobs.add("jobs", name="Roof"), jobs.add("crews", name="North")
    page = act(ada, jobs, [job, crew], _act="delete")
    assert (page.status, exists(jobs, job)) == (422, True)
    assert page.texts(".callout li") == ["One of the records is gone, or is not yours to change."]


def test_a_record_costs_the_same_with_one_and_with_three_around_it(
    ada: Browser, jobs: Installed, statements: Statements
) -> None:
    crew = jobs.add("crews", name="North")
    costs = []
    ada.get(f"{base(jobs)}/crews/{crew['id']}")  # the sidebar's counters are kept for a while
    for number in (1, 2):
        for _ in range(number):
            jobs.add("jobs", name="Roof", crew=crew["id"], helpers=[crew["id"]])
        with statements.counted() as platform, statements.of_modules() as module:
            assert ada.get(f"{base(jobs)}/crews/{crew['id']}").status == 200
        costs.append((len(platform), len(module)))
    assert costs[0] == costs[1]


def test_records_of_a_paused_module_are_looked_at_and_not_changed(ada: Browser, jobs: Installed) -> None:
    made = jobs.add("jobs", name="Paint the gate")
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(Install, jobs.install.id).status = "paused"
    forget_install(jobs.install.id)
    base = f"/installs/{jobs.public_id}/records"
    listed, shown = ada.get(f"{base}/jobs"), ada.get(f"{base}/jobs/{made['id']}")
    assert [page.status for page in (listed, shown)] == [200, 200]
    assert ["Paused: records can be looked at, not changed" in page.text for page in (listed, shown)] == [True, True]
    assert shown.html.select("a[href*='/edit']") == []
    assert [
        ada.get(f"{base}/jobs/new").status,
        ada.get(f"{base}/jobs/{made['id']}/edit").status,
        ada.post(f"{base}/jobs/new", {"v-name": "More"}).status,
        ada.post(f"{base}/jobs/{made['id']}/edit", {"v-name": "Other", "_version": "1"}).status,
        ada.post(f"{base}/jobs/{made['id']}/delete").status,
    ] == [403] * 5
    assert [row["name"] for row in jobs.data.list("jobs").records] == ["Paint the gate"]
    with pytest.raises(InstallNotReady):
        load_install(jobs.install.id)
