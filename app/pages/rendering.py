"""A page as HTML: what its template needs, and the policy that goes with it. Writes nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import render_template
from markupsafe import Markup

from app.pages.content import Content, ModulePage
from app.pages.serving import Found, Place
from app.runtime.audience import audience
from app.runtime.own_pages import OWN_PAGE, PREVIEW
from app.runtime.validation.texts import slug_from
from app.web.assets import asset
from app.web.filters import css_color, on_color
from app.web.markdown import to_html

FONTS = {
    "modern": '"Geist Sans",system-ui,sans-serif',
    "system": "system-ui,sans-serif",
    "classic": 'Charter,"Bitstream Charter","Iowan Old Style",Georgia,serif',
    "friendly": 'ui-rounded,"SF Pro Rounded",Nunito,"Segoe UI",system-ui,sans-serif',
}
MENU_LEVELS = 3
MOST_OF_LABEL = 60  # characters of a button's label in the name its clicks are counted under
SMALL_FROM = 1000  # pictures wider than this have a version of 800 px
_OWN_LINK = re.compile(r'<a href="(/(?!/)[^"]*)" rel="noopener nofollow">')
_HEADING = re.compile(r"<(/?)h([1-6])\b")
NOT_FOUND = Content(title="Page not found")


@dataclass(frozen=True, slots=True)
class Picture:
    """An <img>: src, srcset or "", size in px or 0 where it is not known."""

    src: str
    srcset: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class MenuItem:
    label: str
    url: str
    current: bool
    children: tuple[MenuItem, ...] = ()


Leave = Callable[[ModulePage], str]
"""What a block's frame says for itself: runtime.own_pages."""


def render_page(
    place: Place, found: Found, *, leave: Leave, canonical: str = "", preview: str = "", request_id: str = ""
) -> tuple[str, str]:
    """(HTML, content security policy). canonical: where the page is at home; preview: "" | "whole" | "framed".

    request_id: said on a page that is not there.
    """
    content, style = found.content or _lost(found.look), look_style(found.look)
    frames = (
        asset("frames.js") if preview != "framed" and any(isinstance(one, ModulePage) for one in content.blocks) else ""
    )
    name = ""
    if found.page_id is not None and not preview:
        name = audience().site_page_name(found.site_id, found.page_id, found.path)
    visits = asset("visits.js") if name else ""
    html = render_template(
        "pages/site.html",
        frames=frames,
        visits=visits,
        name=name,
        found=found,
        content=content,
        missing=found.content is None,
        request_id=request_id,
        look=found.look,
        style=Markup(f"<style>{style}</style>"),  # noqa: S704  # made of a checked colour and words of ours
        menu=menu_of(found, place),
        home=place.url("/"),
        canonical=canonical,
        preview=preview,
        lang=found.locale.replace("_", "-"),
        url=place.url,
        words=partial(words, place),
        picture=partial(picture, place),
        absolute=partial(absolute, place),
        track=lambda block: f"button.{slug_from(block.label, MOST_OF_LABEL) or block.id}",
        frame=lambda block: frame_url(block, found.look, leave=leave(block), preview=preview == "framed"),
    )
    scripts = [f"{place.origin}{script}" for script in (frames, visits) if script]
    return level_headings(html), policy(style, script=" ".join(scripts), tells=place.origin if name else "")


def level_headings(html: str) -> str:
    """No heading skips a level, as screen readers walk by them: what would be h4 below h2 is h3."""
    last, open_as = 0, 0

    def levelled(tag: re.Match[str]) -> str:
        nonlocal last, open_as
        if not tag[1]:
            last = open_as = min(int(tag[2]), last + 1)
        return f"<{tag[1]}h{open_as}"

    return _HEADING.sub(levelled, html)


def policy(style: str, *, script: str = "", tells: str = "", ancestors: str = "'none'") -> str:
    """Nothing but our style sheet, pictures and modules' frames: no script runs but those of ours that fit frames and count, by
    their whole addresses, so a slip cannot become one. tells: the origin that the one which counts may talk to.

    The same for every answer, unlike a nonce: a browser that asks again and hears 304 keeps page and policy together.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'self' 'sha256-{digest}'; img-src 'self' data: https:; font-src 'self'; "
        + (f"script-src {script}; " if script else "")
        + (f"connect-src {tells}/embed/analytics {tells}/embed/analytics/key; " if tells else "")
        + "frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {ancestors}"
    )


def look_style(look: Mapping[str, Any]) -> str:
    """The site's own variables for site.css."""
    accent = css_color(str(look["accent"]))
    return f":root{{--accent:{accent};--on-accent:{on_color(accent)};--font:{FONTS[str(look['font'])]}}}"


def menu_of(found: Found, place: Place) -> list[MenuItem]:
    """The menu in its order, three levels deep: what is below those stands beside its parent, so that every page is there."""
    shown = {item["id"] for item in found.menu}
    below: dict[str, list[dict[str, Any]]] = {}
    for item in found.menu:
        below.setdefault(item["parent"] if item["parent"] in shown else "", []).append(item)

    def items(parent: str, level: int) -> list[MenuItem]:
        made = []
        for item in below.get(parent, ()):
            under = items(item["id"], level + 1)
            beside = under if level >= MENU_LEVELS else []
            own = place.url(item["path"])
            made += [MenuItem(item["label"], own, item["path"] == found.path, () if beside else tuple(under)), *beside]
        return made

    return items("", 1)


def words(place: Place, text: str) -> Markup:
    """Markdown of the site's own people as HTML; links to paths of the site lead to where it is served."""
    html = _OWN_LINK.sub(lambda link: f'<a href="{place.url(link[1])}">', str(to_html(text)))
    return Markup(html)  # noqa: S704  # cleaned in to_html; the base is ours


def picture(place: Place, source: str, width: int = 0, height: int = 0) -> Picture:
    """Where a picture is. width, height: of the large one."""
    if not source.startswith("img_"):
        return Picture(source, "", 0, 0)
    large, small = place.url(f"/-/images/{source}.webp"), place.url(f"/-/images/{source}-800.webp")
    return Picture(large, f"{small} 800w, {large} {width}w" if width > SMALL_FROM else "", width, height)


def absolute(place: Place, source: str) -> str:
    """A picture's or page's address with its host, for other programs."""
    where = picture(place, source).src if source.startswith("img_") else place.url(source)
    return f"{place.origin}{where}" if where.startswith("/") else where


def frame_url(block: ModulePage, look: Mapping[str, Any], *, leave: str, preview: bool = False) -> str:
    """The address of a module's page as a block shows it, in the site's colours. preview: within the editor's frame."""
    args = {**block.params, "theme": look["theme"], OWN_PAGE: leave} | ({PREVIEW: "1"} if preview else {})
    return f"/embed/{block.install}/{block.page}?{urlencode(args)}"


def _lost(look: Mapping[str, Any]) -> Content:
    return NOT_FOUND.model_copy(update={"title": look["lost_title"] or NOT_FOUND.title})
