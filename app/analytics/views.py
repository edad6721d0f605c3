"""Dashboards: of the agency, a site, a module on a site, and a publisher's module over all agencies. ?csv=… gives a table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, make_response, render_template, request
from sqlalchemy import select

from app.access.permissions import Permission
from app.analytics import figures
from app.analytics.board import Board, read_board
from app.analytics.durations import courses
from app.analytics.names import words_of
from app.analytics.queries import FILTERS, Whose, here_now
from app.analytics.releases import AFTER
from app.analytics.setup import setup
from app.analytics.sums import MOST_NAMES
from app.analytics.tables import TABLES, csv_of
from app.analytics.windows import MOST_DAYS, RANGES, read_window
from app.errors import NotFound
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.modules.models import Module
from app.tenancy.models import Agency, Site
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx
from app.web.links import url_with

bp = Blueprint("analytics", __name__)
CHIPS = {
    "page": "Page", "version": "Version", "surface": "Shown", "place": "Around it", "referrer": "From", "language": "Language",
    "country": "Country", "device": "Device", "browser": "Browser", "system": "System",
}  # fmt: skip


@bp.get("/analytics")
@requires(Permission.ANALYTICS_VIEW)
def index() -> Response:
    """The whole agency; ?module=mod_… one module wherever the agency has it."""
    agency = g.db.get_one(Agency, g.agency.agency_id)
    module = _module_asked()
    whose = Whose("agency", agency.id, agency.time_zone, module_id=module.id if module else None)
    title = module.name if module else "Analytics"
    return _answer(
        "index", whose, title=title, about=f"{module.name} on all sites" if module else "All sites", module=module
    )


@bp.get("/sites/<public_id:site_id>/analytics")
@requires(Permission.ANALYTICS_VIEW, site=Site)
def site(site: Site) -> Response:
    whose = Whose("site", site.agency_id, site.time_zone, site_id=site.id)
    return _answer("site", whose, title="Analytics", about=site.name, site=site)


@bp.get("/installs/<public_id:install_id>/analytics")
@requires(Permission.ANALYTICS_VIEW, install=Install)
def install(install: Install) -> Response:
    parts = install_with_parts(g.db, install_id=install.id)
    if parts is None:
        raise NotFound()
    whose = Whose("install", parts.agency_id, parts.site.time_zone, site_id=parts.site_id, install_id=parts.id)
    return _answer(
        "install", whose, title="Analytics", about=f"{parts.module.name} on {parts.site.name}", install=parts
    )


@bp.get("/studio/modules/<public_id:module_id>/analytics")
@requires(Permission.MODULES_VIEW, module=Module)
def publisher(module: Module) -> Response:
    """What the publisher of a module learns of it over all agencies: sums, and nothing of whose they are."""
    agency = g.db.get_one(Agency, g.agency.agency_id)
    whose = Whose("publisher", module.agency_id, agency.time_zone, module_id=module.id)
    return _answer("publisher", whose, title="Analytics", about="On the sites of all agencies", module=module)


def _answer(name: str, whose: Whose, *, title: str, about: str, **parts: Any) -> Response:
    if request.args.get("part") == "now" and is_htmx():
        return make_response(fragment("analytics/_now.html", now=here_now(g.db, whose, now=utcnow())))
    window = read_window(request.args, zone=whose.zone, now=utcnow())
    filters = {} if whose.kind == "publisher" else _filters()
    board = read_board(g.db, whose, window, filters, now=utcnow())
    if (table := request.args.get("csv", "")) in TABLES and not window.wrong:
        return _csv(board, table)
    return make_response(
        render_template(
            f"analytics/{name}.html", title=title, about=about, board=board, window=window, filters=filters,
            chips=_chips(filters),
            ranges=[
                {"label": label, "href": url_with(**{"range": key, "from": None, "to": None}), "current": window.range == key}
                for key, label in RANGES.items()
            ],
            figures=figures.key_figures(board.series, window), facts=figures.more_facts(board.series),
            courses=courses(board.found["latency"], window),
            funnel=figures.funnel(board.series),
            marks=[(mark.step, mark.text) for mark in figures.marks(board.found["marks"], window)],
            versions=figures.versions(board.found["tops"]), rankings=_rankings(board), most_days=MOST_DAYS,
            site_ids={row["site_id"]: encode("ste", UUID(row["site_id"])) for row in board.found["sites"]},
            module_ids={
                row["module_id"]: encode("mod", UUID(row["module_id"])) for row in board.found["parts"] if row["module_id"]
            },
            after=AFTER, most_names=MOST_NAMES, countries_known=setup().countries_known, failures=_failures(board), **parts,
        ),
        422 if window.wrong else 200,
    )  # fmt: skip


def _rankings(board: Board) -> dict[str, list[tuple[str, str, float, str | None]]]:
    """{dimension: lines of a bar list}; each leads to what is seen through it."""
    links = board.whose.kind != "publisher"
    found = {}
    for dimension in (name for name in CHIPS if name not in ("page", "version")):
        found[dimension] = [
            (
                words_of(dimension, line.label),
                f"{line.count:,}",
                line.share,
                url_with(**{dimension: line.key}) if links else None,
            )
            for line in figures.ranking(board.found["tops"], dimension)
        ]
    for key, event in (("clicks", "click"), ("custom", "custom"), ("errors", "error")):
        found[key] = [
            (words_of("name", line.label), f"{line.count:,}", line.share, None)
            for line in figures.ranking(board.found["tops"], "name", event=event)
        ]
    return found


def _failures(board: Board) -> list[tuple[str, list[int], str]]:
    """Rows of the chart of failures, without kinds that did not happen."""
    rows = [
        (label, board.series.of(event), colour)
        for (event, label), colour in zip(figures.FAILURES.items(), ("c4", "c5", "c2"), strict=True)
    ]
    return [row for row in rows if sum(row[1])]


def _filters() -> dict[str, str]:
    return {name: value[:200] for name in FILTERS if (value := request.args.get(name, "").replace("\x00", ""))}


def _chips(filters: dict[str, str]) -> list[tuple[str, str]]:
    """(what is filtered by, the address without it)."""
    return [(f"{CHIPS[name]}: {words_of(name, value)}", url_with(**{name: None})) for name, value in filters.items()]


def _module_asked() -> Module | None:
    """The module of ?module=, as far as the agency may know it. Raises NotFound."""
    text = request.args.get("module", "")
    if not text:
        return None
    found: Module | None = g.db.scalar(select(Module).where(Module.id == decode("mod", text)))
    if found is None:
        raise NotFound()
    return found


def _csv(board: Board, table: str) -> Response:
    answer = Response(csv_of(board, table), content_type="text/csv; charset=utf-8")
    name = f"analytics-{table}-{board.window.first}-{board.window.last}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
