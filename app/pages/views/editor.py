"""The editor of a page: its one form, publishing, planning, versions, previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage

from app.access.permissions import Permission
from app.errors import AppError, FieldError, Invalid, NotFound
from app.lib.clock import utcnow
from app.pages import actions, queries
from app.pages.content import Content, ModulePage, block_name, faults, stored
from app.pages.editing import EDITS, add_block, said
from app.pages.forms import PlanForm, content_of, files_of, input_of
from app.pages.images import keep_image
from app.pages.models import PageVersion, SitePage
from app.pages.queries import Offered
from app.pages.views.common import bp, live_url, page_of, preview_url, site_of, to_editor, to_list
from app.tenancy.models import Site
from app.web.errors import status_of
from app.web.forms import page_number
from app.web.guard import requires
from app.web.htmx import trigger_toast


@dataclass(frozen=True, slots=True)
class Asked:
    """What the pressed button stands for: its verb, and the block or kind it is about."""

    act: str
    about: str

    @classmethod
    def read(cls) -> Asked:
        act, _, about = request.form.get("do", "save").partition(":")
        return cls(act, about)


@bp.get("/pages/<public_id:page_id>")
@requires(Permission.PAGES_VIEW, page=SitePage)
def edit(page: SitePage) -> Response:
    if page.deleted_at:
        return page_of("deleted", page=page, site=site_of(page))
    return _editor(page, stored(page.draft))


@bp.post("/pages/<public_id:page_id>/draft")
@requires(Permission.PAGES_EDIT, page=SitePage)
def save(page: SitePage) -> Response:
    """Keep what is in the form, then do what the button says. do=auto is answered with the state alone."""
    asked = Asked.read()
    content, now = content_of(request.form), utcnow()
    if asked.act == "auto":
        return _autosave(page, content)
    content, problems = _with_pictures(page, content)
    try:
        # "Keep mine" replaces the draft that the person was told of, and no later one
        kept = _save(page, content, revision=_number(asked.about) if asked.act == "overwrite" else None)
        if asked.act == "undo":
            trigger_toast("success", "Undone", _undo(kept))
            return to_editor(page)
        at = _change(kept, asked) if asked.act in ("add", *EDITS) else ""
    except actions.DraftChanged as error:
        return _editor(page, content, status=409, conflict=error.message)
    except Invalid as error:
        trigger_toast("error", "Not done", error.message)
        return to_editor(page)
    for problem in problems:
        trigger_toast("error", "A picture was not taken", problem)
    if asked.act == "save" and not problems:
        trigger_toast("success", "Draft saved", f"At {now:%H:%M} UTC. Visitors see it once it is published.")
    return to_editor(page, at)


@bp.post("/pages/<public_id:page_id>/publish")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def publish(page: SitePage) -> Response:
    """What is in the editor's form goes live; the draft as it is when the button stands elsewhere."""
    content = content_of(request.form) if "revision" in request.form else stored(page.draft)
    try:
        if "revision" in request.form:
            page = _save(page, content)
        version = actions.publish_page(g.db, page=page, by=g.actor, now=utcnow())
    except actions.DraftChanged as error:
        return _editor(page, content, status=409, conflict=error.message)
    except actions.NotReady as error:
        g.db.commit()  # what was written is kept although it cannot go live yet
        return _editor(page, content, status=422, refused=error.errors)
    trigger_toast("success", f"{page.title} is live", f"Version {version.number}. Visitors see it now.")
    return to_editor(page)


@bp.post("/pages/<public_id:page_id>/plan")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def plan(page: SitePage) -> Response:
    form, site = PlanForm(), site_of(page)
    if not form.validate():
        return _editor(page, stored(page.draft), status=422, plan=form)
    try:
        at = form.moment(site.time_zone)
        actions.plan_page(g.db, page=page, at=at, by=g.actor, now=utcnow())
    except actions.NotReady as error:
        return _editor(page, stored(page.draft), status=422, refused=error.errors)
    except Invalid as error:
        form.take(error, "publish_at")
        return _editor(page, stored(page.draft), status=422, plan=form)
    trigger_toast("success", "Planned", f"The draft of now goes live on {at:%d %B %Y at %H:%M} ({site.time_zone}).")
    return to_editor(page)


@bp.post("/pages/<public_id:page_id>/drop-plan")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def drop_plan(page: SitePage) -> Response:
    actions.drop_plan(g.db, page=page, by=g.actor)
    trigger_toast("success", "The plan is dropped")
    return to_editor(page)


