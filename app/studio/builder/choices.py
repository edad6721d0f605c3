"""What controls choose from: the tables, fields and functions there are, and a value that is none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.modules.kinds import SYSTEM_COLUMNS
from app.studio.builder.changes import Values, names
from app.studio.builder.forms import names_of, text_of
from app.studio.builder.keys import Key
from app.studio.builder.manifesttext import at, mapping
from app.studio.builder.words import in_words

Options = list[tuple[str, str]]
UNSHOWN = ("secret", "json")
GIVEN = ("formula", "rollup", "number")


@dataclass(frozen=True, slots=True)
class Names:
    """fields: (name, type) of the table in question; sources: what sums over records may combine."""

    tables: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    timeline: bool = False


def names_for(values: Values, table: str) -> Names:
    """What the parts of a table, or of a view of it, may name."""
    tables = mapping(values, "tables")
    sources, related = [], []
    for other, body in tables.items():
        targets = [at(spec, "to") for spec in mapping(body, "fields").values() if at(spec, "type") in ("ref", "refs")]
        if table in targets:
            related.append(other)
            sources += [other, *(f"{other}.{name}" for name, kind in fields_of(values, other) if kind != "ref")]
    return Names(
        tables=tuple(names(values, "tables")),
        fields=tuple(fields_of(values, table)),
        sources=tuple(sources),
        functions=tuple(names(values, "functions")),
        related=tuple(related),
        timeline=at(values, "tables", table, "timeline") is True,
    )


def fields_of(values: Values, table: str) -> list[tuple[str, str]]:
    """(name, type) of a table's fields."""
    return [(name, text_of(at(spec, "type"))) for name, spec in mapping(values, "tables", table, "fields").items()]


def options(known: Sequence[str], value: Any) -> Options:
    """Names to choose from, and the one that is chosen already even where it is none of them."""
    found = [(name, name) for name in known]
    return found if value is None or value in known else [*found, (text_of(value), f"{text_of(value)} (not there)")]


def fields(known: Names, key: Key, value: Any) -> Options:
    """Fields of the types a key takes."""
    return options([name for name, kind in known.fields if not key.types or kind in key.types], value)


def columns(known: Names, key: Key) -> Options:
    """Fields a list may show, the server's own behind them; a form shows only what can be filled in."""
    own = [name for name, kind in known.fields if kind not in UNSHOWN and not (key.name == "fields" and kind in GIVEN)]
    system = [] if key.name == "fields" else [name for name in SYSTEM_COLUMNS if name not in own]
    return [(name, name) for name in [*own, *system]]


def panels(known: Names) -> Options:
    """What stands in a column of one record: fields, the timeline, tables that refer to it."""
    timeline = [("timeline", "Timeline")] if known.timeline else []
    related = [(f"related:{name}", f"Related: {name}") for name in known.related]
    return [*((name, name) for name, _ in known.fields), *timeline, *related]


def sortable(known: Names) -> Options:
    """Fields that have an order."""
    unfit = {"rollup", "secret", "json", "address", "geo", "hours", "tags", "refs", "files"}
    return [(name, name) for name, kind in known.fields if kind not in unfit] + [
        (name, name) for name in SYSTEM_COLUMNS
    ]


def testable(known: Names) -> Options:
    """Fields a condition may test."""
    return [(name, name) for name, kind in known.fields if kind not in ("formula", "rollup")]


def of_choice(key: Key) -> Options:
    """The options of a choice, led by what nothing chosen means."""
    if key.required:
        return list(key.options)
    usual = next((label for value, label in key.options if value == key.usual), "None")
    return [
        ("", f"{usual} (as usual)" if key.usual else usual),
        *(o for o in key.options if o[0] != key.usual or not key.usual),
    ]


def chosen_of(key: Key, value: Any) -> str:
    """What a choice shows as chosen: nothing for what is usual."""
    return "" if not key.required and value == key.usual else text_of(value)


def listed(value: Any) -> list[str]:
    """The names of a list."""
    return names_of(value)


def heading(label: Any, name: str) -> str:
    """What people read for a name."""
    return label if isinstance(label, str) and label else in_words(name)
