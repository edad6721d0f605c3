"""The picture of the tables: no boxes on each other, no line through a box, the same every time."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from app.studio.builder.diagram import BOX_W, Box, diagram_of


def values(**tables: dict[str, str]) -> dict[str, Any]:
    """{table: {field: what it refers to, '' for a text, several* for refs, required! for one that must be}}"""

    def spec(to: str) -> dict[str, Any]:
        if not to:
            return {"type": "text"}
        return {"type": "refs" if to.endswith("*") else "ref", "to": to.rstrip("*!"), "required": to.endswith("!")}

    return {
        "tables": {
            name: {"fields": {field: spec(to) for field, to in fields.items()}} for name, fields in tables.items()
        }
    }


SHAPES = [
    values(),
    values(a={"n": ""}),
    values(a={"n": ""}, b={"a": "a!"}, c={"a": "a", "b": "b*"}),
    values(a={"b": "b"}, b={"c": "c"}, c={"a": "a"}),  # a ring
    values(a={"parent": "a", "n": ""}),  # itself
    values(a={}, b={"a": "a"}, c={"b": "b"}, d={"c": "c", "a": "a"}, e={"a": "a", "d": "d*", "e": "e"}, f={"e": "e"}),
    values(**{f"t{n}": {**{f"f{i}": "" for i in range(20)}, **({"to": f"t{n // 2}"} if n else {})} for n in range(12)}),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_and_lines_keep_apart(shape: dict[str, Any]) -> None:
    drawn = diagram_of(shape)
    assert diagram_of(shape) == drawn
    assert {box.table for box in drawn.boxes} == set(shape["tables"])
    for one, other in combinations(drawn.boxes, 2):
        assert not _overlap(one, other)
    for box in drawn.boxes:
        assert box.x + BOX_W < drawn.width
        assert box.y + box.height < drawn.height
    for link in drawn.links:
        for (x1, y1), (x2, y2) in _segments(link.path):
            assert 0 <= min(x1, x2) <= max(x1, x2) <= drawn.width
            assert max(y1, y2) <= drawn.height
            for box in drawn.boxes:
                inside_x = min(x1, x2) < box.x + BOX_W and max(x1, x2) > box.x
                inside_y = min(y1, y2) < box.y + box.height and max(y1, y2) > box.y
                assert not (inside_x and inside_y), (link, box)


def test_every_reference_is_said_in_words_and_a_lost_one_too() -> None:
    drawn = diagram_of(
        values(deals={"who": "people!", "with": "people*", "by": "people", "of": "gone"}, people={"n": ""})
    )
    assert [link.sentence for link in drawn.links] == [
        "Each of deals refers to exactly one of people, by who.",
        "Each of deals refers to any number of people, by with.",
        "Each of deals refers to at most one of people, by by.",
    ]
    assert drawn.lost == (("deals", "of", "gone"),)


def test_what_is_written_wrong_is_drawn_as_far_as_it_goes() -> None:
    drawn = diagram_of({"tables": {"a": {"fields": {"x": 3, "y": {"type": "ref"}}}, "b": [], "c": {"fields": []}}})
    assert [(box.table, len(box.lines)) for box in drawn.boxes] == [("a", 2), ("c", 0)]


def _overlap(one: Box, other: Box) -> bool:
    apart = one.x + BOX_W <= other.x or other.x + BOX_W <= one.x
    return not apart and one.y < other.y + other.height and other.y < one.y + one.height


def _segments(path: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    steps = re.findall(r"([MHV])(-?\d+)(?: (-?\d+))?", path)
    x, y, found = 0, 0, []
    for letter, first, second in steps:
        before = (x, y)
        x = int(first) if letter in "MH" else x
        y = int(second) if letter == "M" else int(first) if letter == "V" else y
        if letter != "M":
            found.append((before, (x, y)))
    return found
