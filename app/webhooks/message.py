"""The body of a webhook: `{"type", "timestamp", "data"}`, and where it happened."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from app.lib.clock import rfc3339
from app.lib.ids import encode

MAX_BODY = 256 * 1024


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


def encoded(content: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent, the same at every attempt. Over 256 kB the data is left out and says so."""
    body = _json(content)
    return body if len(body) <= MAX_BODY else _json({**content, "data": {"omitted": True, "size_bytes": len(body)}})


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