@bp.post("/pages/<public_id:page_id>/unpublish")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def unpublish(page: SitePage) -> Response:
    actions.unpublish_page(g.db, page=page, by=g.actor)
    trigger_toast("success", f"{page.title} is off", "Visitors do not see it any more. Its draft and versions stay.")
    return to_editor(page)


@bp.post("/pages/<public_id:page_id>/delete")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def delete(page: SitePage) -> Response:
    actions.delete_page(g.db, page=page, by=g.actor, now=utcnow())
    again = url_for(".restore", page_id=page.public_id)
    trigger_toast("success", f"{page.title} is deleted", "It can be restored for 30 days.", undo=again)
    return to_list(site_of(page))


@bp.post("/pages/<public_id:page_id>/restore")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def restore(page: SitePage) -> Response:
    try:
        actions.restore_page(g.db, page=page, by=g.actor)
    except actions.PathTaken as error:
        trigger_toast("error", "Not restored", error.message)
        return to_list(site_of(page))
    trigger_toast("success", f"{page.title} is back")
    return to_editor(page)


@bp.get("/pages/<public_id:page_id>/preview")
@requires(Permission.PAGES_VIEW, page=SitePage)
def preview(page: SitePage) -> Response:
    """Lead to the saved draft on the runtime origin, by a link that lasts an hour."""
    return make_response(redirect(preview_url(page, site_of(page)), code=303))


@bp.get("/pages/<public_id:page_id>/versions")
@requires(Permission.PAGES_VIEW, page=SitePage)
def versions(page: SitePage) -> Response:
    before = page_number("before") if "before" in request.args else None
    rows = queries.versions_of(g.db, page_id=page.id, before=before)
    return page_of(
        "versions", page=page, site=site_of(page), rows=rows[: queries.ROWS],
        older=rows[queries.ROWS - 1].number if len(rows) > queries.ROWS else None, first=before is None,
    )  # fmt: skip


@bp.get("/page-versions/<public_id:page_version_id>/preview")
@requires(Permission.PAGES_VIEW, page_version=PageVersion)
def preview_version(page_version: PageVersion) -> Response:
    page = g.db.get_one(SitePage, page_version.page_id)
    return make_response(redirect(preview_url(page, site_of(page), version_id=page_version.id), code=303))


@bp.post("/page-versions/<public_id:page_version_id>/restore")
@requires(Permission.PAGES_EDIT, page_version=PageVersion)
def restore_version(page_version: PageVersion) -> Response:
    page = g.db.get_one(SitePage, page_version.page_id)
    kept = actions.restore_version(g.db, page=page, version=page_version, by=g.actor, now=utcnow())
    more = f" What was there is kept as version {kept.number}." if kept else ""
    trigger_toast(
        "success", f"Version {page_version.number} is the draft now", f"Publish it to show it to visitors.{more}"
    )
    return to_editor(page)


def _save(page: SitePage, content: Content, *, revision: int | None = None) -> SitePage:
    kept: SitePage = actions.save_draft(
        g.db,
        page=page,
        content=content,
        revision=_revision() if revision is None else revision,
        by=g.actor,
        now=utcnow(),
    )
    return kept


def _revision() -> int:
    """Of the draft that the fields of the form began from."""
    return _number(request.form.get("revision", ""))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _autosave(page: SitePage, content: Content) -> Response:
    """The state line as a fragment: saved, or why not."""
    try:
        page = _save(page, content)
    except actions.DraftChanged as error:
        return make_response(render_template("pages/_conflict.html", page=page, conflict=error.message), 409)
    except AppError as error:
        return make_response(render_template("pages/_unsaved.html", problem=error.message), status_of(error))
    return make_response(render_template("pages/_state.html", **_state(page, site_of(page), content)))


def _change(page: SitePage, asked: Asked) -> str:
    """Add, move, double or take out a block; returns the block to go on at."""
    content = stored(page.draft)
    if asked.act == "add":
        module = _module_block(page, asked.about)
        kind = "module" if module else asked.about
        changed, at = add_block(content, kind, after=request.form.get("add-after", ""), module=module)
        done = said("add", changed, at)
    else:
        at = "" if asked.act == "remove" else asked.about
        changed, done = EDITS[asked.act](content, asked.about), said(asked.act, content, asked.about)
    actions.save_draft(g.db, page=page, content=changed, revision=page.revision, by=g.actor, now=utcnow(), said=done)
    return at


def _undo(page: SitePage) -> str:
    try:
        return f"{actions.undo(g.db, page=page, revision=page.revision, by=g.actor, now=utcnow())}."
    except actions.NothingToUndo as error:
        return error.message


