"""A module's page as HTML for other servers' pages: what is in it, what never is, and how long it may be kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from app.embed.served import part_of, structured_data
from app.lib.clock import utcnow
from app.modules.manifest.pages import Page
from app.runtime.pages import spam
from tests.support.modules import Installed
from tests.web.conftest import new_address
from tests.web.embed.conftest import BASE, Visitor

ADDRESS = "https://run.example/embed/ins_x/page"


def test_a_page_is_an_element_with_its_content_and_its_structured_data(visitor: Visitor, workshop: Installed) -> None:
    answer = visitor.get(f"/embed/{workshop.public_id}/courses.html?layout=cards&other=1&theme=dark")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=600"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    html = BeautifulSoup(answer.text, "html.parser")
    element = html.find()
    assert element is not None
    assert {name: element[name] for name in ("install", "page", "params", "theme")} == {
        "install": workshop.public_id, "page": "courses", "params": "layout=cards", "theme": "dark",
    }  # fmt: skip
    template = html.find("template", shadowrootmode="open")
    main = html.find("main", class_="served")  # soupsieve's selectors do not look into templates
    assert template is not None
    assert main is not None
    assert main.parent is template
    assert template.parent is element
    assert [title.string for title in main.find_all("h2")] == ["Pots"]
    assert main.find("ul")["data-layout"] == "cards"  # type: ignore[index]
    assert main.find("img")["src"] == f"{BASE}/embed/{workshop.public_id}/assets/img/mark.svg"  # type: ignore[index]
    assert main.find_all(["script", "link"]) == []
    assert main.get("data-complete") is None  # it has a script of its own, which only a frame may run
    sheets = [link["href"] for link in html.find_all("link")]
    assert sheets == [f"{BASE}/embed/{workshop.public_id}/assets/css/courses.css"]
    [data] = html.select("dramac-module > script[type='application/ld+json']")
    assert json.loads(data.text)["numberOfItems"] == 1
    assert html.find("style").text.count(".served") > 3  # type: ignore[union-attr]
    linked = BeautifulSoup(visitor.get(f"/embed/{workshop.public_id}/courses.html?styles=link").text, "html.parser")
    assert linked.find_all("style") == []
    assert linked.find_all("link")[0]["href"].startswith(f"{BASE}/static/dist/served.")


def test_a_form_posts_to_its_own_page_and_a_plain_widget_needs_no_frame(
    visitor: Visitor, workshop: Installed, enquiries: Installed
) -> None:
    form = BeautifulSoup(visitor.get(f"/embed/{enquiries.public_id}/contact.html").text, "html.parser").form
    assert form is not None
    assert form["action"] == f"{BASE}/embed/{enquiries.public_id}/contact"
    widget = BeautifulSoup(visitor.get(f"/embed/{workshop.public_id}/next.html").text, "html.parser")
    assert widget.find("main")["data-complete"] == f"{workshop.public_id} next  "  # type: ignore[index]


def send(visitor: Visitor, page: TestResponse, **words: str) -> TestResponse:
    """Send the form of a part as a browser without scripts does."""
    form = BeautifulSoup(page.text, "html.parser").form
    assert form is not None
    hidden = {str(one["name"]): str(one["value"]) for one in form.find_all("input", type="hidden")}
    traps = {str(one["name"]): "" for one in form.find_all("input", attrs={"tabindex": "-1"})}
    assert list(traps) == [spam.TRAP]
    return visitor.post(str(form["action"]).removeprefix(BASE), hidden | traps | words)


def test_a_form_in_a_part_is_taken_the_first_time_from_everybody_who_got_it(
    visitor: Visitor, enquiries: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = enquiries.data().insert("forms", {"name": "Rate us", "key": "feedback", "heading": "How was it?"})
    question = {"form": str(form.id), "label": "Rating", "key": "rating", "kind": "choice", "options": ["1", "5"]}
    enquiries.data().insert("questions", question)
    path = f"/embed/{enquiries.public_id}/contact.html?form=feedback&theme=dark&styles=link"
    page = visitor.get(path)
    action = BeautifulSoup(page.text, "html.parser").form["action"]  # type: ignore[index]
    assert action == f"{BASE}/embed/{enquiries.public_id}/contact?form=feedback&theme=dark"
    began = utcnow()

    def later(by_s: int) -> None:
        monkeypatch.setattr("app.embed.views.utcnow", lambda: began + timedelta(seconds=by_s))

    said = {"name": "Ann", "email": "ann@example.com", "message": "Fine", "answers.rating": "5"}
    later(30)
    for _ in "ab":  # the second is a double click
        assert send(visitor, page, **said).status_code == 303
    neighbour = replace(visitor, address=new_address())
    later(spam.PART_KEPT_S)  # the same part, handed out once more before it is over
    assert send(neighbour, page, **said).status_code == 303
    assert send(neighbour, page, **{**said, "message": "Better still"}).status_code == 303
    kept = enquiries.records("enquiries")
    assert sorted(one["message"] for one in kept) == ["Better still", "Fine", "Fine"]
    assert {one["answers"]["rating"] for one in kept} == {"5"}
    later(spam.PART_KEPT_S + spam.SHARED_S + 60)
    over = send(neighbour, page, **{**said, "message": "Late"})
    assert (over.status_code, "How was it?" in over.text, "Late" in over.text) == (422, True, True)


@pytest.mark.parametrize("name", ["book", "nothing", "confirmation"])
def test_a_page_that_is_not_for_elements_has_no_such_part(visitor: Visitor, workshop: Installed, name: str) -> None:
    assert visitor.get(f"/embed/{workshop.public_id}/{name}.html").status_code == 404


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<script>alert(1)</script>a", "a"),
        ('<p onclick="x()" style="position:fixed">a</p>', "<p>a</p>"),
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener">a</a>'),
        ('<a href="other?x=1">a</a>', '<a href="https://run.example/embed/ins_x/other?x=1" rel="noopener">a</a>'),
        ('<iframe src="https://x.example"></iframe><svg><script>x</script></svg>a', "a"),
        ("</main></template></dramac-module><b>a</b>", "<b>a</b>"),
        (
            '<form action="https://x.example"><button>a</button></form>',
            f'<form action="{ADDRESS}"><button>a</button></form>',
        ),
        ('<img src="data:text/html,x" alt="">', '<img alt="">'),
        ("<!-- a --><base href='https://x.example'>a", "a"),
        ('<button formaction="https://x.example">a</button>', "<button>a</button>"),
    ],
)
def test_nothing_of_an_author_runs_in_a_strangers_page(given: str, kept: str) -> None:
    assert part_of(given, Page(template="x.html"), address=ADDRESS).html == kept


def test_structured_data_is_json_that_cannot_leave_its_element() -> None:
    told = '<script type="application/ld+json">{"name": "\\u003c/script>\\u003cscript>alert(1)"}</script>'
    [data] = structured_data(told + '<script type="application/ld+json">not json</script>')
    assert json.loads(data) == {"name": "</script><script>alert(1)"}
    assert re.search("[<>&]", data) is None
