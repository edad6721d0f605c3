"""A module's beta programme, for its publisher."""

from __future__ import annotations

from flask import Response, g, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, NotFound
from app.marketplace.programme import LEVELS, enrol, enrolled, shut_out
from app.marketplace.views.common import bp
from app.modules.models import Module
from app.modules.queries import module_by_slug, versions_of
from app.web.forms import clean
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast


@bp.get("/marketplace/<slug>/programme")
@requires(Permission.MODULES_PUBLISH)
def programme(slug: str) -> str:
    return _page(_own(slug))


@bp.post("/marketplace/<slug>/programme")
@requires(Permission.MODULES_PUBLISH)
def change_programme(slug: str) -> Response | tuple[str, int]:
    """do: let in (or change the level), or out."""
    module, agency = _own(slug), clean(request.form.get("agency")).lower()
    try:
        if request.form.get("do") == "out":
            shut_out(g.db, module=module, slug=agency, by=g.actor)
            trigger_toast("success", "Shut out", "What the agency has installed stays.")
        else:
            enrol(g.db, module=module, slug=agency, level=request.form.get("level", ""), by=g.actor)
            trigger_toast("success", "Let in", "It sees the module in its marketplace now.")
    except AppError as error:
        g.db.rollback()
        return _page(_own(slug), typed=agency, problem=error.message), 422
    return respond(redirect_to=url_for("marketplace.programme", slug=slug))


def _page(module: Module, *, typed: str = "", problem: str = "") -> str:
    ahead = [row for row in versions_of(g.db, module_id=module.id) if row.prerelease and row.status == "published"]
    return render_template(
        "marketplace/programme.html",
        module=module,
        ahead=ahead[:10],
        enrolled=enrolled(g.db, module=module),
        levels=LEVELS,
        typed=typed,
        problem=problem,
    )


def _own(slug: str) -> Module:
    found = module_by_slug(g.db, slug)
    if found is None or found.agency_id != g.agency.agency_id:
        raise NotFound()
    return found
