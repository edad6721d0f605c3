"""A module's settings for all sites of the agency or of a client: what each level gives and locks, and what a change touches."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for

from app.access.permissions import Permission
from app.config import Config
from app.errors import AppError, Invalid, NotFound
from app.installs.forms import Choices, errors_by_setting, settings_groups
from app.installs.inheritance import Level
from app.installs.level_actions import LevelChange, LevelPlan, plan_level, save_level
from app.installs.level_forms import Sent, read_level
from app.installs.levels import clients_with, concerned, kept_level, level_of, levels_above, version_for_levels
from app.installs.queries import people_of
from app.installs.settings import NO_ID
from app.installs.standing import Standing, standings
from app.lib.clock import utcnow
from app.lib.crypto import CannotOpen, seal, sign, unseal
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.modules.queries import module_by_slug
from app.tenancy.models import Client
from app.web.guard import requires
from app.web.htmx import trigger_toast

bp = Blueprint("module_settings", __name__)


@bp.get("/modules/<slug>/settings")
@requires(Permission.INSTALLS_CONFIGURE)
def agency(slug: str) -> Response:
    """What the agency gives to all its sites."""
    return _page(_Desk(slug, None))


@bp.post("/modules/<slug>/settings")
@requires(Permission.FLEET_MANAGE)
def save_agency(slug: str) -> Response:
    return _save(_Desk(slug, None))


@bp.get("/modules/<slug>/settings/<public_id:client_id>")
@requires(Permission.INSTALLS_CONFIGURE, client=Client)
def client(slug: str, client: Client) -> Response:
    """What a client's sites get, over what the agency gives."""
    return _page(_Desk(slug, client))


@bp.post("/modules/<slug>/settings/<public_id:client_id>")
@requires(Permission.FLEET_MANAGE, client=Client)
def save_client(slug: str, client: Client) -> Response:
    return _save(_Desk(slug, client))


class _Desk:
    """One level of one module, read for a request."""

    def __init__(self, slug: str, client: Client | None) -> None:
        found = module_by_slug(g.db, slug)
        version = version_for_levels(g.db, module_id=found.id) if found else None
        if found is None or version is None:
            raise NotFound()
        self.module: Module = found
        self.version: Version = version
        self.client = client
        self.agency_id: UUID = g.agency.agency_id
        self.manifest = Manifest.from_dict(version.manifest)
        client_id = client.id if client else None
        kept = kept_level(g.db, agency_id=self.agency_id, client_id=client_id, module_id=found.id)
        self.above = levels_above(g.db, agency_id=self.agency_id, client_id=None, module_id=found.id) if client else []
        self.own = level_of(kept) if kept else Level("client" if client else "agency", NO_ID, {})
        self.standings: dict[str, Standing] = standings(self.manifest, above=self.above, own=self.own)

    @property
    def address(self) -> str:
        if self.client is None:
            return url_for("module_settings.agency", slug=self.module.slug)
        return url_for("module_settings.client", slug=self.module.slug, client_id=self.client.public_id)


def _save(desk: _Desk) -> Response:
    """Show what the change would touch; once that was seen and sent again as it was, make it."""
    change, sent = read_level(desk.manifest, request.form, desk.standings)
    change, waiting = _with_waiting_secrets(desk, change)
    if not (change.give or change.take or change.lock or change.unlock):
        trigger_toast("info", "Nothing was changed")
        return make_response(redirect(desk.address, code=303))
    mark = _mark(desk, change)
    given: dict[str, Any] = {
        "manifest": desk.manifest,
        "agency_id": desk.agency_id,
        "client": desk.client,
        "change": change,
    }
    try:
        if request.form.get("reviewed") == mark and "look" not in request.form:
            plan = save_level(g.db, module=desk.module, keys=_config().secret_keys, by=g.actor, now=utcnow(), **given)
            trigger_toast("success", "Saved", _sites(len(plan.sites)))
            return make_response(redirect(desk.address, code=303))
        plan = plan_level(g.db, module_id=desk.module.id, **given)
    except AppError as error:
        g.db.rollback()
        return _page(desk, sent=sent, error=error, waiting=waiting)
    return _page(desk, sent=sent, plan=plan, mark=mark, waiting=waiting)


def _sites(number: int) -> str:
    return "In force on 1 site." if number == 1 else f"In force on {number} sites."


def _with_waiting_secrets(desk: _Desk, change: LevelChange) -> tuple[LevelChange, dict[str, str]]:
    """A new secret travels sealed between the two steps: what was typed is not put into a page again."""
    keys, give, waiting = _config().secret_keys, dict(change.give), dict[str, str]()
    for name, spec in desk.manifest.setting_fields.items():
        if spec.type != "secret":
            continue
        bound = f"module_settings.review|{desk.agency_id}|{desk.module.id}|{name}|{g.actor.ref}"
        if name not in give and (sealed := request.form.get(f"sealed.{name}")):
            try:
                give[name] = unseal(keys, sealed, bound)
            except CannotOpen:
                continue  # of another person, or from before a change of keys: it has to be typed again
        if isinstance(text := give.get(name), str):
            waiting[name] = seal(keys, text, bound)
    return LevelChange(give, change.take, change.lock, change.unlock), waiting


def _mark(desk: _Desk, change: LevelChange) -> str:
    """Stands for exactly this change of exactly this level as it is now."""
    told = [
        str(desk.own.id), desk.own.settings, dict(desk.own.locks), change.give, sorted(change.take), change.lock,
        sorted(change.unlock),
    ]  # fmt: skip
    return sign(_config().secret_keys[0], "module-settings", json.dumps(told, sort_keys=True, default=str).encode())


def _page(
    desk: _Desk,
    *,
    sent: Sent | None = None,
    error: AppError | None = None,
    plan: LevelPlan | None = None,
    mark: str = "",
    waiting: dict[str, str] | None = None,
) -> Response:
    values = {name: one.value for name, one in desk.standings.items()} | (sent.shown if sent else {})
    groups = settings_groups(
        desk.manifest,
        values=values,
        secrets_set=frozenset(name for name, one in desk.standings.items() if one.set),
        errors=errors_by_setting([(one.pointer, one.detail) for one in getattr(error, "errors", [])]) if error else {},
        choices=Choices(people_of(g.db, agency_id=desk.agency_id), [], [], "in each site's currency"),
        standings=desk.standings,
        form=request.form if sent else None,
        sealed=waiting,
    )
    client_id = desk.client.id if desk.client else None
    page = render_template(
        "installs/levels.html",
        module=desk.module,
        version=desk.version,
        client=desk.client,
        address=desk.address,
        groups=groups,
        problem=error.message if error and not getattr(error, "errors", None) else None,
        plan=plan,
        mark=mark,
        clients=clients_with(g.db, agency_id=desk.agency_id, module_id=desk.module.id) if client_id is None else [],
        installs=len(concerned(g.db, agency_id=desk.agency_id, module_id=desk.module.id, client_id=client_id)),
        can_save=g.actor.can(Permission.FLEET_MANAGE),
    )
    status = 200 if error is None else 422 if isinstance(error, Invalid) else 409
    return make_response(page, status)


def _config() -> Config:
    config: Config = current_app.config["DRAMAC"]
    return config
