"""A visitor sends a form of a module: happy, wrong, hasty, late, too often; and what never happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.config import Config
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.runtime.pages import spam
from app.runtime.pages.submit import AGAIN, CORRECT, SLOW_DOWN, TOO_MANY
from tests.support.modules import Installed, Released, put_on
from tests.support.world import World
from tests.web.embed.conftest import Visitor, inputs

Fill = Callable[..., dict[str, str]]
WORDS = {"name": "Ann Lee", "email": "ann@example.com", "message": "Hello there", "answers__topic": "A"}


def _path(install: Installed, name: str = "contact") -> str:
    return f"/embed/{install.public_id}/{name}"


def test_the_form_is_shown_with_the_modules_own_words(visitor: Visitor, enquiries: Installed) -> None:
    page = visitor.get(_path(enquiries))
    assert page.status_code == 200
    assert "<h1>Write to us</h1>" in page.text
    assert 'name="answers.topic"' in page.text
    assert set(inputs(page)) == {"form", spam.STAMP}
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in page.headers


def test_a_sent_form_is_a_record_with_its_event_and_the_page_says_thanks(
    visitor: Visitor, enquiries: Installed, fill: Fill
) -> None:
    page = visitor.get(f"{_path(enquiries)}?theme=dark")
    sent = visitor.post(f"{_path(enquiries)}?theme=dark", fill(page, enquiries, **WORDS))
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{_path(enquiries)}?theme=dark&sent=1")
    assert "Set-Cookie" not in sent.headers
    [record] = enquiries.records("enquiries")
    assert {key: record[key] for key in ("name", "email", "message", "answers", "status", "number", "created_by")} == {
        "name": "Ann Lee", "email": "ann@example.com", "message": "Hello there", "answers": {"topic": "A"},
        "status": "new", "number": "ENQ-0001", "created_by": "visitor",
    }  # fmt: skip
    assert enquiries.events() == ["form.created", "question.created", "enquiry.created"]
    thanks = visitor.get(sent.headers["Location"])
    assert "<h1>Message sent</h1>" in thanks.text
    assert 'data-theme="dark"' in thanks.text


def test_wrong_values_come_back_with_what_was_typed_and_one_sentence_each(
    visitor: Visitor, enquiries: Installed, fill: Fill
) -> None:
    page = visitor.get(_path(enquiries))
    words = {**WORDS, "name": "", "email": "nonsense", "message": "<b>kept</b>"}
    answer = visitor.post(_path(enquiries), fill(page, enquiries, **words))
    assert answer.status_code == 422
    assert CORRECT in answer.text
    assert '<p class="w-error" id="e-name">This is required.</p>' in answer.text
    assert 'id="e-email">This must be an e-mail address such as ada@example.com.</p>' in answer.text
    assert "&lt;b&gt;kept&lt;" in answer.text
    assert "<b>kept" not in answer.text
    assert "<option selected>A</option>" in answer.text
    assert enquiries.records("enquiries") == []


def test_a_function_refuses_an_answer_at_its_input(visitor: Visitor, enquiries: Installed, fill: Fill) -> None:
    page = visitor.get(_path(enquiries))
    answer = visitor.post(_path(enquiries), fill(page, enquiries, **{**WORDS, "answers__topic": ""}))
    assert answer.status_code == 422
    assert '<p class="w-error" id="e-answers.topic">Please answer this.</p>' in answer.text
    assert enquiries.records("enquiries") == []
    assert [(run["function"], run["trigger"], run["outcome"]) for run in enquiries.runs()] == [
        ("accept", "hook", "refused")
    ]


def test_an_error_of_an_input_that_is_not_shown_is_told_at_the_top(
    visitor: Visitor, enquiries: Installed, fill: Fill
) -> None:
    page = visitor.get(_path(enquiries))
    answer = visitor.post(_path(enquiries), fill(page, enquiries, **WORDS) | {"form": str(uuid7())})
    assert answer.status_code == 422
    assert "This form does not take messages." in answer.text


def test_a_corrected_form_may_be_sent_at_once(visitor: Visitor, enquiries: Installed, fill: Fill) -> None:
    page = visitor.get(_path(enquiries))
    wrong = visitor.post(_path(enquiries), fill(page, enquiries, **{**WORDS, "name": ""}))
    again = {
        **inputs(wrong),
        spam.TRAP: "",
        "name": "Ann",
        "email": "a@example.com",
        "message": "Hi",
        "answers.topic": "B",
    }
    assert visitor.post(_path(enquiries), again).status_code == 303
    assert [record["name"] for record in enquiries.records("enquiries")] == ["Ann"]


def test_a_second_click_makes_no_second_record(visitor: Visitor, enquiries: Installed, fill: Fill) -> None:
    sent = fill(visitor.get(_path(enquiries)), enquiries, **WORDS)
    assert [visitor.post(_path(enquiries), sent).status_code for _ in range(2)] == [303, 303]
    assert len(enquiries.records("enquiries")) == 1


def test_a_filled_trap_is_thanked_and_nothing_is_kept(visitor: Visitor, enquiries: Installed, fill: Fill) -> None:
    sent = fill(visitor.get(_path(enquiries)), enquiries, **WORDS) | {spam.TRAP: "http://spam.example"}
    assert visitor.post(_path(enquiries), sent).status_code == 303
    assert enquiries.records("enquiries") == []


def test_too_fast_keeps_the_words_and_asks_again(visitor: Visitor, enquiries: Installed, fill: Fill) -> None:
    page = visitor.get(_path(enquiries))
    answer = visitor.post(_path(enquiries), fill(page, enquiries, **WORDS) | inputs(page))
    assert answer.status_code == 422
    assert SLOW_DOWN in answer.text
    assert "Hello there" in answer.text
    assert enquiries.records("enquiries") == []


@pytest.mark.parametrize("kind", ["old", "none", "forged", "of another page", "of another install"])
def test_a_stamp_that_does_not_hold_keeps_the_words_and_asks_again(
    visitor: Visitor, enquiries: Installed, fill: Fill, config: Config, kind: str
) -> None:
    now = utcnow()
    old = int((now - timedelta(hours=25)).timestamp())
    recent = int(now.timestamp()) - 60
    make = spam.make_stamp
    stamp = {
        "old": make(config.secret_keys, enquiries.id, "contact", now=now, issued=old),
        "none": "",
        "forged": make(("another secret key that is long enough",), enquiries.id, "contact", now=now, issued=recent),
        "of another page": make(config.secret_keys, enquiries.id, "other", now=now, issued=recent),
        "of another install": make(config.secret_keys, uuid7(), "contact", now=now, issued=recent),
    }[kind]
    answer = visitor.post(
        _path(enquiries), fill(visitor.get(_path(enquiries)), enquiries, **WORDS) | {spam.STAMP: stamp}
    )
    assert answer.status_code == 422
    assert AGAIN in answer.text
    assert "Hello there" in answer.text
    assert enquiries.records("enquiries") == []


def test_the_eleventh_form_of_a_minute_waits(visitor: Visitor, enquiries: Installed, fill: Fill) -> None:
    page = visitor.get(_path(enquiries))
    trap = fill(page, enquiries, **WORDS) | {spam.TRAP: "x"}
    codes = [visitor.post(_path(enquiries), trap).status_code for _ in range(11)]
    if codes[-1] == 303:  # a minute has begun meanwhile
        codes = [visitor.post(_path(enquiries), trap).status_code for _ in range(11)]
    late = visitor.post(_path(enquiries), fill(page, enquiries, **WORDS))
    assert codes[-1] == 429
    assert (late.status_code, TOO_MANY in late.text, "Hello there" in late.text) == (429, True, True)
    assert int(late.headers["Retry-After"]) > 0
    assert enquiries.records("enquiries") == []


def test_inputs_that_are_no_fields_of_the_page_are_dropped(visitor: Visitor, enquiries: Installed, fill: Fill) -> None:
    sent = fill(visitor.get(_path(enquiries)), enquiries, **WORDS) | {
        "status": "closed",
        "note": "x",
        "created_by": "y",
    }
    assert visitor.post(_path(enquiries), sent).status_code == 303
    [record] = enquiries.records("enquiries")
    assert (record["status"], record["note"], record["created_by"]) == ("new", None, "visitor")


def test_a_body_past_the_limit_is_refused(visitor: Visitor, enquiries: Installed) -> None:
    answer = visitor.post(_path(enquiries), {"message": "x" * 300_000})
    assert answer.status_code == 413
    assert enquiries.records("enquiries") == []


def test_a_record_of_another_site_cannot_be_named(
    visitor: Visitor, enquiries: Installed, enquiries_release: Released, world: World, config: Config, fill: Fill
) -> None:
    other = put_on(enquiries_release, world.site(world.agency()), config=config)
    foreign = other.data().insert("forms", {"name": "Theirs", "key": "theirs"})
    page = visitor.get(_path(enquiries))
    assert "Theirs" not in page.text
    sent = fill(page, enquiries, **WORDS) | {"form": str(foreign.id)}
    answer = visitor.post(_path(enquiries), sent)
    assert answer.status_code == 422
    assert enquiries.records("enquiries") == other.records("enquiries") == []


@pytest.mark.parametrize("status", ["paused", "provisioning", "failed"])
def test_an_install_that_does_not_serve_says_no_more_than_that(
    visitor: Visitor, enquiries: Installed, status: str
) -> None:
    enquiries.change(status=status)
    answers = [visitor.get(_path(enquiries)), visitor.post(_path(enquiries), {"name": "x"})]
    assert [answer.status_code for answer in answers] == [503, 503]
    for answer in answers:
        assert status not in answer.text
        assert "w-page" in answer.text
        assert "Set-Cookie" not in answer.headers


def test_what_is_not_there_is_told_apart_by_nobody(visitor: Visitor, enquiries: Installed) -> None:
    paths = [
        f"/embed/{encode('ins', uuid7())}/contact",
        f"/embed/{enquiries.public_id}/nothing",
        f"/embed/{enquiries.public_id}/auto-reply",  # a letter is no page
        f"/embed/{encode('ste', enquiries.site.id)}/contact",
    ]
    pages = [visitor.get(path) for path in paths]
    assert [page.status_code for page in pages] == [404] * 4
    bodies = {page.text.split("Request")[0] for page in pages}
    assert len(bodies) == 1
    enquiries.change(status="removed")
    assert visitor.get(_path(enquiries)).text.split("Request")[0] == bodies.pop()
    with pytest.raises(NotFound):
        _ = enquiries.context


@pytest.mark.parametrize(
    "value",
    ["<script>alert(1)</script>", '" onmouseover="alert(1)', "'><img src=x onerror=alert(1)>", "javascript:alert(1)"],
)
def test_what_visitors_write_is_text(visitor: Visitor, enquiries: Installed, fill: Fill, value: str) -> None:
    page = visitor.get(_path(enquiries), query_string={"form": value, "accent": value, "theme": value})
    assert value not in page.text or value == "javascript:alert(1)"
    assert "alert(1)" not in page.text
    first = visitor.get(_path(enquiries))
    answer = visitor.post(_path(enquiries), fill(first, enquiries, **{**WORDS, "name": value, "email": value}))
    assert answer.status_code == 422
    assert f'value="{value}"' not in answer.text or value == "javascript:alert(1)"
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert '" onmouseover' not in answer.text


def test_what_staff_write_is_text_as_well(visitor: Visitor, enquiries: Installed) -> None:
    [form] = enquiries.records("forms")
    from uuid import UUID

    enquiries.data().update("forms", UUID(form["id"]), {"heading": "<script>alert(1)</script>", "intro": "a\n<b>b</b>"})
    page = visitor.get(_path(enquiries))
    assert "<script>alert(1)" not in page.text
    assert "a<br>\n&lt;b&gt;b&lt;" in page.text


def test_private_fields_reach_no_template(visitor: Visitor, enquiries: Installed) -> None:
    [form] = enquiries.records("forms")
    assert form["notify"] is None
    assert "desk@example.test" not in visitor.get(_path(enquiries)).text
