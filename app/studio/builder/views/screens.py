"""Views, the cards of dashboards, the menu."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.access.permissions import Permission
from app.errors import AppError
from app.studio.builder import view_changes as change
from app.studio.builder.changes import names
from app.studio.builder.choices import names_for
from app.studio.builder.forms import identifier, names_of, text_of
from app.studio.builder.keys import card_keys, view_keys
from app.studio.builder.manifesttext import at, mapping, sequence
from app.studio.builder.sheet import Sheet
from app.studio.builder.views.frame import acted, bp, number, sheet_here, shown
from app.studio.editor.models import Project
from app.web.guard import requires


@bp.get("/<public_id:project_id>/views")
@requires(Permission.MODULES_VIEW, project=Project)
def screens(project: Project) -> Response:
    """One view, `view`; of a dashboard one card opened, `card`."""
    return _shown(sheet_here(project), request.args.get("view", ""), number(request.args.get("card", "")))


@bp.post("/<public_id:project_id>/views/add")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add_view(project: Project) -> Response:
    typed, kind, table = (request.form.get(key, "") for key in ("name", "type", "table"))
    name = _name(typed)
    asked = change.add_view(typed, kind, table, in_menu="menu" in request.form)
    return _act(project, asked, f"View {name} added", "add-view", view=name)


@bp.post("/<public_id:project_id>/views/change")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_view(project: Project) -> Response:
    view = request.form.get("view", "")
    new = _name(request.form.get("name", view)) or view
    return _act(project, change.change_view(view, request.form), f"View {new} changed", "view", view=new)


@bp.post("/<public_id:project_id>/views/delete")
@requires(Permission.MODULES_AUTHOR, project=Project)
def delete_view(project: Project) -> Response:
    view = request.form.get("view", "")
    return _act(project, change.delete_view(view), f"View {view} deleted", "view")


@bp.post("/<public_id:project_id>/views/move")
@requires(Permission.MODULES_AUTHOR, project=Project)
def move_view(project: Project) -> Response:
    view, to = request.form.get("view", ""), number(request.form.get("to", "")) or 0
    return _act(project, change.move_view(view, to), f"View {view} moved", "view", view=view)


@bp.post("/<public_id:project_id>/views/menu")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_menu(project: Project) -> Response:
    view = request.form.get("view", "")
    return _act(project, change.set_menu(request.form.getlist("menu")), "Menu changed", "menu", view=view)


@bp.post("/<public_id:project_id>/views/cards/add")
@requires(Permission.MODULES_AUTHOR, project=Project)
def add_card(project: Project) -> Response:
    view, kind, table = (request.form.get(key, "") for key in ("view", "kind", "table"))
    there = len(sequence(sheet_here(project).values, "views", view, "cards"))
    return _act(project, change.add_card(view, kind, table), "Card added", "add-card", view=view, card=there)


@bp.post("/<public_id:project_id>/views/cards/change")
@requires(Permission.MODULES_AUTHOR, project=Project)
def change_card(project: Project) -> Response:
    view, card = request.form.get("view", ""), _card()
    return _act(project, change.change_card(view, card, request.form), "Card changed", "card", view=view, card=card)


@bp.post("/<public_id:project_id>/views/cards/remove")
@requires(Permission.MODULES_AUTHOR, project=Project)
def remove_card(project: Project) -> Response:
    view = request.form.get("view", "")
    return _act(project, change.remove_card(view, _card()), "Card removed", "card", view=view)


@bp.post("/<public_id:project_id>/views/cards/move")
@requires(Permission.MODULES_AUTHOR, project=Project)
def move_card(project: Project) -> Response:
    view, to = request.form.get("view", ""), number(request.form.get("to", "")) or 0
    return _act(project, change.move_card(view, _card(), to), "Card moved", "card", view=view)


def _card() -> int:
    """The card a form is about; -1, which is none, for anything that is no number."""
    found = number(request.form.get("card", ""))
    return -1 if found is None else found


def _name(typed: str) -> str:
    try:
        return identifier(typed, "name")
    except AppError:
        return ""


def _act(project: Project, asked: Any, said: str, form: str, *, view: str = "", card: int | None = None) -> Response:
    def show(sheet: Sheet, **given: Any) -> Response:
        return _shown(sheet, request.form.get("view", "") if given else view, card, **given)

    return acted(project, asked, tab="screens", said=said, form=form, show=show, view=view or None, card=card)


def _shown(sheet: Sheet, view: str, card: int | None, *, status: int = 200, **given: Any) -> Response:
    views = {name: body for name, body in mapping(sheet.values, "views").items() if isinstance(body, dict)}
    chosen = view if view in views else next(iter(views), "")
    body = views.get(chosen, {})
    cards = sequence(body, "cards")
    opened = card if card is not None and card < len(cards) and change.kind_of(cards[card]) else None
    spec = cards[opened] if opened is not None else {}
    tables = names(sheet.values, "tables")
    entries = [*(name for name, one in views.items() if at(one, "type") not in change.ONE_RECORD), *tables]
    return shown(
        "screens",
        sheet,
        status=status,
        views=views,
        view=chosen,
        body=body,
        view_keys=[key for key in view_keys(body.get("type")) if key.kind != "cards"],
        names=names_for(sheet.values, text_of(body.get("table"))),
        cards=cards,
        card=opened,
        spec=spec,
        kind_of=change.kind_of,
        card_keys=card_keys(change.kind_of(spec)) if spec else (),
        card_names=names_for(sheet.values, text_of(at(spec, "of"))),
        menu=names_of(sequence(sheet.values, "menu")),
        entries=[(name, name) for name in dict.fromkeys(entries)],
        **given,
    )
