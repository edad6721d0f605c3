"""What platform staff arrange: shelves, their order, schedule and modules; verified publishers."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Response, g, render_template, request, url_for

from app.access.permissions import StaffPermission
from app.errors import AppError, Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode, decode_or_none
from app.marketplace import actions
from app.marketplace.forms import CollectionForm, NewCollectionForm
from app.marketplace.models import Collection
from app.marketplace.queries import collections, items_of, publishers, shelf
from app.marketplace.views.common import bp
from app.web.forms import clean
from app.web.guard import staff
from app.web.htmx import respond, trigger_toast

ARRANGE = "/staff/marketplace"


@bp.get(ARRANGE)
@staff(StaffPermission.ADMINISTER)
def arrange() -> str:
    return _arrange_page(NewCollectionForm(), text=clean(request.args.get("q"))[:100])


@bp.post(ARRANGE)
@staff(StaffPermission.ADMINISTER)
def add_collection() -> Response | tuple[str, int]:
    form = NewCollectionForm()
    if form.validate():
        try:
            made = actions.create_collection(
                g.db, slug=form.slug.data, name=form.name.data, summary=form.summary.data, by=g.actor, now=utcnow()
            )
        except actions.SlugInUse as error:
            form.take(error, "slug")
        else:
            return respond(redirect_to=url_for("marketplace.edit_collection", collection_id=made.public_id))
    return _arrange_page(form), 422


@bp.get(f"{ARRANGE}/<public_id:collection_id>")
@staff(StaffPermission.ADMINISTER)
def edit_collection(collection_id: str) -> str:
    found = _collection(collection_id)
    return _edit_page(found, CollectionForm(obj=found))


@bp.post(f"{ARRANGE}/<public_id:collection_id>")
@staff(StaffPermission.ADMINISTER)
def save_collection(collection_id: str) -> Response | tuple[str, int]:
    found, form = _collection(collection_id), CollectionForm()
    if form.validate():
        try:
            actions.change_collection(
                g.db, collection=found, name=form.name.data, summary=form.summary.data, shown=form.shown.data,
                starts_at=_utc(form.starts_at.data), ends_at=_utc(form.ends_at.data), by=g.actor, now=utcnow(),
            )  # fmt: skip
        except AppError as error:
            form.take(error)
        else:
            trigger_toast("success", "Collection saved")
            return _back(found)
    return _edit_page(found, form), 422


@bp.post(f"{ARRANGE}/<public_id:collection_id>/move")
@staff(StaffPermission.ADMINISTER)
def move_collection(collection_id: str) -> Response:
    found = _collection(collection_id)
    actions.move_collection(g.db, collection=found, up=request.form.get("way") == "up", by=g.actor, now=utcnow())
    return respond(redirect_to=url_for("marketplace.arrange"))


@bp.post(f"{ARRANGE}/<public_id:collection_id>/delete")
@staff(StaffPermission.ADMINISTER)
def delete_collection(collection_id: str) -> Response:
    found = _collection(collection_id)
    actions.delete_collection(g.db, collection=found)
    trigger_toast("success", f"{found.name} is deleted")
    return respond(redirect_to=url_for("marketplace.arrange"))


@bp.post(f"{ARRANGE}/<public_id:collection_id>/modules")
@staff(StaffPermission.ADMINISTER)
def change_items(collection_id: str) -> Response | tuple[str, int]:
    """do: add (by slug), up, down or off (by module id)."""
    found, what = _collection(collection_id), request.form.get("do", "")
    try:
        if what == "add":
            slug = clean(request.form.get("module")).lower()
            actions.put_on_shelf(g.db, collection=found, slug=slug, by=g.actor, now=utcnow())
        elif what == "off":
            actions.take_off_shelf(g.db, collection=found, module_id=_module(), by=g.actor, now=utcnow())
        else:
            actions.move_on_shelf(
                g.db, collection=found, module_id=_module(), up=what == "up", by=g.actor, now=utcnow()
            )
    except AppError as error:
        g.db.rollback()
        return _edit_page(
            _collection(collection_id), CollectionForm(formdata=None, obj=found), problem=error.message
        ), 422
    return _back(found)


@bp.post(f"{ARRANGE}/publishers")
@staff(StaffPermission.ADMINISTER)
def verify() -> Response | tuple[str, int]:
    agency_id, verified = decode_or_none("agc", request.form.get("agency", "")), request.form.get("verified") == "1"
    try:
        actions.verify_publisher(g.db, agency_id=agency_id or UUID(int=0), verified=verified, by=g.actor, now=utcnow())
    except Invalid as error:
        return _arrange_page(NewCollectionForm(formdata=None), problem=error.errors[0].detail), 422
    trigger_toast("success", "Publisher verified" if verified else "No longer verified")
    return respond(redirect_to=url_for("marketplace.arrange"))


def _arrange_page(form: NewCollectionForm, *, text: str = "", problem: str = "") -> str:
    """problem: why a publisher was not verified."""
    return render_template(
        "marketplace/arrange.html",
        collections=collections(g.db),
        publishers=publishers(g.db, text=text),
        q=text,
        form=form,
        problem=problem,
        now=utcnow(),
    )


def _edit_page(found: Collection, form: CollectionForm, *, problem: str = "") -> str:
    preview = items_of(g.db, collection_id=found.id) if found.kind == "curated" else []
    if found.kind != "curated":
        kept = shelf(g.db, found.slug, now=utcnow())
        preview = kept.items if kept else []
    return render_template(
        "marketplace/edit_collection.html", collection=found, form=form, items=preview, problem=problem, installed=set()
    )


def _collection(public_id: str) -> Collection:
    found = g.db.get(Collection, decode("col", public_id))
    if found is None:
        raise NotFound()
    return found  # type: ignore[no-any-return]  # g has no types


def _module() -> UUID:
    return decode("mod", request.form.get("module", ""))


def _back(found: Collection) -> Response:
    return respond(redirect_to=url_for("marketplace.edit_collection", collection_id=found.public_id))


def _utc(value: datetime | None) -> datetime | None:
    """What a date field gives, read as UTC: the form says so."""
    return value.replace(tzinfo=UTC) if value else None
