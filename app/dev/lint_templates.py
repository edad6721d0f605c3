"""What no template may contain, since the content security policy or a keyboard would break on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

Finding = tuple[int, str]  # line, what is wrong and the fix

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}", re.DOTALL)
# Attributes are also written by macros, as in hx(trigger="click[ctrlKey]"), so these are looked for in the whole text.
_ANYWHERE = (
    (re.compile(r"""\bhref\s*=\s*(["'])#?\1"""), "a dead link: give href a place to go, or use a button"),
    (
        re.compile(r"""\btrigger\s*=\s*(["'])(?:(?!\1).)*\["""),
        "a trigger filter is code in an attribute: filter on the server",
    ),
    (re.compile(r"""["']\s*(?:javascript|js):""", re.IGNORECASE), "code in an attribute: move it to frontend/"),
    (re.compile(r"\bhx[-_]on\b"), "hx-on is code in an attribute: move it to frontend/"),
)


def lint_template(text: str, *, mail: bool = False) -> list[Finding]:
    """All findings in one template, by line. mail: letters may carry styles, for mail programs read no style sheets."""
    text = _COMMENT.sub(_blank, text)
    found = [(_line(text, match.start()), wrong) for pattern, wrong in _ANYWHERE for match in pattern.finditer(text)]
    reader = _Tags(mail=mail)
    reader.feed(_STATEMENT.sub(_blank, _EXPRESSION.sub(_stand_in, text)))
    reader.close()
    return sorted({*found, *reader.found})


def lint_templates(folder: Path) -> Iterator[str]:
    """Each finding below the folder as "path:line: what"."""
    for path in sorted(folder.rglob("*.html")):
        mail = path.relative_to(folder).parts[0] == "email"
        for line, wrong in lint_template(path.read_text(), mail=mail):
            yield f"{path}:{line}: {wrong}"


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _stand_in(match: re.Match[str]) -> str:
    """Letters where an expression stands: an attribute or its value keeps its place, a line its number."""
    return re.sub(r"[^\n]", "J", match[0])


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


class _Tags(HTMLParser):
    def __init__(self, *, mail: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._mail = mail
        self.found: list[Finding] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        for name in sorted(names):
            if re.fullmatch(r"on[a-z]+", name):
                self._add(f"an inline handler ({name}): listen in frontend/")
            if name == "style" and not self._mail:
                self._add("an inline style: use a class, or set it from frontend/")
        is_data = ("type", "application/ld+json") in attrs  # never run, so no policy is asked
        is_named = "data-named" in names  # the page's policy names this file by its whole address
        if tag in ("script", "style") and "nonce" not in names and not (self._mail or is_data or is_named):
            self._add(f"<{tag}> without a nonce is refused by the browser")
        if tag == "button" and "type" not in names:
            self._add("<button> without a type submits the form around it: say type=button or type=submit")
        if tag == "img" and "alt" not in names:
            self._add('<img> without alt: describe it, or say alt="" for decoration')

    def _add(self, wrong: str) -> None:
        self.found.append((self.getpos()[0], wrong))
