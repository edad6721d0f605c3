"""A module's page as HTML that another server puts into its own pages: cleaned of all that could run there.

A frame holds what an author wrote by its origin and policy; here it becomes part of a stranger's document, so only an
allow-list of elements and attributes passes, and scripts never. Structured data is taken out, checked and set beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

import nh3

from app.modules.manifest.pages import Page

_LD = re.compile(r"<script type=\"application/ld\+json\">([^<]*)</script>", re.IGNORECASE)
_OWN_SCRIPT = re.compile(r"<script(?=[^<>]*\bsrc=\"assets/)", re.IGNORECASE)
_SHEET = re.compile(r"<link\b[^<>]*\bhref=\"(assets/[A-Za-z0-9_./-]+\.css)\"[^<>]*>", re.IGNORECASE)
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})

_FORM_TAGS = {
    "form",
    "input",
    "textarea",
    "select",
    "option",
    "optgroup",
    "label",
    "button",
    "fieldset",
    "legend",
    "output",
}
TAGS = set(nh3.ALLOWED_TAGS) | _FORM_TAGS | {"main", "section", "address", "progress", "meter", "tfoot"}
_EVERYWHERE = {"class", "id", "lang", "dir", "title", "role", "tabindex", "hidden", "itemscope", "itemprop", "itemtype"}
_INPUT = {"name", "value", "required", "disabled", "readonly", "placeholder", "autocomplete", "minlength", "maxlength"}
ATTRIBUTES: dict[str, set[str]] = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "*": _EVERYWHERE,
    "a": {"href", "hreflang", "target"},
    "img": {"src", "alt", "width", "height", "loading", "decoding"},
    "time": {"datetime"},
    "label": {"for"},
    "form": {"method", "novalidate"},
    "input": _INPUT | {"type", "checked", "min", "max", "step", "pattern", "inputmode", "list"},
    "textarea": _INPUT | {"rows", "cols"},
    "select": _INPUT | {"multiple", "size"},
    "option": {"value", "selected", "disabled", "label"},
    "optgroup": {"label", "disabled"},
    "button": {"type", "name", "value", "disabled"},
    "output": {"for", "name"},
    "progress": {"value", "max"},
    "meter": {"value", "min", "max", "low", "high", "optimum"},
    "details": {"open"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A page as part of a document. sheets: addresses of the package's style sheets; data: JSON-LD, each a JSON text.

    complete: nothing in it needs a frame, neither a form nor a script of the package.
    """

    html: str
    sheets: tuple[str, ...]
    data: tuple[str, ...]
    complete: bool


def part_of(html: str, page: Page, *, address: str, query: str = "") -> Part:
    """A rendered page, made safe for other people's documents. address: of the page itself, absolute.

    query: what makes it this page and not another, where its forms are sent to as well.
    """
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags={"script", "style", "template", "iframe", "object", "svg", "math", "noscript"},
        attributes=ATTRIBUTES,
        generic_attribute_prefixes={"aria-", "data-"},
        set_tag_attribute_values={"form": {"action": f"{address}?{query}" if query else address}},
        url_schemes={"https", "http", "mailto", "tel"},
        url_relative=("rewrite_with_base", address),
        link_rel="noopener",
    )
    needs_frame = page.kind == "form" or "<form" in cleaned or _OWN_SCRIPT.search(html) is not None
    sheets = tuple(dict.fromkeys(urljoin(address, path) for path in _SHEET.findall(html)))
    return Part(cleaned, sheets, structured_data(html), not needs_frame)


def structured_data(html: str) -> tuple[str, ...]:
    """The JSON-LD of a page, written anew so that nothing in it can end its element. What is no JSON object is left out."""
    found = []
    for text in _LD.findall(html):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict | list):
            plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            found.append(plain.translate(_ESCAPES))
    return tuple(found)


def signature(*, install: str, page: str, params: Mapping[str, str], lang: str) -> str:
    """What the SDK compares in order to know that a served page is the one its element asks for."""
    return " ".join((install, page, urlencode(params), lang))
