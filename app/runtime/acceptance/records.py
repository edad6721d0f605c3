"""Records of tests and samples: written by name, inserted so that each finds those it refers to."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from app.errors import NotFound
from app.modules.manifest.fields import RefField, RefsField
from app.runtime.data import Transaction
from app.runtime.data.preparing import MAX_BATCH


class NoHooks:
    """Given records are as they are written: no function has a say."""

    def before(self, tx: Transaction, table: str, event: str, old: Any, new: Any) -> None:
        return None


class Records:
    """Inserts records in an order in which each finds those it refers to; knows them by their `ref`."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.ids: dict[tuple[str, str], UUID] = {}

    def insert_all(self, given: Mapping[str, Any]) -> None:
        waiting = [(table, dict(row)) for table, rows in given.items() for row in rows]
        names = {(table, str(row["ref"])) for table, row in waiting if "ref" in row}
        while waiting:
            ready = [item for item in waiting if not self._open(*item, names)] or waiting[:1]
            for table, group in groupby(ready, key=lambda item: item[0]):
                self._insert(table, [row for _, row in group])
            waiting = [item for item in waiting if not any(item is done for done in ready)]

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Records that do not refer to each other, in one statement for as many as it takes."""
        refs = [row.pop("ref", None) for row in rows]
        for first in range(0, len(rows), MAX_BATCH):
            some = [self.resolved(table, row) for row in rows[first : first + MAX_BATCH]]
            made = self.tx.insert_many(table, some) if len(some) > 1 else [self.tx.insert(table, some[0])]
            for ref, record in zip(refs[first:], made, strict=False):
                if ref is not None:
                    self.ids[table, str(ref)] = record.id

    def _open(self, table: str, row: Mapping[str, Any], names: set[tuple[str, str]]) -> bool:
        """Whether it refers to a record that is still to come."""
        return any(
            (target, str(one)) in names and (target, str(one)) not in self.ids
            for target, value in self._references(table, row)
            for one in (value if isinstance(value, list) else [value])
        )

    def _references(self, table: str, row: Mapping[str, Any]) -> list[tuple[str, Any]]:
        fields = self.tx.context.manifest.tables[table].fields
        return [
            (spec.to, row[name])
            for name, spec in fields.items()
            if isinstance(spec, (RefField, RefsField)) and name in row
        ]

    def resolved(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Values with the ids of records in the place of their refs."""
        found = dict(row)
        for name, spec in self.tx.context.manifest.tables[table].fields.items():
            value = found.get(name)
            if not isinstance(spec, (RefField, RefsField)) or value is None:
                continue
            found[name] = (
                [self._named(spec.to, one) for one in value] if isinstance(value, list) else self._named(spec.to, value)
            )
        return found

    def _named(self, table: str, ref: Any) -> str:
        return str(self.ids.get((table, str(ref)), ref))

    def named_in(self, value: Any) -> Any:
        """Any JSON with the ids of records in the place of `table/ref`."""
        if isinstance(value, Mapping):
            return {key: self.named_in(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.named_in(item) for item in value]
        known = self.ids.get((value.partition("/")[0], value.partition("/")[2])) if isinstance(value, str) else None
        return str(known) if known else value

    def id(self, target: str) -> UUID:
        """The record that `table/ref` names. Raises NotFound."""
        table, _, ref = target.partition("/")
        try:
            return self.ids[table, ref]
        except KeyError:
            raise NotFound(f"The test names no record {target}.") from None
