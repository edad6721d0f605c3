"""Releases that wait for the platform's staff: what they would change for others, their log, let pass or refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request, url_for
from sqlalchemy import select

from app.access.permissions import StaffPermission
from app.errors import Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.difference import DiffLine, difference
from app.lib.ids import decode
from app.modules.consent import asks_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest, Problem
from app.modules.models import Module, Version
from app.modules.queries import files_of
from app.studio.actions import approve, refuse
from app.studio.letters import tell_refused
from app.studio.models import Publication
from app.studio.publishing.accessibility import NOT_LOOKED
from app.studio.publishing.standing import cleared_before
from app.tenancy.models import Agency
from app.web.guard import staff
from app.web.htmx import respond, trigger_toast

bp = Blueprint("review", __name__, url_prefix="/staff/releases")

MOST = 100


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of the release against the one before. lines: none for a file that is no text."""

    path: str
    what: str
    lines: list[DiffLine] | None


@bp.get("")
@staff(StaffPermission.ADMINISTER)
def queue() -> str:
    """What waits, the oldest first; and what was decided last."""
    query = (
        select(Publication, Version, Module, Agency)
        .join(Version, Version.id == Publication.version_id)
        .join(Module, Module.id == Version.module_id)
        .join(Agency, Agency.id == Publication.agency_id)
    )
    held = g.db.execute(query.where(Publication.status == "held").order_by(Publication.changed_at).limit(MOST)).all()
    decided = query.where(Publication.decided_at.is_not(None), Publication.status != "held")
    last = g.db.execute(decided.order_by(Publication.decided_at.desc()).limit(20)).all()
    return render_template("studio/review_queue.html", held=held, last=last)


@bp.get("/<public_id:publication_id>")
@staff(StaffPermission.ADMINISTER)
def show(publication_id: str) -> str:
    return _page(_held(publication_id))


@bp.post("/<public_id:publication_id>")
@staff(StaffPermission.ADMINISTER)
def decide(publication_id: str) -> Response:
    """do: pass, or refuse with a reason."""
    found, now = _held(publication_id), utcnow()
    if request.form.get("do") == "pass":
        approve(g.db, publication=found, by=g.actor, now=now)
        trigger_toast("success", "Let pass", "It is checked anew and then published.")
        return respond(redirect_to=url_for("review.queue"))
    reason = request.form.get("reason", "")
    try:
        refuse(g.db, publication=found, reason=reason, by=g.actor, now=now)
    except Invalid as error:
        return make_response(_page(found, reason=reason, problem=error.message), 422)
    tell_refused(g.db, publication=found)
    trigger_toast("success", "Refused", "Its author gets the reason by mail.")
    return respond(redirect_to=url_for("review.queue"))


def _page(found: Publication, *, reason: str = "", problem: str = "") -> str:
    version = g.db.get_one(Version, found.version_id)
    before = cleared_before(g.db, version=version)
    manifest = Manifest.from_dict(version.manifest)
    older = Manifest.from_dict(before.manifest) if before else None
    old = files_of(g.db, version_id=before.id) if before else {}
    return render_template(
        "studio/review.html",
        publication=found,
        version=version,
        module=g.db.get_one(Module, version.module_id),
        owner=g.db.get_one(Agency, found.agency_id),
        before=before,
        asks=asks_of(manifest),
        new_asks={ask.key for ask in asks_of(manifest)} - ({ask.key for ask in asks_of(older)} if older else set()),
        changes=diff_manifests(older, manifest).changes if older else (),
        files=_changes(old, files_of(g.db, version_id=version.id)),
        steps=[_told(step) for step in found.steps],
        problems=[],
        not_looked=_not_looked(found),
        reason=reason,
        problem=problem,
    )


def _not_looked(found: Publication) -> str:
    """Why its pages were not gone through in a browser; "" when they were."""
    parts = [step.get("detail", "").partition(NOT_LOOKED) for step in found.steps]
    return next((said + why for _, said, why in parts if said), "")


def _changes(old: dict[str, bytes], new: dict[str, bytes]) -> list[FileChange]:
    """What differs, code first."""
    paths = [path for path in {*old, *new} if old.get(path) != new.get(path)]
    words = {True: "changed", False: "new"}
    order = {"functions": 0, "assets": 1, "templates": 2}
    return [
        FileChange(path, words[path in old] if path in new else "gone", difference(old.get(path), new.get(path)))
        for path in sorted(paths, key=lambda path: (order.get(path.split("/")[0], 3), path))
    ]


def _told(step: dict[str, Any]) -> dict[str, Any]:
    found = [Problem(**item) for item in step.get("problems", ())]
    by_file: dict[str, list[Problem]] = {}
    for problem in found:
        by_file.setdefault(problem.file, []).append(problem)
    return {"took_ms": None, "notes": [], **step, "problems": list(by_file.items())}


def _held(public_id: str) -> Publication:
    found = g.db.get(Publication, decode("pub", public_id))
    if found is None:
        raise NotFound()
    return found  # type: ignore[no-any-return]  # g has no types
