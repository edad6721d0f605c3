"""What a manifest needs in PostgreSQL, as data: tables, columns, links, constraints and indexes. Pure; no SQL here.

Physical tables hold the union of what the installed versions need. A column is known by the fields it holds in the
versions (`fields`), and has the name of the first; only a field that came again with another type, or whose name is
taken, gets `<field>__2`. So nobody may build SQL from a field's name: ask the layout.

    layout.for_manifest(manifest).table("deals").column("amount").name
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, Self

from app.modules.manifest import Manifest
from app.modules.naming import MAX_IDENTIFIER_BYTES

JsonDict = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `kind` is a modules.kinds.Kind; `fields` are the manifest fields it holds, () for the server's own.

    lower_of: the column whose lower() it stores, for searching. formula: what it computes, as formulas.to_json gives it.
    Both are generated, never written. required: NOT NULL, which holds only while every installed version requires it.
    """

    name: str
    type: str
    kind: str
    fields: tuple[str, ...] = ()
    required: bool = False
    lower_of: str = ""
    formula: JsonDict | None = None
    was: str = ""

    @property
    def generated(self) -> bool:
        """PostgreSQL computes it; it is never written."""
        return bool(self.lower_of or self.formula)


@dataclass(frozen=True, slots=True)
class Link:
    """The table behind a refs field: (site_id, record_id, target_id, position), primary key the first three."""

    name: str
    fields: tuple[str, ...]
    target: str
    was: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A composite foreign key (site_id, column) to the target's (site_id, id); on_delete as in manifests."""

    column: str
    target: str
    on_delete: str


@dataclass(frozen=True, slots=True)
class Check:
    """What one column may hold. options: one of `values`. range: from `low` to `high`. length: characters, likewise."""

    column: str
    kind: Literal["options", "range", "length"]
    values: tuple[str, ...] = ()
    low: int | float | None = None
    high: int | float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """While the row matches `when` (a condition over columns), the columns of `require` have a value."""

    when: JsonDict
    require: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """An index or unique constraint over (site_id, columns…). search: text_pattern_ops, for prefixes."""

    columns: tuple[str, ...]
    unique: bool = False
    search: bool = False


@dataclass(frozen=True, slots=True)
class NoOverlap:
    """No two rows with the same `by` whose times from `start` up to `end` meet, but for those that match `unless`."""

    by: tuple[str, ...]
    start: str
    end: str
    unless: JsonDict | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """At most `limit` (a column of `target`) rows of this table per row of `target`, referred to by `column`."""

    column: str
    target: str
    limit: str
    unless: JsonDict | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows are only added; within each `group` the two columns of `balance` have the same sum at commit."""

    balance: tuple[str, str]
    group: str


@dataclass(frozen=True, slots=True)
class TableLayout:
    """One physical table. `tables`: its names in the versions. history: inserts and updates are recorded too."""

    name: str
    tables: tuple[str, ...]
    columns: tuple[Column, ...]
    links: tuple[Link, ...] = ()
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    rules: tuple[Rule, ...] = ()
    indexes: tuple[Index, ...] = ()
    no_overlap: tuple[NoOverlap, ...] = ()
    capacity: tuple[Capacity, ...] = ()
    ledger: tuple[Ledger, ...] = ()
    history: bool = False
    was: str = ""

    def column(self, name: str) -> Column | None:
        """The column of a field, or a system column; None for refs, rollups and formulas that are not stored."""
        found = next((column for column in self.columns if name in column.fields), None)
        return found or next((column for column in self.columns if column.name == name and not column.fields), None)

    def link(self, name: str) -> Link | None:
        """The link table of a refs field."""
        return next((link for link in self.links if name in link.fields), None)

    def search_column(self, name: str) -> Column | None:
        """The column with the lower-case text of a field that has `search: true`."""
        held = self.column(name)
        return next((column for column in self.columns if held and column.lower_of == held.name), None)

    @property
    def physical(self) -> dict[str, Column]:
        """The columns by their own names, in order."""
        return {column.name: column for column in self.columns}

    @property
    def writable(self) -> tuple[Column, ...]:
        """The columns that are not generated."""
        return tuple(column for column in self.columns if not column.generated)


@dataclass(frozen=True, slots=True)
class Layout:
    """All tables of a module's schema but the helpers _series and _history, which are always there."""

    tables: tuple[TableLayout, ...] = ()

    def table(self, name: str) -> TableLayout:
        """The table a manifest calls `name`. Raises KeyError."""
        for table in self.tables:
            if name in table.tables:
                return table
        raise KeyError(name)

    @property
    def physical(self) -> dict[str, TableLayout]:
        """The tables by their own names, in order."""
        return {table.name: table for table in self.tables}

    def for_manifest(self, manifest: Manifest) -> Layout:
        """This union as one version sees it: its tables and fields only, under the physical names they have here."""
        from app.modules.storage.desired import desired_layout
        from app.modules.storage.merge import align

        return align(self, desired_layout(manifest))

    def to_dict(self) -> JsonDict:
        """As JSON, the same for the same layout; defaults are left out."""
        return {"tables": [_plain(table) for table in self.tables]}

    @classmethod
    def from_dict(cls, data: JsonDict) -> Self:
        """The layout of to_dict(); {} is the empty one."""
        return cls(tuple(_table(table) for table in data.get("tables", ())))

    @property
    def digest(self) -> str:
        """sha256 hex of the content."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        own = {one.name: (getattr(value, one.name), one.default) for one in fields(value)}
        return {name: _plain(item) for name, (item, default) in own.items() if item != default}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


_PARTS: dict[str, Any] = {
    "columns": Column,
    "links": Link,
    "references": Reference,
    "checks": Check,
    "rules": Rule,
    "indexes": Index,
    "no_overlap": NoOverlap,
    "capacity": Capacity,
    "ledger": Ledger,
}


def _part(kind: Any, data: JsonDict) -> Any:
    return kind(**{name: _tuples(value) for name, value in data.items()})


def _table(data: JsonDict) -> TableLayout:
    made: dict[str, Any] = {
        key: tuple(_part(_PARTS[key], one) for one in value) if key in _PARTS else _tuples(value)
        for key, value in data.items()
    }
    return TableLayout(**made)


def free_name(wanted: str, taken: set[str]) -> str:
    """`wanted`, or `wanted__2`, `wanted__3` … when it is taken; never over 63 bytes."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}__{number}" in taken:
        number += 1
    return f"{wanted}__{number}"


def joined_name(*parts: str) -> str:
    """`a__b`; when that is over 63 bytes its start and 8 hex digits of the sha256."""
    name = "__".join(parts)
    if len(name) <= MAX_IDENTIFIER_BYTES:
        return name
    return f"{name[: MAX_IDENTIFIER_BYTES - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
