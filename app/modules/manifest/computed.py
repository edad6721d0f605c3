"""Formulas and rollups of a table, resolved."""

from __future__ import annotations

from app.modules.expressions import Formula, FormulaInvalid, resolve_formulas
from app.modules.kinds import Column, Kind
from app.modules.manifest.fields import KIND_OF_VALUE, FormulaField, RollupField
from app.modules.manifest.model import Manifest
from app.modules.manifest.tables import Table


def _resolve(table: Table, rollups: dict[str, Column]) -> tuple[dict[str, Formula], dict[str, FormulaInvalid]]:
    texts = {
        name: (field.expr, KIND_OF_VALUE[field.as_] if field.as_ else None) for name, field in table.formulas.items()
    }
    return resolve_formulas(texts, {**table.columns, **rollups})


def value_column(manifest: Manifest, table_name: str, field_name: str) -> Column | None:
    """The column of a field that a rollup may combine: stored, or a formula that uses no rollup. None otherwise."""
    table = manifest.tables.get(table_name)
    field = table.fields.get(field_name) if table else None
    if table is None or field is None or isinstance(field, RollupField):
        return None
    if not isinstance(field, FormulaField):
        return field.column
    formula = _resolve(table, {})[0].get(field_name)
    return Column(formula.kind) if formula else None


def rollup_column(manifest: Manifest, rollup: RollupField) -> Column | None:
    """The column of a rollup, or None when what it combines is not there."""
    if rollup.fn == "count":
        return Column(Kind.INTEGER)
    value = value_column(manifest, rollup.of_table, rollup.of_field or "")
    if value is None:
        return None
    return Column(Kind.DECIMAL) if rollup.fn == "avg" else Column(value.kind)


def rollup_columns(manifest: Manifest, table: Table) -> dict[str, Column]:
    """The rollups of a table as formulas see them."""
    found = {name: rollup_column(manifest, rollup) for name, rollup in table.rollups.items()}
    return {name: column for name, column in found.items() if column is not None}


def check_formulas(manifest: Manifest, table: Table) -> tuple[dict[str, Formula], dict[str, FormulaInvalid]]:
    """The formulas of a table and what is wrong with the others."""
    return _resolve(table, rollup_columns(manifest, table))


def formulas_of(manifest: Manifest, table: Table) -> dict[str, Formula]:
    """The formulas of a table of a checked manifest, by field; they use stored fields and rollups of the row only."""
    return check_formulas(manifest, table)[0]


def all_columns(manifest: Manifest, table: Table) -> dict[str, Column]:
    """Every field of a table with its kind, computed ones too, as aggregates see them."""
    computed = {name: Column(formula.kind) for name, formula in formulas_of(manifest, table).items()}
    return {**table.columns, **rollup_columns(manifest, table), **computed}
