"""The install wizard, the list of installs, an install's page: progress, settings, versions, roles, removal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from semantic_version import Version as Semver

from app.access.permissions import Permission
from app.config import Config
from app.errors import AppError, Invalid, NotFound
from app.installs import actions
from app.installs.entitlement.queries import entitlement_of
from app.installs.entitlement.rules import entitled, refusal
from app.installs.forms import Choices, Group, errors_by_setting, settings_groups
from app.installs.inheritance import Level, site_level
from app.installs.level_forms import Sent, read_own
from app.installs.levels import levels_of_site
from app.installs.models import Install
from app.installs.queries import (
    SORTS,
    STATUSES,
    install_with_parts,
    installed_modules,
    installs,
    live_sites,
    move_to_undo,
    people_of,
    roles_of,
)
from app.installs.settings import NO_ID
from app.installs.standing import standings
from app.installs.steps import state_of
from app.installs.upgrades import Records, rollback_install
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.modules.consent import asks_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.modules.queries import latest_published, module_by_slug, publisher_name, versions_of
from app.tenancy.models import Site
from app.web.forms import asked, page_number
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx, respond, say_not_done, trigger_toast
from app.web.limits import limiter

bp = Blueprint("installs", __name__)

STEPS = ("Site", "Permissions", "Settings")


# -- the list ------------------------------------------------------------------------------------------------------


@bp.get("/installs")
@requires(Permission.INSTALLS_VIEW)
def index() -> str:
    statuses = [status for status in request.args.getlist("status") if status in STATUSES]
    removed = request.args.get("removed") == "1"
    text, sort = request.args.get("q", "").strip()[:100], asked("sort", tuple(SORTS), "site")
    context = {
        "installs": installs(g.db, text=text, statuses=statuses, removed=removed, sort=sort, page=page_number()),
        "statuses": STATUSES,
        "chosen": statuses,
        "removed": removed,
        "q": text,
        "sort": sort,
        "can_install": g.actor.can(Permission.INSTALLS_CREATE),
        "can_restore": g.actor.can(Permission.INSTALLS_REMOVE),
    }
    return (
        fragment("installs/_results.html", **context)
        if is_htmx()
        else render_template("installs/index.html", **context)
    )


# -- the wizard: each step has its own address, nothing is kept before the last ---------------------------------------


@bp.get("/install/<slug>")
@requires(Permission.INSTALLS_CREATE)
def start(slug: str) -> Response:
    """Step 1: which site, which version. With both in the address it goes on to what the module asks for."""
    module, version = _choice(slug)
    if request.args.get("site"):
        return _wizard("installs/wizard_permissions.html", module, version, step=2, asks=_asks(version))
    return _wizard("installs/wizard_site.html", module, version, step=1)


@bp.get("/install/<slug>/settings")
@requires(Permission.INSTALLS_CREATE)
def wizard_settings(slug: str) -> Response:
    """Step 3: settings. Only after what the module asks for was agreed to."""
    module, version = _choice(slug)
    if request.args.get("agree") != version.digest:
        return make_response(redirect(url_for("installs.start", slug=slug, **_query()), code=303))
    groups = _groups(Manifest.from_dict(version.manifest), _site(), module.id, Level("site", NO_ID, {}))
    return _wizard("installs/wizard_settings.html", module, version, step=3, groups=groups, problem=None)


@bp.post("/install/<slug>")
@limiter.limit("30 per minute")
@requires(Permission.INSTALLS_CREATE)
def install(slug: str) -> Response:
    module, version = _choice(slug)
    if request.args.get("agree") != version.digest:
        return make_response(redirect(url_for("installs.start", slug=slug, **_query()), code=303))
    manifest, site, none_yet = Manifest.from_dict(version.manifest), _site(), Level("site", NO_ID, {})
    above = levels_of_site(g.db, site=site, module_id=module.id)
    sent = read_own(manifest, request.form, standings(manifest, above=above, own=none_yet))
    try:
        made = actions.install_module(
            g.db, site=site, version=version, settings=sent.given, by=g.actor, now=utcnow(), keys=_config().secret_keys
        )
    except AppError as error:
        groups = _groups(manifest, site, module.id, none_yet, sent=sent, error=error)
        problem = None if getattr(error, "errors", None) else error.message
        status = 422 if isinstance(error, Invalid) else 409
        page = _wizard("installs/wizard_settings.html", module, version, step=3, groups=groups, problem=problem)
        page.status_code = status
        return page
    return make_response(redirect(url_for("installs.show", install_id=made.public_id), code=303))


def _wizard(template: str, module: Module, version: Version, *, step: int, **context: Any) -> Response:
    kept = _kept_query()
    page = render_template(
        template,
        module=module,
        version=version,
        publisher=publisher_name(g.db, module),
        site=_site() if request.args.get("site") else None,
        sites=[(site.public_id, site.name) for site in live_sites(g.db)] if step == 1 else [],
        versions=[(v.version, v.version) for v in versions_of(g.db, module_id=module.id) if v.status == "published"],
        steps=[
            (STEPS[0], url_for("installs.start", slug=module.slug)),
            (STEPS[1], url_for("installs.start", slug=module.slug, site=kept.get("site"), version=kept.get("version"))),
            (STEPS[2], None),
        ],
        step=step,
        kept=kept,
        **context,
    )
    return make_response(page)


def _choice(slug: str) -> tuple[Module, Version]:
    module = module_by_slug(g.db, slug)
    if module is None:
        raise NotFound()
    wanted = request.args.get("version", "")
    found = [v for v in versions_of(g.db, module_id=module.id) if v.status == "published" and v.version == wanted]
    version = found[0] if found else latest_published(g.db, module_id=module.id)
    if version is None:
        raise NotFound()
    return module, version


def _site() -> Site:
    site = g.db.get(Site, decode("ste", request.args.get("site", "")))
    if site is None:
        raise NotFound()
    found: Site = site
    return found


def _kept_query() -> dict[str, str]:
    return {name: request.args[name] for name in ("site", "version", "agree") if request.args.get(name)}


def _query() -> dict[str, Any]:
    """The same, for url_for()."""
    return {**_kept_query()}


def _asks(version: Version) -> list[Any]:
    return asks_of(Manifest.from_dict(version.manifest))


# -- one install ------------------------------------------------------------------------------------------------------


@bp.get("/installs/<public_id:install_id>")
@requires(Permission.INSTALLS_VIEW, install=Install)
def show(install: Install) -> str:
    """What it is and where it stands; to htmx the state of its job alone."""
    found = _parts(install)
    if is_htmx():
        return fragment("installs/_state.html", **state_of(found))
    manifest = Manifest.from_dict(found.version.manifest)
    latest = latest_published(g.db, module_id=found.module_id)
    may_use = entitlement_of(g.db, agency_id=found.agency_id, version_id=found.version_id)
    # of a version that was withdrawn the latest may be a lower one: that is offered, and no upgrade
    newer = latest if latest is not None and Semver(latest.version) > Semver(found.version.version) else None
    return render_template(
        "installs/show.html",
        **state_of(found),
        manifest=manifest,
        pages=[(name, page) for name, page in manifest.pages.items() if page.kind in ("page", "form", "widget")],
        page_base=f"{_config().runtime_url}/embed/{found.public_id}",
        newer=newer,
        changes=diff_manifests(manifest, Manifest.from_dict(newer.manifest)) if newer else None,
        undo=move_to_undo(g.db, install=found),
        offered=g.db.get(Version, found.version.offered_version_id) if found.version.offered_version_id else None,
        not_entitled="" if entitled(may_use, now=utcnow()) else refusal(may_use),
        entitlement=may_use,
        can_configure=g.actor.can(Permission.INSTALLS_CONFIGURE),
        can_remove=g.actor.can(Permission.INSTALLS_REMOVE),
    )


@bp.get("/installs/<public_id:install_id>/settings")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def settings(install: Install) -> Response:
    return _settings_page(_parts(install))


@bp.post("/installs/<public_id:install_id>/settings")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def save_settings(install: Install) -> Response:
    found = _parts(install)
    manifest, own = Manifest.from_dict(found.version.manifest), _own(found)
    above = levels_of_site(g.db, site=found.site, module_id=found.module_id)
    sent = read_own(manifest, request.form, standings(manifest, above=above, own=own))
    try:
        actions.configure_install(
            g.db,
            install=install,
            settings=sent.given,
            inherit=sent.back,
            by=g.actor,
            now=utcnow(),
            keys=_config().secret_keys,
        )
    except AppError as error:
        return _settings_page(found, sent=sent, error=error)
    trigger_toast("success", "Settings saved")
    return make_response(redirect(url_for("installs.settings", install_id=install.public_id), code=303))


@bp.get("/installs/<public_id:install_id>/roles")
@requires(Permission.MEMBERS_VIEW, install=Install)
def roles(install: Install) -> str:
    found = _parts(install)
    manifest = Manifest.from_dict(found.version.manifest)
    return render_template(
        "installs/roles.html",
        install=found,
        manifest=manifest,
        people=roles_of(g.db, install=install),
        options=[("", "By agency role"), *((name, role.label) for name, role in manifest.roles.items())],
        can_give=g.actor.can(Permission.MEMBERS_MANAGE),
    )


@bp.post("/installs/<public_id:install_id>/roles")
@requires(Permission.MEMBERS_MANAGE, install=Install)
def save_role(install: Install) -> Response:
    user_id = decode("usr", request.form.get("user", ""))
    actions.give_role(g.db, install=install, user_id=user_id, role=request.form.get("role") or None, by=g.actor)
    trigger_toast("success", "Role saved")
    return respond(redirect_to=url_for("installs.roles", install_id=install.public_id))


@bp.post("/installs/<public_id:install_id>/pause")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def pause(install: Install) -> Response:
    actions.pause_install(g.db, install=install, by=g.actor, now=utcnow())
    resume_url = url_for("installs.resume", install_id=install.public_id)
    trigger_toast("success", "Paused", "Visitors and the API get a friendly notice.", undo=resume_url)
    return _back(install)


@bp.post("/installs/<public_id:install_id>/resume")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def resume(install: Install) -> Response:
    actions.resume_install(g.db, install=install, by=g.actor, now=utcnow())
    trigger_toast("success", "Running again")
    return _back(install)


@bp.post("/installs/<public_id:install_id>/retry")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def retry(install: Install) -> Response:
    actions.retry_install(g.db, install=install, by=g.actor, now=utcnow())
    return _back(install)


@bp.post("/installs/<public_id:install_id>/rollback")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def rollback(install: Install) -> Response:
    """Take the last upgrade back; records=put_back: with the records it touched as they were before."""
    records: Records = "put_back" if request.form.get("records") == "put_back" else "keep"
    return _or_say_why(
        install, lambda: rollback_install(g.db, install=install, records=records, by=g.actor, now=utcnow())
    )


@bp.post("/installs/<public_id:install_id>/remove")
@requires(Permission.INSTALLS_REMOVE, install=Install)
def remove(install: Install) -> Response:
    return _or_say_why(install, lambda: actions.remove_install(g.db, install=install, by=g.actor, now=utcnow()))


@bp.post("/installs/<public_id:install_id>/restore")
@requires(Permission.INSTALLS_REMOVE, install=Install)
def restore(install: Install) -> Response:
    return _or_say_why(install, lambda: actions.restore_install(g.db, install=install, by=g.actor, now=utcnow()))


def _or_say_why(install: Install, act: Any) -> Response:
    """Do it and go to the install's page; an expected refusal is said there and nothing is changed."""
    try:
        act()
    except AppError as error:
        say_not_done(error)
    return _back(install)


