"""What the file of a rollback holds, to look through and to put back; how that goes, and its undoing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Response, g, make_response, render_template, request, url_for

from app.access.actors import Actor
from app.access.permissions import Permission
from app.errors import AppError, Forbidden, NotFound
from app.installs.models import Install, Move
from app.installs.queries import install_with_parts
from app.installs.since import file_name
from app.lib.clock import utcnow
from app.rollouts.putback.actions import (
    MOST_WHILE_WAITING,
    carry_out,
    end_run,
    order_put_back,
    places_of,
    try_again,
    undo_put_back,
)
from app.rollouts.putback.file import Spot, Survey, lines_of, survey
from app.rollouts.putback.models import PutBack
from app.rollouts.putback.queries import counts_of, done_rows, last_runs, marks_of, told_rows, tried_in
from app.rollouts.putback.rows import Place
from app.rollouts.putback.showing import PAGE_ROWS, line_titles, reasons, show_rows
from app.rollouts.rehearsal_views import bp as bp
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, say_not_done, trigger_toast
from app.web.limits import limiter
from app.workspace.desk import Desk, open_desk
from app.workspace.labels import many

CHANGES = ("created", "changed", "deleted")


@bp.get("/installs/<public_id:install_id>/moves/<public_id:move_id>/written")
@requires(Permission.INSTALLS_CONFIGURE, install=Install, move=Move)
def written(install: Install, move: Move) -> Response:
    """What was written between an upgrade and the way back: ?table=, ?change=, ?page=."""
    desk, found, where = _opened(install, move)
    spots = _filtered(found, where, request.args.get("table", ""), request.args.get("change", ""))
    page, pages = _page_of(len(spots))
    shown = spots[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    done, waiting = done_rows(g.db, move_id=move.id), 0
    for spot in spots:
        waiting += not spot.stays and spot.position not in done
    context = {
        "install": install_with_parts(g.db, install_id=install.id),
        "move": move,
        "desk": desk,
        "rows": show_rows(
            desk, where, found, shown, marks_of(g.db, move_id=move.id, positions=[one.position for one in shown])
        ),
        "total": len(spots),
        "waiting": waiting,
        "page_number": page,
        "pages": pages,
        "tables": _tables(desk, found, where),
        "only_table": request.args.get("table", ""),
        "change": request.args.get("change", ""),
        "changes": Counter(spot.change for spot in found.spots if spot.table in where),
        "hidden": sum(1 for spot in found.spots if spot.table not in where),
        "runs": last_runs(g.db, move_id=move.id, agency_id=move.agency_id),
        "can_put_back": not desk.paused and _may_write(),
    }
    name = "rollouts/_written.html" if htmx_target() == "results" else "rollouts/written.html"
    return _private(fragment(name, **context) if htmx_target() == "results" else render_template(name, **context))


@bp.post("/installs/<public_id:install_id>/moves/<public_id:move_id>/written")
@limiter.limit("30 per minute")
@requires(Permission.INSTALLS_CONFIGURE, install=Install, move=Move)
def put_back_chosen(install: Install, move: Move) -> Response:
    """Put the ticked rows back, with all=1 every one of the list as it is filtered; `over`: also what was changed since."""
    if not _may_write():
        raise Forbidden()
    desk, found, where = _opened(install, move)
    known = {spot.position for spot in found.spots if spot.table in where}
    over = known & set(request.form.getlist("over", type=int))
    chosen = (known & set(request.form.getlist("ids", type=int))) | over
    if request.form.get("all") == "1":
        spots = _filtered(found, where, request.form.get("table", ""), request.form.get("change", ""))
        chosen, over = {spot.position for spot in spots if not spot.stays}, set()
    try:
        run = order_put_back(
            g.db, install=install, move=move, chosen=chosen, over=over, by=g.actor, now=utcnow()
        )  # fmt: skip
        if len(run.chosen) <= MOST_WHILE_WAITING:
            carry_out(run=run, move=move, desk=desk, where=where, tried=lambda: tried_in(g.db, run=run))
            end_run(g.db, run=run, desk=desk, found=found, where=where, by=g.actor, now=utcnow())
    except AppError as error:
        say_not_done(error, "Nothing was put back" if not isinstance(error, NotFound) else "That was not done")
        return respond(redirect_to=url_for(".written", install_id=install.public_id, move_id=move.public_id))
    return respond(redirect_to=url_for(".put_back_run", install_id=install.public_id, put_back_id=run.public_id))


@bp.get("/installs/<public_id:install_id>/put-backs/<public_id:put_back_id>")
@requires(Permission.INSTALLS_CONFIGURE, install=Install, put_back=PutBack)
def put_back_run(install: Install, put_back: PutBack) -> Response:
    """How it goes; once it is over, what came of it, with every row that was refused or left. To htmx the state alone."""
    run = put_back  # one word for it in this file
    move, counts = _move_of(install, run), counts_of(g.db, run=run)
    _must_see_records()
    page, pages = _page_of(counts.told)
    context = {
        "install": install_with_parts(g.db, install_id=install.id),
        "run": run,
        "move": move,
        "counts": counts,
        "percent": min(100, round(100 * counts.noted / len(run.chosen))),
        # asked for each second while it runs: the file is not looked through for that
        "rows": _told(install, run, move, page) if run.status != "running" and counts.told else [],
        "page_number": page,
        "pages": pages,
        "can_put_back": install.status == "active" and _may_write(),
    }
    if is_htmx():
        return _private(fragment("rollouts/_put_back.html", **context))
    return _private(render_template("rollouts/put_back.html", **context))


@bp.post("/installs/<public_id:install_id>/put-backs/<public_id:put_back_id>/undo")
@requires(Permission.INSTALLS_CONFIGURE, install=Install, put_back=PutBack)
def undo_run(install: Install, put_back: PutBack) -> Response:
    """Undo all of it, where nobody changed the same records since."""
    run = put_back
    if not _may_write():
        raise Forbidden()
    _move_of(install, run)
    try:
        undo_put_back(g.db, run=run, desk=open_desk(g.db, install=install, actor=g.actor), by=g.actor, now=utcnow())
    except AppError as error:
        say_not_done(error, "This cannot be undone any more")
    else:
        trigger_toast("success", "Undone", "The rows can be put back again.")
    return respond(redirect_to=url_for(".put_back_run", install_id=install.public_id, put_back_id=run.public_id))


@bp.post("/installs/<public_id:install_id>/put-backs/<public_id:put_back_id>/go-on")
@requires(Permission.INSTALLS_CONFIGURE, install=Install, put_back=PutBack)
def go_on(install: Install, put_back: PutBack) -> Response:
    """Go on with a run that stopped, as the person who ordered it."""
    run = put_back
    if not _may_write():
        raise Forbidden()
    _move_of(install, run)
    try:
        try_again(g.db, run=run, now=utcnow())
    except AppError as error:
        say_not_done(error)
    return respond(redirect_to=url_for(".put_back_run", install_id=install.public_id, put_back_id=run.public_id))


def _opened(install: Install, move: Move) -> tuple[Desk, Survey, dict[str, Place]]:
    """Raises NotFound for a move that is no rollback with a file, and Forbidden without the right to see records."""
    if move.install_id != install.id or not move.file_rows or move.records != "put_back" or move.keep_until is None:
        raise NotFound()
    _must_see_records()
    desk = open_desk(g.db, install=install, actor=g.actor)
    return desk, survey(file_name(move.agency_id, move.id)), places_of(g.db, desk=desk, move=move)


def _told(install: Install, run: PutBack, move: Move, page: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """A page of the rows that something is to be said of: (title, state, reasons)."""
    desk, found, where = _opened(install, move)
    marks = told_rows(g.db, run=run, offset=(page - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    titles = line_titles(desk, where, lines_of(found.name, (one for one in found.spots if one.position in marks)))
    return [
        (titles[at][0], mark.state, reasons(desk, titles[at][1], mark)) for at, mark in marks.items() if at in titles
    ]


def _must_see_records() -> None:
    if not g.actor.can(Permission.RECORDS_VIEW):
        raise Forbidden()


def _move_of(install: Install, run: PutBack) -> Move:
    if run.install_id != install.id:
        raise NotFound()
    move: Move = g.db.get_one(Move, run.move_id)
    return move


def _may_write() -> bool:
    actor: Actor = g.actor
    return actor.can(Permission.RECORDS_EDIT) or actor.can(Permission.RECORDS_DELETE)


def _filtered(found: Survey, where: dict[str, Place], table: str, change: str) -> list[Spot]:
    return [
        spot
        for spot in found.spots
        if spot.table in where and table in ("", spot.table) and (change not in CHANGES or spot.change == change)
    ]


def _tables(desk: Desk, found: Survey, where: dict[str, Place]) -> list[tuple[str, str, int]]:
    """(name in the file, label, rows) of the tables that have rows."""
    counted = Counter(spot.table for spot in found.spots if spot.table in where)
    return [
        (name, many(desk.manifest, where[name].table) if where[name].table else name, n) for name, n in counted.items()
    ]


def _page_of(total: int) -> tuple[int, int]:
    """The page that ?page= asks for, as far as there is one, and how many there are."""
    pages = max(1, -(-total // PAGE_ROWS))
    return min(max(request.args.get("page", 1, type=int), 1), pages), pages


def _private(body: Any) -> Response:
    answer = make_response(body)
    answer.headers["Cache-Control"] = "no-store"  # records are people's data
    return answer
