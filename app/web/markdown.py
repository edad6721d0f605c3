"""Markdown of other people, as HTML that can do nothing: parsed without raw HTML, then cleaned by an allow-list."""

from __future__ import annotations

import re

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = {"p", "h2", "h3", "h4", "ul", "ol", "li", "a", "strong", "em", "code", "pre", "blockquote", "hr", "br",
         "table", "thead", "tbody", "tr", "th", "td"}  # fmt: skip
MOST_BRACKETS = 5000  # of a text that may have links
_parser = MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(text: str) -> Markup:
    """Cleaned HTML; headings start at h2, since the page has its own h1. Marked so that htmx leaves it alone."""
    # a title repeats the name of the page it is shown on
    text = re.sub(r"\A\s*# [^\n]*\n?", "", text[:100_000])
    if (
        text.count("[") > MOST_BRACKETS
    ):  # each may begin a link, for which the parser looks through the rest of the text
        text = text.replace("[", "\\[")
    html = _parser.render(text).replace("<h3", "<h4").replace("</h3", "</h4")
    html = html.replace("<h2", "<h3").replace("</h2", "</h3").replace("<h1", "<h2").replace("</h1", "</h2")
    clean = nh3.clean(
        html, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"https", "mailto"}, link_rel="noopener nofollow"
    )
    return Markup('<div class="prose" hx-ignore>{}</div>').format(Markup(clean)) if clean.strip() else Markup("")  # noqa: S704  # cleaned above
