"""Built files of static/dist: their hashed names, their integrity values, and how they are served."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from markupsafe import Markup, escape
from whitenoise import WhiteNoise

from app.web.headers import nonce

STATIC = Path(__file__).resolve().parents[2] / "static"
URL_PREFIX = "/static/"
YEAR_S = 31_536_000


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


def style_tag(name: str) -> Markup:
    """<link rel=stylesheet> of a built style sheet, with integrity."""
    found = _find(name)
    return Markup('<link rel="stylesheet" href="{}" integrity="{}">').format(found.url, found.integrity)


def script_tag(name: str, *, blocking: bool = False) -> Markup:
    """<script> of a built file, with this answer's nonce and integrity; deferred unless `blocking`."""
    found = _find(name)
    how = Markup("") if blocking else Markup(" defer")
    return Markup('<script src="{}" integrity="{}" nonce="{}"{}></script>').format(
        found.url, found.integrity, escape(nonce()), how
    )


def _is_immutable(path: str, url: str) -> bool:
    # only names with a content hash may be kept for ever; the SDK and the manifest keep their names
    return url.startswith(f"{URL_PREFIX}dist/") and url.count(".") > 1


def _static_headers(headers: Any, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    # the SDK script is loaded by pages of other people's sites
    headers["Cross-Origin-Resource-Policy"] = "cross-origin" if url.startswith(f"{URL_PREFIX}sdk/") else "same-origin"


def serve_static(app: Flask) -> None:
    """Answer /static/… from disk before Flask sees the request; hashed names are cacheable for a year."""
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]  # Flask documents replacing wsgi_app this way
        app.wsgi_app,
        root=str(STATIC),
        prefix=URL_PREFIX,
        max_age=3600,
        immutable_file_test=_is_immutable,
        add_headers_function=_static_headers,
        allow_all_origins=False,
    )


def register_assets(app: Flask) -> None:
    """Jinja globals `asset`, `style_tag`, `script_tag`, and the serving of /static/."""
    app.jinja_env.globals.update(asset=asset, style_tag=style_tag, script_tag=script_tag)
    serve_static(app)
