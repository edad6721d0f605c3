"""Tables and their references as a picture: boxes in columns by who refers to whom, the same for the same manifest.

A table stands in a column to the right of those that it refers to. Lines leave a box at the field's own row and run in the
gap between the columns, each in a lane of its own; where a line has to pass a column it does so below every box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.studio.builder.forms import text_of
from app.studio.builder.manifesttext import at, mapping
from app.studio.builder.words import TYPE_WORDS

BOX_W, HEAD, ROW, FOOT = 216, 32, 22, 8
GAP_Y, MARGIN = 32, 16
LANE = 12
MOST_ROWS = 14


@dataclass(frozen=True, slots=True)
class Line:
    """A field of a box. shown, words: cut to fit; y: of its text, from the top of the picture."""

    name: str
    shown: str
    words: str
    y: int
    ref: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A table. more: how many fields are left out."""

    table: str
    shown: str
    x: int
    y: int
    height: int
    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Link:
    """A reference. many: several records may be referred to (refs); required: at least one is.

    path: the line; marks: its ends, a crow's foot for any number, a bar for one, a ring for none.
    """

    table: str
    field: str
    to: str
    many: bool
    required: bool
    path: str
    marks: str

    @property
    def sentence(self) -> str:
        """The reference in words, for whoever does not see the picture."""
        how = "any number of" if self.many else "exactly one of" if self.required else "at most one of"
        return f"Each of {self.table} refers to {how} {self.to}, by {self.field}."


