"""GET /transparency and /transparency.json: the release log as anybody may read and check it."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from sqlalchemy import func, select

from app.db.base import db
from app.db.scope import identity_scope
from app.db.session import transaction
from app.lib.clock import rfc3339
from app.modules.signing.keys import trusted_keys
from app.web.guard import public
from app.web.limits import limiter

bp = Blueprint("transparency", __name__)

PER_PAGE, MOST = 50, 500
_HEX = ("publisher_key", "publisher_signature", "platform_key", "platform_signature", "previous_hash", "hash")
_COLUMNS = ("number", "at", "kind", "statement", "statement_sha256", "publisher", *_HEX)


@bp.get("/transparency")
@limiter.limit("60 per minute")
@public
def log() -> Response:
    entries, end = _read(PER_PAGE)
    return make_response(
        render_template(
            "studio/transparency.html", entries=entries, end=end, keys=[key.hex() for key in trusted_keys()]
        )
    )


@bp.get("/transparency.json")
@limiter.limit("60 per minute")
@public
def log_json() -> Response:
    """{keys, end: {number, hash}, entries: newest first, next: the `before` of the next page or null}."""
    entries, end = _read(MOST)
    plain = [{**entry, "at": rfc3339(entry["at"])} for entry in entries]
    more = entries[-1]["number"] if entries and entries[-1]["number"] > 1 else None
    answer = jsonify(
        keys=[key.hex() for key in trusted_keys()],
        end={"number": end["number"], "hash": end["hash"]},
        entries=plain,
        next=more,
    )
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _read(most: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(entries before ?before=, newest first; the end of the chain). Bytes as hex digits."""
    text = request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 2**62
    with identity_scope(), transaction(db.session()) as session:
        rows = session.execute(select(func.release_log_page(before, most).table_valued(*_COLUMNS))).all()
        end = session.execute(
            select(func.release_log_end().table_valued("number", "hash", "checked_at", "fault"))
        ).one()
    entries = []
    for row in rows:
        entry = dict(zip(_COLUMNS, row, strict=True))
        entry |= {name: bytes(entry[name]).hex() for name in _HEX}
        entry["said"] = json.loads(entry["statement"]) if entry["statement"] else None
        entries.append(entry)
    return entries, {"number": end[0], "hash": bytes(end[1]).hex(), "checked_at": end[2], "fault": end[3]}
