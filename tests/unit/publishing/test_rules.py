"""Each static rule refuses its bad package and says what to do; what only looks bad passes."""

from __future__ import annotations

import pytest

from app.modules.manifest import Problem
from app.studio.publishing.rules import static_problems
from tests.support.packages import first_party, notes, package

FUNCTION = "functions: {go: {file: go.js}}\n"
PAGE = "pages: {hello: {template: hello.html}}\n"


def findings(extra: str = "", **files: str) -> list[Problem]:
    named = {path.replace("__", "/").replace("_dot_", "."): text for path, text in files.items()}
    made = notes("rule-notes", files=named)
    made["module.yaml"] += extra.encode()
    return static_problems(package(made))


def of_function(body: str, extra: str = "") -> list[Problem]:
    source = f"export default function (ctx, input) {{\n  {body}\n}}\n"
    return findings(FUNCTION + extra, functions__go_dot_js=source)


def of_script(source: str) -> list[Problem]:
    return findings(
        PAGE, templates__hello_dot_html='<script src="assets/go.js"></script>', assets__go_dot_js=source
    )  # fmt: skip


def of_page(html: str, extra: str = "") -> list[Problem]:
    return findings(PAGE + extra, templates__hello_dot_html=html)


@pytest.mark.parametrize(
    "body",
    [
        "return eval(input.text);",
        "return new Function('return 1')();",
        "return Function('return 1')();",
        "return globalThis.eval('1');",
        "return globalThis['eval']('1');",
        "const run = eval; return run('1');",
        "return (() => 1).constructor('return 1')();",
        "return [].map['constructor']('return 1')();",
        "return [].map['const' + 'ructor']('return 1')();",
        "const made = (function () {}).constructor; return made('return 1')();",
        "return ((() => 1).constructor)('return 1')();",
        "return (() => 1).constructor.call(null, 'return 1')();",
        "return [(() => 1).constructor].map((made) => made('return 1'));",
        "const {constructor: made} = () => 1; return made('return 1')();",
        "const {constructor} = () => 1; return constructor('return 1')();",
        "return globalThis['ev' + 'al']('1');",
        "return globalThis[`ev${input.rest}`]('1');",
        "return globalThis[input.name]('1');",
        "return globalThis['\\x65val']('1');",
        "return \\u0065val('1');",
        "setTimeout('go()', 10);",
        "return import('./other.js');",
        "return fetch('https://api.example.com/');",
        "return new XMLHttpRequest();",
        "const fs = require('fs');",
        "return window.fetch('/x');",
    ],
)
def test_forbidden_calls_of_functions_are_refused_at_their_line(body: str) -> None:
    found = of_function(body)
    assert [(one.code, one.severity, one.file, one.line, bool(one.remedy)) for one in found] == [
        ("forbidden_call", "error", "functions/go.js", 2, True)
    ]


@pytest.mark.parametrize(
    "body",
    [
        "const fetch = ctx.http.get; return fetch('https://example.com', {});",
        "return ctx.db.notes.find({ title: 'eval(this) and fetch(that)' });",
        "return input.eval + ctx.settings.localStorage;",
        "// new Function('x'), document.cookie\n  return 1;",
        "return input instanceof Function;",
        "return this.constructor;",
        "return input.constructor === Object || input.constructor.name === 'Day' || new this.constructor();",
        "function Day() {}\n  Day.prototype.constructor = Day; return typeof input.constructor;",
        "const self = { a: 1 }; for (const top of [1]) { input[top] = self[input.key]; } return globalThis['JSON'];",
        "setTimeout(() => 1, 10);",
    ],
)
def test_names_in_texts_comments_and_of_its_own_are_not(body: str) -> None:
    assert [one for one in of_function(body) if one.code == "forbidden_call"] == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("document.cookie = 'a=1';", "document.cookie"),
        ("window.document.cookie;", "document.cookie"),
        ("localStorage.setItem('a', 1);", "localStorage"),
        ("window['localStorage'].a = 1;", "localStorage"),
        ("navigator.serviceWorker.register('/x.js');", "navigator.serviceWorker"),
        ("navigator.sendBeacon('/x');", "navigator.sendBeacon"),
        ("document.write('<b>');", "document.write"),
    ],
)
def test_scripts_of_pages_keep_nothing_in_a_browser(source: str, what: str) -> None:
    assert [(one.code, one.message, one.line) for one in of_script(source)] == [
        ("forbidden_call", f"uses {what}", 1)
    ]  # fmt: skip


def test_a_script_of_a_page_may_ask_its_own_routes() -> None:
    assert of_script("fetch('api/quote').then((answer) => answer.json());\n") == []


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("var _0x1a2b=1,_0x3c4d=2,_0x5e6f=3,_0x7a8b=4;", "obfuscated"),
        ("eval(function(p,a,c,k,e,d){return p}('0',1,1,'a'.split('|'),0,{}))", "obfuscated"),
        ("var a='" + "\\x61\\x62" * 30 + "';", "obfuscated"),
        ("var a='" + "QUJDREVGR0hJSktMTU5P" * 120 + "';", "obfuscated"),
        ("!function(){" + "var a=1;if(a){b(a);c(a)}else{d()};" * 60 + "}();", "minified"),
    ],
)
def test_code_that_nobody_can_read_is_refused(source: str, code: str) -> None:
    [found] = of_script(source)
    assert (found.code, found.severity, bool(found.remedy)) == (code, "error", True)


def test_a_long_table_of_data_is_no_minified_code() -> None:
    rows = ", ".join(f"{{ name: 'Place {number}', at: [{number}.5, {number}.25] }}" for number in range(200))
    assert of_script(f"export const places = [{rows}];\n") == []