@dataclass(frozen=True, slots=True)
class Diagram:
    """The picture: its size in pixels, boxes and links; lost: references to tables that are not there."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    lost: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class _Ref:
    table: str
    field: str
    to: str
    many: bool
    required: bool


def diagram_of(values: dict[str, Any]) -> Diagram:
    """The tables of a manifest, valid or not, drawn."""
    tables = [name for name, body in mapping(values, "tables").items() if isinstance(body, dict)]
    refs, lost = _references(values, tables)
    columns = _columns(tables, refs)
    gaps = _gaps(columns, refs)
    boxes = _boxes(values, columns, gaps)
    bottom = max((box.y + box.height for box in boxes.values()), default=0)
    links, lowest = _links(boxes, columns, refs, gaps, bottom)
    width = max((box.x + BOX_W for box in boxes.values()), default=0) + MARGIN + gaps[-1] if boxes else 0
    return Diagram(width, max(bottom, lowest) + MARGIN, tuple(boxes.values()), tuple(links), tuple(lost))


def _references(values: dict[str, Any], tables: list[str]) -> tuple[list[_Ref], list[tuple[str, str, str]]]:
    found, lost = [], []
    for table in tables:
        for field, spec in mapping(values, "tables", table, "fields").items():
            kind = at(spec, "type")
            if kind not in ("ref", "refs"):
                continue
            to = text_of(at(spec, "to"))
            if to in tables:
                found.append(_Ref(table, field, to, kind == "refs", at(spec, "required") is True))
            else:
                lost.append((table, field, to))
    return found, lost


def _columns(tables: list[str], refs: list[_Ref]) -> list[list[str]]:
    """The tables by depth: referred to first. A cycle is cut at the reference that comes last in the manifest."""
    targets: dict[str, list[str]] = {name: [] for name in tables}
    for ref in refs:
        if ref.to != ref.table and not _reaches(targets, ref.to, ref.table):
            targets[ref.table].append(ref.to)
    depth: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max((of(to) for to in targets[name]), default=-1)
        return depth[name]

    columns: list[list[str]] = [[] for _ in range(max((of(name) for name in tables), default=-1) + 1)]
    for name in tables:
        columns[depth[name]].append(name)
    return _ordered(columns, refs)


def _reaches(targets: dict[str, list[str]], start: str, goal: str) -> bool:
    seen, left = set(), [start]
    while left:
        here = left.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            left += targets[here]
    return False


def _ordered(columns: list[list[str]], refs: list[_Ref]) -> list[list[str]]:
    """Each column by the middle of what its tables refer to, so that fewer lines cross."""
    for index in range(1, len(columns)):
        places = {name: place for column in columns[:index] for place, name in enumerate(column)}
        own = {name: place for place, name in enumerate(columns[index])}

        def middle(name: str, places: dict[str, int] = places, own: dict[str, int] = own) -> tuple[float, int]:
            near = [places[ref.to] for ref in refs if ref.table == name and ref.to in places]
            return (sum(near) / len(near) if near else float(own[name])), own[name]

        columns[index].sort(key=middle)
    return columns


def _gaps(columns: list[list[str]], refs: list[_Ref]) -> list[int]:
    """How wide the gap to the left of each column is, and the last one to the right of all: room for a lane per line."""
    lanes = [0] * (len(columns) + 1)
    for ref in refs:
        for gap in _gaps_of(columns, ref):
            lanes[gap] += 1
    widths = [
        max(56, 28 + LANE * count) if 0 < index < len(columns) else LANE * count for index, count in enumerate(lanes)
    ]
    return widths if columns else [0]


def _gaps_of(columns: list[list[str]], ref: _Ref) -> tuple[int, ...]:
    """The gaps a line runs in: (where it leaves, where it arrives), one where they are the same."""
    start, end = _column(columns, ref.table), _column(columns, ref.to)
    if start == end:
        return (start + 1,)
    if start > end:
        return (start,) if start == end + 1 else (start, end + 1)
    return (start + 1,) if end == start + 1 else (start + 1, end)


def _column(columns: list[list[str]], table: str) -> int:
    return next(index for index, column in enumerate(columns) if table in column)


def _boxes(values: dict[str, Any], columns: list[list[str]], gaps: list[int]) -> dict[str, Box]:
    boxes = {}
    x = MARGIN
    for index, column in enumerate(columns):
        x += gaps[index]
        y = MARGIN
        for table in column:
            box = _box(values, table, x, y)
            boxes[table] = box
            y += box.height + GAP_Y
        x += BOX_W
    return boxes


def _box(values: dict[str, Any], table: str, x: int, y: int) -> Box:
    fields = list(mapping(values, "tables", table, "fields").items())
    shown = fields if len(fields) <= MOST_ROWS else [f for f in fields if at(f[1], "type") in ("ref", "refs")]
    shown = (
        shown
        if len(fields) <= MOST_ROWS
        else [f for f in fields if f in shown or f in fields[: MOST_ROWS - len(shown)]]
    )
    lines = []
    for index, (name, spec) in enumerate(shown):
        kind = text_of(at(spec, "type"))
        ref = kind in ("ref", "refs")
        words = f"→ {text_of(at(spec, 'to'))}" if ref else TYPE_WORDS.get(kind, kind)
        lines.append(
            Line(name, _short(name, 16), _short(words, 30 - min(len(name), 16)), y + HEAD + index * ROW + 15, ref)
        )
    more = len(fields) - len(shown)
    height = HEAD + ROW * (len(lines) + bool(more)) + FOOT
    return Box(table, _short(table, 26), x, y, height, tuple(lines), more)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _links(
    boxes: dict[str, Box], columns: list[list[str]], refs: list[_Ref], gaps: list[int], bottom: int
) -> tuple[list[Link], int]:
    used = [0] * (len(gaps) + 1)
    lowest = bottom
    arrivals: dict[tuple[str, bool], int] = {}
    links = []
    for ref in refs:
        here, there = boxes[ref.table], boxes[ref.to]
        start, end = _column(columns, ref.table), _column(columns, ref.to)
        leave_left = start > end
        arrive_right = start >= end
        y1 = next((line.y - 4 for line in here.lines if line.name == ref.field), here.y + HEAD // 2)
        side = (ref.to, arrive_right)
        count = arrivals.get(side, 0)
        arrivals[side] = count + 1
        y2 = there.y + 10 + (count * 7) % max(7, there.height - 20)
        x1 = here.x if leave_left else here.x + BOX_W
        x2 = there.x + BOX_W if arrive_right else there.x
        lanes = [_lane(columns, boxes, gaps, used, gap) for gap in _gaps_of(columns, ref)]
        if len(lanes) == 1:
            path = f"M{x1} {y1}H{lanes[0]}V{y2}H{x2}"
        else:
            lowest += LANE
            path = f"M{x1} {y1}H{lanes[0]}V{lowest}H{lanes[1]}V{y2}H{x2}"
        marks = _foot(x1, y1, -1 if leave_left else 1) + _end(ref, x2, y2, 1 if arrive_right else -1)
        links.append(Link(ref.table, ref.field, ref.to, ref.many, ref.required, path, marks))
    return links, lowest


def _foot(x: int, y: int, way: int) -> str:
    """Any number: a crow's foot, on the side of the box that `way` points to."""
    return f"M{x} {y - 5}L{x + 10 * way} {y}L{x} {y + 5}"


def _end(ref: _Ref, x: int, y: int, way: int) -> str:
    if ref.many:
        return _foot(x, y, way) + _ring(x + 14 * way, y)
    bar = f"M{x + 6 * way} {y - 5}V{y + 5}"
    return bar + (f"M{x + 10 * way} {y - 5}V{y + 5}" if ref.required else _ring(x + 13 * way, y))


def _ring(x: int, y: int) -> str:
    return f"M{x - 3} {y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0"


def _lane(columns: list[list[str]], boxes: dict[str, Box], gaps: list[int], used: list[int], gap: int) -> int:
    """The x of the next free lane of a gap."""
    used[gap] += 1
    if gap < len(columns):
        right = boxes[columns[gap][0]].x
        return right - gaps[gap] + 14 + LANE * (used[gap] - 1) + 2
    left = boxes[columns[-1][0]].x + BOX_W
    return left + LANE * used[gap]
