"""What comes out of a worker, checked before it is believed. A reply of the wrong shape is BadFrame: that worker dies."""

from __future__ import annotations

from typing import Any

from . import frames
from .errors import (
    FunctionError,
    FunctionInvalid,
    SandboxError,
    SandboxMemory,
    SandboxOutput,
    SandboxTimeout,
    TemplateError,
)

LEVELS = ("debug", "info", "warn", "error")
MOST_HITS = 100_000


def text(head: dict[str, Any], page: bytes) -> str:
    if head["op"] != "done":
        raise frames.BadFrame("an unexpected op")
    try:
        return page.decode()
    except UnicodeDecodeError:
        raise frames.BadFrame("a page is not UTF-8") from None


def failure(head: dict[str, Any], filename: str) -> SandboxError:
    """A fail frame as an error. Raises BadFrame when it is not one of ours."""
    texts = {key: head.get(key, "") for key in ("kind", "message", "file", "stack", "field", "code")}
    numbers = {key: head.get(key, 0) for key in ("line", "column")}
    if not all(isinstance(text, str) for text in texts.values()) or not all(type(n) is int for n in numbers.values()):
        raise frames.BadFrame("a failure of the wrong shape")
    message = texts["message"][:4000]
    match texts["kind"]:
        case "template":
            return TemplateError(texts["file"][:500] or filename, numbers["line"], message, numbers["column"])
        case "error":
            return FunctionError(
                message, filename, numbers["line"], texts["stack"], host_code=texts["code"], host_field=texts["field"]
            )
        case "invalid":
            return FunctionInvalid(texts["field"], message)
        case "time":
            return SandboxTimeout(message)
        case "memory":
            return SandboxMemory(message)
        case "output":
            return SandboxOutput(message)
    raise frames.BadFrame("an unknown failure")


def logs_of(head: dict[str, Any]) -> list[dict[str, Any]]:
    logs = head.get("logs")
    if head["op"] not in ("done", "fail") or not isinstance(logs, list) or len(logs) > 200:
        raise frames.BadFrame("no logs")
    for line in logs:
        if not isinstance(line, dict) or line.get("level") not in LEVELS or not isinstance(line.get("message"), str):
            raise frames.BadFrame("a log line of the wrong shape")
    return logs


def hits_of(head: dict[str, Any]) -> str:
    """Which counters a run reached, "1" or "0" for each; "" for a run without counters, or one that was cut off."""
    hits = head.get("hits", "")
    if not isinstance(hits, str) or len(hits) > MOST_HITS or not set(hits) <= {"0", "1"}:
        raise frames.BadFrame("counters of the wrong shape")
    return hits


def findings(head: dict[str, Any]) -> list[tuple[int, int, str]]:
    found = head.get("found")
    if head["op"] != "done" or not isinstance(found, list):
        raise frames.BadFrame("no findings")
    try:
        return [(int(line), int(column), str(message)[:1000]) for line, column, message in found]
    except (TypeError, ValueError):
        raise frames.BadFrame("findings of the wrong shape") from None
