"""Each thing the content security policy, a keyboard or a screen reader would stumble over is found, with its line."""

import pytest

from app.dev.lint_templates import lint_template, lint_templates

BAD = {
    '<a onclick="x()">': "an inline handler (onclick): listen in frontend/",
    '<body\n onload="x()">': "an inline handler (onload): listen in frontend/",
    '<p style="color: red">': "an inline style: use a class, or set it from frontend/",
    '<p style="width: {{ share }}%">': "an inline style: use a class, or set it from frontend/",
    "<style nonce-missing>p {}</style>": "<style> without a nonce is refused by the browser",
    '<div hx-on:click="x()">': "hx-on is code in an attribute: move it to frontend/",
    "{{ hx(hx_on='x()') }}": "hx-on is code in an attribute: move it to frontend/",
    '<a href="javascript:x()">': "code in an attribute: move it to frontend/",
    "<a href=' JavaScript:x()'>": "code in an attribute: move it to frontend/",
    "<div hx-vals='js:{a: 1}'>": "code in an attribute: move it to frontend/",
    '{{ hx(vals="js:{a: 1}") }}': "code in an attribute: move it to frontend/",
    '<div hx-trigger="click[ctrlKey]">': "a trigger filter is code in an attribute: filter on the server",
    "{{ hx(trigger='click[ctrlKey]') }}": "a trigger filter is code in an attribute: filter on the server",
    '<script src="/a.js"></script>': "<script> without a nonce is refused by the browser",
    '<a href="#">': "a dead link: give href a place to go, or use a button",
    "<a href=''>": "a dead link: give href a place to go, or use a button",
    '{{ link("Home", href="#") }}': "a dead link: give href a place to go, or use a button",
    "<button>Save</button>": ("<button> without a type submits the form around it: say type=button or type=submit"),
    '<img src="{{ logo }}">': '<img> without alt: describe it, or say alt="" for decoration',
}

GOOD = (
    '<script nonce="{{ nonce }}" src="{{ asset(\'core.js\') }}"></script>',
    '<button type="submit" {{ hx(post="/x", target="#y") }}>Save</button>',
    '<a href="{{ url_for(\'home\') }}" class="{% if a > b %}on{% endif %}">Home</a>',
    '<a href="#main">Skip</a>',
    '<img src="/a.svg" alt="">',
    '<div hx-trigger="every 1s">{{ rows[0] }}</div>',
    '{# <p style="x"> and onclick="y" are not allowed here #}',
    "<p>Set the style= of a button, or onclick, in frontend/.</p>",
)


@pytest.mark.parametrize(("text", "wrong"), BAD.items())
def test_a_forbidden_thing_is_found_on_its_line(text, wrong):
    assert lint_template(f"<main>\n{{# two\nlines #}}\n{text}") == [(4, wrong)]


@pytest.mark.parametrize("text", GOOD)
def test_what_is_allowed_passes(text):
    assert lint_template(text) == []


def test_letters_may_carry_styles_for_mail_programs_read_no_style_sheets(tmp_path):
    for folder in ("email", "sites"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.html").write_text('<p>\n<b style="color: red">x</b>')
    assert list(lint_templates(tmp_path)) == [
        f"{tmp_path}/sites/a.html:2: an inline style: use a class, or set it from frontend/"
    ]
