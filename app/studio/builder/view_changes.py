"""Acts on views, the cards of dashboards and the menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.errors import Invalid, NotFound
from app.studio.builder.changes import Change, Edit, Entry, Values, names
from app.studio.builder.choices import fields_of
from app.studio.builder.forms import Form, identifier, label_of, read_keys
from app.studio.builder.keys import CARDS, VIEWS, card_keys, view_keys
from app.studio.builder.manifesttext import at, sequence
from app.studio.builder.moves import moved, moved_key, put
from app.studio.builder.words import TYPE_WORDS, VIEW_TYPES

ONE_RECORD = ("detail", "form")
_LONG = ("richtext", "json", "secret", "files", "address", "geo", "hours")
_GIVEN = ("formula", "rollup", "number")


def add_view(typed: str, kind: str, table: str, *, in_menu: bool) -> Change:
    """A view that works at once: its fields are the first of the table that fit."""

    def act(edit: Edit) -> None:
        if kind not in VIEWS:
            raise Invalid.field("type", "Choose what the view is.")
        if kind != "dashboard" and table not in names(edit.values, "tables"):
            raise Invalid.field("table", "Choose a table.")
        name = identifier(typed, "name", taken=names(edit.values, "views"))
        body = {"type": kind, **({"table": table} if kind != "dashboard" else {})}
        put(body, "label", label_of(typed, name))
        edit.room("views")[name] = body | _beginning(edit.values, kind, table)
        if in_menu and kind not in ONE_RECORD:
            edit.values["menu"] = [
                *sequence(edit.values, "menu"),
                *([name] if name not in sequence(edit.values, "menu") else []),
            ]
        edit.note = f"view {name} added"

    return Change(act, ())


def _beginning(values: Values, kind: str, table: str) -> Values:
    """What a view of a kind cannot do without, taken from the table. Raises Invalid where the table has no such field."""
    if kind == "dashboard":
        first = next(iter(names(values, "tables")), None)
        if first is None:
            raise Invalid.field("type", "A dashboard needs a table to count.")
        return {"cards": [{"number": "count", "of": table if table in names(values, "tables") else first}]}
    fields = fields_of(values, table)
    short = [name for name, type_ in fields if type_ not in _LONG][:5] or ["created_at"]
    needed: dict[str, Values] = {
        "list": {"columns": short, "search": True},
        "form": {"fields": [name for name, type_ in fields if type_ not in _GIVEN] or short},
        "detail": {"main": [name for name, _ in fields] or short},
        "inbox": {"card": short[:2], "main": [name for name, _ in fields] or short},
        "report": {"group": ["created_at/month"], "metrics": ["count"]},
    }
    if kind in needed:
        return needed[kind]
    found: Values = {}
    for key in view_keys(kind):
        if key.kind == "field" and key.required:
            chosen = next((name for name, type_ in fields if type_ in key.types and name not in found.values()), None)
            if chosen is None:
                types = " or ".join(TYPE_WORDS[one].lower() for one in key.types)
                raise Invalid.field("type", f"{VIEW_TYPES[kind]} needs a field of {table} that holds: {types}.")
            found[key.name] = chosen
        elif key.kind == "fields" and key.required:
            found[key.name] = short[:3]
    return found


def change_view(view: str, form: Form) -> Change:
    """Whatever the form shows of a view, its name too."""

    def act(edit: Edit) -> None:
        views = edit.mapping("views")
        body = edit.mapping("views", view)
        views[view] = read_keys(form, [key for key in view_keys(body.get("type")) if key.kind != "cards"], body)
        edit.note = f"view {view} changed"
        new = form.get("name", view).strip()
        if new != view:
            new = identifier(new, "name", taken=names(edit.values, "views"))
            edit.rename_key(("views", view), new)
            for index, entry in enumerate(sequence(edit.values, "menu")):
                if entry == view:
                    edit.values["menu"][index] = new
            edit.note = f"view {view} renamed to {new}"

    return Change(act, (("views", view),))


def delete_view(view: str) -> Change:
    """The view goes, from the menu too; a table of its name then gets its plain list there."""

    def act(edit: Edit) -> None:
        edit.mapping("views", view)
        views = edit.mapping("views")
        del views[view]
        put(edit.values, "views", views)
        if view not in names(edit.values, "tables"):
            put(edit.values, "menu", [entry for entry in sequence(edit.values, "menu") if entry != view])
        edit.note = f"view {view} deleted"

    return Change(act, (("views", view), ("menu",)))


def move_view(view: str, to: int) -> Change:
    """The view at another place of the list."""

    def act(edit: Edit) -> None:
        edit.mapping("views", view)
        edit.values["views"] = moved_key(edit.values["views"], view, to)
        edit.note = f"view {view} moved"

    return Change(act, (("views",),))


def set_menu(entries: list[str]) -> Change:
    """The menu, in order."""

    def act(edit: Edit) -> None:
        put(edit.values, "menu", list(dict.fromkeys(entry for entry in entries if entry)))
        edit.note = "menu changed"

    return Change(act, (("menu",),))


# -- cards of a dashboard


def kind_of(card: Any) -> str:
    """What a card is: its first key that names a kind; '' for none."""
    return next((kind for kind in CARDS if isinstance(card, dict) and kind in card), "")


def add_card(view: str, kind: str, table: str) -> Change:
    """A card that works at once."""

    def act(edit: Edit) -> None:
        if kind not in CARDS:
            raise Invalid.field("kind", "Choose what the card shows.")
        if table not in names(edit.values, "tables"):
            raise Invalid.field("table", "Choose a table.")
        body = edit.mapping("views", view)
        fields = fields_of(edit.values, table)
        short = [name for name, type_ in fields if type_ not in _LONG][:4] or ["created_at"]
        step = next((name for name, type_ in fields if type_ in ("enum", "ref")), None)
        if kind == "funnel" and step is None:
            raise Invalid.field(
                "kind", f"A funnel needs a field of {table} that is one of a list or a record of another table."
            )
        made: dict[str, Values] = {
            "number": {"number": "count"}, "line": {"line": "count"}, "bar": {"bar": "count"}, "list": {"list": short},
            "table": {"table": short}, "funnel": {"funnel": step},
        }  # fmt: skip
        by = {"line": {"by": "created_at/week"}, "bar": {"by": step or "created_at/month"}}.get(kind, {})
        body["cards"] = [*sequence(body, "cards"), {**made[kind], "of": table, **by}]
        edit.note = f"card added to {view}"

    return Change(act, (("views", view),))


def _card(view: str, index: int, of: Callable[[int], Change]) -> Entry:
    return Entry(("views", view, "cards"), index, of)


def change_card(view: str, index: int, form: Form) -> Change:
    """Whatever the form shows of a card."""

    def act(edit: Edit) -> None:
        card = edit.mapping("views", view, "cards", index)
        kind = kind_of(card)
        if not kind:
            raise NotFound()
        edit.values["views"][view]["cards"][index] = read_keys(form, card_keys(kind), card, prefix="card.")
        edit.note = f"card of {view} changed"

    return Change(
        act, (("views", view, "cards", index),), _card(view, index, lambda place: change_card(view, place, form))
    )


def remove_card(view: str, index: int) -> Change:
    """The card goes. Raises Invalid for the last one: a dashboard has at least one."""

    def act(edit: Edit) -> None:
        edit.mapping("views", view, "cards", index)
        cards = at(edit.values, "views", view, "cards")
        if len(cards) == 1:
            raise Invalid.field("card", "A dashboard has at least one card. Delete the view instead.")
        edit.values["views"][view]["cards"] = [*cards[:index], *cards[index + 1 :]]
        edit.note = f"card removed from {view}"

    return Change(act, (("views", view, "cards"),), _card(view, index, lambda place: remove_card(view, place)))


def move_card(view: str, index: int, to: int) -> Change:
    """The card at another place."""

    def act(edit: Edit) -> None:
        edit.mapping("views", view, "cards", index)
        edit.values["views"][view]["cards"] = moved(edit.values["views"][view]["cards"], index, to)
        edit.note = f"card of {view} moved"

    return Change(act, (("views", view, "cards"),), _card(view, index, lambda place: move_card(view, place, to)))
