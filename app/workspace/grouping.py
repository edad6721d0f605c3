"""The groups of a report: what a field or a period of one divides records by, in which words, order and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from app.modules.conditions import All, AnyOf, Condition, Test
from app.modules.kinds import Kind
from app.modules.manifest.fields import EnumField
from app.modules.values import read_value
from app.runtime.query import Group
from app.workspace.cells import Cell, text_of
from app.workspace.counted import NONE, Titles, group_label
from app.workspace.desk import Desk
from app.workspace.labels import field_label
from app.workspace.listing import PREFIX, ListState, narrowed_by
from app.workspace.narrowing import ListLink, list_link
from app.workspace.periods import label_of, moved, within
from app.workspace.screens import list_screen

Path = tuple[Any, ...]
"""The values of the groups a line of a report stands for, as the database's JSON says them."""
_NARROWED = ("enum", "ref", "user", "boolean", "date")
_DAYS = ("day", "week")


@dataclass(frozen=True, slots=True)
class By:
    """One group of a report. target: the table whose records it is by, "" for none."""

    table: str
    group: Group
    kind: Kind
    label: str
    field: Any
    target: str

    @classmethod
    def of(cls, desk: Desk, table: str, key: str) -> By:
        """As the manifest writes it: stage, or created_at/week."""
        name, _, period = key.partition("/")
        field = desk.table(table).fields.get(name)
        label = field_label(desk.table(table), name) + (f" ({period})" if period else "")
        kind = desk.data.model.tables[table].columns[name].kind
        return cls(table, Group(name, period), kind, label, field, getattr(field, "to", ""))

    @property
    def period(self) -> str:
        return self.group.bucket

    @property
    def over_time(self) -> bool:
        return bool(self.period) or self.kind in (Kind.DATE, Kind.DATETIME)

    @property
    def has_order(self) -> bool:
        """Whether its groups have an order of their own; the others come by size."""
        return self.over_time or isinstance(self.field, EnumField)

    def shown(self, desk: Desk, value: Any, titles: Titles) -> Cell:
        """A group in words."""
        if self.period and value is not None:
            start = date.fromisoformat(value)
            return Cell("date", start) if self.period in _DAYS else Cell("text", label_of(self.period, start))
        return group_label(desk, self.table, self.group.field, value, titles) if self.field or value else NONE

    def place(self, desk: Desk, value: Any, titles: Titles) -> Any:
        """What groups are put in order by: time, the manifest's options, size of numbers, else their words."""
        if isinstance(self.field, EnumField):
            return self.field.options.index(value) if value in self.field.options else len(self.field.options)
        if self.over_time:
            return value
        if isinstance(value, (int, Decimal)):
            return value
        return text_of(self.shown(desk, value, titles)).casefold()

    def one(self, value: Any, zone: str) -> Condition:
        """What is in a group. zone: where the days of a moment begin."""
        name, kind = self.group.field, self.kind
        if value is None:
            return Test(name, "is", "null", kind)
        if not self.period:
            return Test(name, "eq", read_value(kind, value), kind)
        start = date.fromisoformat(value)
        try:
            return within(name, kind, self.period, (start,), zone)
        except (ValueError, OverflowError):  # "never" is often written as the last day there is
            first = datetime.combine(start, time(), ZoneInfo(zone)) if kind is Kind.DATETIME else start
            return Test(name, "gte", first, kind)

    def any_of(self, values: Iterable[Any], zone: str) -> Condition:
        """What is in one of some groups."""
        if self.period:
            return AnyOf(tuple(self.one(value, zone) for value in values))
        return Test(self.group.field, "in", tuple(read_value(self.kind, value) for value in values), self.kind)


def ordered(desk: Desk, by: By, values: Sequence[Any], titles: Titles, *, backwards: bool = False) -> list[Any]:
    """Groups in the order of what they are; the one without a value comes last."""
    some = sorted(
        (value for value in values if value is not None),
        key=lambda value: by.place(desk, value, titles),
        reverse=backwards,
    )
    return [*some, *([None] if len(some) < len(values) else [])]


def restricted(groups: Sequence[By], paths: Iterable[Path], zone: str) -> Condition:
    """What is in one of some groups of groups."""
    rests: dict[Any, list[Path]] = {}
    for path in paths:
        rests.setdefault(path[0], []).append(path[1:])
    if len(groups) == 1:
        return groups[0].any_of(rests, zone)
    both = ((groups[0].one(value, zone), restricted(groups[1:], rest, zone)) for value, rest in rests.items())
    return AnyOf(tuple(map(All, both)))


def group_link(
    desk: Desk, state: ListState, where: Any, groups: Sequence[tuple[By, Any]], *, zone: str
) -> ListLink | None:
    """The list of the records of a group, narrowed as the report is; None where lists cannot say exactly this. where: of the
    view, as the manifest writes it; zone: the viewer's, where the days of lists begin."""
    tests, spans = [], []
    for by, value in groups:
        if (by.over_time and value is not None and not _sayable(by, value)) or not _listed(by):
            return None
        if by.kind is Kind.DATETIME:
            if value is None or zone != desk.context.site.time_zone:
                return None
            spans += _span(by, date.fromisoformat(value))
        else:
            tests.append(by.one(value, zone))
    found = list_link(desk, state.screen.table, where, *tests)
    if found is None or not found.exact:
        return None
    said = [*parse_qsl(found.query), *spans]
    grouped, narrowed = {by.group.field for by, _ in groups}, {*state.filters, *state.days}
    if ({_field(name) for name, _ in said} - grouped) & narrowed:  # filters of one field widen each other
        return None
    if state.q and not list_screen(desk, found.key).search:
        return None
    pairs = [pair for pair in narrowed_by(state) if _field(pair[0]) not in grouped]
    return ListLink(found.key, urlencode([*((name, _within(state, name, value)) for name, value in said), *pairs]))


def _listed(by: By) -> bool:
    """Whether lists have a filter for it."""
    if by.kind is Kind.DATETIME:
        return bool(by.period)
    return by.field is not None and by.field.type in _NARROWED


def _sayable(by: By, value: str) -> bool:
    return 1900 < int(value[:4]) < 2200


def _span(by: By, start: date) -> list[tuple[str, str]]:
    last = moved(by.period, start, 1) - timedelta(days=1)
    return [(f"{PREFIX}{by.group.field}.{end}", day.isoformat()) for end, day in (("from", start), ("to", last))]


def _within(state: ListState, name: str, value: str) -> str:
    """A day of a period, or that of the filter where this begins later or ends earlier."""
    first, last = state.days.get(_field(name), ("", ""))
    if name.endswith(".from"):
        return max(value, first)
    return min(value, last) if name.endswith(".to") and last else value


def _field(name: str) -> str:
    """The field of a parameter."""
    return name.removeprefix(PREFIX).partition(".")[0]
