"""From views of a manifest, or from a bare table, to what a screen shows. Pure: no request, no records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from app.errors import NotFound
from app.modules.conditions import All, Condition, matches, parse_condition
from app.modules.kinds import Kind
from app.modules.manifest import Table
from app.modules.manifest.views import (
    Card,
    DashboardView,
    DetailView,
    FormView,
    InboxView,
    ListView,
    Related,
    View,
    ViewBase,
    sort_keys,
)
from app.runtime.data.model import TableModel
from app.runtime.query import Sort
from app.workspace.desk import Desk
from app.workspace.labels import is_long, many, words

AView = TypeVar("AView", bound=ViewBase)
FACETS = frozenset({"enum", "boolean", "user", "ref", "refs", "date", "datetime", "tags"})
COMPUTED = frozenset({"number", "formula", "rollup"})
UPLOADS = frozenset({"file", "files"})
HISTORY = "timeline"
DRAWN = {
    "list": "table",
    "board": "columns-3",
    "tree": "list-tree",
    "timeline": "chart-gantt",
    "map": "map-pin",
    "report": "chart-bar",
    "calendar": "calendar-days",
    "resources": "calendar-clock",
    "dashboard": "gauge",
    "gallery": "image",
    "inbox": "inbox",
}
"""The types of views that have a screen of their own in the menu, each with its icon; views/common.py has what answers."""
MOVED_ON = frozenset({"inbox", "board", "calendar", "resources", "tree", "timeline"})
"""Those whose records are changed where they are shown, and where somebody then goes on."""
_NOT_IN_LISTS = frozenset({"json", "secret", "richtext", "address", "geo", "hours", "rrule", "files"})
_UNSORTABLE = frozenset({"ref", "user", "refs", "tags", "secret", "json", "address", "geo", "hours", "file", "files"})
_MOST_COLUMNS, _MOST_FACETS = 7, 5


@dataclass(frozen=True, slots=True)
class ListScreen:
    """What is shown of a table: its records, narrowed and in an order, as a list or as any other view.

    key: its name in the address; columns: the fields shown unless others are chosen; where: always holds.
    """

    key: str
    label: str
    help: str
    table: str
    columns: tuple[str, ...]
    facets: tuple[str, ...]
    search: bool
    sort: tuple[Sort, ...]
    where: Condition
    bulk: frozenset[str]
    export: bool
    imports: bool


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A screen in the menu of an install. kind: the type of its view, "list" for a bare table."""

    key: str
    label: str
    kind: str

    @property
    def icon(self) -> str:
        return DRAWN[self.kind]


@dataclass(frozen=True, slots=True)
class DetailScreen:
    """The panels of one record: names of fields, "timeline", or a related table."""

    main: tuple[str | Related, ...]
    side: tuple[str | Related, ...]


def menu(desk: Desk) -> list[MenuEntry]:
    """The screens of an install this person may see, in the manifest's order; tables without a list come last."""
    manifest = desk.manifest
    named = [name for name in manifest.menu or manifest.views if _shown(desk, name)]
    listed = {list_table(desk, name) for name in named if screen_kind(desk, name) == "list"}
    # what no list shows has to be reached somehow; helpers left out on purpose stay out
    wanted = {view.table for name in manifest.menu if (view := manifest.views.get(name)) and hasattr(view, "table")}
    left = [name for name in desk.tables if name not in listed and (name in wanted or not listed or not manifest.menu)]
    return [MenuEntry(name, screen_label(desk, name), screen_kind(desk, name)) for name in [*named, *left]]


def screen_kind(desk: Desk, name: str) -> str:
    """The kind of screen that answers at a name. Raises NotFound for what is not there, not drawn, or not theirs."""
    view = desk.manifest.views.get(name)
    if view is not None and view.type in DRAWN:
        if not _readable(desk, view):
            raise NotFound()
        return view.type
    if name not in desk.manifest.tables:
        raise NotFound()
    desk.data.table(name)
    return "list"


def view_of(desk: Desk, name: str, kind: type[AView]) -> AView:
    """The view at a name. Raises NotFound for one of another type, and for one that is not theirs."""
    view = desk.manifest.views.get(name)
    if not isinstance(view, kind):
        raise NotFound()
    desk.data.table(view.table)
    return view


def list_table(desk: Desk, name: str) -> str:
    """The table of the list at a name."""
    view = desk.manifest.views.get(name)
    return view.table if isinstance(view, ListView) else name


def list_screen(desk: Desk, name: str) -> ListScreen:
    """The list of a view, or the generated one of a table; of any other view of records what it has of a list.

    Raises NotFound for what is not there or not theirs.
    """
    view = desk.manifest.views.get(name)
    if isinstance(view, ViewBase) and view.type in DRAWN:
        desk.data.table(view.table)
        return _from_view(desk, name, view)
    if name not in desk.manifest.tables:
        raise NotFound()
    desk.data.table(name)
    return _from_table(desk, name)


def detail_screen(desk: Desk, table: str, record: dict[str, Any]) -> DetailScreen:
    """The panels of a record: those of the first detail view it matches, else made from the table's fields."""
    model, spec = desk.data.model.tables[table], desk.table(table)
    for view in desk.manifest.views.values():
        if isinstance(view, DetailView) and view.table == table and _fits(view, model, record):
            return panels_of(desk, view)
    main = [name for name, field in spec.fields.items() if is_long(field) or field.type == "files"]
    side = [name for name, field in spec.fields.items() if name not in main and name != spec.title_field]
    related = [Related(related=name) for name in _pointing_at(desk, table)]
    story: list[str | Related] = [*main, *related, *([HISTORY] if has_history(spec) else [])]
    return DetailScreen(tuple(story), tuple(side))


