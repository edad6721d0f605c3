"""My modules, upload with a precise report, a version with its differences, publish, audience, withdraw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, Invalid, NotFound
from app.lib.clock import utcnow
from app.modules.actions import (
    TIERS,
    AlreadyPublished,
    ReviewNeeded,
    bump_problems,
    delete_draft,
    offered_for,
    set_tier,
    upload_package,
    yank_version,
)
from app.modules.consent import asks_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest, Problem
from app.modules.models import Module, Version
from app.modules.package import Package
from app.modules.queries import file_list, latest_published, own_modules, released_before, versions_of
from app.queue.enqueue import enqueue
from app.runtime.checks import source_problems
from app.runtime.functions.process import sandbox
from app.studio.actions import BeingPublished, order_publication
from app.studio.editor.queries import projects
from app.studio.editor.starters import STARTERS
from app.studio.forms import read_upload
from app.studio.models import Publication
from app.studio.queries import last_publication
from app.studio.withdrawal import use_of
from app.web.forms import asked, clean, page_number
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, trigger_toast
from app.web.limits import limiter

bp = Blueprint("studio", __name__, url_prefix="/studio")

TIER_WORDS = {
    "internal": ("Only this agency", "Nobody else sees it or can install it."),
    "alpha": ("Alpha", "This agency, and the agencies of its beta programme that try what is not finished."),
    "beta": ("Early access", "This agency, and every agency of its beta programme."),
    "public": ("Everybody", "Every agency sees it in the marketplace and can install it."),
}


@bp.get("/")
@requires(Permission.MODULES_VIEW)
def index() -> str:
    text, sort = request.args.get("q", "").strip()[:100], asked("sort", ("-updated_at", "name"), "-updated_at")
    page = own_modules(g.db, agency_id=g.agency.agency_id, text=text, sort=sort, page=page_number())
    context = {
        "modules": page,
        "projects": projects(g.db, agency_id=g.agency.agency_id, text=text),
        "starters": {starter.key: starter.label for starter in STARTERS},
        "q": text,
        "sort": sort,
        "can_author": g.actor.can(Permission.MODULES_AUTHOR),
    }
    return fragment("studio/_modules.html", **context) if is_htmx() else render_template("studio/index.html", **context)


@bp.get("/upload")
@requires(Permission.MODULES_AUTHOR)
def upload() -> str:
    return render_template("studio/upload.html", report=None, name="", error=None)


@bp.post("/upload")
@limiter.limit("30 per minute")
@requires(Permission.MODULES_AUTHOR)
def upload_now() -> Response:
    try:
        sent = read_upload()
    except Invalid as error:
        return _refused(error.message)
    package, problems = sent.checked.package, list(sent.checked.problems)
    if package is not None:
        problems += source_problems(package, sandbox())
    if package is None or any(problem.severity == "error" for problem in problems):
        return make_response(
            render_template("studio/upload.html", report=by_file(problems), name=sent.name, error=None), 422
        )
    try:
        version = upload_package(
            g.db,
            package=with_warnings(package, problems),
            agency_id=g.agency.agency_id,
            by=g.actor,
            now=utcnow(),
        )
    except AppError as error:
        return _refused(error.message, status=409)
    trigger_toast(
        "success", f"{package.manifest.name} {version.version} is uploaded", "It is a draft until you publish it."
    )
    return make_response(redirect(url_for("studio.version", version_id=version.public_id), code=303))


def _refused(message: str, status: int = 422) -> Response:
    return make_response(render_template("studio/upload.html", report=None, name="", error=message), status)


@bp.get("/modules/<public_id:module_id>")
@requires(Permission.MODULES_VIEW, module=Module)
def module(module: Module) -> str:
    _own(module.agency_id)
    return render_template(
        "studio/module.html",
        module=module,
        versions=versions_of(g.db, module_id=module.id, drafts=True),
        tiers=[(tier, *TIER_WORDS[tier]) for tier in TIERS],
        can_publish=g.actor.can(Permission.MODULES_PUBLISH),
        can_author=g.actor.can(Permission.MODULES_AUTHOR),
    )


@bp.post("/modules/<public_id:module_id>/tier")
@requires(Permission.MODULES_PUBLISH, module=Module)
def change_tier(module: Module) -> Response:
    _own(module.agency_id)
    tier = request.form.get("tier", "")
    try:
        set_tier(g.db, module=module, tier=tier, by=g.actor, now=utcnow())
    except ReviewNeeded as error:  # published for the agency alone: checked and weighed before others get it
        ordered = order_publication(g.db, version=error.waiting[0], tier=tier, by=g.actor, now=utcnow())
        return make_response(redirect(url_for("studio.publication", publication_id=ordered.public_id), code=303))
    trigger_toast("success", "Audience changed", TIER_WORDS[module.tier][1])
    return make_response(redirect(url_for("studio.module", module_id=module.public_id), code=303))


@bp.get("/versions/<public_id:version_id>")
@requires(Permission.MODULES_VIEW, version=Version)
def version(version: Version) -> str:
    return _version_page(version)


@bp.post("/versions/<public_id:version_id>/publish")
@limiter.limit("20 per minute")
@requires(Permission.MODULES_PUBLISH, version=Version)
def publish(version: Version) -> Response:
    _own(version.agency_id)
    tier = request.form.get("tier", "")
    try:
        publication = order_publication(g.db, version=version, tier=tier, by=g.actor, now=utcnow())
    except (AlreadyPublished, BeingPublished):  # a second click, or a second person: how the first one goes
        running = last_publication(g.db, version_id=version.id)
        if running is None:
            raise
        publication = running
    return make_response(redirect(url_for("studio.publication", publication_id=publication.public_id), code=303))


@bp.get("/publications/<public_id:publication_id>")
@requires(Permission.MODULES_VIEW, publication=Publication)
def publication(publication: Publication) -> str:
    """How the publishing of a version goes, and what became of it; to htmx its progress alone."""
    version = g.db.get_one(Version, publication.version_id)
    context = {
        "publication": publication,
        "version": version,
        "module": g.db.get_one(Module, version.module_id),
        "steps": [_told(step) for step in publication.steps],
        "percent": round(100 * sum(step["state"] == "done" for step in publication.steps) / len(publication.steps)),
        "problems": by_file([Problem(**item) for item in publication.problems]),
        "can_publish": g.actor.can(Permission.MODULES_PUBLISH),
    }
    if is_htmx():
        return fragment("studio/_publication.html", **context)
    return render_template("studio/publication.html", **context)


@bp.get("/versions/<public_id:version_id>/withdraw")
@requires(Permission.MODULES_PUBLISH, version=Version)
def withdraw(version: Version) -> str:
    """What withdrawing would mean, before it is done."""
    return _withdraw_page(version)


@bp.post("/versions/<public_id:version_id>/yank")
@requires(Permission.MODULES_PUBLISH, version=Version)
def yank(version: Version) -> Response:
    _own(version.agency_id)
    reason = clean(request.form.get("reason"))
    if len(reason) < 10:
        problem = "Say in a sentence why; everybody who has this version reads it."
        return make_response(_withdraw_page(version, reason=reason, problem=problem), 422)
    yank_version(g.db, version=version, by=g.actor, now=utcnow(), reason=reason[:1000])
    enqueue(g.db, "studio.tell_withdrawn", version_id=version.id)
    trigger_toast("success", f"{version.version} is withdrawn", "Whoever has it is told, and offered another version.")
    return make_response(redirect(url_for("studio.version", version_id=version.public_id), code=303))


def _withdraw_page(version: Version, *, reason: str = "", problem: str = "") -> str:
    _own(version.agency_id)
    if version.status != "published":
        raise NotFound()
    return render_template(
        "studio/withdraw.html",
        module=g.db.get_one(Module, version.module_id),
        version=version,
        use=use_of(g.db, version=version),
        offered=offered_for(g.db, version=version),
        reason=reason,
        problem=problem,
    )


@bp.post("/versions/<public_id:version_id>/delete")
@requires(Permission.MODULES_AUTHOR, version=Version)
def delete(version: Version) -> Response:
    _own(version.agency_id)
    delete_draft(g.db, version=version, by=g.actor)
    trigger_toast("success", f"The draft {version.version} is deleted")
    return make_response(redirect(url_for("studio.index"), code=303))


def _told(step: dict[str, Any]) -> dict[str, Any]:
    """A step for the page; those of earlier publications lack what is noted today."""
    problems = by_file([Problem(**item) for item in step.get("problems", ())])
    return {"took_ms": None, "notes": [], **step, "problems": problems}


def _version_page(version: Version) -> str:
    _own(version.agency_id)
    manifest = Manifest.from_dict(version.manifest)
    module = g.db.get_one(Module, version.module_id)
    draft = version.status == "draft"
    before = latest_published(g.db, module_id=module.id) if draft else released_before(g.db, version=version)
    changes: tuple[Any, ...] = ()
    blocked: list[Problem] = []
    if before is not None:
        changes = diff_manifests(Manifest.from_dict(before.manifest), manifest).changes
        blocked = bump_problems(g.db, version=version) if draft else []
    return render_template(
        "studio/version.html",
        module=module,
        version=version,
        manifest=manifest,
        asks=asks_of(manifest),
        files=file_list(g.db, version_id=version.id),
        report=by_file([Problem(**item) for item in version.report]),
        before=before,
        changes=changes,
        blocked=blocked,
        publication=last_publication(g.db, version_id=version.id),
        tiers=[(tier, TIER_WORDS[tier][0]) for tier in TIERS],
        can_publish=g.actor.can(Permission.MODULES_PUBLISH),
        can_author=g.actor.can(Permission.MODULES_AUTHOR),
    )


def _own(agency_id: Any) -> None:
    """Public modules of others are visible rows, but the Studio is for the agency's own."""
    if agency_id != g.agency.agency_id:
        raise NotFound()


def with_warnings(package: Package, problems: list[Problem]) -> Package:
    """The package, with every warning that was found in its report."""
    return replace(package, warnings=tuple(problem for problem in problems if problem.severity == "warning"))


def by_file(problems: list[Problem]) -> list[tuple[str, list[Problem]]]:
    """[(file, its problems by line)], errors before warnings."""
    files: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=lambda p: (p.severity != "error", p.file, p.line, p.column)):
        files.setdefault(problem.file, []).append(problem)
    return list(files.items())
