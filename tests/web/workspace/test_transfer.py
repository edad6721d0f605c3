"""CSV out and in: harmless to spreadsheets, checked before anything is stored, all rows or none."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import text

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from tests.support.browser import Browser, Page
from tests.support.installed import Installed
from tests.support.pages import page_faults
from tests.support.world import Person


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def rows(page: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.text.removeprefix("﻿"))))


def upload(who: Browser, jobs: Installed, content: str | bytes, name: str = "todo") -> Page:
    sent = content if isinstance(content, bytes) else content.encode()
    return who.post(f"{base(jobs)}/{name}/import", {"file": (io.BytesIO(sent), "jobs.csv")})


def problems(page: Page) -> list[list[str]]:
    return [" | ".join(cells).split(" | ") for cells in _cells(page)]


def _cells(page: Page) -> list[list[str]]:
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.html.select("#problems tbody tr")
    ]


def test_an_export_has_every_field_as_people_write_it(ada: Browser, ada_person: Person, jobs: Installed) -> None:
    crew = jobs.add("crews", name="North")
    jobs.add(
        "jobs", name="Roof", crew=crew["id"], helpers=[crew["id"]], boss=str(ada_person.id), price=129950, people=2,
        urgent=True, starts="2026-07-01T09:00:00Z", takes=5400, tags=["a", "b"], spot={"lat": 1.5, "lng": 2.0}, pin="1234",
    )  # fmt: skip
    page = ada.get(f"{base(jobs)}/todo/export.csv")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert str(page.headers["Content-Disposition"]).endswith('-todo.csv"')
    [row] = rows(page)
    wanted = {
        "Number": "J-001", "Name": "Roof", "Crew": "North", "Helpers": "North", "Boss": "Ada Bright", "Price": "1299.50",
        "Urgent": "yes", "Starts": "2026-07-01 10:00:00+01:00", "Takes": "1:30", "Tags": "a, b", "Total": "2599.00",
        "Spot": '{"lat": 1.5, "lng": 2.0}',
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    assert "Pin" not in row


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x","y")'])
def test_no_text_of_an_export_is_a_formula(ada: Browser, jobs: Installed, text: str) -> None:
    jobs.add("jobs", name=text, notes=text, tags=[text], extra=text, price=100)
    [row] = rows(ada.get(f"{base(jobs)}/todo/export.csv"))
    assert (row["Name"], row["Notes"], row["Tags"]) == (f"'{text}",) * 3
    assert not row["Extra"].startswith(("=", "+", "-", "@"))
    assert row["Price"] == "1.00"


def test_an_export_is_what_the_list_shows_or_what_is_ticked(ada: Browser, jobs: Installed) -> None:
    made = [jobs.add("jobs", name=name, state=state) for name, state in (("A", "new"), ("B", "open"), ("C", "closed"))]
    assert [row["Name"] for row in rows(ada.get(f"{base(jobs)}/todo/export.csv?sort=-name"))] == ["B", "A"]
    assert [row["Name"] for row in rows(ada.get(f"{base(jobs)}/todo/export.csv?f.state=open"))] == ["B"]
    ticked = ada.post(f"{base(jobs)}/todo", {"_act": "export", "ids": [made[0]["id"]]})
    assert [row["Name"] for row in rows(ticked)] == ["A"]


def test_an_export_of_many_pages_has_every_record_once(ada: Browser, jobs: Installed) -> None:
    for start in (0, 450):
        jobs.data.insert_many(
            "crews", [{"name": f"Crew {number:03}"} for number in range(start, min(start + 450, 601))]
        )
    found = [row["Name"] for row in rows(ada.get(f"{base(jobs)}/crews/export.csv?sort=name"))]
    assert found == [f"Crew {number:03}" for number in range(601)]


def test_an_export_can_be_imported_again(ada: Browser, ada_person: Person, jobs: Installed) -> None:
    crew = jobs.add("crews", name="=North")
    jobs.add(
        "jobs", name="-Roof", notes="a\nb", body="<p>x</p>", email="a@example.com", phone="+351912345678", weight="1.5",
        link="https://example.com/", people=3, price=1999, share="12.5", urgent=False, day="2026-01-02", at_time="10:30",
        starts="2026-07-01T09:00:00Z", takes=5400, state="open", tags=["x", "y"], paint="#1a2b3c", stars=3,
        place={"city": "Porto"}, spot={"lat": 1.5, "lng": 2.5}, opening={"mon": [["09:00", "17:00"]]},
        repeats="FREQ=DAILY", boss=str(ada_person.id), crew=crew["id"], helpers=[crew["id"]], extra={"a": [1]},
    )  # fmt: skip
    exported = ada.get(f"{base(jobs)}/todo/export.csv").response.get_data()
    preview = upload(ada, jobs, exported)
    assert problems(ada.get(str(preview.where))) == []
    assert ada.post(str(preview.where)).where == f"{base(jobs)}/todo"
    first, second = jobs.data.list("jobs", jobs.data.parse_list("jobs", [("sort", "created_at")])).records
    own = {"id", "number", "version", "created_at", "updated_at", "created_by"}
    assert {key: value for key, value in second.items() if key not in own} == {
        key: value for key, value in first.items() if key not in own
    }


def test_a_file_is_shown_before_it_is_stored_and_then_stored_whole(ada: Browser, jobs: Installed) -> None:
    jobs.add("crews", name="North")
    sent = upload(ada, jobs, "Name;Price;State;Crew;Urgent;Whatever\nRoof;12,50;Open;North;yes;x\nFloor;;;;;\n")
    page = ada.get(str(sent.where))
    assert problems(page) == []
    assert page.texts(".callout-title") == ["Every row fits"]
    assert [str(tag["value"]) for tag in page.html.select("#mapping option[selected]")] == [
        "name",
        "price",
        "state",
        "crew",
        "urgent",
        "",
    ]
    assert page.texts(".form-actions button") == ["Import 2 jobs"]
    assert page_faults(page.text, ada.app) == []
    assert jobs.data.count("jobs") == 0
    ada.post(str(sent.where))
    made = jobs.data.list("jobs", jobs.data.parse_list("jobs", [("sort", "number")])).records
    assert [(one["name"], one["price"], one["state"], one["urgent"]) for one in made] == [
        ("Roof", 1250, "open", True),
        ("Floor", None, "new", None),
    ]


def test_every_wrong_row_is_told_with_its_line_and_nothing_is_stored(ada: Browser, jobs: Installed) -> None:
    for name in ("Twice", "Twice"):
        jobs.add("crews", name=name)
    content = (
        "Name,People,State,Crew,Boss,Starts\n"
        "Fine,1,new,,,\n"
        ",2,new,,,\n"
        '"Two\nlines",x,gone,,,\n'
        "Crew,3,new,Nobody,,\n"
        "Crew,3,new,Twice,Somebody,soon\n"
        "Long,1,new,,,,,\n"
    )
    sent = upload(ada, jobs, content)
    page = ada.get(str(sent.where))
    assert page.texts(".callout-title") == ["5 rows cannot be imported"]
    assert problems(page) == [
        ["3", "Name", "is required"],
        ["5", "People", "must be a number such as 1299.50"],
        ["5", "Name", "must be one line"],
        ["5", "State", "must be one of new, open, closed"],
        ["6", "Crew", 'no record is called "Nobody"'],
        ["7", "Crew", '"Twice" names 2 records; use the id of one'],
        ["7", "Boss", 'nobody here is called "Somebody"'],
        ["7", "Starts", "must be a day and time such as 2026-03-14 09:30"],
        ["8", "–", "has 8 cells, but there are 6 headings"],
    ]
    assert page.html.select(".form-actions button") == []
    assert ada.post(str(sent.where)).status == 422
    assert jobs.data.count("jobs") == 0


def test_what_only_the_database_knows_stops_the_whole_file(ada: Browser, jobs: Installed) -> None:
    jobs.add("jobs", name="Here", key="taken")
    lines = [f"Job {number},key-{number}" for number in range(600)] + ["Last,taken"]
    sent = upload(ada, jobs, "\n".join(["name,key", *lines]))
    assert ada.get(str(sent.where)).texts(".callout-title") == ["Every row fits"]
    page = ada.post(str(sent.where))
    assert (page.status, problems(page)) == (422, [["602", "Key", "is taken already"]])
    assert jobs.data.count("jobs") == 1


def test_columns_can_be_matched_by_hand(ada: Browser, jobs: Installed) -> None:
    sent = upload(ada, jobs, "Was,Wieviel\nDach,3\n")
    assert ada.get(str(sent.where)).texts(".callout-title") == ["No column is matched with a field"]
    page = ada.get(f"{sent.where}?map=name&map=people")
    assert page.texts(".callout-title") == ["Every row fits"]
    ada.post(str(sent.where), {"map": ["name", "people"]})
    [made] = jobs.data.list("jobs").records
    assert (made["name"], made["people"]) == ("Dach", 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose a CSV file."),
        (b"name\n", "The file has headings but no rows."),
        (b"\n\n", "The file is empty."),
        (b"PK\x03\x04\x00\x00", "This is no text file. Save it as CSV and choose it again."),
        (b"name\n" + b"x\n" * 5001, "The file has 5,001 rows; at most 5,000 can be imported at once."),
        (b"name\n" + b"x" * (4 << 20), "The file is larger than 4 MiB."),
        (b",".join([b"a"] * 201) + b"\n1", "The file has more than 200 columns."),
    ],
    ids=["empty", "headings", "blank", "zip", "rows", "size", "columns"],
)
def test_a_file_that_cannot_be_read_is_told_at_once(ada: Browser, jobs: Installed, content: bytes, said: str) -> None:
    page = upload(ada, jobs, content)
    assert (page.status, page.texts("#file-error")) == (422, [said])


def test_a_file_belongs_to_who_chose_it(ada: Browser, mel: Browser, olga: Browser, jobs: Installed) -> None:
    sent = upload(ada, jobs, "name\nRoof\n")
    assert [who.get(str(sent.where)).status for who in (mel, olga)] == [404, 404]
    assert [who.post(str(sent.where)).status for who in (mel, olga)] == [404, 404]
    assert ada.get(str(sent.where)).status == 200


def test_an_export_needs_its_right_and_leaves_a_line_in_the_audit_trail(
    ada: Browser, vic: Browser, ada_person: Person, jobs: Installed
) -> None:
    jobs.add("jobs", name="Roof")
    assert vic.get(f"{base(jobs)}/todo/export.csv").status == 403
    assert ada.get(f"{base(jobs)}/todo/export.csv").status == 200
    with platform_scope("test"), transaction(db.session()) as session:
        found = session.execute(
            text("SELECT action, actor_name, target FROM audit_log WHERE agency_id = :agency AND at <= :now"),
            {"agency": ada_person.agency_id, "now": utcnow()},
        )
        assert [tuple(row) for row in found if row[0] == "records.exported"] == [
            ("records.exported", "Ada Bright", jobs.public_id)
        ]