def test_an_undeclared_host_is_refused_and_a_declared_one_is_not() -> None:
    call = "return ctx.http.get('https://api.example.com/v1', {}).status;"
    [found] = of_function(call)
    assert (found.code, found.message) == (
        "undeclared_host", "calls api.example.com, which the manifest does not name",
    )  # fmt: skip
    assert "permissions.network" in found.remedy
    declared = "permissions: {network: [{host: api.example.com, methods: [GET], reason: To look up holidays.}]}\n"
    assert of_function(call, declared) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("const api_key = 'f8Kq2Zp9Lx4Vb7Tn1Rw6';", "holds what looks like a secret, under api_key"),
        ("const url = 'postgres://admin:h4rbour-Pw9@db.internal.net/x';", "holds an address with a password in it"),
        (
            "const t = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk';",
            "holds a signed token (JWT)",
        ),
    ],
)
def test_secrets_that_their_names_betray_are_refused_and_not_repeated(text: str, message: str) -> None:
    found = of_function(text)
    assert [(one.code, one.message, one.line) for one in found] == [("secret", message, 2)]
    assert "f8Kq2" not in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "const token = ctx.settings.api_token;",
        "const api_key = 'your-api-key-goes-here';",
        "const password_label = 'Choose a long password';",
        "const digest = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';",
    ],
)
def test_what_only_looks_like_a_secret_passes(text: str) -> None:
    assert of_function(text) == []


@pytest.mark.parametrize(
    ("html", "code", "message"),
    [
        ('<img alt="" src="https://track.example/p.gif">', "foreign_address", "loads <img> from track.example"),
        ('<img alt="" srcset="a.png 1x, //cdn.example/b.png 2x">', "foreign_address", "loads <img> from cdn.example"),
        ('<script src="https://cdn.example/x.js"></script>', "foreign_address", "loads <script> from cdn.example"),
        ('<link rel="stylesheet" href="https://fonts.example/a.css">', "foreign_address", "loads <link> from fonts.example"),
        (
            '<form method="post" action="https://elsewhere.example/">', "foreign_address",
            "sends a form to elsewhere.example, which the policy of pages forbids",
        ),
        ("<script>go()</script>", "policy", "has a script in the page"),
        ('<button onclick="go()">Go</button>', "policy", "has the event handler onclick"),
        ('<a href="javascript:go()">Go</a>', "policy", "has a href that is a script"),
    ],
)  # fmt: skip
def test_templates_load_nothing_from_elsewhere_and_run_nothing_in_the_page(html: str, code: str, message: str) -> None:
    found = of_page(f"<section>\n{html}\n</section>")
    assert [(one.code, one.message, one.file, one.line, bool(one.remedy)) for one in found] == [
        (code, message, "templates/hello.html", 2, True)
    ]


def test_links_values_and_pictures_of_declared_hosts_pass() -> None:
    html = (
        '<a href="https://example.com/">Out</a><img alt="" src="{{ data.x }}"><img alt="" src="https://pics.example.com/a.png">'
        '<script type="application/ld+json">{"@type": "Thing"}</script>'
    )
    declared = "permissions: {network: [{host: pics.example.com, methods: [GET], reason: Photographs of rooms.}]}\n"
    assert of_page(html, declared) == []


def test_style_sheets_load_nothing_from_elsewhere() -> None:
    css = (
        '@import "https://fonts.example/a.css";\n'
        "b { background: url(https://track.example/p.gif) }\ni { background: url(img/a.svg) }\n"
    )
    found = findings(
        PAGE, templates__hello_dot_html='<link rel="stylesheet" href="assets/a.css">', assets__a_dot_css=css
    )
    assert [(one.code, one.message, one.line) for one in found] == [
        ("foreign_address", "imports a style sheet from fonts.example", 1),
        ("foreign_address", "loads something from track.example", 2),
    ]


@pytest.mark.parametrize(
    "html",
    [
        '<option value="a"{% if one.id == chosen %} selected{% endif %}>A</option>',
        '<a href="x"{% if one.at > only %} class="on"{% endif %}>A</a>',
        '<img alt="" src="https://{{ one.host }}/a.png" {{ on_or_off }} {# onclick="go()" #}>',
    ],
)
def test_what_stands_in_template_marks_is_no_attribute(html: str) -> None:
    assert of_page(f"<p>\n{html}\n</p>") == []


@pytest.mark.parametrize(
    "html",
    [
        '<a {% if one.id %}onclick="go()"{% endif %}>A</a>',
        '<a on{% if one.id %}click{% endif %}="go()">A</a>',
        '<a\tclass="{% if one.id > 1 %}b{% endif %}" onclick="go()">A</a>',
    ],
)
def test_handlers_between_template_marks_are_found_at_their_place(html: str) -> None:
    assert [(one.code, one.message, one.line, one.column) for one in of_page(f"<p>\n{{{{ a\n}}}} {html}\n</p>")] == [
        ("policy", "has the event handler onclick", 3, 4)
    ]


def test_large_scripts_are_refused_and_larger_ones_than_usual_are_noted() -> None:
    line = "export const sentence = 'A sentence of a text that is long.';\n"
    assert [(one.code, one.severity) for one in of_script(line * 2_500)] == [("size", "warning")]
    assert [(one.code, one.severity) for one in of_script(line * 6_000)] == [("size", "error")]


@pytest.mark.parametrize("name", ["_example", "enquiries"])
def test_first_party_modules_have_no_findings(name: str) -> None:
    assert static_problems(package(first_party(name))) == []
