"""Trees, and putting a record below another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.datastructures import MultiDict

from app.access.permissions import Permission
from app.errors import BadRequest, Invalid
from app.installs.models import Install
from app.modules.conditions import All, Test
from app.modules.kinds import Kind
from app.modules.manifest.views import TreeView
from app.runtime.query import Query
from app.runtime.trials.models import Trial
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.labels import field_label
from app.workspace.narrowing import list_link
from app.workspace.opened import Opened
from app.workspace.screens import view_of
from app.workspace.trees import TOP, Tree, opened_of, places, read_tree
from app.workspace.views.common import (
    BASE,
    POSITION,
    bp,
    carried,
    desk_of,
    list_url,
    screen,
    show_screen,
    state_of,
    view_context,
)
from app.workspace.views.moving import NOT_REFUSED, Move, answer_move

OPEN = "open"


def tree_context(desk: Desk, name: str, now: datetime) -> dict[str, Any]:
    """What workspace/tree.html shows."""
    view, args = view_of(desk, name, TreeView), _args()
    state = state_of(desk, name, args)
    tree = read_tree(desk, view, state, opened_of(args.getlist(OPEN)))

    def opening(ids: tuple[str, ...], **changed: str) -> str:
        """The address of the tree with other records open, or wider branches."""
        kept = [(key, text) for key, text in args.items(multi=True) if key != OPEN and key not in changed]
        return list_url(desk, name, urlencode([*kept, *changed.items(), *((OPEN, one) for one in ids)]))

    def flip(one: str) -> str:
        """The same address with one record open that was closed, or the other way round."""
        return opening(tuple(x for x in tree.opened if x != one) if one in tree.opened else (*tree.opened, one))

    return {
        **view_context(desk, state, kept=("sort", "col", "limit")),
        "carry": carried(state, args),
        "tree": tree,
        "opening": opening,
        "flip": flip,
        "in_place": lambda ids: list_url(desk, name, urlencode([(OPEN, one) for one in ids])),
        "below_list": _below_list(desk, tree),
        "may_be_top": not desk.table(view.table).fields[view.parent].required,
        "refused": NOT_REFUSED,
    }


@screen("tree", tree_context)
def tree_at(install: Install | Trial, desk: Desk, name: str) -> Response:
    """A tree; ?open=… are the records whose branches are shown."""
    return show_screen(install, desk, name)


@bp.get(f"{BASE}/<tree>/spots")
@requires(Permission.RECORDS_EDIT, install=Opened)
def spots(install: Install | Trial, tree: str) -> str:
    """Where a record can be put, as options: card, and the words looked for."""
    desk = desk_of(install)
    view = view_of(desk, tree, TreeView)
    desk.data.table(view.table, "update")
    words = " ".join(request.args.get("words", "").replace("\x00", "").split())
    found, more = places(desk, view, state_of(desk, tree), request.args.get("card", ""), words)
    required = desk.table(view.table).fields[view.parent].required
    return fragment("workspace/_tree_spots.html", spots=found, more=more, words=words, top="" if required else TOP)


@bp.post(f"{BASE}/<tree>/under")
@requires(Permission.RECORDS_EDIT, install=Opened)
def move_under(install: Install | Trial, tree: str) -> Response:
    """Put a record below another one, or at the top: card, to, version. Only the version that was looked at is moved."""
    desk = desk_of(install)
    view = view_of(desk, tree, TreeView)
    desk.data.table(view.table, "update")
    to = request.values.get("to", "")
    above = _above(to)

    def move(before: dict[str, Any]) -> Move:
        text = f"{field_label(desk.table(view.table), view.parent)}: {_title(desk, view.table, view.parent, above)}"
        return Move({view.parent: above}, text, lambda was, version: _way_back(desk, tree, was[view.parent], version))

    answer = answer_move(install, desk, tree, move)
    if is_htmx():  # the place it went to is open now, also when the page is loaded again
        args = _args()
        answer.headers["HX-Replace-Url"] = list_url(desk, tree, urlencode(list(args.items(multi=True))))
    return answer


def _args() -> MultiDict[str, str]:
    """What the address says of the tree; what a record is put below is opened with it."""
    args = MultiDict((key, text) for key, text in request.args.items(multi=True) if key not in POSITION)
    to = request.form.get("to", "")
    if to and to != TOP and to not in args.getlist(OPEN):
        args.add(OPEN, to)
    return args


def _above(to: str) -> UUID | None:
    """What a record is put below, None for the top. Raises BadRequest."""
    if to == TOP:
        return None
    try:
        return UUID(to)
    except ValueError:
        raise BadRequest("Choose what to put it below.") from None


def _title(desk: Desk, table: str, parent: str, above: UUID | None) -> str:
    """What a record is put below. Raises Invalid for a record that is not there, or not theirs to see."""
    if above is None:
        return "none"
    name = desk.table(table).title_field
    query = Query(where=All((Test("id", "eq", above, Kind.UUID),)), fields=(name,) if name else ("id",), limit=1)
    for row in desk.data.list(table, query).records:
        return title(desk, table, row)
    raise Invalid.field(parent, "names a record that is not there", "reference")


def _way_back(desk: Desk, name: str, before: Any, version: int) -> str:
    back = TOP if before is None else str(before)
    card = request.values["card"]
    return url_for(".move_under", install_id=desk.install_id, tree=name, card=card, to=back, version=version)


def _below_list(desk: Desk, tree: Tree) -> Any:
    """For a record the address of the list of what is below it, where there are more than a tree shows; "" without one."""
    view = tree.view

    def address(of: str) -> str:
        more = (Test(view.parent, "eq", UUID(of), Kind.UUID),) if of else ()
        link = list_link(desk, view.table, view.where, *more)
        return list_url(desk, link.key, link.query) if link and view.parent in desk.table(view.table).fields else ""

    return address
