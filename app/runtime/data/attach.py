"""Files and the records that hold them: every file a record names is there, is free or already its own, and fits its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.errors import FieldError
from app.runtime.data.access import Surface
from app.runtime.data.model import TableModel
from app.runtime.data.preparing import refuse
from app.runtime.validation.problems import pointer

if TYPE_CHECKING:
    from app.runtime.data.writes import Transaction

# A file belongs to one record. What came from the public may be used by anybody; the rest not by the public.
_HOLD = """
UPDATE module_files f SET state = 'attached', state_at = now(), table_name = $4, record_id = w.record_id
FROM unnest($2::uuid[], $3::uuid[]) AS w(id, record_id)
WHERE f.install_id = $1 AND f.id = w.id
  AND ((f.state = 'pending' AND (f.from_public OR NOT $5::boolean)) OR (f.table_name = $4 AND f.record_id = w.record_id))
RETURNING f.id, f.record_id, f.name, f.media_type, f.size_bytes, f.width, f.height, f.family, f.sent_bytes
"""
_ABOUT = """
SELECT f.id, NULL::uuid, f.name, f.media_type, f.size_bytes, f.width, f.height, f.family, f.sent_bytes
FROM module_files f WHERE f.install_id = $1 AND f.id = ANY($2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class _Named:
    """One file that a row names. at: which row."""

    at: int
    field: str
    file_id: UUID


def hold_files(tx: Transaction, model: TableModel, rows: Sequence[dict[str, Any]], *, single: bool) -> None:
    """Tie the files that rows name to their records (each row has its `id`), and write what they are into the rows.

    Raises Invalid for one that is not there, belongs to another record, or is not what its field takes.
    """
    named = _named(model, rows)
    if not named:
        return
    records = [rows[one.at]["id"] for one in named]
    public = tx.access.surface is Surface.PUBLIC
    values = [tx.context.install_id, [one.file_id for one in named], records, model.layout.name, public]
    [found] = tx.beside_tables((_HOLD, values))
    known = {(row[0], row[1]): row for row in found}
    _fill(model, rows, [(one, known.get((one.file_id, rows[one.at]["id"]))) for one in named], single=single)


def describe_files(tx: Transaction, model: TableModel, row: dict[str, Any]) -> None:
    """Write into a row what its files are, for a function that sees it before it is kept. Raises as hold_files()."""
    named = _named(model, [row])
    if named:
        [found] = tx.beside_tables((_ABOUT, [tx.context.install_id, [one.file_id for one in named]]))
        known = {row[0]: row for row in found}
        _fill(model, [row], [(one, known.get(one.file_id)) for one in named], single=True)


def _named(model: TableModel, rows: Sequence[Mapping[str, Any]]) -> list[_Named]:
    found = []
    for at, row in enumerate(rows):
        for name in model.file_fields:
            held = row.get(name) or []
            found += [_Named(at, name, UUID(one["id"])) for one in (held if isinstance(held, list) else [held])]
    return found


def _fill(
    model: TableModel,
    rows: Sequence[dict[str, Any]],
    named: Sequence[tuple[_Named, tuple[Any, ...] | None]],
    *,
    single: bool,
) -> None:
    errors: list[FieldError] = []
    values: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for one, row in named:
        field: Any = model.spec.fields[one.field]
        where = pointer(*(() if single else (one.at,)), one.field)
        if row is None:
            errors.append(FieldError(where, "unknown_file", "names no uploaded file that is free to use"))
        elif not field.takes(row[7]):
            errors.append(FieldError(where, "file_type", f"must be {field.wanted}, not {row[3]}"))
        elif row[8] > field.max_mb << 20:
            errors.append(FieldError(where, "max", f"must be at most {field.max_mb} MiB"))
        else:
            values.setdefault((one.at, one.field), []).append(_value(row))
    refuse(errors)
    for (at, name), found in values.items():
        rows[at][name] = found if model.spec.fields[name].type == "files" else found[0]


def _value(row: tuple[Any, ...]) -> dict[str, Any]:
    size = {"width": row[5], "height": row[6]} if row[5] else {}
    return {"id": str(row[0]), "name": row[2], "type": row[3], "size": row[4], **size}
