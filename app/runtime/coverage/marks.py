"""JavaScript with counters in it, on the same lines as before: what was reached is told without changing what is done.

A counter stands before each statement, at the start of each function, in each arm of `if`, `?:`, `&&`, `||`, `??`, `switch`
and `catch`. Bodies without braces get some, expressions that are an arm get parentheses: neither changes a value.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MOST_POINTS = 20_000
_LISTS = frozenset({"program", "statement_block", "switch_case", "switch_default"})
_FUNCTIONS = frozenset(
    {
        "function_declaration", "function_expression", "generator_function", "generator_function_declaration",
        "arrow_function", "method_definition",
    }
)  # fmt: skip
_HOISTED = frozenset({"function_declaration", "generator_function_declaration"})
_NOT_COUNTED = _HOISTED | {"import_statement", "empty_statement", "statement_block", "comment", "hash_bang_line"}
_BODIES = {
    "for_statement": "body", "for_in_statement": "body", "while_statement": "body", "do_statement": "body",
    "with_statement": "body",
}  # fmt: skip
_LOGICAL = frozenset({"&&", "||", "??"})
_FRAME = re.compile(r":(\d{1,7}):(\d{1,7})(?=\)?$)", re.MULTILINE)

Kind = Literal["function", "statement", "branch"]


@dataclass(frozen=True, slots=True)
class Point:
    """One counter. line counts from 1; owner: index of the function it stands in, -1 for the top of the file."""

    kind: Kind
    line: int
    owner: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One function of a file. name: "" for one without."""

    name: str
    line: int
    last: int


@dataclass(frozen=True, slots=True)
class Marked:
    """A source with counters. name: of the export that holds them, which the source itself does not use."""

    text: str
    name: str
    points: tuple[Point, ...]
    units: tuple[Unit, ...]
    shifts: dict[int, list[tuple[int, int]]]

    def as_written(self, stack: str) -> str:
        """A stack with the columns of the author's file: the lines are the same anyway."""
        return _FRAME.sub(lambda found: f":{found[1]}:{self._column(int(found[1]), int(found[2]))}", stack)

    def _column(self, line: int, column: int) -> int:
        moved = 0
        for start, length in self.shifts.get(line, ()):
            if start >= column - 1:
                break
            moved += min(length, column - 1 - start)
        return column - moved


def mark(source: str) -> Marked | None:
    """The source with counters; None where it cannot be read, or is too long to count in."""
    data = source.encode()
    root = _parser().parse(data).root_node
    if root.has_error or source.startswith("\ufeff"):
        return None
    walk = _Walk(data)
    walk.visit(root)
    if not walk.points or len(walk.points) > MOST_POINTS:
        return None
    name = "$hit"
    while name in source:
        name += "_"
    return _written(data, walk, name)


@cache
def _parser() -> Parser:
    import tree_sitter_javascript  # loaded by workers that run tests, not by everything that imports this
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_javascript.language()))


@dataclass(frozen=True, slots=True)
class _Insertion:
    """Text to put in at a byte. What closes stands before what opens; the inner closes first and opens last."""

    at: int
    closes: bool
    depth: float
    text: str  # {n} for the counter n

    @property
    def key(self) -> tuple[int, bool, float]:
        return self.at, not self.closes, -self.depth if self.closes else self.depth


