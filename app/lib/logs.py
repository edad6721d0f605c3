"""Logging set-up: one line per record, no line breaks or terminal codes from outside, JSON where asked for."""

from __future__ import annotations

import json
import logging
import sys

from app.lib.clock import rfc3339, utcnow

_HARMLESS = {ord(char): repr(char)[1:-1] for char in map(chr, [*range(32), 127, 0x85, 0x2028, 0x2029]) if char != "\n"}


class OneLine(logging.Formatter):
    """Control characters are shown escaped, so that nobody writes a second line or paints the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage().replace("\n", "\\n").translate(_HARMLESS)
        text = f"{rfc3339(utcnow())} {record.levelname.lower():7} {record.name}: {record.message}"
        return f"{text}\n{_indented(self.formatException(record.exc_info))}" if record.exc_info else text


def _indented(trace: str) -> str:
    """A trace whose lines, and those of messages in it, cannot pass for records."""
    return "\n".join(f"    {line.translate(_HARMLESS)}" for line in trace.split("\n"))


class JsonLine(logging.Formatter):
    """{"at", "level", "logger", "message", "error"} per line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": rfc3339(utcnow()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def configure_logging(style: str) -> None:
    """Everything from INFO to standard error. style: "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if style == "json" else OneLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("rq", "httpx", "httpcore", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
