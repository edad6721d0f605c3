"""The part of a plan that is about records: what becomes of each table and field, and how many rows that concerns."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.orm import Session

from app.access.actors import SYSTEM
from app.errors import Unavailable
from app.installs.models import Install
from app.modules.changes import Bump, Change, ManifestDiff, pairs
from app.modules.manifest import Manifest
from app.modules.models import Registry
from app.modules.storage.census import AGAINST, HIDDEN, OPTION, ROWS, Key, census
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.merge import align
from app.modules.storage.plan import Loss
from app.runtime.data.scoped import Scope, run

log = logging.getLogger(__name__)
FieldKind = Literal["added", "renamed", "widened", "narrowed", "parked", "changed", "rule"]
TableKind = Literal["added", "renamed", "parked", "changed"]
_KINDS: dict[str, FieldKind] = {
    "field_added": "added", "required_field_added": "added", "field_renamed": "renamed", "field_widened": "widened",
    "field_narrowed": "narrowed", "required_added": "narrowed", "field_removed": "parked", "rule_added": "rule",
    "rule_removed": "rule", "right_added": "rule", "right_removed": "rule",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One change of a table. rows: with a value that is hidden, or that the new rule would not take; None: not known."""

    name: str
    kind: FieldKind
    sentence: str
    least_bump: Bump
    rows: int | None = None
    against: bool = False  # the rows are such that the next save of them must mend them


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table. rows: of this site, None where they could not be counted."""

    name: str
    label: str
    kind: TableKind
    sentence: str
    rows: int | None
    fields: tuple[FieldPlan, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of the site's rows; `known` is false when it took too long."""

    held: Layout
    wanted: Layout
    numbers: dict[Key, int] = field(default_factory=dict)
    known: bool = True

    def rows(self, old_table: str) -> int | None:
        """The rows of a table under its name in the version that is installed."""
        return self._get((ROWS, self.held.table(old_table).name, "", ""))

    def of(self, loss: Loss) -> int | None:
        """The rows with a value that a loss hides."""
        if loss.kind == "table":
            return self._get((ROWS, loss.table, "", ""))
        return self._get((OPTION if loss.kind == "option" else HIDDEN, loss.table, loss.column, loss.value))

    def hidden(self, old_table: str, name: str) -> int | None:
        """The rows with a value in a field that goes; None for one without values of its own."""
        table = self.held.table(old_table)
        part = table.column(name) or table.link(name)
        return self._get((HIDDEN, table.name, part.name, "")) if part else None

    def against(self, new_table: str, name: str) -> int | None:
        """The rows that a new rule on a field would refuse; None when there is no such rule."""
        table = self.wanted.table(new_table)
        column = table.column(name)
        if column is None:
            return None
        found = [n for key, n in self.numbers.items() if key[:3] == (AGAINST, table.name, column.name)]
        return max(found) if found else None

    @property
    def records(self) -> int | None:
        """All rows of the site together."""
        return sum(n for key, n in self.numbers.items() if key[0] == ROWS) if self.known else None

    def _get(self, key: Key) -> int | None:
        return self.numbers.get(key)


def counted(db: Session, *, install: Install, old: Manifest, new: Manifest) -> Counts:
    """Count what the change concerns, as the module's role, in one round trip. A site too large for that is not counted."""
    registry = db.get(Registry, install.module_id)
    if registry is None or install.status in ("failed", "removed"):
        return Counts(Layout(), Layout(), known=False)
    union = Layout.from_dict(registry.layout)
    held = union.for_manifest(old)
    counts = Counts(held, align(union, desired_layout(new)))
    asked = census(held, counts.wanted, schema=registry.schema_name)
    scope = Scope(registry.role_name, install.site_id, install.agency_id, SYSTEM.ref, "", "")
    try:
        answers = run(scope, [(one.statement.as_string(None), []) for one in asked]) if asked else []
    except Unavailable as error:  # too slow, or no connection free: the plan is as good without the figures
        log.warning("rows of install %s were not counted: %s", install.id, error)
        return Counts(held, counts.wanted, known=False)
    for one, rows in zip(asked, answers, strict=True):
        counts.numbers.update(zip(one.keys, (int(number) for number in rows[0]), strict=True))
    return counts


def table_plans(old: Manifest, new: Manifest, diff: ManifestDiff, counts: Counts) -> tuple[TablePlan, ...]:
    """The tables that change, in the manifest's order; those that go last."""
    matched, gone = pairs(old.tables, new.tables)
    found = []
    for name, table in new.tables.items():
        changes = [
            one for one in diff.changes if one.path == f"tables.{name}" or one.path.startswith(f"tables.{name}.")
        ]
        if not changes:
            continue
        before = matched.get(name)
        own = next((one for one in changes if one.path == f"tables.{name}"), None)
        fields = tuple(_fields(changes, name, before, counts)) if before else ()
        label = table.label.many if table.label else name.replace("_", " ").capitalize()
        kind: TableKind = "added" if before is None else "renamed" if before != name else "changed"
        rows = counts.rows(before) if before and counts.held.tables else 0 if before is None else None
        found.append(TablePlan(name, label, kind, own.sentence if own else "", rows, fields))
    for name in gone:
        table = old.tables[name]
        label = table.label.many if table.label else name.replace("_", " ").capitalize()
        rows = counts.rows(name) if counts.held.tables else None
        found.append(TablePlan(name, label, "parked", f'the table "{name}" is gone', rows, ()))
    return tuple(found)


def _fields(changes: list[Change], table: str, before: str, counts: Counts) -> Iterator[FieldPlan]:
    for change in changes:
        if change.path == f"tables.{table}":
            continue
        name = change.path.removeprefix(f"tables.{table}.").removeprefix("fields.").split(".")[0]
        kind = _KINDS.get(change.kind, "changed")
        rows, against = None, False
        if counts.held.tables and kind == "parked":
            rows = counts.hidden(before, name)
        elif counts.held.tables and kind == "narrowed":
            rows, against = counts.against(table, name), True
        elif change.kind == "required_field_added":
            rows, against = counts.rows(before) if counts.held.tables else None, True
        yield FieldPlan(name, kind, change.sentence, change.least_bump, rows, against)
