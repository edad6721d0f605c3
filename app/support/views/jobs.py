"""Queue, workers and failures for the platform's staff; a failed job ordered again by the agency it is of."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from flask import Response, g, make_response, render_template, request, url_for

from app.access.permissions import Permission, StaffPermission
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.queue.actions import discard_run, retry_run
from app.queue.inspect import failed_runs, queue_states, worker_states
from app.queue.models import JobRun
from app.support.access.actions import tell_looked
from app.support.access.queries import leaves_of
from app.support.queries import agency_names, failed_pages
from app.support.views.common import bp
from app.tenancy.models import Agency
from app.web.forms import clean, local_path
from app.web.guard import noted_lately, requires, staff
from app.web.htmx import respond, trigger_toast


@bp.post("/logs/jobs/<public_id:run_id>/retry")
@requires(Permission.INSTALLS_CONFIGURE, run=JobRun)
def retry_job(run: JobRun) -> Response:
    retry_run(g.db, run=run, by=g.actor, now=utcnow())
    trigger_toast("success", "Ordered again", "Its new run will stand in the logs.")
    return respond(redirect_to=local_path(request.form.get("back"), url_for("support.logs", kind="job")))


@bp.get("/staff/queue")
@staff(StaffPermission.SUPPORT)
def staff_queue() -> Response:
    """What waits, who works, which jobs failed and wait for a person; with traces where the reader may look."""
    now, cursor = utcnow(), request.args.get("cursor", "")
    found = failed_runs(g.db, now=now, before=decode("job", cursor) if cursor else None)
    context = {
        "page": "staff_queue", "found": found,
        "cursor": encode("job", found.next_cursor) if found.next_cursor else None,
        "now": now, "first": not cursor,
        "queues": queue_states(now=now), "workers": worker_states(now=now),
        "whose": _whose({run.agency_id for run in found.rows if run.agency_id}, now=now),
    }  # fmt: skip
    return make_response(render_template("support/queue.html", **context))


@bp.post("/staff/jobs/<public_id:run_id>/retry")
@staff(StaffPermission.SUPPORT)
def staff_retry(run_id: str) -> Response:
    retry_run(g.db, run=_run(run_id), by=g.actor, now=utcnow())
    trigger_toast("success", "Ordered again")
    return respond(redirect_to=url_for("support.staff_queue"))


@bp.post("/staff/jobs/<public_id:run_id>/discard")
@staff(StaffPermission.SUPPORT)
def staff_discard(run_id: str) -> Response:
    discard_run(g.db, run=_run(run_id), by=g.actor, now=utcnow())
    trigger_toast("success", "Discarded")
    return respond(redirect_to=url_for("support.staff_queue"))


@bp.get("/staff/failures")
@staff(StaffPermission.SUPPORT)
def staff_failures() -> Response:
    """Requests that ended in a fault of ours, found by the request id too; with traces where the reader may look."""
    cursor, words = request.args.get("cursor", ""), clean(request.args.get("q"))[:80]
    found = failed_pages(g.db, before=decode("flr", cursor) if cursor else None, request_id=words)
    context = {
        "page": "staff_failures", "found": found,
        "cursor": encode("flr", found.next_cursor) if found.next_cursor else None,
        "first": not cursor, "q": words, "ids": {row.id: encode("flr", row.id) for row in found.rows},
        "whose": _whose({row.agency_id for row in found.rows if row.agency_id}, now=utcnow()),
    }  # fmt: skip
    return make_response(render_template("support/failures.html", **context))


def _whose(agencies: set[UUID], *, now: datetime) -> dict[UUID, Agency]:
    """Of these agencies those that the reader may look at, by the agency's leave; each look stands on its trail, once a minute."""
    allowed = leaves_of(g.db, staff_id=g.actor.id, now=now)
    leaves = {agency_id: leave for agency_id, leave in allowed.items() if agency_id in agencies}
    for leave in leaves.values():
        if not noted_lately(f"dramac:support:{leave.id}:{request.path}"):
            tell_looked(g.db, access=leave, path=request.path, by=g.actor)
    return agency_names(g.db, set(leaves))


def _run(public_id: str) -> JobRun:
    found = g.db.get(JobRun, decode("job", public_id))
    if found is None:
        raise NotFound()
    return cast(JobRun, found)
