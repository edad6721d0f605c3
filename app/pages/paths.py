"""Addresses inside a site: of pages, and of what used to be there."""

from __future__ import annotations

import re

from app.errors import Invalid
from app.pages.content import https_address
from app.tenancy.slugs import slug_of

_PAGE = re.compile(r"/|(/[a-z0-9]+(-[a-z0-9]+)*)+")
_SOURCE = re.compile(r"/[A-Za-z0-9._~%+@:!$&'()*,;=/-]*")
# first parts that the runtime answers itself, on its own address or on a site's own domain
RESERVED = frozenset({"embed", "s", "static", "sdk", "api"})


def page_path(text: str) -> str:
    """A page's address: lower-case words, digits and hyphens between slashes; / is the home page. Raises Invalid."""
    path = "/" + text.strip().strip("/").lower()
    if len(path) > 200 or not _PAGE.fullmatch(path):
        raise Invalid.field("path", "Use lower-case letters, digits and hyphens between slashes, such as /about/team.")
    if path.split("/")[1] in RESERVED:
        raise Invalid.field("path", f"/{path.split('/')[1]} is used by Dramac itself. Choose another address.")
    return path


def path_from_title(title: str, *, parent: str = "") -> str:
    """/opening-hours of "Opening hours", below the parent's path."""
    return f"{parent.rstrip('/')}/{slug_of(title, fallback='page')}"


def redirect_source(text: str) -> str:
    """An old address, of whatever form it had. Raises Invalid."""
    path = text.strip()
    path = path.rstrip("/") or "/"
    if not path.startswith("/") or path.startswith("//") or len(path) > 500 or not _SOURCE.fullmatch(path):
        raise Invalid.field("source", "Enter the old path, such as /old-page.html, without host and question mark.")
    if path == "/" or path.split("/")[1] in RESERVED | {"-"}:
        raise Invalid.field("source", f"{path} cannot lead elsewhere.")
    return path


def redirect_target(text: str) -> str:
    """Where it leads: a path of the site or an https address. Raises Invalid."""
    target = text.strip()
    if target.startswith("/"):
        target = target.rstrip("/") or "/"
        if not target.startswith("//") and len(target) <= 500 and _SOURCE.fullmatch(target):
            return target
    elif len(target) <= 2000 and https_address(target):
        return target
    raise Invalid.field("target", "Enter a path of this site, such as /contact, or an https address.")
