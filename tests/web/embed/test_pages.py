"""Pages that are no forms, widgets, and the assets of a package."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask import Flask

from app.config import Config
from app.db.base import db
from app.events import jobs
from app.lib.clock import utcnow
from app.runtime.pages import spam
from tests.support.modules import Installed
from tests.web.embed.conftest import Visitor, inputs


def _path(install: Installed, rest: str) -> str:
    return f"/embed/{install.public_id}/{rest}"


def test_a_page_shows_its_records_and_no_others(visitor: Visitor, workshop: Installed) -> None:
    page = visitor.get(_path(workshop, "courses"))
    assert page.status_code == 200
    assert "<h2>Pots</h2>" in page.text
    assert "€120.00" in page.text
    assert "Secret draft" not in page.text
    assert "<title>Courses · Clay House</title>" in page.text
    assert spam.STAMP not in page.text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"tag": "beginners"}, True),
        ({"tag": "others"}, False),
        ({"most": "0"}, False),
        ({"most": "many"}, True),
        ({"most": "1"}, True),
        ({"layout": "cards"}, True),
        ({"unknown": "x"}, True),
    ],
)
def test_parameters_are_read_by_type_and_wrong_ones_are_none(
    visitor: Visitor, workshop: Installed, query: dict[str, str], shown: bool
) -> None:
    page = visitor.get(_path(workshop, "courses"), query_string=query)
    assert ("<h2>Pots</h2>" in page.text) is shown
    assert ('data-layout="cards"' in page.text) is ("layout" in query)


@pytest.mark.parametrize(
    ("query", "prices"), [({"prices": "false"}, False), ({"prices": "0"}, False), ({"prices": "maybe"}, True)]
)
def test_a_boolean_parameter(visitor: Visitor, workshop: Installed, query: dict[str, str], prices: bool) -> None:
    page = visitor.get(_path(workshop, "courses"), query_string=query)
    assert ("€120.00" in page.text) is prices


@pytest.mark.parametrize(
    ("accent", "kept"),
    [("%23aa3300", "#aa3300"), ("red;}body{display:none", None), ("%23aa330", None), ("%23aa3300;x", None)],
)
def test_the_accent_is_a_colour_or_the_settings(
    visitor: Visitor, workshop: Installed, accent: str, kept: str | None
) -> None:
    page = visitor.get(f"{_path(workshop, 'courses')}?accent={accent}")
    assert f":root{{--accent:{kept or '#1d7a5f'};" in page.text
    assert "display:none" not in page.text


def test_only_the_packages_own_scripts_run(visitor: Visitor, workshop: Installed) -> None:
    page = visitor.get(_path(workshop, "courses"))
    version = workshop.context.digest[:16]
    [nonce] = re.findall(r"script-src 'nonce-([^']+)'", page.headers["Content-Security-Policy"])
    assert f'<script nonce="{nonce}" defer src="assets/js/courses.js?v={version}">' in page.text
    assert f'<link rel="stylesheet" href="assets/css/courses.css?v={version}">' in page.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("css/courses.css", "text/css; charset=utf-8"),
        ("js/courses.js", "text/javascript; charset=utf-8"),
        ("img/mark.svg", "image/svg+xml"),
    ],
)
def test_assets_are_what_their_name_says_and_nothing_else(
    visitor: Visitor, workshop: Installed, path: str, kind: str
) -> None:
    version = workshop.context.digest[:16]
    fixed = visitor.get(f"{_path(workshop, 'assets/')}{path}?v={version}")
    assert (fixed.status_code, fixed.headers["Content-Type"]) == (200, kind)
    assert fixed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert fixed.headers["X-Content-Type-Options"] == "nosniff"
    assert fixed.headers["Content-Security-Policy"].endswith("sandbox")
    assert "Set-Cookie" not in fixed.headers
    loose = visitor.get(f"{_path(workshop, 'assets/')}{path}")
    assert loose.headers["Cache-Control"] == "public, max-age=300"
    again = visitor.get(f"{_path(workshop, 'assets/')}{path}", headers={"If-None-Match": loose.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "nothing.css",
        "../module.yaml",
        "..%2Fmodule.yaml",
        "css/../../functions/check.js",
        "css",
        "%2e%2e/templates/book.html",
    ],
)
def test_nothing_but_assets_is_served(visitor: Visitor, workshop: Installed, path: str) -> None:
    assert visitor.get(f"{_path(workshop, 'assets/')}{path}").status_code in (404, 308)
    assert b"manifest" not in visitor.get(f"{_path(workshop, 'assets/')}{path}").data


def test_a_page_that_is_no_form_takes_nothing_in(visitor: Visitor, workshop: Installed) -> None:
    assert visitor.post(_path(workshop, "courses"), {"a": "b"}).status_code == 405


def test_a_widget_follows_the_theme(visitor: Visitor, workshop: Installed) -> None:
    page = visitor.get(f"{_path(workshop, 'next')}?theme=dark", headers={"Sec-Fetch-Dest": "iframe"})
    assert 'data-theme="dark" data-embedded' in page.text
    assert "Next: Pots" in page.text
    assert 'data-theme="auto"' in visitor.get(f"{_path(workshop, 'next')}?theme=pink").text


def test_booking_sends_its_event_and_calls_its_function_after_commit(
    visitor: Visitor, workshop: Installed, config: Config, platform_app: Flask
) -> None:
    page = visitor.get(_path(workshop, "book"))
    [course] = [course for course in workshop.records("courses") if course["state"] == "open"]
    stamp = spam.make_stamp(config.secret_keys, workshop.id, "book", now=utcnow(), issued=int(utcnow().timestamp()) - 9)
    words = {"course": course["id"], "name": "Ann", "email": "ann@example.com", "terms": "yes", "answers.diet": "none"}
    sent = visitor.post(_path(workshop, "book"), {**inputs(page), **words, spam.STAMP: stamp, spam.TRAP: ""})
    assert sent.status_code == 303
    assert workshop.mails() == []
    with platform_app.app_context():
        jobs.dispatch()
        db.session.remove()
    [mail] = workshop.mails()
    assert (mail["recipient"], mail["subject"]) == ("ann@example.com", "Your place: Pots")
    [booking] = workshop.records("bookings")
    assert booking["answers"] == {"diet": "none"}
    ran = {(run["function"], run["trigger"], run["outcome"]) for run in workshop.runs()}
    assert {("check", "hook", "ok"), ("confirm", "page", "ok"), ("fill", "event", "ok")} <= ran
    assert "place.requested" in workshop.events()


def test_a_box_that_must_be_ticked(visitor: Visitor, workshop: Installed, config: Config) -> None:
    [course] = [course for course in workshop.records("courses") if course["state"] == "open"]
    stamp = spam.make_stamp(config.secret_keys, workshop.id, "book", now=utcnow(), issued=int(utcnow().timestamp()) - 9)
    words = {"course": course["id"], "name": "Ann", "email": "ann@example.com", spam.STAMP: stamp}
    answer = visitor.post(_path(workshop, "book"), words)
    assert answer.status_code == 422
    assert '<p class="w-error" id="e-terms">This is required.</p>' in answer.text
    assert f'<option value="{course["id"]}" selected>' in answer.text


def test_what_a_record_holds_is_escaped_everywhere(visitor: Visitor, workshop: Installed) -> None:
    [course] = [course for course in workshop.records("courses") if course["state"] == "open"]
    hostile = '<script src="assets/js/courses.js"></script><form method="post"></form>"x'
    workshop.data().update("courses", UUID(course["id"]), {"title": hostile})
    for name in ("courses", "next", "book"):
        page = visitor.get(_path(workshop, name))
        assert page.status_code == 200
        assert page.text.count('src="assets/js/courses.js') == (1 if name == "courses" else 0)
        assert page.text.count(f'name="{spam.STAMP}"') == (1 if name == "book" else 0)
