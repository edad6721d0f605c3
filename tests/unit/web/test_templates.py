"""Templates: all compile, none has inline code, and the gallery's pages pass the page checker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.pages import page_faults
from tests.unit.web.gallery import TEMPLATES

ALL = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
OURS = [name for name in ALL if name.startswith(("ui/", "layouts/", "errors/"))]
FORBIDDEN = {
    "an inline handler": r"<[^>{]*\son[a-z]+\s*=",
    "an inline style": r"<[^>{]*\sstyle\s*=",
    "hx-on": r"\bhx-on",
    "a javascript: address": r"javascript:",
    "an hx- attribute by hand": r"<[^>{]*\shx-(?!nonce|history-elt)[a-z-]+=",
    "a script without nonce": r"<script(?![^>]*(?:nonce|application/ld\+json|data-named))",  # data is not run
    "a style without nonce": r"<style(?![^>]*nonce)",
}


@pytest.mark.parametrize("name", OURS)
def test_it_compiles(gallery: Flask, name: str) -> None:
    gallery.jinja_env.get_template(name)


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith("email/")])
def test_it_has_nothing_that_the_policy_forbids(name: str) -> None:
    text = re.sub(r"\{#.*?#\}", "", Path(TEMPLATES, name).read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)] == []


@pytest.mark.parametrize("name", OURS)
def test_it_says_what_it_needs(name: str) -> None:
    assert "needs" in Path(TEMPLATES, name).read_text(encoding="utf-8").split("#}")[0].lower()


@pytest.mark.parametrize("name", ["home", "list", "form", "empty", "wizard", "parts", "studio", "sign-in", "runtime"])
def test_pages_made_of_the_macros_are_sound(gallery: Flask, client: FlaskClient, name: str) -> None:
    assert page_faults(client.get(f"/{name}").text, gallery) == []


BROKEN = """
<html><head><title></title><script>1</script></head><body><h1>A</h1><h1>B</h1>
<input name="q"><form method="post" action="/nowhere"></form><p id="a"></p><p id="a" style="x" onclick="y"></p>
<a href="/gone/away" hx-get="/gone/away" hx-target="#none">x</a><a href="javascript:1">y</a><label for="zzz">z</label></body></html>
"""


def test_the_checker_finds_each_kind_of_fault(gallery: Flask) -> None:
    assert sorted(page_faults(BROKEN, gallery)) == sorted(
        [
            "the page has no title",
            "the page has 2 h1",
            "id a is used twice",
            "<label> refers by for to #zzz, which is not in the page",
            "<input q> has no label",
            "<p a> has an inline style",
            "<p a> has an inline onclick",
            "<a> runs code from href",
            "<script> has no nonce",
            "<form> sends POST /nowhere, which is not a route",
            "<form> has no CSRF token",
            "<a> has no hx-nonce: use hx()",
            "<a> asks for GET /gone/away, which is not a route",
            "<a> aims at #none, which is not in the page",
            "<a> leads to /gone/away, which is not a route",
        ]
    )