def panels_of(desk: Desk, view: DetailView | InboxView) -> DetailScreen:
    """The panels that a view names."""
    return DetailScreen(_with_history(desk.table(view.table), view.main, view.side), view.side)


def _fits(view: DetailView, model: TableModel, record: dict[str, Any]) -> bool:
    return not view.where or matches(parse_condition(view.where, model.columns), record)


def _with_history(
    spec: Table, main: tuple[str | Related, ...], side: tuple[str | Related, ...]
) -> tuple[str | Related, ...]:
    """The history comes with every table that has one, also where the view does not name it."""
    return main if not has_history(spec) or HISTORY in (*main, *side) else (*main, HISTORY)


def form_fields(desk: Desk, table: str) -> tuple[str, ...]:
    """The fields of the form: those of the table's form view, else every field a person can fill in, JSON last."""
    spec = desk.table(table)
    view = next((one for one in desk.manifest.views.values() if isinstance(one, FormView) and one.table == table), None)
    names = view.fields if view else tuple(sorted(spec.fields, key=lambda name: spec.fields[name].type == "json"))
    return tuple(name for name in names if name in spec.fields and spec.fields[name].type not in COMPUTED)


def column_choices(desk: Desk, table: str) -> tuple[str, ...]:
    """Every column a list of the table can have."""
    fields = desk.table(table).fields
    names = [name for name, field in fields.items() if field.type not in ("secret", "json")]
    return (*names, "created_at", "updated_at", "created_by")


def sortable(desk: Desk, table: str, name: str) -> bool:
    """Whether a list may be ordered by a column in a way that means something to people."""
    field = desk.table(table).fields.get(name)
    if field is not None and field.type in _UNSORTABLE:
        return False
    return desk.data.model.tables[table].columns[name].kind not in (Kind.LIST, Kind.JSON)


def has_history(table: Table) -> bool:
    """Whether every change of a record is kept."""
    return table.audit or table.timeline


def back_refs(desk: Desk, table: str, other: str) -> list[str]:
    """The ref fields of `other` that point at `table`."""
    return [name for name, field in desk.table(other).refs.items() if field.to == table]


def _pointing_at(desk: Desk, table: str) -> list[str]:
    return [name for name in desk.tables if back_refs(desk, table, name)]


def screen_label(desk: Desk, name: str) -> str:
    """What the screen at a name is called."""
    view = desk.manifest.views.get(name)
    if view is None or view.type not in DRAWN:
        return many(desk.manifest, name)
    own = many(desk.manifest, name) if isinstance(view, ListView) and view.table == name else words(name)
    return getattr(view, "label", None) or own


def _shown(desk: Desk, name: str) -> bool:
    view = desk.manifest.views.get(name)
    if view is not None:
        return view.type in DRAWN and _readable(desk, view)
    return name in desk.manifest.tables and desk.can(name, "read")


def _readable(desk: Desk, view: View) -> bool:
    """Whether somebody sees anything on a screen: its table, or one of its cards."""
    if isinstance(view, DashboardView):
        return any(may_see_card(desk, card) for card in view.cards)
    return desk.can(view.table, "read")


def may_see_card(desk: Desk, card: Card) -> bool:
    """Whether this person may read the table of a card; of a funnel also that whose records are its steps."""
    steps = getattr(desk.table(card.of).fields.get(getattr(card, "funnel", "")), "to", None)
    return desk.can(card.of, "read") and (steps is None or desk.can(steps, "read"))


def _from_view(desk: Desk, name: str, view: ViewBase) -> ListScreen:
    model, spec = desk.data.model.tables[view.table], desk.table(view.table)
    listed = view if isinstance(view, ListView) else None
    searched = getattr(view, "search", any(field.search for field in spec.fields.values()))
    return ListScreen(
        key=name,
        label=screen_label(desk, name),
        help=view.help or spec.help or "",
        table=view.table,
        columns=listed.columns if listed else getattr(view, "card", None) or _card(spec),
        facets=getattr(view, "filters", ()),
        search=searched,
        sort=tuple(map(Sort.of, sort_keys(getattr(view, "sort", None)))),
        where=parse_condition(view.where, model.columns) if view.where else All(()),
        bulk=frozenset(listed.bulk if listed else ()),
        export=listed is not None and listed.export == "csv",
        imports=listed is not None and listed.import_ == "csv",
    )


def _from_table(desk: Desk, name: str) -> ListScreen:
    spec = desk.table(name)
    types = {field.type for field in spec.fields.values()}
    bulk = {"edit", "delete", "export"}
    bulk |= {act for act, needs in (("assign", "user"), ("tag", "tags")) if needs in types}
    return ListScreen(
        key=name,
        label=many(desk.manifest, name),
        help=spec.help or "",
        table=name,
        columns=_columns(spec),
        facets=tuple(key for key, field in spec.fields.items() if field.type in FACETS)[:_MOST_FACETS],
        search=any(field.search for field in spec.fields.values()),
        sort=(),
        where=All(()),
        bulk=frozenset(bulk),
        export=True,
        imports=True,
    )


def _columns(spec: Table) -> tuple[str, ...]:
    title, fit = spec.title_field, _fit(spec)
    return (*([title] if title else []), *fit[: _MOST_COLUMNS - 2], "created_at")


def _card(spec: Table) -> tuple[str, ...]:
    """What a card shows of a record where the view does not say: its title alone, or the first field."""
    return (spec.title_field,) if spec.title_field else tuple(_fit(spec)[:1])


def _fit(spec: Table) -> list[str]:
    """The fields that can stand in a line, without the title."""
    title = spec.title_field
    return [
        name
        for name, field in spec.fields.items()
        if name != title and field.type not in _NOT_IN_LISTS and not is_long(field)
    ]
