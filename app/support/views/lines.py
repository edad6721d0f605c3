"""A line of the timeline as its page, its copies and its file show it."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import current_app, g, request, url_for

from app.access.permissions import Permission
from app.lib.clock import rfc3339
from app.lib.ids import encode
from app.support.replay import can_be_replayed
from app.support.rewrites import can_be_made_again
from app.support.timeline import Line

KIND_WORDS = {
    "request": "API call", "page": "Error page", "run": "Function run", "job": "Job", "mail": "Mail",
    "delivery": "Event delivery", "attempt": "Webhook call", "inbound": "Inbound webhook",
    "sign_in": "Sign-in", "audit": "Admin action",
}  # fmt: skip
LEVEL_WORDS = {"error": "Error", "warn": "Warning", "ok": "OK", "info": "Info"}
WORDS: dict[str, Any] = {"kind_words": KIND_WORDS, "level_words": LEVEL_WORDS}


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as the page shows it. time: in the reader's zone; site_href, curl: '' for what has none; lacks: what curl leaves out;
    open: its details;
    said: level, words and data (JSON or '') of each line a function logged; retry: where a failed job is ordered again, '' for
    what did not fail and for who may not; replay: the line's position where it can be asked again, '' else.
    """

    line: Line
    time: str
    href: str
    site_href: str
    json: str
    curl: str
    lacks: str
    said: list[tuple[str, str, str]]
    open: bool = False
    retry: str = ""
    replay: str = ""


def shown_lines(lines: list[Line], *, opened: bool = False) -> list[Shown]:
    return [
        Shown(
            line, _time(line.at), url_for("support.logs", line=str(line.position)),
            url_for("tenancy.site", site_id=encode("ste", line.site_id)) if line.site_name and line.site_id else "",
            json.dumps(plain_line(line), ensure_ascii=False, indent=2), _curl(line), _lacks(line),
            _said(line), opened, _retry(line),
            _replay(line),
        )
        for line in lines
    ]  # fmt: skip


def _replay(line: Line) -> str:
    """The position of what may be made again; what it shows are records."""
    replayable = can_be_replayed(line) or can_be_made_again(line)
    return str(line.position) if replayable and g.actor.can(Permission.RECORDS_VIEW) else ""


def _retry(line: Line) -> str:
    failed = line.kind == "job" and line.outcome in ("failed", "lost") and not line.detail["settled"]
    if not failed or not g.actor.can(Permission.INSTALLS_CONFIGURE):
        return ""
    return url_for("support.retry_job", run_id=encode("job", UUID(line.key.removeprefix("job:"))))


def here() -> str:
    """The address of the page whose lines are shown, also when they come to it by themselves."""
    live = request.headers.get("HX-Current-URL") if request.endpoint == "support.tail" else None
    page = urlsplit(live or request.full_path)
    return f"{page.path}?{page.query}" if page.query else page.path


def _said(line: Line) -> list[tuple[str, str, str]]:
    said = [one for one in line.detail.get("logs", ()) if isinstance(one, dict)]
    return [(str(one.get("level", "")), str(one.get("message", "")), _json(one.get("data"))) for one in said]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


def _time(at: datetime) -> str:
    """'23 Nov 14:05:09.123' in the reader's zone: lines are told apart by parts of a second."""
    local = at.astimezone(ZoneInfo(g.zone))
    return f"{format_date(local, 'd MMM', locale=g.locale)} {local:%H:%M:%S}.{local.microsecond // 1000:03}"


def _lacks(line: Line) -> str:
    """What a copied call has to be given before it is the same call."""
    writes = line.kind == "request" and line.detail["method"] in ("POST", "PUT", "PATCH")
    return "Without its key, query, body and content type" if writes else "Without its key and query"


def _curl(line: Line) -> str:
    """The call as a command, with the key left for the reader to put in."""
    if line.kind != "request":
        return ""
    url = current_app.config["DRAMAC"].platform_url + line.detail["path"]
    return f'curl -X {shlex.quote(line.detail["method"])} {shlex.quote(url)} -H "Authorization: Bearer $DRAMAC_KEY"'


def plain_line(line: Line) -> dict[str, Any]:
    values = asdict(line)
    return {
        "at": rfc3339(line.at),
        **{name: values[name] for name in ("kind", "level", "outcome", "title", "request_id")},
        "site": {"id": encode("ste", line.site_id), "name": line.site_name} if line.site_id else None,
        "install": {"id": encode("ins", line.install_id), "module": line.module_name} if line.install_id else None,
        "detail": line.detail,
    }


def flat_line(line: Line) -> dict[str, str]:
    return {
        "at": rfc3339(line.at), "kind": line.kind, "level": line.level, "outcome": line.outcome, "title": line.title,
        "site": line.site_name or "", "module": line.module_name or "", "request_id": line.request_id,
        "detail": json.dumps(line.detail, ensure_ascii=False),
    }  # fmt: skip
