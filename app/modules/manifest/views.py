"""Screens for staff: what `views` and the cards of dashboards may say, one class for each type."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, StringConstraints

from app.modules.manifest.base import Condition, Flag, Help, Label, Name, Part, Whole, tag

SortKey = Annotated[str, StringConstraints(pattern=r"^-?[a-z][a-z0-9_]{0,40}$")]
"""A field, or -field for the largest first."""
Columns = Annotated[tuple[Name, ...], Field(min_length=1, max_length=40)]
BulkAction = Literal["assign", "tag", "edit", "delete", "export"]
Period = Literal["day", "week", "month", "quarter", "year"]
GroupKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}(/(day|week|month|quarter|year))?$")]
"""A field, or a date and its period: created_at/week."""
Expression = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""An aggregate: count, sum(amount), avg(amount * probability / 100)."""


def _sort_shape(value: Any) -> str | None:
    return "\x01many" if isinstance(value, (list, tuple)) else "\x01one"


Sort: TypeAlias = Annotated[
    Annotated[SortKey, tag("one")]
    | Annotated[Annotated[tuple[SortKey, ...], Field(min_length=1, max_length=3)], tag("many")],
    Discriminator(_sort_shape),
]
"""One sort key or a list of at most three."""


def sort_keys(sort: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """A `sort` as a tuple of keys, () when there is none."""
    if sort is None:
        return ()
    return (sort,) if isinstance(sort, str) else sort


class Related(Part):
    """The records of another table that refer to this one."""

    related: Name
    """The other table."""


def _panel_shape(value: Any) -> str | None:
    return "\x01related" if isinstance(value, (dict, Related)) else "\x01field"


Panel: TypeAlias = Annotated[
    Annotated[Name, tag("field")] | Annotated[Related, tag("related")], Discriminator(_panel_shape)
]
"""A field, `timeline` (if the table has one), or {related: table}."""


class ViewBase(Part):
    """What every view of a table may say."""

    table: Name
    label: Label | None = None
    """The name in the menu; made from the table's label or the view's name when absent."""
    help: Help | None = None
    where: Condition | None = None
    """Only records that match."""


class ListView(ViewBase):
    """Rows and columns, with search, filters, bulk actions, import and export."""

    type: Literal["list"]
    columns: Columns
    filters: tuple[Name, ...] = ()
    search: Flag = False
    sort: Sort | None = None
    bulk: tuple[BulkAction, ...] = ()
    export: Literal["csv"] | None = None
    import_: Literal["csv"] | None = Field(default=None, alias="import")


class BoardView(ViewBase):
    """Cards in columns, one column for each option or referred record."""

    type: Literal["board"]
    by: Name
    """An enum or a ref field."""
    card: Columns
    """The fields on a card."""
    sum: Name | None = None
    """A number added up at the head of each column."""
    filters: tuple[Name, ...] = ()
    sort: Sort | None = None


class CalendarView(ViewBase):
    """Records on days, weeks and months."""

    type: Literal["calendar"]
    from_: Name = Field(alias="from")
    """The date or moment a record starts."""
    to: Name | None = None
    card: Columns | None = None
    color: Name | None = None
    """An enum with colors, or a color field."""
    filters: tuple[Name, ...] = ()


class ResourcesView(ViewBase):
    """A day with one column for each person, room or thing."""

    type: Literal["resources"]
    by: Name
    """A ref or user field."""
    from_: Name = Field(alias="from")
    to: Name
    card: Columns | None = None
    color: Name | None = None
    filters: tuple[Name, ...] = ()


class TimelineView(ViewBase):
    """Bars on a time axis."""

    type: Literal["timeline"]
    from_: Name = Field(alias="from")
    to: Name | None = None
    by: Name | None = None
    """An enum, ref or user field that groups the rows."""
    card: Columns | None = None
    color: Name | None = None
    filters: tuple[Name, ...] = ()


class DetailView(ViewBase):
    """One record: the main column and the side."""

    type: Literal["detail"]
    main: Annotated[tuple[Panel, ...], Field(min_length=1, max_length=60)]
    side: Annotated[tuple[Panel, ...], Field(max_length=60)] = ()


class FormView(ViewBase):
    """The form that makes and changes a record."""

    type: Literal["form"]
    fields: Columns


class TreeView(ViewBase):
    """Records below each other."""

    type: Literal["tree"]
    parent: Name
    """A ref field to the same table."""
    card: Columns | None = None
    sort: Sort | None = None


class GalleryView(ViewBase):
    """Pictures in a grid."""

    type: Literal["gallery"]
    image: Name
    """A file or files field."""
    card: Columns | None = None
    filters: tuple[Name, ...] = ()
    sort: Sort | None = None


class MapView(ViewBase):
    """Records on a map."""

    type: Literal["map"]
    at: Name
    """A geo field."""
    card: Columns | None = None
    filters: tuple[Name, ...] = ()


class InboxView(ViewBase):
    """A list beside the record that is chosen in it."""

    type: Literal["inbox"]
    card: Columns
    main: Annotated[tuple[Panel, ...], Field(min_length=1, max_length=60)]
    side: Annotated[tuple[Panel, ...], Field(max_length=60)] = ()
    filters: tuple[Name, ...] = ()
    search: Flag = False
    sort: Sort | None = None


class ReportView(ViewBase):
    """Figures by groups, as a table and a chart."""

    type: Literal["report"]
    group: Annotated[tuple[GroupKey, ...], Field(min_length=1, max_length=3)]
    metrics: Annotated[tuple[Expression, ...], Field(min_length=1, max_length=10)]
    filters: tuple[Name, ...] = ()
    chart: Literal["line", "bar"] | None = None


class CardBase(Part):
    """What every card of a dashboard may say."""

    of: Name
    """The table."""
    where: Condition | None = None
    label: Label | None = None
    help: Help | None = None


class NumberCard(CardBase):
    """One figure."""

    number: Expression


class LineCard(CardBase):
    """A figure over time."""

    line: Expression
    by: GroupKey


class BarCard(CardBase):
    """A figure by group."""

    bar: Expression
    by: GroupKey


class ListCard(CardBase):
    """The first few records, by their title and these fields."""

    list: Columns
    sort: Sort | None = None
    limit: Annotated[Whole, Field(ge=1, le=50)] = 5


class TableCard(CardBase):
    """The first few records as a table."""

    table: Columns
    sort: Sort | None = None
    limit: Annotated[Whole, Field(ge=1, le=50)] = 10


class FunnelCard(CardBase):
    """How many records are in each step of an enum or ref."""

    funnel: Name
    """An enum or a ref field."""


CARD_TYPES = ("number", "line", "bar", "list", "table", "funnel")


def _card_type(value: Any) -> str | None:
    has = value.__contains__ if isinstance(value, dict) else lambda name: hasattr(value, name)
    return next((f"\x01{name}" for name in CARD_TYPES if has(name)), None)


Card: TypeAlias = Annotated[
    Annotated[NumberCard, tag("number")]
    | Annotated[LineCard, tag("line")]
    | Annotated[BarCard, tag("bar")]
    | Annotated[ListCard, tag("list")]
    | Annotated[TableCard, tag("table")]
    | Annotated[FunnelCard, tag("funnel")],
    Discriminator(_card_type),
]
"""Any card of a dashboard."""


class DashboardView(Part):
    """Cards with figures, charts and short lists."""

    type: Literal["dashboard"]
    label: Label | None = None
    help: Help | None = None
    cards: Annotated[tuple[Card, ...], Field(min_length=1, max_length=24)]


def _type_of(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"\x01{kind}" if isinstance(kind, str) else None


View: TypeAlias = Annotated[
    Annotated[ListView, tag("list")]
    | Annotated[BoardView, tag("board")]
    | Annotated[CalendarView, tag("calendar")]
    | Annotated[ResourcesView, tag("resources")]
    | Annotated[TimelineView, tag("timeline")]
    | Annotated[DetailView, tag("detail")]
    | Annotated[FormView, tag("form")]
    | Annotated[TreeView, tag("tree")]
    | Annotated[GalleryView, tag("gallery")]
    | Annotated[MapView, tag("map")]
    | Annotated[InboxView, tag("inbox")]
    | Annotated[ReportView, tag("report")]
    | Annotated[DashboardView, tag("dashboard")],
    Discriminator(_type_of),
]
"""Any view."""
