"""The public status page."""

from __future__ import annotations

from datetime import datetime

from flask import Response, make_response, render_template

from app.db.base import db
from app.db.scope import identity_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.support.status.queries import status_of_parts
from app.support.views.common import bp
from app.web.guard import public


@bp.get("/status")
@public
def status() -> Response:
    """How the platform is now and was for 90 days; nothing of anybody in it."""
    with identity_scope(), transaction(db.session()) as session:
        parts = status_of_parts(session, now=utcnow())
    times = [datetime.fromisoformat(part.last_at) for part in parts if part.last_at]
    return make_response(render_template("support/status.html", parts=parts, measured=max(times, default=None)))
