"""What a template's author gets: strict values, own filters, includes, and mistakes at their file and line."""

from __future__ import annotations

from typing import Any

import pytest

from app.runtime.sandbox.pool import Sandbox, SandboxInput, TemplateError

SITE = {"timezone": "Europe/Berlin", "locale": "de", "currency": "EUR"}


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("{{ '2026-07-01T10:00:00Z'|date }}", "1. Juli 2026"),
        ("{{ '2026-07-01T23:30:00Z'|date('short') }}", "2026-07-02"),  # it is tomorrow in Berlin
        ("{{ '2026-07-01'|date }}", "1. Juli 2026"),  # a date has no zone
        ("{{ '2026-07-01T10:00:00Z'|time }}", "12:00"),
        ("{{ '2026-07-01T10:00:00Z'|datetime(locale='en', zone='UTC') }}", "1 July 2026 10:00"),
        ("{{ 125000|money }}", "1.250,00\u00a0€"),
        ("{{ 125000|money('USD', locale='en') }}", "$1,250.00"),
        ("{{ {'amount': 5, 'currency': 'KWD'}.amount|money('KWD') }}", "0,005\u00a0KWD"),
        ("{{ price|money }}", "9,99\u00a0$"),
        ("{{ 1234567.5|number }}", "1.234.567,5"),
        ("{{ 0.5|number(2) }}", "0,50"),
        ("{{ none|date }}{{ none|money }}{{ none }}{{ empty }}", ""),
        ("{{ 'a\nb'|nl2br }}", "a<br>\nb"),
        ("{{ 'one two three'|truncate(9) }}", "one two…"),
        ("{{ 'Grüße & Küsse'|slugify }}", "grue-kusse"),
        ("{{ 'a b&c'|urlencode }}", "a%20b%26c"),
        ("{{ missing|default('x') }}", "x"),
        ("{{ [3, 1, 2]|sort|join('-') }}", "1-2-3"),
        ("{{ rows|map(attribute='n')|join(', ') }}", "1, 2"),
        ("{{ rows|join(', ', attribute='n') }}", "1, 2"),
        ("{{ rows|selectattr('n', 'gt', 1)|list|length }}", "1"),
        ("{% for batch in [1, 2, 3]|batch(2) %}[{{ batch|join }}]{% endfor %}", "[12][3]"),
        ("{{ 'abc'|replace('b', '-') }}{{ 'abcd'|slice(1, 3) }}", "a-cbc"),
        ("<p data-x='{{ rows|tojson }}'>", '<p data-x=\'[{"n": 1}, {"n": 2}]\'>'),
        ("{{ user.items }}", "mine"),  # a field is not hidden by a method
        ("{% for key, value in rows[0]|items %}{{ key }}={{ value }}{% endfor %}", "n=1"),
        ("{{ 'yes' if 'n' in rows[0] and rows|length == 2 }}", "yes"),
    ],
)
def test_filters_and_values(render, source: str, page: str) -> None:
    context = {
        "site": SITE,
        "rows": [{"n": 1}, {"n": 2}],
        "empty": None,
        "user": {"items": "mine"},
        "price": {"amount": 999, "currency": "USD"},
    }
    assert render(source, context) == page


def test_html_is_escaped_and_plain_text_is_not(render) -> None:
    assert render("<b>{{ x }}</b>", {"x": "<i>&\"'"}) == "<b>&lt;i&gt;&amp;&quot;&#x27;</b>"
    assert render("Dear {{ x }}", {"x": "<i>&"}, name="mail.txt") == "Dear <i>&"


def test_templates_of_the_package_build_on_each_other(render) -> None:
    others = {
        "base.html": "<main>{% block body %}{% endblock %}</main>",
        "parts/row.html": "<li>{{ row.n }}</li>",
        "macros.html": "{% macro badge(text) %}<em>{{ text }}</em>{% endmacro %}",
    }
    source = """{% extends "base.html" %}{% from "macros.html" import badge %}
{% block body %}{{ badge("<new>") }}{% for row in rows %}{% include "parts/row.html" %}{% endfor %}{% endblock %}"""
    assert render(source, {"rows": [{"n": 1}]}, others=others) == "<main><em>&lt;new&gt;</em><li>1</li></main>"


@pytest.mark.parametrize(
    ("source", "file", "line", "detail"),
    [
        ("a\n{{ nope }}", "page.html", 2, "There is no such value. Give it a default: {{ value | default('') }}"),
        (
            "a\n\n{{ user.nope }}",
            "page.html",
            3,
            "There is no such value. Give it a default: {{ value | default('') }}",
        ),
        (
            "{{ user.nope.more }}",
            "page.html",
            1,
            "There is no such value. Give it a default: {{ value | default('') }}",
        ),
        (
            "a\n{% include 'part.html' %}",
            "part.html",
            2,
            "There is no such value. Give it a default: {{ value | default('') }}",
        ),
        ("a\n{% include 'gone.html' %}", "page.html", 2, "tried to include non-existing template 'gone.html'"),
        ("a\n\n{% if %}", "page.html", 3, "unexpected end of block"),
        ("a\n{{ 1|nofilter }}", "page.html", 2, "filter nofilter is unknown"),
        ("a\n{{ 'soon'|date }}", "page.html", 2, "This is not a time: soon. Write it as 2026-03-01T09:30:00Z."),
        ("a\n{{ 'x'|money }}", "page.html", 2, "An amount is a whole number of minor units, such as 1250 for 12.50."),
        ("a\n{{ user.pop('name') }}", "page.html", 2, "There is no such method."),
    ],
)
def test_mistakes_stand_at_their_file_and_line(render, source: str, file: str, line: int, detail: str) -> None:
    with pytest.raises(TemplateError) as broken:
        render(source, {"user": {"name": "Ada"}}, others={"part.html": "<p>\n{{ nope }}</p>"})
    assert (broken.value.file, broken.value.line, broken.value.detail) == (file, line, detail)


def test_equal_digests_are_read_once_and_many_packages_fit(sandbox: Sandbox) -> None:
    for turn in range(2):
        for number in range(60):  # more than a worker keeps
            source = {"a.html": f"{number} {{{{ x }}}}"}
            assert (
                sandbox.render(templates=source, digest=f"many-{number}", name="a.html", context={"x": turn})
                == f"{number} {turn}"
            )


def test_a_context_that_is_too_large_is_refused(render) -> None:
    with pytest.raises(SandboxInput):
        render("{{ x }}", {"x": "x" * 1_100_000})


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("{{ anything }}{% include 'other.html' %}{{ x|money }}{{ 'a|b' }}", []),
        ("a\n {% if %}", [(2, 8, "unexpected end of block")]),
        ("a\n{{ x|upper|shout }}", [(2, 12, "There is no filter shout.")]),
        ("{% extends 'gone.html' %}", [(1, 13, "There is no template gone.html.")]),
        ("{% include 'gone.html' ignore missing %}", []),
        ("\n{% autoescape false %}{% endautoescape %}", [(2, 1, "Escaping cannot be switched off.")]),
    ],
)
def test_check_template_finds_what_is_wrong(sandbox: Sandbox, source: str, found: list[Any]) -> None:
    assert sandbox.check_template({"page.html": source, "other.html": ""}, "page.html") == found


def test_check_template_knows_a_missing_template(sandbox: Sandbox) -> None:
    assert sandbox.check_template({}, "page.html") == [(1, 1, "There is no template page.html.")]
