"""What every check shares: finding tables and fields, and reporting where they are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.modules.conditions import ConditionInvalid, parse_condition
from app.modules.kinds import SYSTEM_COLUMNS, Columns
from app.modules.manifest.computed import Computed
from app.modules.manifest.fields import FieldSpec
from app.modules.manifest.model import Manifest
from app.modules.manifest.problems import Problem, Severity, did_you_mean
from app.modules.manifest.tables import Table
from app.modules.manifest.yamltext import Document, Path, join


class Checker:
    """Collects problems. A name that is written but was cut out for its own error is never reported as missing."""

    def __init__(self, manifest: Manifest, document: Document, cut: set[Path], file: str) -> None:
        self.manifest = manifest
        self.document = document
        self.cut = cut
        self.file = file
        self.computed = Computed(manifest)
        self.problems: list[Problem] = []

    def report(
        self, path: Path, message: str, code: str = "reference", *, severity: Severity = "error", key: bool = False
    ) -> None:
        """Note a problem at a path; `key` points at the key and not at its value."""
        line, column = self.document.where(path, key=key)
        self.problems.append(Problem(join(path), message, line, column, code, severity, self.file))

    def written(self, *path: str) -> bool:
        """Whether the text has something at a path, good or bad."""
        value = self.document.value
        for step in path:
            if not isinstance(value, dict) or step not in value:
                return False
            value = value[step]
        return True

    def known(self, name: str, among: Iterable[str], path: Path, what: str, *written: str) -> bool:
        """Reports `no <what> "name"` unless it is among the known names; False then."""
        names = list(among)
        if name in names:
            return True
        if not (written and self.written(*written, name)):
            self.report(path, f'no {what} "{name}"{did_you_mean(name, names)}')
        return False

    def table(self, name: str, path: Path) -> Table | None:
        """The table, or None after reporting."""
        found = self.known(name, self.manifest.tables, path, "table", "tables")
        return self.manifest.tables[name] if found else None

    def field(self, table_name: str, name: str, path: Path, *, system: bool = False) -> FieldSpec | None:
        """The field of a table, or None: after reporting, or for a column of the server's, which `system` allows."""
        table = self.manifest.tables[table_name]
        if name in table.fields:
            return table.fields[name]
        if system and name in SYSTEM_COLUMNS:
            return None
        if name in SYSTEM_COLUMNS:
            self.report(path, f'"{name}" is given by the server and cannot be used here', "field_type")
        elif not self.written("tables", table_name, "fields", name):
            also = SYSTEM_COLUMNS if system else ()
            self.report(path, f'no field "{name}" in {table_name}{did_you_mean(name, [*table.fields, *also])}')
        return None

    def typed_field(self, table_name: str, name: str, path: Path, types: tuple[str, ...]) -> FieldSpec | None:
        """The field when it is of one of the types; reports otherwise."""
        field = self.field(table_name, name, path)
        if field is not None and field.type not in types:
            self.report(path, f'"{name}" is {a(field.type)} field; this needs {either(types)}', "field_type")
            return None
        return field

    def condition(self, data: Mapping[str, Any] | None, table_name: str, path: Path) -> None:
        """Check a condition over a table."""
        if data is None:
            return
        table = self.manifest.tables[table_name]
        computed = {**table.formulas, **table.rollups}
        self.condition_over(
            data, table.columns, path, f"in {table_name}", set(computed), ("tables", table_name, "fields")
        )

    def condition_over(
        self,
        data: Mapping[str, Any],
        columns: Columns,
        path: Path,
        place: str,
        computed: set[str],
        written: tuple[str, ...] = (),
    ) -> None:
        """Check a condition over named columns; `place` and `written` say where its fields come from."""
        try:
            parse_condition(data, columns)
        except ConditionInvalid as error:
            for fault in error.faults:
                message, code = fault.message, fault.code
                if code == "unknown_field" and fault.near in computed:
                    message, code = f'"{fault.near}" is computed; conditions test stored fields', "field_type"
                elif code == "unknown_field":
                    if written and self.written(*written, fault.near):
                        continue
                    message, code = f"{message} {place}{did_you_mean(fault.near, columns)}", "reference"
                self.report((*path, *fault.path), message, code)

    def duplicates(self, values: Iterable[Any], path: Path, what: str) -> None:
        """Report every value that is in a list for the second time."""
        seen: set[Any] = set()
        for index, value in enumerate(values):
            if value in seen:
                self.report((*path, index), f'{what} "{value}" is here twice', "duplicate")
            seen.add(value)


def either(names: Iterable[str]) -> str:
    """a, b or c."""
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def a(word: str) -> str:
    """The word with its article."""
    return f"{'an' if word[0] in 'aeiou' and word not in ('user', 'url') else 'a'} {word}"
