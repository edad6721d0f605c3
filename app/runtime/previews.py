"""Pages on trial: kept a quarter of an hour under an unguessable name, for the runtime origin to show in a frame.

They lie in Valkey alone: nothing of a preview outlives it, and nothing else can be found from its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.lib.crypto import random_token
from app.queue.enqueue import redis
from app.runtime.pages.view import Shown

KEPT_S = 900
_KEY = "dramac:preview:"
_ASSETS = "assets/"


@dataclass(frozen=True, slots=True)
class Preview:
    """A page as it was rendered, the package it belongs to and whose it is. digest: what its assets are told apart by."""

    shown: Shown
    kind: str
    module: str
    digest: str
    agency_id: UUID


def keep_preview(preview: Preview, files: Mapping[str, bytes]) -> str:
    """Keep a page with the assets of its package; returns the name to show it under."""
    name = random_token()
    shown = preview.shown
    facts = {
        "html": shown.html, "title": shown.title, "theme": shown.theme, "accent": shown.accent, "locale": shown.locale,
        "kind": preview.kind, "module": preview.module, "digest": preview.digest,
        "agency": str(preview.agency_id),
    }  # fmt: skip
    values = {"page": json.dumps(facts).encode()}
    values |= {path: content for path, content in files.items() if path.startswith(_ASSETS)}
    pipe = redis().pipeline()
    pipe.hset(_KEY + name, mapping=values)
    pipe.expire(_KEY + name, KEPT_S)
    pipe.execute()
    return name


def find_preview(name: str) -> Preview | None:
    """The page kept under a name; None once it is gone."""
    kept = redis().hget(_KEY + name, "page")
    if kept is None:
        return None
    facts = json.loads(kept)  # type: ignore[arg-type]  # the client is synchronous
    shown = Shown(facts["html"], facts["title"], facts["theme"], facts["accent"], facts["locale"])
    return Preview(shown, facts["kind"], facts["module"], facts["digest"], UUID(facts["agency"]))


def find_preview_asset(name: str, path: str) -> bytes | None:
    """An asset kept beside a page."""
    kept: bytes | None = redis().hget(_KEY + name, _ASSETS + path)  # type: ignore[assignment]  # as above
    return kept