def _module_block(page: SitePage, kind: str) -> ModulePage | None:
    """The block of the module's page that was chosen. Raises Invalid for one that is not on the site."""
    if kind != "module":
        return None
    wanted = request.form.get("add-module", "")
    chosen = next((one for one in queries.offered_pages(g.db, site_id=page.site_id) if one.key == wanted), None)
    if chosen is None:
        raise Invalid("Choose a page of a module that is on this site.")
    return ModulePage(install=chosen.install_id, page=chosen.name, title=chosen.title)


def _with_pictures(page: SitePage, content: Content) -> tuple[Content, list[str]]:
    """The page with the files that were sent as its pictures; and what is wrong with those that were not taken."""
    values, problems = content.to_json(), []
    site = site_of(page)
    for name, file in files_of(request.files).items():
        try:
            _put(values, name, _taken(site, file))
        except AppError as error:
            problems.append(error.message)
    return Content.model_validate(values), problems


def _taken(site: Site, file: FileStorage) -> str:
    image = keep_image(g.db, site=site, name=file.filename or "", content=file.stream.read(), now=utcnow())
    return str(image.public_id)


def _put(values: dict[str, Any], name: str, source: str) -> None:
    """name: `image`, `b-<block>-source` or `b-<block>-<column>-source`, as the inputs are called."""
    if name == "image":
        values["image"] = source
        return
    parts = name.split("-")
    block = next((one for one in values["blocks"] if len(parts) > 2 and one["id"] == parts[1]), None)
    if block is None:
        raise NotFound("The block of a picture is no longer on the page.")
    if parts[2] == "source":
        block["source"] = source
    elif parts[2].isdigit() and int(parts[2]) < len(block.get("cells", ())):
        block["cells"][int(parts[2])]["source"] = source


def _state(page: SitePage, site: Site, content: Content, *, revision: int | None = None) -> dict[str, Any]:
    """revision: of the draft that the content was made from, where that is not the newest one."""
    return {
        "page": page,
        "revision": page.revision if revision is None else revision,
        "framed_url": preview_url(page, site, framed=True),
        "wanting": _named(content, faults(content)),
        "same_as_live": page.draft == queries.live_content(g.db, page=page),
        "zone": site.time_zone,
    }


def _named(content: Content, found: Sequence[FieldError]) -> list[tuple[str, str]]:
    """[(id of the input, sentence)] of what keeps a page from going live."""
    return [(input_of(content, one.pointer), one.detail) for one in found]


def _editor(
    page: SitePage,
    content: Content,
    *,
    status: int = 200,
    conflict: str = "",
    refused: Sequence[FieldError] = (),
    plan: PlanForm | None = None,
) -> Response:
    """The editor. conflict: who was faster; refused: why it cannot go live; plan: the form of its dialog with its errors."""
    site = site_of(page)
    named = _named(content, refused)
    offered = queries.offered_pages(g.db, site_id=site.id)
    context: dict[str, Any] = {
        "site": site, "content": content, "offered": offered, "by_key": {one.key: one for one in offered},
        "groups": _groups(offered), "after_options": _places(content), "conflict": conflict,
        "refused": named, "wrong": _by_input(named), "plan": plan or PlanForm(formdata=None),
        "images": queries.recent_images(g.db, site_id=site.id),
        "live_url": live_url(page, site) if page.published_at else None,
    }  # fmt: skip
    # the newest number would make the next save write over what the other person wrote, without anybody choosing that
    began = _revision() if conflict else None
    return page_of("edit", status=status, **context, **_state(page, site, content, revision=began))


def _by_input(named: list[tuple[str, str]]) -> dict[str, list[str]]:
    """{id of an input: what is wrong with it}; the field need not say again which block it is in."""
    wrong: dict[str, list[str]] = {}
    for at, detail in named:
        wrong.setdefault(at, []).append(detail.partition(": ")[2] or detail)
    return {at: [one[:1].upper() + one[1:] for one in details] for at, details in wrong.items()}


def _places(content: Content) -> list[tuple[str, str]]:
    """Where a new block can go: at the end, or behind each of those that are there."""
    blocks = [(block.id, f"After {block_name(block)} {place}") for place, block in enumerate(content.blocks, 1)]
    return [("", "At the end"), *blocks[:-1]]


def _groups(offered: list[Offered]) -> dict[str, list[tuple[str, str]]]:
    """{module: [(value, label)]} for the list of modules' pages."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in offered:
        found.setdefault(one.module_name, []).append((one.key, one.title))
    return found
