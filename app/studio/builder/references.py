"""Where a manifest names its tables and fields: so that a rename reaches every place, and a deletion says what it breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.studio.builder.manifesttext import at, mapping, sequence
from app.studio.builder.render import Path

Shape = Literal["name", "key", "sort", "group", "dotted", "expression"]


@dataclass(frozen=True, slots=True)
class Reference:
    """One place. shape: how the name is written there: alone, as a key, -name, name/period, table.field, in a formula."""

    path: Path
    table: str
    field: str | None
    shape: Shape = "name"

    @property
    def where(self) -> str:
        """The place in words: `the view "pipeline" (card)`."""
        first, *rest = self.path
        if first == "menu":
            return "the menu"
        kind = {"views": "view", "pages": "page", "roles": "role", "functions": "function"}.get(str(first))
        if kind:
            inner = next((str(step) for step in rest[1:] if isinstance(step, str)), "")
            return f'the {kind} "{rest[0]}"{f" ({inner})" if inner else ""}'
        if len(rest) > 2 and rest[1] == "fields":
            return f'the field "{rest[2]}" of {rest[0]}'
        return f"{rest[1] if len(rest) > 1 else 'rules'} of {rest[0]}"


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LITERAL = re.compile(r"'(?:[^']|'')*'")


def references(values: dict[str, Any]) -> list[Reference]:
    """Every place that names a table (field None) or a field of one. Conditions and formulas are looked into."""
    found: list[Reference] = []
    for name in mapping(values, "tables"):
        found += _of_table(values, name)
    for name, view in mapping(values, "views").items():
        found += _of_view(("views", name), view)
    tables = mapping(values, "tables")
    views = mapping(values, "views")
    for index, entry in enumerate(sequence(values, "menu")):
        if isinstance(entry, str) and entry in tables and entry not in views:
            found.append(Reference(("menu", index), entry, None))
    for name, page in mapping(values, "pages").items():
        found += _of_page(("pages", name), page)
    for name in mapping(values, "functions"):
        found += _tables_at(values, ("functions", name, "on", "table"))
    for name in mapping(values, "roles"):
        for key in ("tables", "rows"):
            path: Path = ("roles", name, key)
            found += [Reference((*path, table), table, None, "key") for table in mapping(values, *path)]
    return found


def to_table(values: dict[str, Any], table: str) -> list[Reference]:
    """What names a table from outside it."""
    inside: Path = ("tables", table)
    return [ref for ref in references(values) if ref.table == table and ref.path[:2] != inside]


def to_field(values: dict[str, Any], table: str, field: str) -> list[Reference]:
    """What names a field, but for the field itself."""
    own: Path = ("tables", table, "fields", field)
    return [
        ref for ref in references(values) if (ref.table, ref.field) == (table, field) and ref.path[: len(own)] != own
    ]


def renamed_in(text: str, ref: Reference, *, table: str, field: str | None, new: str) -> str:
    """What stands at a reference once the table or field is called `new`."""
    if ref.shape == "sort":
        return ("-" if text.startswith("-") else "") + new
    if ref.shape == "group":
        return new + text[len(field or table) :]
    if ref.shape == "dotted":
        left, dot, right = text.partition(".")
        return f"{left}.{new}" if field else f"{new}{dot}{right}"
    if ref.shape == "expression":
        return in_expression(text, field or table, new)
    return new


def in_expression(text: str, old: str, new: str) -> str:
    """A formula with one name changed; texts in quotes stay."""
    parts, last = [], 0
    for literal in [*_LITERAL.finditer(text), None]:
        upto = literal.start() if literal else len(text)
        parts.append(re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w(])", new, text[last:upto]))
        if literal:
            parts.append(literal[0])
            last = literal.end()
    return "".join(parts)


def _of_table(values: dict[str, Any], table: str) -> Iterator[Reference]:
    path: Path = ("tables", table)
    body = mapping(values, *path)
    for field, spec in mapping(body, "fields").items():
        if isinstance(spec, dict):
            yield from _of_field(values, table, (*path, "fields", field), spec)
    yield from _fields(table, (*path, "title"), body.get("title"))
    for key in ("indexes", "unique"):
        for index, names in enumerate(sequence(body, key)):
            yield from _fields(table, (*path, key, index), names)
    for index, check in enumerate(sequence(body, "check")):
        yield from _condition(table, (*path, "check", index, "when"), at(check, "when"))
        yield from _fields(table, (*path, "check", index, "require"), at(check, "require"))
    yield from _fields(table, (*path, "states", "field"), at(body, "states", "field"))
    for key in ("by", "from", "to"):
        yield from _fields(table, (*path, "no_overlap", key), at(body, "no_overlap", key))
    yield from _condition(table, (*path, "no_overlap", "unless"), at(body, "no_overlap", "unless"))
    counted = at(body, "capacity", "count")
    yield from _tables_at(values, (*path, "capacity", "count"))
    yield from _dotted((*path, "capacity", "of"), at(body, "capacity", "of"))
    if isinstance(counted, str):
        yield from _condition(counted, (*path, "capacity", "unless"), at(body, "capacity", "unless"))
    for key in ("balance", "group"):
        yield from _fields(table, (*path, "ledger", key), at(body, "ledger", key))


def _of_field(values: dict[str, Any], table: str, path: Path, spec: dict[str, Any]) -> Iterator[Reference]:
    yield from _condition(table, (*path, "visible_if"), spec.get("visible_if"))
    kind = spec.get("type")
    if kind in ("ref", "refs"):
        yield from _tables_at(values, (*path, "to"))
    elif kind == "slug":
        yield from _fields(table, (*path, "from"), spec.get("from"))
    elif kind == "money":
        yield from _fields(table, (*path, "currency"), spec.get("currency"))
    elif kind == "formula":
        yield from _expression(table, (*path, "expr"), spec.get("expr"))
    elif kind == "rollup":
        yield from _dotted((*path, "of"), spec.get("of"))
        if isinstance(spec.get("of"), str):
            other = spec["of"].partition(".")[0]
            yield from _fields(other, (*path, "via"), spec.get("via"))
            yield from _condition(other, (*path, "where"), spec.get("where"))


_LISTED = ("columns", "card", "fields", "filters")
_SINGLE = ("by", "sum", "from", "to", "color", "parent", "image", "at")


def _of_view(path: Path, view: Any) -> Iterator[Reference]:
    for index, card in enumerate(sequence(view, "cards")):
        yield from _of_card((*path, "cards", index), card)
    table = at(view, "table")
    if not isinstance(table, str):
        return
    yield Reference((*path, "table"), table, None)
    yield from _condition(table, (*path, "where"), at(view, "where"))
    for key in (*_LISTED, *_SINGLE):
        yield from _fields(table, (*path, key), at(view, key))
    for key in ("main", "side"):
        for index, panel in enumerate(sequence(view, key)):
            if isinstance(panel, str):
                yield from _fields(table, (*path, key, index), panel)
            elif isinstance(at(panel, "related"), str):
                yield Reference((*path, key, index, "related"), panel["related"], None)
    yield from _sorts(table, (*path, "sort"), at(view, "sort"))
    for index, group in enumerate(sequence(view, "group")):
        yield from _group(table, (*path, "group", index), group)
    for index, metric in enumerate(sequence(view, "metrics")):
        yield from _expression(table, (*path, "metrics", index), metric)


def _of_card(path: Path, card: Any) -> Iterator[Reference]:
    table = at(card, "of")
    if not isinstance(table, str):
        return
    yield Reference((*path, "of"), table, None)
    yield from _condition(table, (*path, "where"), at(card, "where"))
    for key in ("number", "line", "bar"):
        yield from _expression(table, (*path, key), at(card, key))
    for key in ("list", "table", "funnel"):
        yield from _fields(table, (*path, key), at(card, key))
    yield from _group(table, (*path, "by"), at(card, "by"))
    yield from _sorts(table, (*path, "sort"), at(card, "sort"))


def _of_page(path: Path, page: Any) -> Iterator[Reference]:
    table = at(page, "table")
    if isinstance(table, str):
        yield Reference((*path, "table"), table, None)
        yield from _fields(table, (*path, "fields"), at(page, "fields"))
    for name, data in mapping(page, "data").items():
        place: Path = (*path, "data", name)
        source = at(data, "table")
        if isinstance(source, str):
            yield Reference((*place, "table"), source, None)
            yield from _fields(source, (*place, "fields"), at(data, "fields"))
            yield from _condition(source, (*place, "where"), at(data, "where"))
            yield from _sorts(source, (*place, "sort"), at(data, "sort"))


def _tables_at(values: dict[str, Any], path: Path) -> Iterator[Reference]:
    name = at(values, *path)
    if isinstance(name, str):
        yield Reference(path, name, None)


def _fields(table: str, path: Path, value: Any) -> Iterator[Reference]:
    """A field's name, or a list of names."""
    if isinstance(value, str):
        yield Reference(path, table, value)
    elif isinstance(value, list):
        for index, name in enumerate(value):
            if isinstance(name, str):
                yield Reference((*path, index), table, name)


