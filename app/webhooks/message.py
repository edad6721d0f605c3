"""The body of a webhook: `{"type", "timestamp", "data"}`, and where it happened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from app.lib.clock import rfc3339
from app.lib.ids import encode

MAX_BODY = 256 * 1024
FIELD = re.compile(r"[A-Za-z0-9_]{1,63}(\.[A-Za-z0-9_]{1,63}){0,5}")


def message(
    *, event_type: str, occurred_at: datetime, data: dict[str, Any], site_id: UUID | None, install_id: UUID | None
) -> dict[str, Any]:
    """type and data of the event, its own time (not that of sending), and the ids of its site and install or null."""
    return {
        "type": event_type,
        "timestamp": rfc3339(occurred_at),
        "data": data,
        "site": encode("ste", site_id) if site_id else None,
        "install": encode("ins", install_id) if install_id else None,
    }


def selected(data: dict[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Only the values at these paths (`record.name`), where they were; all of data for no paths. Absent ones stay absent."""
    wanted: dict[str, Any] = {}
    for path in sorted(fields):  # record before record.name, which then adds nothing
        *above, last = path.split(".")
        branch: dict[str, Any] | None = wanted
        for name in above:
            branch = branch.setdefault(name, {}) if branch is not None else None
        if branch is not None:
            branch[last] = None
    return _branch(data, wanted) if wanted else data


def _branch(data: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """wanted: {name: None for all of it, or what is wanted below it}."""
    found = {}
    for name, deeper in wanted.items():
        if name not in data:
            continue
        value = data[name]
        if deeper is None:
            found[name] = value
        elif isinstance(value, dict):
            found[name] = _branch(value, deeper)
    return found


def encoded(content: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent, the same at every attempt. Over 256 kB the data is left out and says so."""
    body = _json(content)
    return body if len(body) <= MAX_BODY else _json({**content, "data": {"omitted": True, "size_bytes": len(body)}})


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
