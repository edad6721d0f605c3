"""Forms of the manifest's own models: what each field type, setting, view and card may say becomes controls.

Taken from the pydantic classes, so a key that the format gains is offered without a line here.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from app.modules.manifest import fields as f
from app.modules.manifest import settings as s
from app.modules.manifest import views as v
from app.studio.builder.words import CHOICES, KEYS, in_words

Kind = Literal[
    "flag", "text", "lines", "whole", "number", "choice", "choices", "table", "field", "fields", "sort", "condition",
    "default", "options", "expression", "expressions", "source", "function", "panels", "groups", "cards", "rows",
]  # fmt: skip

TEXTUAL = ("text", "enum")
STEPS = ("enum", "ref")
MOMENTS = ("date", "datetime")
FIGURES = ("integer", "decimal", "money", "percent", "rating", "duration", "formula", "rollup")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a model as a control. options: of a choice; types: the types of field it may name, () for any.

    usual: what it means when it is not written.
    """

    name: str
    kind: Kind
    label: str
    help: str = ""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    types: tuple[str, ...] = ()
    usual: Any = None


_SPECIAL: dict[str, Kind] = {
    "default": "default", "visible_if": "condition", "where": "condition", "expr": "expression", "sort": "sort",
    "columns": "fields", "card": "fields", "filters": "fields", "main": "panels", "side": "panels", "group": "groups",
    "metrics": "expressions", "cards": "cards", "test": "function", "table": "table",
}  # fmt: skip
_OF_MODEL: dict[tuple[str, str], tuple[Kind, tuple[str, ...]]] = {
    ("SlugField", "from"): ("field", ("text",)),
    ("MoneyField", "currency"): ("field", TEXTUAL),
    ("RefField", "to"): ("table", ()),
    ("RefsField", "to"): ("table", ()),
    ("EnumField", "options"): ("options", ()),
    ("EnumSetting", "options"): ("options", ()),
    ("RollupField", "of"): ("source", ()),
    ("RollupField", "via"): ("text", ()),
    ("RepeaterSetting", "fields"): ("rows", ()),
    ("FormView", "fields"): ("fields", ()),
    ("BoardView", "by"): ("field", STEPS),
    ("BoardView", "sum"): ("field", FIGURES),
    ("ResourcesView", "by"): ("field", ("ref", "user")),
    ("TimelineView", "by"): ("field", ("enum", "ref", "user")),
    ("TreeView", "parent"): ("field", ("ref",)),
    ("GalleryView", "image"): ("field", ("file", "files")),
    ("MapView", "at"): ("field", ("geo",)),
    **{(view, key): ("field", MOMENTS) for view in ("CalendarView", "ResourcesView", "TimelineView") for key in ("from", "to")},
    **{(view, "color"): ("field", ("enum", "color")) for view in ("CalendarView", "ResourcesView", "TimelineView")},
    ("NumberCard", "number"): ("expression", ()),
    ("LineCard", "line"): ("expression", ()),
    ("LineCard", "by"): ("text", ()),
    ("BarCard", "bar"): ("expression", ()),
    ("BarCard", "by"): ("text", ()),
    ("ListCard", "list"): ("fields", ()),
    ("TableCard", "table"): ("fields", ()),
    ("FunnelCard", "funnel"): ("field", STEPS),
    **{(f"{kind}Card", "of"): ("table", ()) for kind in ("Number", "Line", "Bar", "List", "Table", "Funnel")},
}  # fmt: skip
_LABELS = {
    ("RefField", "to"): "Refers to",
    ("RefsField", "to"): "Refers to",
    ("RollupField", "of"): "Over the records of",
}
# Edited together with options; told apart by the form's own controls; or written by a rename alone.
_LEFT_OUT = {"type", "was", "labels", "colors"}


