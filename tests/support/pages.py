"""What is wrong with a page: read by the test client after each answer, so that every page test checks all of this.

A title and one h1; ids once; every control labelled; every form action, link and hx- address a route; every hx-target and
every id that is referred to in the page; a CSRF token in every POST form; nothing inline that the content security policy
forbids; a nonce on every htmx element and script. Of a fragment only what can be told without the page around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from app.web.dispatch import API_PATHS

UNLABELLED = {"hidden", "submit", "button", "reset", "image"}
HX_METHODS = {"hx-get": "GET", "hx-post": "POST", "hx-put": "PUT", "hx-patch": "PATCH", "hx-delete": "DELETE"}
REFERENCES = ("aria-describedby", "aria-labelledby", "aria-controls", "commandfor", "popovertarget", "for", "form")


def page_faults(html: str, app: Flask) -> list[str]:
    """One sentence for each fault, [] for a sound page or fragment. app: whose routes its links must match."""
    soup = BeautifulSoup(html, "html.parser")
    for template in soup.find_all("template"):
        template.decompose()  # not in the document until it is cloned
    whole = soup.find("html") is not None
    found = [*_title_faults(soup)] if whole else []
    found += _repeated_ids(soup)
    found += _unlabelled(soup)
    ids = {_text(tag, "id") for tag in soup.find_all(id=True)}
    for tag in soup.find_all(True):
        found += _inline_faults(tag)
        found += _address_faults(tag, app)
        found += _htmx_faults(tag, app)
        found += _reference_faults(tag, ids) if whole else ()
    return found


def _name(tag: Tag) -> str:
    words = (tag.name, tag.get("id") or tag.get("name") or " ".join(tag.get_attribute_list("class", []) or []))
    return f"<{' '.join(str(word) for word in words if word)}>"


def _text(tag: Tag, attribute: str) -> str:
    value = tag.get(attribute)
    return " ".join(value) if isinstance(value, list) else value or ""


def _title_faults(soup: BeautifulSoup) -> Iterator[str]:
    title = soup.select_one("head > title")
    if title is None or not title.get_text().strip(" ·\n"):
        yield "the page has no title"
    headings = len(soup.find_all("h1"))
    if headings != 1:
        yield f"the page has {headings} h1"


def _repeated_ids(soup: BeautifulSoup) -> Iterator[str]:
    ids = Counter(_text(tag, "id") for tag in soup.find_all(id=True))
    yield from (f"id {name} is used twice" for name in sorted(name for name, times in ids.items() if times > 1))


def _unlabelled(soup: BeautifulSoup) -> Iterator[str]:
    labelled = {_text(label, "for") for label in soup.find_all("label")}
    for control in soup.find_all(["input", "select", "textarea"]):
        named = control.get("aria-label") or control.get("aria-labelledby") or control.find_parent("label")
        if (
            not named
            and not control.has_attr("hidden")
            and _text(control, "type") not in UNLABELLED
            and _text(control, "id") not in labelled - {""}
        ):
            yield f"{_name(control)} has no label"


def _inline_faults(tag: Tag) -> Iterator[str]:
    for attribute in tag.attrs:
        if attribute.startswith(("on", "hx-on")) or attribute == "style":
            yield f"{_name(tag)} has an inline {attribute}"
        if _text(tag, attribute).strip().lower().startswith(("javascript:", "js:")):
            yield f"{_name(tag)} runs code from {attribute}"
    if tag.name in ("script", "style") and not tag.get("nonce"):
        yield f"{_name(tag)} has no nonce"


def _address_faults(tag: Tag, app: Flask) -> Iterator[str]:
    if tag.name == "a" and not _is_route(app, _text(tag, "href"), "GET"):
        yield f"{_name(tag)} leads to {_text(tag, 'href')}, which is not a route"
    if tag.get("formaction") and not _is_route(app, _text(tag, "formaction"), "POST"):
        yield f"{_name(tag)} sends to {_text(tag, 'formaction')}, which is not a route"
    method = _text(tag, "method").upper() or "GET"
    if tag.name != "form" or method == "DIALOG":
        return
    if not _is_route(app, _text(tag, "action"), method):
        yield f"{_name(tag)} sends {method} {_text(tag, 'action')}, which is not a route"
    if method == "POST" and tag.select_one("input[name=csrf_token]") is None:
        yield f"{_name(tag)} has no CSRF token"


def _htmx_faults(tag: Tag, app: Flask) -> Iterator[str]:
    asked = {name for name in tag.attrs if name.startswith("hx-")} - {"hx-nonce", "hx-history-elt", "hx-ignore"}
    if asked and not tag.get("hx-nonce"):
        yield f"{_name(tag)} has no hx-nonce: use hx()"
    for name in asked & HX_METHODS.keys():
        if not _is_route(app, _text(tag, name), HX_METHODS[name]):
            yield f"{_name(tag)} asks for {HX_METHODS[name]} {_text(tag, name)}, which is not a route"


def _reference_faults(tag: Tag, ids: set[str]) -> Iterator[str]:
    for attribute in REFERENCES:
        for name in _text(tag, attribute).split():
            if name not in ids:
                yield f"{_name(tag)} refers by {attribute} to #{name}, which is not in the page"
    target = _text(tag, "hx-target")
    if target.startswith("#") and target[1:] not in ids:
        yield f"{_name(tag)} aims at {target}, which is not in the page"


@lru_cache(maxsize=20_000)
def _is_route(app: Flask, url: str, method: str) -> bool:
    parts = urlsplit(url)
    if (
        parts.scheme
        or parts.netloc
        or not parts.path.startswith("/")
        or parts.path.startswith(("/static/", *API_PATHS))
    ):
        return True  # elsewhere, relative to this page, a file, or of the API's surface
    try:
        app.url_map.bind("localhost").match(parts.path, method)
    except (NotFound, MethodNotAllowed):
        return False
    except RequestRedirect:
        return True
    return True
