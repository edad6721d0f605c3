"""What a manifest may say of connections, what an agency is asked for them, and which changes ask again."""

from __future__ import annotations

from typing import Any

import pytest

from app.modules.consent import asks_of, grant_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest, ManifestInvalid, load_manifest

MANIFEST = """
manifest: 1
slug: books-link
name: Books link
summary: Works with the books.
version: 1.0.0
type: {type}
permissions:
  network: [{{host: api.example.com, methods: [GET], reason: "To read."}}]
connections:
  books:
    label: Ledger Books
    help: It reads your products there.
    authorize_url: {authorize_url}
    token_url: {token_url}
    scopes: {scopes}
    hosts: {hosts}
    params: {params}
"""
GIVEN = {
    "type": "integration", "authorize_url": "https://books.example.com/oauth/authorize",
    "token_url": "https://books.example.com/oauth/token", "scopes": "[read]", "hosts": "[api.example.com]", "params": "{}",
}  # fmt: skip


def manifest(**changes: str) -> Manifest:
    return load_manifest(MANIFEST.format(**{**GIVEN, **changes}))


def faults(**changes: str) -> list[tuple[str, str]]:
    with pytest.raises(ManifestInvalid) as caught:
        manifest(**changes)
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"hosts": "[www.example.com]"}, "connections.books.hosts.0",
            '"www.example.com" is not in permissions.network; functions could not call it',
        ),
        ({"hosts": "[]"}, "connections.books.hosts", "needs at least 1 entry"),
        (
            {"token_url": "http://books.example.com/t"}, "connections.books.token_url",
            '"http://books.example.com/t" is not allowed: write a whole address that starts with https://',
        ),
        ({"token_url": "https://127.0.0.1/t"}, "connections.books.token_url", '"127.0.0.1" is an address; name the host'),
        ({"token_url": "https://books.internal/t"}, "connections.books.token_url", '"books.internal" is not a public host'),
        (
            {"authorize_url": "https://books.example.com:444/a"}, "connections.books.authorize_url",
            '"https://books.example.com:444/a" must have neither a port, a fragment nor a name before the host',
        ),
        ({"params": "{redirect_uri: x}"}, "connections.books.params.redirect_uri", '"redirect_uri" is set by the platform'),
        ({"type": "widget"}, "connections", "a widget cannot have connections; make it type: app or take them out"),
    ],
)  # fmt: skip
def test_what_a_connection_may_not_say(change: dict[str, str], path: str, message: str) -> None:
    assert (path, message) in faults(**change)


def test_an_agency_is_asked_and_what_it_agreed_to_is_kept() -> None:
    asked = [one for one in asks_of(manifest()) if one.key == "connections.books"]
    assert [(one.title, one.text, one.level) for one in asked] == [
        (
            "Act for you at Ledger Books",
            "It reads your products there. Once somebody connects it, and only with api.example.com.",
            "outside",
        )
    ]
    assert grant_of(manifest())["connections"] == {"books": ["api.example.com"]}


@pytest.mark.parametrize(
    "change",
    [
        {"token_url": "https://other.example.com/t"},
        {"authorize_url": "https://other.example.com/a"},
        {"scopes": "[read, write]"},
    ],
)
def test_another_service_or_scope_needs_consent_again(change: dict[str, Any]) -> None:
    assert diff_manifests(manifest(), manifest(**change)).needs_consent
    assert not diff_manifests(manifest(), manifest()).needs_consent