@cache
def keys_of(model: type[BaseModel]) -> tuple[Key, ...]:
    """The keys of a model in its order, with the controls they need."""
    found = []
    for attribute, info in model.model_fields.items():
        name = info.alias or attribute
        if name in _LEFT_OUT:
            continue
        inner = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        kind, options = _control(inner)
        special = _OF_MODEL.get((model.__name__, name))
        kind = special[0] if special else _SPECIAL.get(name, kind)
        usual = None if info.default is PydanticUndefined else info.default
        found.append(
            Key(
                name,
                kind,
                _LABELS.get((model.__name__, name), KEYS.get(name, in_words(name))),
                _sentence(info.description),
                info.is_required(),
                options,
                special[1] if special else (),
                list(usual) if isinstance(usual, tuple) else usual,
            )
        )
    return tuple(found)


def _sentence(text: str | None) -> str:
    return " ".join((text or "").replace("`", "").split())


def _control(annotation: Any) -> tuple[Kind, tuple[tuple[str, str], ...]]:
    """(kind, options) for a type as the models write it."""
    bare = _bare(annotation)
    if get_origin(bare) is Literal:
        return "choice", _named(get_args(bare))
    if get_origin(bare) is tuple:
        inner = _bare(get_args(bare)[0])
        return ("choices", _named(get_args(inner))) if get_origin(inner) is Literal else ("lines", ())
    if bare is bool:
        return "flag", ()
    if bare is int:
        return "whole", ()
    if get_origin(bare) in (Union, types.UnionType) and set(get_args(bare)) == {int, float}:
        return "number", ()
    return "text", ()


def _bare(annotation: Any) -> Any:
    """A type without Annotated and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else annotation
    return annotation


def _named(values: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((str(value), CHOICES.get(str(value), in_words(str(value)))) for value in values)


def _by_type(union: Any) -> dict[str, type[BaseModel]]:
    """{the name of a member of a union told apart by its type: its class}."""
    members = [get_args(member)[0] for member in get_args(get_args(union)[0])]
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


FIELDS = _by_type(f.FieldSpec)
SETTINGS = _by_type(s.SettingSpec)
ROWS = _by_type(s.RowSpec)
VIEWS = _by_type(v.View)
CARDS: Mapping[str, type[BaseModel]] = {
    "number": v.NumberCard, "line": v.LineCard, "bar": v.BarCard, "list": v.ListCard, "table": v.TableCard,
    "funnel": v.FunnelCard,
}  # fmt: skip


def field_keys(type_name: Any) -> tuple[Key, ...]:
    """What a field of a type may say; () for a type that is none."""
    model = FIELDS.get(type_name) if isinstance(type_name, str) else None
    if model is None:
        return ()
    given = type_name in ("formula", "rollup", "number")
    bare = given or type_name in ("secret", "file", "files", "ref", "refs", "user")
    kind = getattr(model, "kind", None)
    unfit = {"required", "default"} if given else {"default"} if bare else set()
    if type_name in ("formula", "rollup"):
        unfit |= {"unique", "search"}
    if kind in ("list", "json", "boolean") or type_name in ("secret", "richtext"):
        unfit.add("unique")
    if kind != "text" or type_name in ("secret", "color", "rrule", "formula"):
        unfit.add("search")
    return tuple(key for key in keys_of(model) if key.name not in unfit)


def setting_keys(type_name: Any, *, row: bool = False) -> tuple[Key, ...]:
    """What a setting of a type may say; row: inside a list of rows."""
    model = (ROWS if row else SETTINGS).get(type_name) if isinstance(type_name, str) else None
    if model is None:
        return ()
    unfit = {
        "secret": {"default"},
        "user": {"default"},
        "page": {"default"},
        "module": {"default"},
        "repeater": {"default"},
    }
    hidden = unfit.get(type_name, set()) | ({"inherit", "lock", "test", "visible_if"} if row else set())
    return tuple(key for key in keys_of(model) if key.name not in hidden)


def view_keys(type_name: Any) -> tuple[Key, ...]:
    """What a view of a type may say."""
    model = VIEWS.get(type_name) if isinstance(type_name, str) else None
    return keys_of(model) if model else ()


def card_keys(kind: str) -> tuple[Key, ...]:
    """What a card of a dashboard may say; its own key is a control like the others."""
    return tuple(replace(key, label="Records of") if key.name == "of" else key for key in keys_of(CARDS[kind]))
