"""Templates that try to hang, to swallow memory, to reach Python or to write unescaped text. Each is stopped."""

from __future__ import annotations

import os
import time

import pytest

from app.runtime.sandbox.pool import (
    Sandbox,
    SandboxDied,
    SandboxError,
    SandboxMemory,
    SandboxOutput,
    SandboxTimeout,
    TemplateError,
)

DEADLINE_S = 0.4
REFUSED = (TemplateError,)
HOG = (TemplateError, SandboxTimeout, SandboxMemory, SandboxOutput, SandboxDied)
CONTEXT = {"user": {"name": "Ada", "tags": ["a", "b"]}, "rows": [{"n": 1}, {"n": 2}], "text": "<b>"}
DOUBLE = (
    "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}"
)

ATTACKS = {
    "nested loops": ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", REFUSED),
    "endless range": ("{{ range(1000000000)|length }}", REFUSED),
    "range as a list": ("{% for a in range(9999) %}{{ range(9999)|list|length }}{% endfor %}", HOG),
    "repeated string": ("{{ 'x' * 1000000000 }}", HOG),
    "repeated list": ("{{ ([1] * 1000000000)|length }}", HOG),
    "string doubling": (DOUBLE, HOG),
    "list doubling": (DOUBLE.replace("'xxxxxxxx'", "[1, 1]").replace("~", "+"), HOG),
    "doubling in macros": (
        "{% macro m(x, n) %}{% if n %}{{ m(x ~ x, n - 1) }}{% endif %}{% endmacro %}{{ m('xxxxxxxx', 60) }}",
        HOG,
    ),
    "output": ("{% for a in range(9999) %}{{ 'x' * 1000 }}{% endfor %}", (SandboxOutput, TemplateError)),
    "block that is too large": (
        "{% set big %}{% for a in range(9999) %}{{ 'x' * 99999 }}{% endfor %}{% endset %}{{ big|length }}",
        HOG,
    ),
    "width in a format": ("{{ '%999999999d'|format(1) }}", REFUSED),
    "width in str.format": ("{{ '{:>999999999}'.format(1) }}", REFUSED),
    "center": ("{{ 'x'|center(999999999) }}", REFUSED),
    "indent": ("{{ 'x\n'|indent(999999999) }}", REFUSED),
    "wordwrap": ("{{ 'x'|wordwrap(1, wrapstring='x' * 99999) }}", REFUSED),
    "join that grows": ("{{ range(9999)|join('x' * 99999) }}", REFUSED),
    "replace that grows": ("{{ ('a' * 9999)|replace('a', 'b' * 9999) }}", REFUSED),
    "batch": ("{{ [1]|batch(999999999, 'x') }}", REFUSED),
    "slice": ("{{ [1]|slice(999999999, 'x', 1) }}", REFUSED),
    "truncate": ("{{ 'x'|truncate(999999999999) }}", REFUSED),
    "sort of much": ("{% for a in range(9999) %}{{ range(9999)|sort|length }}{% endfor %}", HOG),
    "recursion of a macro": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", REFUSED),
    "recursion of a loop": ("{% for x in rows recursive %}{{ loop(rows) }}{% endfor %}", REFUSED),
    "recursion of an include": ("{% include 'page.html' %}", REFUSED),
    "recursion of extends": ("{% extends 'page.html' %}", REFUSED),
    "deep brackets": ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", REFUSED),
    "deep lists": ("{{ " + "[" * 5000 + "]" * 5000 + " }}", REFUSED),
    "big power": ("{{ 10 ** 100000 }}", REFUSED),
    "division by nothing": ("{{ 1 // 0 }}", REFUSED),
    "class of a text": ("{{ ''.__class__ }}", REFUSED),
    "class of an object": ("{{ user.__class__.__mro__ }}", REFUSED),
    "class through attr": ("{{ user|attr('__class__') }}", REFUSED),
    "class through brackets": ("{{ user['__class__'] }}", REFUSED),
    "what an object hides": ("{{ user._held }}", REFUSED),
    "class through map": ("{{ rows|map(attribute='__class__')|first }}", REFUSED),
    "method that changes an object": ("{{ user.update(name='Eve') }}", REFUSED),
    "method that changes a list": ("{{ user.tags.append('c') }}", REFUSED),
    "method of a text": ("{{ text.upper() }}", REFUSED),
    "globals of a macro": ("{% macro m() %}{% endmacro %}{{ m.__globals__ }}", REFUSED),
    "globals of cycler": ("{{ cycler.__init__.__globals__ }}", REFUSED),
    "debug": ("{{ debug() }}", REFUSED),
    "self": ("{{ self._TemplateReference__context }}", REFUSED),
    "state": ("{{ state }}", REFUSED),
    "escaping off": ("{% autoescape false %}{{ text }}{% endautoescape %}", REFUSED),
    "escaping off, spaced": ("{%-  autoescape false -%}{{ text }}{% endautoescape %}", REFUSED),
    "escaping off in an include": ("{% include 'other.html' %}", REFUSED),
    "safe": ("{{ text|safe }}", REFUSED),
    "include of a file": ("{% include '/etc/passwd' %}", REFUSED),
    "include above": ("{% include '../secrets.html' %}", REFUSED),
    "import of a module": ("{% import 'os' as os %}", REFUSED),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_stopped_and_its_neighbours_go_on(sandbox: Sandbox, name: str) -> None:
    source, stopped_by = ATTACKS[name]
    before, started = os.getpid(), time.monotonic()
    templates = {"page.html": source, "other.html": "{% autoescape false %}{{ text }}{% endautoescape %}"}
    with pytest.raises(SandboxError) as stopped:
        sandbox.render(templates=templates, digest=name, name="page.html", context=CONTEXT, busy_s=DEADLINE_S)
    assert type(stopped.value) in stopped_by
    assert time.monotonic() - started < DEADLINE_S + 1.5
    page = sandbox.render(
        templates={"n.html": "{{ user.name }} {{ user.tags|join(', ') }}"}, digest="n", name="n.html", context=CONTEXT
    )
    assert page == "Ada a, b"
    assert os.getpid() == before
    assert CONTEXT["user"] == {"name": "Ada", "tags": ["a", "b"]}


WAYS_TO_WRITE = [
    "{{ text }}",
    "{{ text|upper }}",
    "{{ text ~ text }}",
    "{{ [text] }}",
    "{{ rows }}",
    "{{ rows[0] }}",
    "{{ rows|first|items|list }}",
    "{{ text|replace('b', '<i>') }}",
    "{{ [text, text]|join('<hr>') }}",
    "{{ text|nl2br }}",
    "{{ text|truncate(2) }}",
    "{{ text|title }}",
    "{{ text|string }}",
    "{{ text|default('x') }}",
    "{{ nothing|default(text) }}",
    "{% set x = text %}{{ x }}",
    "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(text) }}",
    "{% set x %}{{ text }}{% endset %}{{ x }}",
    "{% filter upper %}{{ text }}{% endfilter %}",
    "{% include 'plain.txt' %}",
    "{{ rows|tojson }}",
    "{{ text|tojson }}",
]


@pytest.mark.parametrize("source", WAYS_TO_WRITE)
def test_no_way_of_writing_a_value_leaves_it_unescaped(render, source: str) -> None:
    evil = "<b onload='x'>\n&"
    page = render(source, {"text": evil, "rows": [{"k<": evil}]}, others={"plain.txt": "{{ text }}"})
    without_breaks = page.replace("<br>", "")
    assert "<" not in without_breaks
    assert "onload='" not in page
