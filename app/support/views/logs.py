"""Logs: one timeline of the agency, of an install, live, of one request, and as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, render_template, request, stream_with_context, url_for

from app.access.permissions import Permission
from app.db.base import db
from app.db.scope import current_scope, reopened
from app.db.session import transaction
from app.errors import NotFound
from app.installs.models import Install
from app.installs.places import Target, targets
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.support.actions import SEARCH_FILTERS, kept_query
from app.support.queries import searches
from app.support.recording import recording_of
from app.support.timeline import (
    KINDS,
    LEVELS,
    NO_LOOK,
    OUTCOMES,
    LogFilter,
    Look,
    log_line,
    log_page,
    look,
    position,
)
from app.support.views.common import bp, csv_line
from app.support.views.lines import KIND_WORDS, WORDS, flat_line, here, plain_line, shown_lines
from app.web.forms import asked, clean
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx

EXPORT_ROWS = 10_000
EXPORT_PORTION = 500
TAIL_ROWS = 100
LOOK_AGAIN = timedelta(minutes=1)  # an older look has the database go through more than it needs to
LAST = {
    "15m": ("Last 15 minutes", timedelta(minutes=15)),
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
}
OF_PEOPLE = ("sign_in", "audit")  # reading logs is not reading what people did, which has a right of its own
OUTCOME_WORDS = {
    "2xx": "Status 2xx", "3xx": "Status 3xx", "4xx": "Status 4xx", "5xx": "Status 5xx", "refused": "Refused",
    "error": "Failed", "timeout": "Out of time", "memory": "Out of memory", "budget": "Out of budget", "due": "Waiting",
    "given_up": "Given up", "failed": "Job failed", "lost": "Job lost", "signed_in": "Signed in", "wrong": "Wrong password",
    "throttled": "Too many tries", "disabled": "Account disabled",
}  # fmt: skip
COLUMNS = ("at", "kind", "level", "outcome", "title", "site", "module", "request_id", "detail")
_REQUEST_ID = re.compile(r"req_[0-9a-z]{1,60}", re.ASCII)


@bp.get("/logs")
@requires(Permission.LOGS_VIEW)
def logs() -> Response:
    return _timeline(None)


@bp.get("/installs/<public_id:install_id>/logs")
@requires(Permission.LOGS_VIEW, install=Install)
def install_logs(install: Install) -> Response:
    """What one install did and what was done to it."""
    return _timeline(install)


@bp.get("/logs/tail")
@requires(Permission.LOGS_VIEW)
def tail() -> Response:
    """The lines that were written since a look, each once, and where to ask for the next; 204 when there are none."""
    wanted, now = _wanted(_places()), utcnow()
    last = look(request.args.get("after", ""))
    found = log_page(
        g.db, agency_id=g.agency.agency_id, wanted=wanted, now=now, unseen=last or NO_LOOK, limit=TAIL_ROWS
    )
    if not found.lines and (last is None or now - last.at < LOOK_AGAIN):
        return make_response("", 204)
    return make_response(
        fragment(
            "support/_log_tail.html",
            lines=shown_lines(found.lines),
            tail_url=_tail_url(found.look),
            more=found.next_cursor,
            back=here(),
            **WORDS,
        )
    )


@bp.get("/logs.csv")
@requires(Permission.LOGS_VIEW)
def logs_csv() -> Response:
    """The lines of the filters as a table, at most 10,000."""
    return _file("csv", "text/csv", lambda line: csv_line(tuple(flat_line(line).values())), head=csv_line(COLUMNS))


@bp.get("/logs.jsonl")
@requires(Permission.LOGS_VIEW)
def logs_jsonl() -> Response:
    """The lines of the filters as JSON, one a line, at most 10,000."""
    return _file("jsonl", "application/jsonl", lambda line: json.dumps(plain_line(line), ensure_ascii=False) + "\n")


def _timeline(install: Install | None) -> Response:
    places, now = _places(), utcnow()
    wanted = _wanted(places, install)
    cursor = position(request.args.get("cursor", ""))
    live = request.args.get("live") == "1" and cursor is None
    one = bool(request.args.get("line"))
    if one:
        at = position(request.args["line"])
        line = log_line(g.db, agency_id=g.agency.agency_id, kinds=kinds_allowed(), at=at, now=now) if at else None
        lines, next_cursor, seen = ([line] if line else []), None, None
    else:
        found = log_page(g.db, agency_id=g.agency.agency_id, wanted=wanted, now=now, before=cursor)
        lines, next_cursor, seen = found.lines, found.next_cursor, found.look
    context: dict[str, Any] = {
        "page": "logs", "lines": shown_lines(lines, opened=one), "next_cursor": next_cursor, "first": cursor is None,
        "one": one, "live": live, "chosen": _chosen(), "last": LAST, "outcomes": OUTCOME_WORDS,
        "kind_choices": [(kind, KIND_WORDS[kind]) for kind in kinds_allowed()],
        "time_choices": [("", "Any time"), *((key, words) for key, (words, _) in LAST.items())],
        "site_names": {encode("ste", place.site_id): place.site_name for place in places},
        "install_names": {
            encode("ins", place.install_id): f"{place.module_name} on {place.site_name}" for place in places if place.install_id
        }, "base": request.path, "install": install,
        "tail_url": _tail_url(seen, install) if live and seen else "",
        "csv_url": url_for("support.logs_csv", **_query(install)), "jsonl_url": url_for("support.logs_jsonl", **_query(install)),
        "search_query": kept_query(_search_query(install)), "back": here(), **WORDS,
    }  # fmt: skip
    if is_htmx():
        return make_response(fragment("support/_logs_results.html", **context))
    context["searches"] = searches(g.db, agency_id=g.agency.agency_id, user_id=g.actor.id)
    if install is None:
        return make_response(render_template("support/logs.html", **context))
    shown = install_with_parts(g.db, install_id=install.id) or install
    context |= {
        "install": shown, "tab": "logs", "recording": recording_of(g.db, install=install, now=now),
        "can_record": g.actor.can(Permission.INSTALLS_CONFIGURE),
    }  # fmt: skip
    return make_response(render_template("support/install_logs.html", **context))


# -- what is asked for ---------------------------------------------------------------------------------------------


def _places() -> list[Target]:
    return targets(g.db, agency_id=g.agency.agency_id)


def kinds_allowed() -> tuple[str, ...]:
    return KINDS if g.actor.can(Permission.AUDIT_VIEW) else tuple(kind for kind in KINDS if kind not in OF_PEOPLE)


def _chosen() -> dict[str, Any]:
    """The filters of the address as they are shown: only what means something."""
    words = clean(request.args.get("q"))[:100]
    asked_request = clean(request.args.get("request"))[:80]
    is_request = _REQUEST_ID.fullmatch(words) is not None
    return {
        "q": words,
        "kind": [kind for kind in kinds_allowed() if kind in request.args.getlist("kind")],
        "level": [level for level in LEVELS if level in request.args.getlist("level")],
        "site": request.args.getlist("site")[:50],
        "install": request.args.getlist("install")[:50],
        "outcome": asked("outcome", OUTCOMES, ""),
        "request": asked_request or (words if is_request else ""),
        "words": "" if is_request else words,
        "last": asked("last", tuple(LAST), ""),
        "since": request.args.get("since", "") if _moment("since") else "",
        "until": request.args.get("until", "") if _moment("until") else "",
    }


def _wanted(places: list[Target], install: Install | None = None) -> LogFilter:
    chosen = _chosen()
    sites = tuple(_id("ste", one) for one in chosen["site"])
    installs = (install.id,) if install else tuple(_id("ins", one) for one in chosen["install"])
    about = [encode("ins", one) for one in installs] or [
        *(encode("ste", one) for one in sites),
        *(encode("ins", place.install_id) for place in places if place.install_id and place.site_id in sites),
    ]
    since = utcnow() - LAST[chosen["last"]][1] if chosen["last"] else _moment("since")
    return LogFilter(
        kinds=tuple(chosen["kind"]) or kinds_allowed(), levels=tuple(chosen["level"]), sites=sites, installs=installs,
        targets=tuple(about), outcome=chosen["outcome"], words=chosen["words"], request_id=chosen["request"],
        since=since, until=_moment("until"),
    )  # fmt: skip


def _id(prefix: str, text: str) -> UUID:
    try:
        return decode(prefix, text)
    except NotFound:
        return UUID(int=0)  # a filter nobody has: nothing is found


def _moment(name: str) -> datetime | None:
    """A moment asked for as the browser's field writes it, in the reader's zone; None for anything that is none."""
    try:
        asked_for = datetime.fromisoformat(request.args.get(name, ""))
        moment = asked_for if asked_for.tzinfo else asked_for.replace(tzinfo=ZoneInfo(g.zone))
        return moment if 1971 <= moment.year <= 9998 else None
    except (ValueError, OverflowError):
        return None


def _query(install: Install | None = None) -> dict[str, Any]:
    """The filters of this page for another address."""
    kept = {name: request.args.getlist(name) for name in SEARCH_FILTERS}
    if install is not None:
        kept["install"] = [install.public_id]
    return {key: values for key, values in kept.items() if any(values)}


def _search_query(install: Install | None) -> str:
    """The filters as a query; on the page of an install it is one of them."""
    asked_for = request.query_string.decode("ascii", "replace")
    return asked_for if install is None else f"{asked_for}&install={install.public_id}".lstrip("&")


def _tail_url(seen: Look, install: Install | None = None) -> str:
    return url_for("support.tail", after=str(seen), **_query(install))


# -- as a file ------------------------------------------------------------------------------------------------------


def _file(ending: str, mimetype: str, write: Any, *, head: str = "") -> Response:
    """A download that is sent while it is read, a portion at a time: no transaction waits for a slow reader."""
    wanted, agency_id, scope, now = _wanted(_places()), g.agency.agency_id, current_scope(), utcnow()

    def parts() -> Iterator[str]:
        yield head
        left, before = EXPORT_ROWS, None
        while left > 0:
            with reopened(scope), transaction(db.session()) as session:
                found = log_page(
                    session, agency_id=agency_id, wanted=wanted, now=now, before=before, limit=min(EXPORT_PORTION, left)
                )
            db.session.remove()
            yield "".join(write(line) for line in found.lines)
            if found.next_cursor is None:
                return
            left, before = left - len(found.lines), position(found.next_cursor)

    answer = Response(stream_with_context(parts()), mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="logs-{now:%Y-%m-%d}.{ending}"'
    return answer
