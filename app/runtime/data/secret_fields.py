"""Secret fields: sealed when written, each to its own table, column and row; opened for the module's functions alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.lib.crypto import seal, unseal
from app.runtime.data.model import TableModel


def seal_secrets(model: TableModel, row: dict[str, Any], record_id: object, keys: tuple[str, ...]) -> None:
    """Seal the secrets of a row that is about to be written."""
    for name in model.secrets:
        if row.get(name) is not None:
            row[name] = seal(keys, row[name], _context(model, name, record_id))


def open_secrets(
    model: TableModel, names: Sequence[str], keys: tuple[str, ...], record: dict[str, Any]
) -> dict[str, Any]:
    """The record with its secrets in the open. Raises CannotOpen for one that was moved here from another row."""
    for name in names:
        if record.get(name) is not None:
            record[name] = unseal(keys, record[name], _context(model, name, record["id"]))
    return record


def _context(model: TableModel, name: str, record_id: object) -> str:
    column = model.layout.column(name)
    return f"{model.module.schema}.{model.layout.name}|{column.name if column else name}|{record_id}"
