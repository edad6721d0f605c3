"""The release log for anybody: without signing in, without a word on modules that are not everybody's, checkable as it says."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask

from app.modules.signing.keys import is_signed
from tests.support.packages import notes
from tests.support.publishing import new_slug, released
from tests.support.world import World


@pytest.fixture
def slugs(world: World) -> tuple[str, str]:
    """One module that is everybody's, and one that is not."""
    ada = world.person(world.agency())
    open_one, own_one = new_slug("open"), new_slug("own")
    released(ada, notes(open_one), tier="public")
    released(ada, notes(own_one))
    return open_one, own_one


def test_the_page_names_public_modules_only(platform_app: Flask, slugs: tuple[str, str]) -> None:
    answer = platform_app.test_client().get("/transparency")
    assert (answer.status_code, slugs[0] in answer.text, slugs[1] in answer.text) == (200, True, False)


def test_the_chain_can_be_followed_from_what_is_shown(platform_app: Flask, slugs: tuple[str, str]) -> None:
    found = platform_app.test_client().get("/transparency.json").json
    entries = found["entries"]
    assert found["end"] == {"number": entries[0]["number"], "hash": entries[0]["hash"]}
    for entry, older in zip(entries, [*entries[1:], None], strict=True):
        names = (
            "statement_sha256",
            "publisher_key",
            "publisher_signature",
            "platform_key",
            "platform_signature",
            "previous_hash",
        )
        lines = ["dramac release log 1", str(entry["number"]), entry["kind"], *(entry[name] for name in names)]
        assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == entry["hash"]
        assert older is None or older["hash"] == entry["previous_hash"]
        assert entry["platform_key"] in found["keys"]
    said = next(entry for entry in entries if entry["statement"] and slugs[0] in entry["statement"])
    key, signature = bytes.fromhex(said["publisher_key"]), bytes.fromhex(said["publisher_signature"])
    assert is_signed(key, signature, said["statement"].encode())
    hidden = next(entry for entry in entries if entry["statement"] is None)
    assert hidden["publisher"] is None


def test_older_entries_are_asked_for_by_number(platform_app: Flask, slugs: tuple[str, str]) -> None:
    client = platform_app.test_client()
    last = client.get("/transparency.json").json["end"]["number"]
    assert client.get(f"/transparency.json?before={last}").json["entries"][0]["number"] == last - 1
    assert client.get("/transparency?before=x'").status_code == 200
