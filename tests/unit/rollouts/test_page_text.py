"""Pages as visitors read them, held against each other."""

from __future__ import annotations

import pytest

from app.rollouts.page_text import loses, page_differences, read_page, text_difference

OLD = """<h1>Book a table</h1><style>p { color: red }</style><p>We are <b>open</b> every day.</p>
<form><label>Name <input name="name"></label><input type="hidden" name="token"><select name="seats"><option>1</option></select>
<button>Send</button></form><script>alert(1)</script>"""


def differences(new: str, old: str = OLD) -> list[str]:
    return list(page_differences(read_page(old), read_page(new)))


def test_a_page_is_read_as_a_visitor_does() -> None:
    assert read_page(OLD).lines == [
        "Book a table", "We are open every day.", "Name", "[field name]", "[field seats]", "1", "Send",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("new", "said", "lost"),
    [
        (OLD.replace("<p>", '<p class="big">'), [], False),
        (OLD.replace("every day", "on Mondays"), ["18 % of its words are others"], False),
        (
            OLD.replace('<input name="name">', '<input name="mail">'),
            ["the field name is gone", "the field mail is new"],
            True,
        ),
        (
            OLD.replace("<form>", "<div>").replace("</form>", "</div>").replace("<button>Send</button>", ""),
            ["1 form before, 0 after", "1 button before, 0 after", "9 % of its words are others"],
            True,
        ),
        ("<!-- nothing --><script>x()</script>", ["the page is empty"], True),
        ("<p>a b</p>", None, True),
    ],
)
def test_what_visitors_would_notice(new: str, said: list[str] | None, lost: bool) -> None:
    if said is not None:
        assert differences(new) == said
    assert loses(read_page(OLD), read_page(new)) is lost


def test_the_same_words_in_another_order_are_another_page() -> None:
    assert differences("<p>b a</p>", "<p>a b</p>") == ["the same words in another order"]
    assert [(one.kind, one.text) for one in text_difference(read_page("<p>a b</p>"), read_page("<p>b a</p>"))] == [
        ("removed", "a b"), ("added", "b a"),
    ]  # fmt: skip


@pytest.mark.parametrize("html", ["", "<", "<p", "<svg><p>", "</style>", "<b" * 50_000, "&#x110000;"])
def test_whatever_the_html_is_it_is_read(html: str) -> None:
    read_page(html)
