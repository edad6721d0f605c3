"""Formulas and rollups of tables, resolved."""

from __future__ import annotations

from app.modules.expressions import Formula, FormulaInvalid, resolve_formulas
from app.modules.kinds import Column, Kind
from app.modules.manifest.fields import KIND_OF_VALUE, FormulaField, RollupField
from app.modules.manifest.model import Manifest
from app.modules.manifest.tables import Table

Resolved = tuple[dict[str, Formula], dict[str, FormulaInvalid]]


class Computed:
    """The computed fields of one manifest. Each table is resolved once, however often it is asked for."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._plain: dict[str, Resolved] = {}
        self._full: dict[str, Resolved] = {}
        self._columns: dict[str, dict[str, Column]] = {}

    def value_column(self, table_name: str, field_name: str) -> Column | None:
        """The column of a field that a rollup may combine: stored, or a formula that uses no rollup. None otherwise."""
        table = self.manifest.tables.get(table_name)
        field = table.fields.get(field_name) if table else None
        if table is None or field is None or isinstance(field, RollupField):
            return None
        if not isinstance(field, FormulaField):
            return field.column
        if table_name not in self._plain:
            self._plain[table_name] = _resolve(table, {})
        formula = self._plain[table_name][0].get(field_name)
        return Column(formula.kind) if formula else None

    def rollup_columns(self, table: Table) -> dict[str, Column]:
        """The rollups of a table as formulas see them; those that combine nothing known are left out."""
        found = {name: self._rollup_column(rollup) for name, rollup in table.rollups.items()}
        return {name: column for name, column in found.items() if column is not None}

    def _rollup_column(self, rollup: RollupField) -> Column | None:
        if rollup.fn == "count":
            return Column(Kind.INTEGER)
        value = self.value_column(rollup.of_table, rollup.of_field or "")
        if value is None:
            return None
        return Column(Kind.DECIMAL) if rollup.fn == "avg" else Column(value.kind)

    def formulas(self, table_name: str) -> Resolved:
        """The formulas of a table, and what is wrong with the others."""
        if table_name not in self._full:
            table = self.manifest.tables[table_name]
            self._full[table_name] = _resolve(table, self.rollup_columns(table))
        return self._full[table_name]

    def all_columns(self, table_name: str) -> dict[str, Column]:
        """Every field of a table with its kind, computed ones too, as aggregates see them."""
        if table_name not in self._columns:
            table = self.manifest.tables[table_name]
            formulas = {name: Column(formula.kind) for name, formula in self.formulas(table_name)[0].items()}
            self._columns[table_name] = {**table.columns, **self.rollup_columns(table), **formulas}
        return self._columns[table_name]


def _resolve(table: Table, rollups: dict[str, Column]) -> Resolved:
    texts = {
        name: (field.expr, KIND_OF_VALUE[field.as_] if field.as_ else None) for name, field in table.formulas.items()
    }
    return resolve_formulas(texts, {**table.columns, **rollups})


def rollup_columns(manifest: Manifest, table: Table) -> dict[str, Column]:
    """The rollups of a table as formulas see them."""
    return Computed(manifest).rollup_columns(table)


def formulas_of(manifest: Manifest, table: Table) -> dict[str, Formula]:
    """The formulas of a table of a checked manifest, by field; they use stored fields and rollups of the row only."""
    return _resolve(table, rollup_columns(manifest, table))[0]


def all_columns(manifest: Manifest, table: Table) -> dict[str, Column]:
    """Every field of a table with its kind, computed ones too, as aggregates see them."""
    formulas = {name: Column(formula.kind) for name, formula in formulas_of(manifest, table).items()}
    return {**table.columns, **rollup_columns(manifest, table), **formulas}
