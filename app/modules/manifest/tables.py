"""Tables: labels, fields and the rules PostgreSQL enforces on them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.modules.kinds import SYSTEM_COLUMNS, Column
from app.modules.manifest.base import Condition, Flag, Help, Label, Name, Part
from app.modules.manifest.fields import FieldSpec, FormulaField, RefField, RollupField

Right = Literal["read", "create", "update", "delete"]
FieldNames = Annotated[tuple[Name, ...], Field(min_length=1, max_length=16)]


class TableLabel(Part):
    """What one record and several records are called."""

    one: Label
    many: Label


class Check(Part):
    """A rule on a record: while it matches `when`, the fields of `require` must have a value."""

    when: Condition
    require: FieldNames


class States(Part):
    """A status field and the moves it may make."""

    field: Name
    """An enum field."""
    moves: dict[str, tuple[str, ...]]
    """For each option, the options it may change to."""


class Access(Part):
    """Who may do what without a role: visitors, staff of the agency, API keys."""

    public: tuple[Right, ...] = ()
    staff: tuple[Right, ...] = ("read", "create", "update", "delete")
    api: tuple[Right, ...] = ("read", "create", "update", "delete")


class NoOverlap(Part):
    """No two records with the same `by` may overlap in time."""

    by: FieldNames
    from_: Name = Field(alias="from")
    to: Name
    unless: Condition | None = None
    """Records that match do not count."""


class Capacity(Part):
    """Never more records of `count` for one record than its number `of` says; enforced under a lock."""

    of: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}\.[a-z][a-z0-9_]{0,40}$")]
    """`table.field` that holds the limit."""
    count: Name
    """The table that is counted; it has one ref to the other."""
    unless: Condition | None = None
    """Records that match do not count."""

    @property
    def of_table(self) -> str:
        """The table that holds the limit."""
        return self.of.partition(".")[0]

    @property
    def of_field(self) -> str:
        """The field that holds the limit."""
        return self.of.partition(".")[2]


class Ledger(Part):
    """Append-only records whose two sums are equal within each group when a transaction commits."""

    balance: Annotated[tuple[Name, Name], Field(min_length=2, max_length=2)]
    group: Name


class Table(Part):
    """One table of the module."""

    label: TableLabel | None = None
    title: Name | None = None
    """The field a record is called by, in links and pickers; the first text field when absent."""
    help: Help | None = None
    """One sentence about the table, on its empty list."""
    fields: Annotated[dict[Name, FieldSpec], Field(min_length=1, max_length=150)]
    """The fields, in the order forms show them."""
    indexes: Annotated[tuple[FieldNames, ...], Field(max_length=30)] = ()
    """Lists of fields that are searched together."""
    unique: Annotated[tuple[FieldNames, ...], Field(max_length=20)] = ()
    """Lists of fields of which no two records of a site have the same values."""
    check: Annotated[tuple[Check, ...], Field(max_length=30)] = ()
    states: States | None = None
    access: Access = Access()
    timeline: Flag = False
    """Notes, mails, calls and changes on each record."""
    audit: Flag = False
    """Every change is kept in the audit log."""
    no_overlap: NoOverlap | None = None
    capacity: Capacity | None = None
    ledger: Ledger | None = None
    was: Name | None = None
    """The table's name in the version before, so that its records are kept."""

    @property
    def singular(self) -> str | None:
        """What one record is called, or None."""
        return self.label.one if self.label else None

    @property
    def title_field(self) -> str | None:
        """The field a record is called by: `title`, else the first text-like field, else None."""
        if self.title:
            return self.title
        textual = ("text", "email", "slug", "number", "phone", "url")
        return next((name for name, field in self.fields.items() if field.type in textual), None)

    @property
    def stored_fields(self) -> dict[str, FieldSpec]:
        """The fields that are columns of the record's own row, in order."""
        return {name: field for name, field in self.fields.items() if field.stored}

    @property
    def refs(self) -> dict[str, RefField]:
        """The single references, by field name."""
        return {name: field for name, field in self.fields.items() if isinstance(field, RefField)}

    @property
    def rollups(self) -> dict[str, RollupField]:
        """The rollups, by field name."""
        return {name: field for name, field in self.fields.items() if isinstance(field, RollupField)}

    @property
    def formulas(self) -> dict[str, FormulaField]:
        """The formulas, by field name."""
        return {name: field for name, field in self.fields.items() if isinstance(field, FormulaField)}

    @property
    def columns(self) -> dict[str, Column]:
        """What conditions may test: the server's columns and every field but formulas and rollups."""
        own = {
            name: field.column
            for name, field in self.fields.items()
            if not isinstance(field, (FormulaField, RollupField))
        }
        return {**SYSTEM_COLUMNS, **own}