def _back(install: Install) -> Response:
    return respond(redirect_to=url_for("installs.show", install_id=install.public_id))


def _parts(install: Install) -> Install:
    found = install_with_parts(g.db, install_id=install.id)
    if found is None:
        raise NotFound()
    return found


def _settings_page(install: Install, *, sent: Sent | None = None, error: AppError | None = None) -> Response:
    manifest = Manifest.from_dict(install.version.manifest)
    page = render_template(
        "installs/settings.html",
        install=install,
        manifest=manifest,
        groups=_groups(manifest, install.site, install.module_id, _own(install), sent=sent, error=error),
        client_id=encode("cli", install.site.client_id),
        problem=error.message if error and not getattr(error, "errors", None) else None,
    )
    return make_response(page, 200 if error is None else 422)


def _own(install: Install) -> Level:
    return site_level(install.id, install.settings, install.secrets)


def _groups(
    manifest: Manifest,
    site: Site,
    module_id: UUID,
    own: Level,
    *,
    sent: Sent | None = None,
    error: AppError | None = None,
) -> list[Group]:
    """The form of a site's settings: the values in force, and where each comes from."""
    known = standings(manifest, above=levels_of_site(g.db, site=site, module_id=module_id), own=own)
    return settings_groups(
        manifest,
        values={**{name: one.value for name, one in known.items()}, **(sent.shown if sent else {})},
        secrets_set=frozenset(name for name, one in known.items() if one.set),
        errors=_by_setting(error) if error else {},
        choices=_choices(site),
        standings=known,
        form=request.form if sent else None,
    )


def _by_setting(error: AppError) -> dict[str, list[str]]:
    return errors_by_setting([(item.pointer, item.detail) for item in getattr(error, "errors", [])])


def _choices(site: Site) -> Choices:
    return Choices(
        people=people_of(g.db, agency_id=site.agency_id),
        modules=installed_modules(g.db, site_id=site.id),
        pages=[],
        currency=site.currency,
    )


def _config() -> Config:
    config: Config = current_app.config["DRAMAC"]
    return config
