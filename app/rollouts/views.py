"""The way to another version and back: the plan, the order to go, how it does since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.config import Config
from app.errors import AppError, Invalid, NotFound
from app.installs.forms import Choices, errors_by_setting, read_settings, settings_groups
from app.installs.inheritance import resolve
from app.installs.levels import own_levels
from app.installs.models import Install, Move
from app.installs.queries import install_with_parts, installed_modules, move_to_undo, moves_of, people_of
from app.installs.since import csv_of, file_name
from app.installs.steps import state_of
from app.installs.upgrades import stop_watching, upgrade_install
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.lib.storage import storage
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.rollouts.models import Rehearsal
from app.rollouts.plan import UpgradePlan, make_plan, newer_versions
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, respond, say_not_done, trigger_toast
from app.web.markdown import to_html

bp = Blueprint("rollouts", __name__)


@bp.get("/installs/<public_id:install_id>/versions")
@requires(Permission.INSTALLS_VIEW, install=Install)
def versions(install: Install) -> str:
    """Which version it has, how it does, the way back, the moves so far; to htmx the figures of the watch alone."""
    found = _parts(install)
    moves = moves_of(g.db, install=found)
    watched = next((one for one in moves if one.state == "watching"), None)
    if htmx_target() == "watch":
        return fragment("rollouts/_watch.html", install=found, watched=watched)
    undo = move_to_undo(g.db, install=found)
    people = people_of(g.db, agency_id=found.agency_id)
    return render_template(
        "rollouts/versions.html",
        **state_of(found),
        newer=newer_versions(g.db, install=found) if found.status == "active" else [],
        undo=undo,
        late=undo is not None and (undo.keep_until is None or undo.keep_until <= utcnow()),
        watched=watched if found.status == "active" else None,
        moves=moves,
        names={encode("usr", UUID(user_id)): name for user_id, name in people},
        can_configure=g.actor.can(Permission.INSTALLS_CONFIGURE),
        can_export=g.actor.can(Permission.RECORDS_EXPORT),
        can_review=g.actor.can(Permission.INSTALLS_CONFIGURE) and g.actor.can(Permission.RECORDS_VIEW),
    )


@bp.post("/installs/<public_id:install_id>/watch/stop")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def stop(install: Install) -> Response:
    try:
        stop_watching(g.db, install=install, by=g.actor, now=utcnow())
    except AppError as error:
        say_not_done(error)
    else:
        trigger_toast(
            "success", "Taken as it is", "It is no longer watched. You can still go back by hand for 30 days."
        )
    return respond(redirect_to=url_for("rollouts.versions", install_id=install.public_id))


@bp.get("/installs/<public_id:install_id>/moves/<public_id:move_id>/since")
@requires(Permission.RECORDS_EXPORT, install=Install, move=Move)
def since(install: Install, move: Move) -> Response:
    """What was written between an upgrade and the way back from it: as CSV, with ?format=jsonl as JSON Lines."""
    if move.install_id != install.id or not move.file_rows:
        raise NotFound()
    kind = "jsonl" if request.args.get("format") == "jsonl" else "csv"
    file = storage().open(file_name(move.agency_id, move.id))
    lines: Iterator[bytes] = iter(file)
    answer = Response(
        csv_of(lines) if kind == "csv" else lines,
        mimetype="text/csv" if kind == "csv" else "application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="written-since-upgrade.{kind}"'},
    )
    answer.call_on_close(file.close)
    return answer


@bp.get("/installs/<public_id:install_id>/upgrade")
@requires(Permission.INSTALLS_VIEW, install=Install)
def plan(install: Install) -> Response:
    """What going to a newer version would do; ?version=1.2.0, without it the highest."""
    found = _parts(install)
    newer = newer_versions(g.db, install=found)
    wanted = request.args.get("version", "")
    version = next((one for one in newer if one.version == wanted), newer[0] if newer and not wanted else None)
    if version is None and wanted:
        raise NotFound()
    if version is None:
        return make_response(render_template("rollouts/newest.html", install=found))
    return _plan_page(found, version, newer)


@bp.post("/installs/<public_id:install_id>/upgrade")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def upgrade(install: Install) -> Response:
    """Go to a version, with what was agreed to and filled in on the plan."""
    version = g.db.get(Version, decode("ver", request.form.get("version", "")))
    if version is None or version.module_id != install.module_id:
        raise NotFound()
    sent = {
        name: value
        for name, value in read_settings(Manifest.from_dict(version.manifest), request.form).items()
        if request.form.get(f"has.{name}")
    }
    try:
        upgrade_install(
            g.db, install=install, version=version, consent=request.form.get("agree") == "1",
            lose=request.form.get("lose") == "1", settings=sent, keys=_config().secret_keys, by=g.actor, now=utcnow(),
        )  # fmt: skip
    except AppError as error:
        g.db.rollback()
        found = _parts(install)
        page = _plan_page(found, version, newer_versions(g.db, install=found), sent=sent, error=error)
        page.status_code = 422 if isinstance(error, Invalid) else 409
        return page
    trigger_toast("success", f"Going to {version.version}", "You can leave this page; it goes on.")
    return respond(redirect_to=url_for("installs.show", install_id=install.public_id))


def _plan_page(
    install: Install,
    version: Version,
    newer: list[Version],
    *,
    sent: dict[str, Any] | None = None,
    error: AppError | None = None,
) -> Response:
    made = make_plan(g.db, install=install, version=version, now=utcnow())
    return make_response(
        render_template(
            "rollouts/plan.html",
            install=install,
            plan=made,
            version=version,
            versions=[(one.version, one.version) for one in newer],
            notes={one.version: to_html(one.changelog) for one in made.releases},
            fill=_inputs(install, version, made, sent or {}, error),
            problem=error.message if error else None,
            agreed=request.form.get("agree") == "1",
            loses=request.form.get("lose") == "1",
            can_upgrade=g.actor.can(Permission.INSTALLS_CONFIGURE),
            rehearsed=last_rehearsal(g.db, install=install, version=version),
        )
    )


def last_rehearsal(db: Session, *, install: Install, version: Version) -> Rehearsal | None:
    """The last one of going from the version the install has to that one."""
    found = select(Rehearsal).where(
        Rehearsal.agency_id == install.agency_id, Rehearsal.install_id == install.id,
        Rehearsal.from_version_id == install.version_id, Rehearsal.to_version_id == version.id,
    )  # fmt: skip
    return db.scalar(found.order_by(Rehearsal.id.desc()).limit(1))


def _inputs(
    install: Install, version: Version, made: UpgradePlan, sent: dict[str, Any], error: AppError | None
) -> list[Any]:
    """The controls of the settings that need a value now, filled in with what the version would take."""
    manifest = Manifest.from_dict(version.manifest)
    taken = resolve(manifest, own_levels(g.db, install=install))
    wrong = errors_by_setting([(one.pointer, one.detail) for one in getattr(error, "errors", [])])
    groups = settings_groups(
        manifest,
        values={
            **{name: one.value for name, one in taken.items() if manifest.setting_fields[name].type != "secret"},
            **sent,
        },
        secrets_set=frozenset(install.secrets),
        errors=wrong,
        choices=Choices(
            people=people_of(g.db, agency_id=install.agency_id),
            modules=installed_modules(g.db, site_id=install.site_id),
            pages=[],
            currency=install.site.currency,
        ),
    )
    shown = made.to_fill | sent.keys()
    return [one for group in groups for one in group.inputs if one.name in shown]


def _parts(install: Install) -> Install:
    found = install_with_parts(g.db, install_id=install.id)
    if found is None:
        raise NotFound()
    return found


def _config() -> Config:
    config: Config = current_app.config["DRAMAC"]
    return config
