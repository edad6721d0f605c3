"""Saying something of a module: rate, vote, report, answer; and the queue of staff."""

from __future__ import annotations

from uuid import UUID

from flask import Response, g, render_template, request, url_for

from app.access.permissions import Permission, StaffPermission
from app.errors import AppError, NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.marketplace import ratings
from app.marketplace.models import Rating
from app.marketplace.views.common import bp
from app.modules.models import Module
from app.modules.queries import module_by_slug
from app.web.forms import clean
from app.web.guard import requires, staff
from app.web.htmx import respond, say_not_done, trigger_toast


@bp.post("/marketplace/<slug>/rating")
@requires(Permission.INSTALLS_CREATE)
def rate(slug: str) -> Response:
    module = _module(slug)
    stars, text = request.form.get("stars", ""), clean(request.form.get("text"))[:4000].replace("\r\n", "\n")
    try:
        if request.form.get("take_back"):
            ratings.take_back(g.db, module=module, by=g.actor)
        else:
            ratings.rate(
                g.db, module=module, stars=int(stars) if stars in ("1", "2", "3", "4", "5") else 0, text=text,
                by=g.actor, now=utcnow(),
            )  # fmt: skip
            trigger_toast("success", "Thank you", "Others see it now.")
    except AppError as error:
        say_not_done(error, "That was not kept")
    return _back(slug)


@bp.post("/marketplace/ratings/<public_id:rating_id>/helpful")
@requires(Permission.INSTALLS_CREATE)
def helpful(rating_id: str) -> Response:
    found = _rating(rating_id)
    try:
        ratings.vote(g.db, rating=found, by=g.actor)
    except AppError as error:
        say_not_done(error, "No vote")
    return _back_to(found)


@bp.post("/marketplace/ratings/<public_id:rating_id>/report")
@requires(Permission.INSTALLS_CREATE)
def report(rating_id: str) -> Response:
    found = _rating(rating_id)
    try:
        ratings.report(g.db, rating=found, reason=request.form.get("reason", ""), by=g.actor, now=utcnow())
        trigger_toast("success", "Reported", "Our staff looks at it.")
    except AppError as error:
        trigger_toast("error", "Not reported", error.message)
    return _back_to(found)


@bp.post("/marketplace/ratings/<public_id:rating_id>/answer")
@requires(Permission.MODULES_PUBLISH)
def answer(rating_id: str) -> Response:
    found = _rating(rating_id)
    try:
        text = clean(request.form.get("answer")).replace("\r\n", "\n")
        ratings.answer(g.db, rating=found, text=text, now=utcnow())
    except AppError as error:
        trigger_toast("error", "Not answered", error.message)
    return _back_to(found)


@bp.get("/staff/marketplace/ratings")
@staff(StaffPermission.SUPPORT)
def moderate() -> str:
    return render_template("marketplace/moderate.html", reported=ratings.reported(g.db), hidden=ratings.hidden(g.db))


@bp.post("/staff/marketplace/ratings/<public_id:rating_id>")
@staff(StaffPermission.SUPPORT)
def settle(rating_id: str) -> Response:
    """do: hide (with why), keep, or show again."""
    found, what = _rating(rating_id), request.form.get("do", "")
    try:
        if what == "show":
            ratings.show_again(g.db, rating=found, by=g.actor)
        else:
            why = clean(request.form.get("why"))
            ratings.settle(g.db, rating=found, hide=what == "hide", why=why, by=g.actor, now=utcnow())
    except AppError as error:
        trigger_toast("error", "Not decided", error.message)
    return respond(redirect_to=url_for("marketplace.moderate"))


def _module(slug: str) -> Module:
    found = module_by_slug(g.db, slug)
    if found is None:
        raise NotFound()
    return found


def _rating(public_id: str) -> Rating:
    rating_id: UUID = decode("rtg", public_id)
    return ratings.rating_by_id(g.db, rating_id)


def _back_to(found: Rating) -> Response:
    return _back(g.db.get_one(Module, found.module_id).slug)


def _back(slug: str) -> Response:
    return respond(redirect_to=url_for("marketplace.module", slug=slug, _anchor="reviews"))
