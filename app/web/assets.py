"""Built files of static/dist: their hashed names, their integrity values, and how they are served."""

import json
import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from flask import Flask
from markupsafe import Markup, escape
from whitenoise import WhiteNoise

from app.web.headers import Surface, nonce

STATIC = Path(__file__).resolve().parents[2] / "static"
URL_PREFIX = "/static/"
SDK_PREFIX = "/sdk/"
YEAR_S = 31_536_000
# a sandboxed frame is of no origin: what it loads with integrity must be asked for as from a stranger
_CORS = {False: Markup(""), True: Markup(" crossorigin")}


class UnknownAsset(KeyError):
    """A template names a file that the front-end build does not make."""


@dataclass(frozen=True)
class Asset:
    """One built file. url: with its content hash; integrity: `sha384-…` for the integrity attribute."""

    url: str
    integrity: str


@cache
def manifest() -> dict[str, Asset]:
    """{plain name: Asset} of every built file, read once per process from static/dist/manifest.json."""
    entries = json.loads((STATIC / "dist" / "manifest.json").read_text(encoding="utf-8"))
    return {name: Asset(f"{URL_PREFIX}dist/{entry['file']}", entry["integrity"]) for name, entry in entries.items()}


def _find(name: str) -> Asset:
    try:
        return manifest()[name]
    except KeyError:
        raise UnknownAsset(f"{name} is not in static/dist/manifest.json; run `make assets`") from None


def asset(name: str) -> str:
    """URL of a built file, with its hash: asset('geist.woff2'). Raises UnknownAsset."""
    return _find(name).url


def asset_text(name: str) -> Markup:
    """What a built style sheet says, for writing it into a page."""
    return _text(_find(name).url)


def inline_icons(html: str) -> str:
    """HTML that brings its icons along, for a sandboxed frame: it is of no origin and may not use another's sprite."""
    used = re.compile(re.escape(asset("icons.svg")) + r"#([a-z0-9-]+)")
    text = str(asset_text("icons.svg"))
    names = sorted(set(used.findall(html)))
    found = [re.search(rf'<symbol id="{re.escape(name)}".*?</symbol>', text, re.DOTALL) for name in names]
    sprite = "".join(one[0] for one in found if one is not None)
    return f"<svg hidden>{sprite}</svg>" + used.sub(r"#\1", html)


@cache
def _text(url: str) -> Markup:
    return Markup((STATIC / url.removeprefix(URL_PREFIX)).read_text(encoding="utf-8"))  # noqa: S704  # our own build


def style_tag(name: str, *, cors: bool = False, base: str = "") -> Markup:
    """<link rel=stylesheet> of a built style sheet, with integrity.

    cors: for pages that may be in a sandboxed frame. base: the origin to name in pages that are not ours.
    """
    found = _find(name)
    return Markup('<link rel="stylesheet" href="{}{}" integrity="{}"{}>').format(
        base, found.url, found.integrity, _CORS[cors]
    )


def script_tag(name: str, *, blocking: bool = False, cors: bool = False) -> Markup:
    """<script> of a built file, with this answer's nonce and integrity; deferred unless `blocking`. cors: as style_tag."""
    found = _find(name)
    how = Markup("") if blocking else Markup(" defer")
    return Markup('<script src="{}" integrity="{}" nonce="{}"{}{}></script>').format(
        found.url, found.integrity, escape(nonce()), _CORS[cors], how
    )


def _is_immutable(path: str, url: str) -> bool:
    # only names with a content hash or a full version may be kept for ever; the current SDK and the manifest keep their names
    if url.startswith(SDK_PREFIX):
        return url.removeprefix(SDK_PREFIX).split("/")[0].count(".") == 2
    return url.startswith(f"{URL_PREFIX}dist/") and url.count(".") > 1


def _own_pages_alone(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def _any_page(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def serve_static(app: Flask, surface: Surface) -> None:
    """Answer /static/… from disk before Flask sees the request; hashed names are cacheable for a year.

    On the runtime surface everybody may load them, and /sdk/… besides: its pages stand in sandboxed frames, whose origin
    is nobody's, and the SDK is loaded by pages of other people's sites.
    """
    is_open = surface == "runtime"
    files = WhiteNoise(
        app.wsgi_app,
        root=str(STATIC / "dist"),
        prefix=f"{URL_PREFIX}dist/",
        max_age=3600,
        immutable_file_test=_is_immutable,
        add_headers_function=_any_page if is_open else _own_pages_alone,
        allow_all_origins=is_open,
    )
    if is_open:
        files.add_files(str(STATIC / "sdk"), prefix=SDK_PREFIX)
    app.wsgi_app = files  # type: ignore[method-assign]  # Flask documents replacing wsgi_app this way


def register_assets(app: Flask, surface: Surface) -> None:
    """Jinja globals `asset`, `style_tag`, `script_tag`, and the serving of static files."""
    cors = surface == "runtime"
    app.jinja_env.globals.update(
        asset=asset,
        asset_text=asset_text,
        style_tag=partial(style_tag, cors=cors),
        script_tag=partial(script_tag, cors=cors),
    )
    serve_static(app, surface)
