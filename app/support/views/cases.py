"""Case bundles of an install: make one, hand its link on, revoke it; and what opens behind the link."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from flask import Response, current_app, g, make_response, render_template, request, url_for
from sqlalchemy import select

from app.access.permissions import Permission, StaffPermission
from app.accounts.models import User
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import Invalid, NotFound
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.modules.queries import publisher_name
from app.support.cases.actions import DAYS, make_case, open_case, revoke_case, tell_opened_by_publisher
from app.support.cases.links import case_of_link, link_text
from app.support.cases.models import CaseBundle
from app.support.views.common import bp
from app.tenancy.models import Membership
from app.web.forms import asked, clean, wrong_fields
from app.web.guard import requires, staff
from app.web.htmx import respond, trigger_toast

SHOWN = 50


@bp.get("/installs/<public_id:install_id>/cases")
@requires(Permission.LOGS_VIEW, install=Install)
def cases(install: Install) -> Response:
    """The bundles of an install, their links, and the form for a new one."""
    return _cases_page(install, given={"for": "support", "days": "7", "note": ""})


def _cases_page(
    install: Install, *, given: dict[str, str], wrong: dict[str, list[str]] | None = None, status: int = 200
) -> Response:
    found = select(CaseBundle).where(CaseBundle.agency_id == g.agency.agency_id, CaseBundle.install_id == install.id)
    rows = list(g.db.scalars(found.order_by(CaseBundle.id.desc()).limit(SHOWN)))
    members = g.db.execute(
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.agency_id == g.agency.agency_id)
        .order_by(User.name)
        .limit(500)
    ).all()
    shown, now = install_with_parts(g.db, install_id=install.id) or install, utcnow()
    module = shown.module
    others = module.agency_id != g.agency.agency_id
    publisher = (publisher_name(g.db, module) or "Another agency") if others else ""
    context: dict[str, Any] = {
        "install": shown, "tab": "health", "page": "installs", "words": {shown.status: shown.status.capitalize()},
        "tones": {shown.status: "ok" if shown.status == "active" else "warn"}, "now": now, "days": DAYS,
        "rows": [(case, _link(case), _own_link(case)) for case in rows], "names": {row.id: row.name for row in members},
        "members": [(User(id=row.id).public_id, row.name) for row in members],
        "can_make": g.actor.can(Permission.INSTALLS_CONFIGURE), "publisher": publisher, "given": given, "wrong": wrong or {},
    }  # fmt: skip
    return make_response(render_template("support/cases.html", **context), status)


@bp.post("/installs/<public_id:install_id>/cases")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def new_case(install: Install) -> Response:
    given = {name: clean(request.form.get(name)) for name in ("for", "days", "note")}
    whom, days = given["for"], given["days"]
    try:
        make_case(
            g.db, install=install, note=given["note"], days=int(days) if days.isdecimal() else 0,
            for_user_id=None if whom in ("support", "publisher") else _person(whom), for_publisher=whom == "publisher",
            by=g.actor, now=utcnow(),
        )  # fmt: skip
    except Invalid as error:
        return _cases_page(install, given=given, wrong=wrong_fields(error), status=422)
    trigger_toast("success", "Case bundle made", "Hand its link on; it opens for nobody else.")
    return respond(redirect_to=url_for("support.cases", install_id=install.public_id))


@bp.post("/cases/<public_id:case_id>/revoke")
@requires(Permission.INSTALLS_CONFIGURE, case=CaseBundle)
def end_case(case: CaseBundle) -> Response:
    revoke_case(g.db, case=case, by=g.actor, now=utcnow())
    trigger_toast("success", "Link revoked")
    install_id = Install(id=case.install_id).public_id
    return respond(redirect_to=url_for("support.cases", install_id=install_id))


@bp.get("/cases/<link>")
@requires(Permission.AGENCY_VIEW)
def case(link: str) -> Response:
    """What was kept: for the member it was made for, for who made it, and for the module's publisher when it was made for them."""
    found, now = _found(link), utcnow()
    if not found.holds(now):
        raise NotFound()
    if found.agency_id == g.agency.agency_id and g.actor.id in (found.for_user_id, found.created_by):
        return _shown(found, "support.case", link)
    if found.for_agency_id != g.agency.agency_id or not g.actor.can(Permission.MODULES_AUTHOR):
        raise NotFound()
    reader = replace(g.actor, name=f"{g.actor.name} ({g.agency.agency_name})")
    g.db.close()  # what follows is of another agency, so of another transaction; it is kept before anything is shown
    with platform_scope(f"case bundle {found.public_id} opened by its publisher"), transaction(db.session()) as trail:
        tell_opened_by_publisher(trail, case=found, by=reader)
    found = _found(link)
    found.opened_at = now
    return _shown(found, "support.case", link)


@bp.get("/staff/cases/<link>")
@staff(StaffPermission.SUPPORT)
def staff_case(link: str) -> Response:
    """What was kept, for the platform's support; of other bundles the database shows it nothing. The agency's trail tells of it."""
    found = _found(link)
    open_case(g.db, case=found, by=g.actor, now=utcnow())
    return _shown(found, "support.staff_case", link)


def _found(link: str) -> CaseBundle:
    case = g.db.get(CaseBundle, case_of_link(_config().secret_keys, link))
    if case is None:
        raise NotFound()
    return cast(CaseBundle, case)


def _shown(case: CaseBundle, endpoint: str, link: str) -> Response:
    kind = asked("as", ("json", "zip"), "")
    if kind:
        return _download(case, kind)
    text = json.dumps(case.content, ensure_ascii=False, indent=2)
    where = url_for(endpoint, link=link)
    urls = {name: f"{where}?as={name}" for name in ("json", "zip")}
    return make_response(
        render_template("support/case.html", page="", case=case, content=case.content, text=text, urls=urls)
    )


def _download(case: CaseBundle, kind: str) -> Response:
    whole = json.dumps(case.content, ensure_ascii=False, indent=2).encode()
    answer = make_response(whole if kind == "json" else _zipped(case.content, whole))
    answer.mimetype = "application/json" if kind == "json" else "application/zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{case.public_id}.{kind}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _zipped(content: dict[str, Any], whole: bytes) -> bytes:
    """case.json with everything; errors and log once more, a line each, for tools that read lines."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("case.json", whole)
        for name in ("errors", "log"):
            lines = (json.dumps(line, ensure_ascii=False) + "\n" for line in content[name])
            archive.writestr(f"{name}.jsonl", "".join(lines))
    return packed.getvalue()


def _own_link(case: CaseBundle) -> str:
    """Where the reader sees what is sent, when they made it or it was made for them; '' else."""
    mine = g.actor.id in (case.created_by, case.for_user_id)
    return url_for("support.case", link=link_text(_config().secret_keys, case.id)) if mine else ""


def _link(case: CaseBundle) -> str:
    endpoint = "support.staff_case" if case.whom == "support" else "support.case"
    return _config().platform_url + url_for(endpoint, link=link_text(_config().secret_keys, case.id))


def _person(public_id: str) -> UUID:
    try:
        return decode("usr", public_id)
    except NotFound:
        return UUID(int=0)  # nobody: the action says so


def _config() -> Config:
    return cast(Config, current_app.config["DRAMAC"])