def _dotted(path: Path, value: Any) -> Iterator[Reference]:
    if isinstance(value, str):
        table, dot, field = value.partition(".")
        yield Reference(path, table, None, "dotted")
        if dot:
            yield Reference(path, table, field, "dotted")


def _sorts(table: str, path: Path, value: Any) -> Iterator[Reference]:
    if isinstance(value, str):
        yield Reference(path, table, value.removeprefix("-"), "sort")
    elif isinstance(value, list):
        for index, key in enumerate(value):
            if isinstance(key, str):
                yield Reference((*path, index), table, key.removeprefix("-"), "sort")


def _group(table: str, path: Path, value: Any) -> Iterator[Reference]:
    if isinstance(value, str):
        yield Reference(path, table, value.partition("/")[0], "group")


def _expression(table: str, path: Path, value: Any) -> Iterator[Reference]:
    if isinstance(value, str):
        for name in dict.fromkeys(_WORD.findall(_LITERAL.sub("", value))):
            yield Reference(path, table, name, "expression")


def _condition(table: str, path: Path, value: Any) -> Iterator[Reference]:
    if not isinstance(value, dict):
        return
    for key, part in value.items():
        if key in ("any", "all"):
            for index, inner in enumerate(part if isinstance(part, list) else ()):
                yield from _condition(table, (*path, key, index), inner)
        elif key == "not":
            yield from _condition(table, (*path, key), part)
        elif isinstance(key, str):
            yield Reference((*path, key), table, key, "key")
