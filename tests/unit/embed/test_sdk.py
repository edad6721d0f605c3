"""The SDK: its own tests under Node, and the built file that other people's pages load."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import subprocess

import pytest
from flask import Flask

from app.web.assets import STATIC
from tests.support.node import find_node, sdk

RELEASES = json.loads((STATIC / "sdk" / "releases.json").read_text())
BASE = "http://127.0.0.1:8001"


@pytest.mark.parametrize(
    "command", [["test.mjs"], ["build.mjs", "--check"], ["node_modules/typescript/bin/tsc", "--noEmit"]]
)
def test_the_sources_pass_their_tests_build_what_is_committed_and_have_sound_types(command: list[str]) -> None:
    done = subprocess.run([find_node(), *command], cwd=sdk(), capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", RELEASES)
def test_E8_a_released_version_is_what_its_published_hash_says(version: str) -> None:
    content = (STATIC / "sdk" / f"v{version}" / "dramac.js").read_bytes()
    packed = (STATIC / "sdk" / f"v{version}" / "dramac.js.gz").read_bytes()
    assert RELEASES[version]["integrity"] == "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()
    assert gzip.decompress(packed) == content
    assert len(packed) < 15_000


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((sdk() / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/sdk/v1/dramac.js", "max-age=3600, public"),
        ("/sdk/v1.0.0/dramac.js", "max-age=315360000, public, immutable"),
        ("/sdk/releases.json", "max-age=3600, public"),
    ],
)
def test_E8_every_page_may_load_it_from_the_runtime_origin_alone(
    runtime_app: Flask, platform_app: Flask, path: str, caching: str
) -> None:
    answer = runtime_app.test_client().get(path, base_url=BASE, headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200
    headers = ("Cache-Control", "Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy", "X-Content-Type-Options")
    assert [answer.headers[name] for name in headers] == [caching, "*", "cross-origin", "nosniff"]
    assert answer.headers.get("Content-Encoding") == (None if path.endswith(".json") else "br")
    assert "Set-Cookie" not in answer.headers
    assert platform_app.test_client().get(path).status_code == 404
