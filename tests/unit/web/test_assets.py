"""Built files: named by content, whole, served for a year, and what templates ask for exists."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.assets import STATIC, UnknownAsset, asset, manifest, script_tag, style_tag

FRONTEND = STATIC.parent / "frontend"


@pytest.mark.parametrize("name", sorted(manifest()))
def test_a_file_is_what_its_integrity_and_name_say(name: str) -> None:
    found = manifest()[name]
    content = (STATIC / found.url.removeprefix("/static/")).read_bytes()
    assert found.integrity == "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()
    assert hashlib.sha256(content).hexdigest()[:10] in found.url


def test_precompressed_files_are_the_files() -> None:
    for packed in (STATIC / "dist").glob("*.gz"):
        assert gzip.decompress(packed.read_bytes()) == packed.with_suffix("").read_bytes()


def test_a_hashed_file_is_kept_for_ever_and_packed(client: FlaskClient) -> None:
    answer = client.get(asset("core.js"), headers={"Accept-Encoding": "br"})
    assert answer.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_file_without_a_hash_is_not(client: FlaskClient) -> None:
    answer = client.get("/static/dist/manifest.json")
    assert answer.headers["Cache-Control"] == "max-age=3600, public"


@pytest.mark.parametrize("path", ["/static/../app/config.py", "/static/dist/", "/static/dist/core.js"])
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_unknown_name_says_how_to_make_it() -> None:
    with pytest.raises(UnknownAsset, match="make assets"):
        asset("gone.js")


def test_tags_carry_integrity_and_the_nonce(in_request: Flask) -> None:
    js = manifest()["core.js"]
    nonce = in_request.jinja_env.globals["nonce"]()  # type: ignore[operator]
    assert script_tag("core.js") == (
        f'<script src="{js.url}" integrity="{js.integrity}" nonce="{nonce}" defer></script>'
    )
    css = manifest()["app.css"]
    assert style_tag("app.css") == f'<link rel="stylesheet" href="{css.url}" integrity="{css.integrity}">'


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    names = set((FRONTEND / "icons.txt").read_text().split())
    templates = [path.read_text() for path in (STATIC.parent / "templates").rglob("*.html")]
    used = {
        name
        for text in templates
        for call in re.findall(r"\b(?:icon|icon_button|tile)\('([a-z0-9-]+)'|icon_(?:name|end)='([a-z0-9-]+)'", text)
        for name in call
        if name
    }
    assert used - names == set()


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
