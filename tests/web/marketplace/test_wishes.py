"""Modules kept for later, and requests for modules that do not exist yet."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.support.packages import notes
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


def test_what_one_keeps_the_whole_agency_finds_again(world: World, ada: Person, browse: Browse) -> None:
    slug = new_slug()
    released(world.person(world.agency("Northbeam")), notes(slug), tier="public")
    vic = world.person(Agency(id=ada.agency_id), Role.VIEWER)
    lists = []
    for _ in range(2):
        browse(ada).post(f"/marketplace/{slug}/wish")
        lists.append([link["href"] for link in browse(vic).get("/wishes").html.select(".module-card h2 a")])
    assert lists == [[f"/marketplace/{slug}"], []]
    other = world.person(world.agency())
    assert browse(other).get("/wishes").html.select(".module-card") == []


def test_requests_are_voted_for_once_an_agency_and_answered_by_staff(world: World, ada: Person, browse: Browse) -> None:
    word = new_slug("rota")
    browse(ada).post("/module-requests", {"title": f"Planner {word}", "category": "hr", "text": "For kitchens."})
    where = f"/module-requests?q={word}"
    olga = browse(world.person(world.agency("Elsewhere")))
    request = str(olga.get(where).one(".request input[name=request]")["value"])
    votes = []
    for _ in range(3):
        olga.post("/module-requests/votes", {"request": request})
        votes.append(olga.get(where).texts(".request-vote button"))
    staff = browse(world.person(world.agency("Dramac"), staff_role="administrator"))
    answer = {"request": request, "state": "planned", "answer": "By spring."}
    assert staff.get(f"/staff/marketplace/requests?q={word}").texts(".card h2") == [f"Planner {word}"]
    staff.post("/staff/marketplace/requests", answer)
    page = browse(ada).get(where)
    assert votes == [["2 votes"], ["1 vote"], ["2 votes"]]
    assert (page.texts(".request .badge"), page.texts(".review-answer")) == (["Planned"], ["By spring."])
    assert olga.post("/staff/marketplace/requests", answer).status == 404


@pytest.mark.parametrize(
    "body", [{"title": "", "category": "hr"}, {"title": "T" * 101, "category": "hr"}, {"title": "T", "category": "x"}]
)
def test_a_request_says_what_it_wants(ada: Person, browse: Browse, body: dict[str, str]) -> None:
    assert browse(ada).post("/module-requests", body).status == 422


def test_one_who_only_looks_asks_for_nothing(world: World, browse: Browse) -> None:
    vic = browse(world.person(world.agency(), Role.VIEWER))
    answers = [vic.post("/module-requests", {"title": "T", "category": "hr"}), vic.post("/module-requests/votes")]
    assert [answer.status for answer in answers] == [403, 403]
