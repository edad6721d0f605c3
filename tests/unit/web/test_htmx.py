"""htmx requests: who is one, what they are answered, toasts, and attributes that cannot carry code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask, get_flashed_messages

from app.web.htmx import fragment, htmx_target, hx, is_htmx, respond, trigger_toast

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        (PARTIAL, True),
        ({"HX-Request": "true", "HX-Request-Type": "full"}, False),
        ({"HX-Request-Type": "partial"}, False),
    ],
)
def test_a_part_is_wanted_only_by_a_partial_htmx_request(
    gallery: Flask, headers: dict[str, str], expected: bool
) -> None:
    with gallery.test_request_context("/", headers=headers):
        assert is_htmx() is expected


@pytest.mark.parametrize(("sent", "expected"), [("main#results", "results"), ("body", None), ("", None)])
def test_the_target_is_the_id_without_its_tag(gallery: Flask, sent: str, expected: str | None) -> None:
    with gallery.test_request_context("/", headers={"HX-Target": sent}):
        assert htmx_target() == expected


def test_a_browser_is_redirected_and_htmx_gets_the_fragment(gallery: Flask) -> None:
    with gallery.test_request_context("/"):
        plain = respond(fragment="gallery/_row.html", redirect_to="/list?q=1")
        assert (plain.status_code, plain.location) == (303, "/list?q=1")
    with gallery.test_request_context("/", headers=PARTIAL):
        part = respond(fragment="gallery/_row.html", redirect_to="/list")
        assert (part.status_code, part.get_data(as_text=True)) == (200, '<p id="row">Swapped</p>')


def test_htmx_without_a_fragment_is_sent_on_by_header(gallery: Flask) -> None:
    with gallery.test_request_context("/", headers=PARTIAL):
        answer = respond(redirect_to="/list")
        assert (answer.status_code, answer.headers["HX-Redirect"], answer.get_data(as_text=True)) == (200, "/list", "")


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example", "list", "javascript:x"])
def test_redirects_never_leave_this_host(gallery: Flask, url: str) -> None:
    with gallery.test_request_context("/", headers=PARTIAL), pytest.raises(ValueError, match="stay on this host"):
        respond(redirect_to=url)


def run(gallery: Flask, headers: dict[str, str], **answer: Any) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Headers of an answer with two toasts, and what was kept for the next page."""
    with gallery.test_request_context("/", headers=headers):
        trigger_toast("success", "Grüße", "Zoë's site", undo="/undo")
        trigger_toast("error", "Second")
        response = gallery.process_response(respond(redirect_to="/list", **answer))
        return dict(response.headers), get_flashed_messages(with_categories=True)  # type: ignore[return-value]


DETAILS = [
    {"level": "success", "title": "Grüße", "text": "Zoë's site", "undo": "/undo"},
    {"level": "error", "title": "Second", "text": "", "undo": None},
]


def test_toasts_of_a_fragment_travel_in_its_header(gallery: Flask) -> None:
    headers, kept = run(gallery, PARTIAL, fragment="gallery/_row.html")
    assert json.loads(headers["HX-Trigger"]) == {"toasts": {"target": "body", "items": DETAILS}}
    assert headers["HX-Trigger"].isascii()
    assert kept == []


def test_toasts_wait_for_the_next_page_when_this_one_goes(gallery: Flask) -> None:
    for headers in ({}, PARTIAL):
        sent, kept = run(gallery, headers)
        assert "HX-Trigger" not in sent
        assert [(category, json.loads(text)) for category, text in kept] == [("toast", item) for item in DETAILS]


def test_one_block_of_a_page_is_a_fragment(in_request: Flask) -> None:
    assert fragment("layouts/studio.html", "main_class") == "wide"


def test_attributes_are_escaped_and_carry_the_nonce(in_request: Flask) -> None:
    made = hx(get='/x?a=1&b="2"', target="#y", push_url=True, vals={"a": "<'>"}, swap=None, status_5xx="target:#flash")
    with_nonce, rest = str(made).split(" ", 1)
    assert with_nonce.startswith('hx-nonce="')
    assert rest == (
        'hx-get="/x?a=1&amp;b=&#34;2&#34;" hx-target="#y" hx-push-url="true" '
        'hx-vals="{&#34;a&#34;: &#34;&lt;&#39;&gt;&#34;}" hx-status:5xx="target:#flash"'
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"on_click": "alert(1)"},
        {"vals": "js:{a:1}"},
        {"vals": " JavaScript:x"},
        {"trigger": "click[ctrlKey]"},
        {"confirm": "js:ask()"},
    ],
)
def test_attributes_that_would_run_code_are_refused(in_request: Flask, bad: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"runs code|needs eval"):
        hx(**bad)
