"""What a visitor can read and do on a rendered page, to hold two versions of it against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from app.lib.difference import DiffLine, line_difference

MOST_LINES, MOST_WIDTH = 400, 300  # of a page that is kept with a rehearsal
_SILENT = frozenset({"script", "style", "template", "title", "svg"})
_INLINE = frozenset({"a", "abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "mark", "q", "s", "small", "span", "strong",
                     "sub", "sup", "time", "u", "wbr", "data"})  # fmt: skip
_UNSEEN = frozenset({"hidden"})
_NAMED = {"img": ("alt", "picture"), "input": ("name", "field"), "select": ("name", "field"), "textarea": ("name", "field"),
          "iframe": ("title", "frame")}  # fmt: skip


@dataclass(slots=True)
class PageText:
    """A page as it is read: lines of text with its controls in between; how many of what there is on it."""

    lines: list[str] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)  # forms, buttons, links, pictures, headings

    @property
    def empty(self) -> bool:
        """Whether a visitor sees nothing of it."""
        return not self.words and not self.fields and not self.parts["picture"]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page, self._line, self._silent = PageText(), "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _SILENT:
            self._silent += 1
        if self._silent:
            return
        if tag not in _INLINE:
            self.end_line()
        if tag in ("form", "button"):
            self.page.parts[tag] += 1
        elif tag == "a" and given.get("href"):
            self.page.parts["link"] += 1
        elif tag in ("h1", "h2", "h3", "h4"):
            self.page.parts["heading"] += 1
        if tag in _NAMED and not (tag == "input" and given.get("type") in _UNSEEN):
            self._control(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _SILENT:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent and tag not in _INLINE:
            self.end_line()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._line += data

    def _control(self, tag: str, given: dict[str, str | None]) -> None:
        attribute, what = _NAMED[tag]
        name = given.get(attribute) or ""
        if tag == "input" and given.get("type") in ("submit", "button", "image"):
            what, name = "button", given.get("value") or name
        if what == "field":
            self.page.fields[name or "without a name"] += 1
        else:
            self.page.parts[what] += 1
        self.page.lines.append(f"[{what} {name}]".replace(" ]", "]"))

    def end_line(self) -> None:
        words = self._line.split()
        self._line = ""
        if words:
            self.page.words.update(words)
            self.page.lines.append(" ".join(words))


def read_page(html: str) -> PageText:
    """The page as a visitor reads it; whatever the HTML is, this ends."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.end_line()
    return reader.page


def page_differences(old: PageText, new: PageText) -> Iterator[str]:
    """In sentences; nothing when a visitor would not notice."""
    if new.empty and not old.empty:
        yield "the page is empty"
        return
    for name in sorted((old.fields - new.fields).keys()):
        yield f"the field {name} is gone"
    for name in sorted((new.fields - old.fields).keys()):
        yield f"the field {name} is new"
    for what in ("form", "button", "heading", "picture", "frame", "link"):
        before, after = old.parts[what], new.parts[what]
        if before != after:
            yield f"{before} {what}{'' if before == 1 else 's'} before, {after} after"
    both = (old.words & new.words).total()
    most = max(old.words.total(), new.words.total())
    if both != most:
        yield f"{max(1, round(100 * (most - both) / most))} % of its words are others"
    elif old.lines != new.lines and (old.fields, old.parts) == (new.fields, new.parts):
        yield "the same words in another order"


def loses(old: PageText, new: PageText) -> bool:
    """Whether visitors can no longer see or do what they could: the page is empty, or a form or one of its fields is gone."""
    return (new.empty and not old.empty) or new.parts["form"] < old.parts["form"] or bool(old.fields - new.fields)


def text_difference(old: PageText, new: PageText) -> list[DiffLine]:
    """Line by line, shortened to what a rehearsal keeps."""
    found = [
        DiffLine(
            one.kind, "…" if one.kind == "skip" else one.text[:MOST_WIDTH]
        )  # numbers of lines say nothing to a reader
        for place, one in enumerate(line_difference(old.lines, new.lines))
        if place or one.kind != "skip"
    ]
    if len(found) > MOST_LINES:
        found = [*found[:MOST_LINES], DiffLine("skip", f"{len(found) - MOST_LINES} more lines")]
    return found