@dataclass
class _Walk:
    data: bytes
    points: list[Point] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    insertions: list[_Insertion] = field(default_factory=list)
    start: int = 0

    def visit(self, root: Node) -> None:
        waiting: list[tuple[Node, int, int]] = [
            (root, -1, 0)
        ]  # (node, owner, depth); no recursion: sources nest deeply
        while waiting:
            node, owner, depth = waiting.pop()
            if node.type == "hash_bang_line":
                self.start = node.end_byte + 1
            if node.type in _FUNCTIONS:
                owner = self._function(node, depth)
            if node.type in _LISTS:
                self._statements(node, owner, depth)
            self._branches(node, owner, depth)
            waiting += [(child, owner, depth + 1) for child in reversed(node.named_children)]

    def _point(self, kind: Kind, node: Node, owner: int) -> str:
        self.points.append(Point(kind, node.start_point.row + 1, owner))
        return f"{{{len(self.points) - 1}}}"

    def _open(self, at: int, depth: float, text: str) -> None:
        self.insertions.append(_Insertion(at, False, depth, text))

    def _close(self, at: int, depth: float, text: str) -> None:
        self.insertions.append(_Insertion(at, True, depth, text))

    # -- functions and statements

    def _function(self, node: Node, depth: int) -> int:
        owner = len(self.units)
        self.units.append(Unit(_name(node), node.start_point.row + 1, node.end_point.row + 1))
        body = node.child_by_field_name("body")
        if body is None:
            return owner
        if body.type != "statement_block":
            entry = self._point("function", node, owner) + "," + self._point("statement", body, owner)
            self._around(body, depth + 1, entry)
            return owner
        directives, first = _directives(body)
        counter = self._point("function", node, owner)
        if first is not None:
            self._open(first.start_byte, depth + 0.5, f"{counter};")
        elif directives:
            self._open(body.end_byte - 1, depth + 0.5, f";{counter};")
        else:
            self._open(body.start_byte + 1, depth + 0.5, f"{counter};")
        return owner

    def _statements(self, node: Node, owner: int, depth: int) -> None:
        skipped = set(_directives(node)[0]) if node.type in ("program", "statement_block") else set()
        inside = node.children_by_field_name("body") if node.type.startswith("switch") else node.named_children
        for child in inside:
            if child.start_byte not in skipped and _is_counted(child):
                self._open(child.start_byte, depth + 1, f"{self._point('statement', child, owner)};")

    # -- branches

    def _branches(self, node: Node, owner: int, depth: int) -> None:
        if node.type == "if_statement":
            self._if(node, owner, depth)
        elif node.type in _BODIES:
            body = node.child_by_field_name(_BODIES[node.type])
            if body is not None:
                self._braced(body, owner, depth + 1, "")
        elif node.type == "ternary_expression":
            for name in ("consequence", "alternative"):
                self._arm(node.child_by_field_name(name), owner, depth)
        elif node.type == "binary_expression":
            operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
            if operator is not None and operator.type in _LOGICAL:
                self._arm(right, owner, depth)
        elif node.type in ("switch_case", "switch_default"):
            colon = next((child for child in node.children if child.type == ":"), None)
            if colon is not None:
                self._open(colon.end_byte, depth + 0.5, f"{self._point('branch', node, owner)};")
        elif node.type == "catch_clause":
            body = node.child_by_field_name("body")
            if body is not None:
                self._open(body.start_byte + 1, depth + 0.5, f"{self._point('branch', node, owner)};")

    def _if(self, node: Node, owner: int, depth: int) -> None:
        then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        if then is None:
            return
        self._braced(then, owner, depth + 1, f"{self._point('branch', then, owner)};")
        if other is None:
            self._close(then.end_byte, depth + 0.5, f"else{{{self._point('branch', node, owner)};}}")
            return
        body = next((child for child in other.named_children if child.type != "comment"), None)
        if body is not None:
            self._braced(body, owner, depth + 2, f"{self._point('branch', body, owner)};")

    def _braced(self, body: Node, owner: int, depth: float, counter: str) -> None:
        """A statement that is a body: counted inside braces, its own or some of ours."""
        if body.type == "statement_block":
            if counter:
                self._open(body.start_byte + 1, depth - 0.5, counter)
            return
        if _is_counted(body):
            counter += f"{self._point('statement', body, owner)};"
        self._open(body.start_byte, depth, "{" + counter)
        self._close(body.end_byte, depth, "}")

    def _arm(self, node: Node | None, owner: int, depth: int) -> None:
        if node is not None:
            self._around(node, depth + 1, self._point("branch", node, owner))

    def _around(self, node: Node, depth: float, counters: str) -> None:
        self._open(node.start_byte, depth, f"({counters},")
        self._close(node.end_byte, depth, ")")


def _is_counted(node: Node) -> bool:
    if node.type == "export_statement":
        inner = node.child_by_field_name("declaration") or node.child_by_field_name("value")
        return inner is not None and inner.type not in _FUNCTIONS
    return node.type not in _NOT_COUNTED


def _directives(block: Node) -> tuple[list[int], Node | None]:
    """Where "use strict" and the like stand at the start of a body, and the first statement after them."""
    found: list[int] = []
    for child in block.named_children:
        if child.type in ("comment", "hash_bang_line"):
            continue
        inner = child.named_children[0] if child.type == "expression_statement" and child.named_children else None
        if inner is None or inner.type != "string":
            return found, child
        found.append(child.start_byte)
    return found, None


def _name(node: Node) -> str:
    own = node.child_by_field_name("name")
    parent = node.parent
    if own is None and parent is not None:
        key = {
            "variable_declarator": "name",
            "pair": "key",
            "field_definition": "property",
            "assignment_expression": "left",
        }
        own = parent.child_by_field_name(key.get(parent.type, "name")) if parent.type in key else None
        if parent.type == "export_statement":
            return "default"
    return own.text.decode(errors="replace")[:60] if own is not None and own.text is not None else ""


def _written(data: bytes, walk: _Walk, name: str) -> Marked:
    head = f"export const {name}=[{','.join('0' * len(walk.points))}];"
    ordered = sorted(walk.insertions, key=lambda one: one.key)
    parts: list[bytes] = []
    lines = _Lines(data)
    at = 0
    for offset, text in [(walk.start, head), *((one.at, _counters(one.text, name)) for one in ordered)]:
        parts += [data[at:offset], text.encode()]
        lines.add(offset, len(text))
        at = offset
    parts.append(data[at:])
    return Marked(b"".join(parts).decode(), name, tuple(walk.points), tuple(walk.units), lines.shifts)


def _counters(text: str, name: str) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: f"{name}[{found[1]}]=1", text)


class _Lines:
    """Where in its line, in characters, each insertion stands once all are in."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.starts = [0, *(found.end() for found in re.finditer(b"\n", data))]
        self.shifts: dict[int, list[tuple[int, int]]] = {}

    def add(self, offset: int, length: int) -> None:
        line = bisect_right(self.starts, offset)
        before = len(self.data[self.starts[line - 1] : offset].decode(errors="replace"))
        known = self.shifts.setdefault(line, [])
        known.append((before + sum(size for _, size in known), length))


def reached(marked: Marked, hits: str) -> Iterator[int]:
    """The indexes of the counters that a run reached; nothing for an answer of another length."""
    if len(hits) == len(marked.points):
        yield from (index for index, hit in enumerate(hits) if hit == "1")
