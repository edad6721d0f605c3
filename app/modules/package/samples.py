"""sample/, tests/ and locales/: parsed, and held against the tables of the manifest."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from app.modules.manifest import Manifest, Problem
from app.modules.manifest.problems import did_you_mean
from app.modules.manifest.yamltext import Document, Path, join, read_yaml
from app.modules.package.model import AcceptanceTest

MAX_ROWS = 2000
_ACTIONS = ("create", "update", "delete", "call", "submit", "emit")
_THEN = ("record", "answer", "invalid", "refused", "events", "mails")
Rows = dict[str, list[dict[str, Any]]]


class _Reader:
    """Collects problems of one file."""

    def __init__(self, file: str, manifest: Manifest, document: Document | None = None) -> None:
        self.file = file
        self.manifest = manifest
        self.document = document
        self.problems: list[Problem] = []

    def report(self, path: Path, message: str, code: str = "reference") -> None:
        line, column = self.document.where(path, key=True) if self.document else (0, 0)
        self.problems.append(Problem(join(path), message, line, column, code, file=self.file))

    def rows(self, table: str, rows: Any, path: Path) -> list[dict[str, Any]]:
        """Records of one table, their keys checked."""
        if table not in self.manifest.tables:
            self.report(path, f'no table "{table}"{did_you_mean(table, self.manifest.tables)}')
            return []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.report(path, "must be a list of records: [{field: value}]", "value")
            return []
        fields = self.manifest.tables[table].fields
        for index, row in enumerate(rows):
            for key in row:
                if key != "ref" and key not in fields:
                    self.report((*path, index, key), f'no field "{key}" in {table}{did_you_mean(key, fields)}')
        return rows


def read_samples(files: dict[str, bytes], manifest: Manifest) -> tuple[Rows, list[Problem]]:
    """The records of sample/*: {table: rows}. A file is named after its table, or is a mapping of tables."""
    found: Rows = {}
    problems: list[Problem] = []
    for path in sorted(path for path in files if path.startswith("sample/")):
        rows, faults = (
            _csv(path, files[path], manifest) if path.endswith(".csv") else _yaml(path, files[path], manifest)
        )
        problems += faults
        for table, records in rows.items():
            found.setdefault(table, []).extend(records)
    if sum(map(len, found.values())) > MAX_ROWS:
        problems.append(Problem("", f"more than {MAX_ROWS} sample records", code="size", file="sample"))
    return found, problems


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _yaml(path: str, content: bytes, manifest: Manifest) -> tuple[Rows, list[Problem]]:
    document = read_yaml(content, file=path)
    if document.problems:
        return {}, document.problems
    reader = _Reader(path, manifest, document)
    value = document.value
    if isinstance(value, dict):
        rows = {table: reader.rows(table, records, (table,)) for table, records in value.items()}
    else:
        rows = {_stem(path): reader.rows(_stem(path), value, ())}
    return rows, reader.problems


def _csv(path: str, content: bytes, manifest: Manifest) -> tuple[Rows, list[Problem]]:
    reader = _Reader(path, manifest)
    lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    try:
        rows = [{key: value for key, value in line.items() if value != ""} for line in lines]
    except csv.Error as error:
        return {}, [Problem("", f"is not readable CSV: {error}", lines.line_num, 1, "csv", file=path)]
    if any(None in row or None in row.values() for row in rows):
        return {}, [
            Problem("", "has a row with more or fewer values than the first line has names", code="csv", file=path)
        ]
    table = _stem(path)
    checked = reader.rows(table, rows[:1], ())  # every row has the same keys
    return ({table: rows} if checked or not rows else {}), reader.problems


def read_tests(files: dict[str, bytes], manifest: Manifest) -> tuple[list[AcceptanceTest], list[Problem]]:
    """The acceptance tests of tests/*.yaml."""
    found: list[AcceptanceTest] = []
    problems: list[Problem] = []
    for path in sorted(path for path in files if path.startswith("tests/")):
        document = read_yaml(files[path], file=path)
        reader = _Reader(path, manifest, document)
        if document.problems:
            problems += document.problems
            continue
        if not isinstance(document.value, list):
            reader.report((), "must be a list of tests: - name: …", "value")
        for index, item in enumerate(document.value if isinstance(document.value, list) else ()):
            test = _test(reader, item, index)
            if test is not None:
                found.append(test)
        problems += reader.problems
    return found, problems


def _test(reader: _Reader, item: Any, index: int) -> AcceptanceTest | None:
    keys = ("name", "given", "settings", "when", "then")
    if not isinstance(item, dict):
        reader.report((index,), "must be a mapping with name, when and then", "value")
        return None
    for key in item:
        if key not in keys:
            reader.report((index, key), f'unknown key "{key}"{did_you_mean(key, keys)}', "unknown_key")
    name: Any = item.get("name")
    if not isinstance(name, str) or not name:
        reader.report((index,), "needs a name", "required")
        return None
    given, chosen = item.get("given", {}), item.get("settings", {})
    when: Any = item.get("when")
    then: Any = item.get("then")
    if not all(isinstance(part, dict) for part in (given, chosen, when, then)):
        reader.report((index,), "given, settings, when and then must be mappings; when and then are required", "value")
        return None
    for setting in chosen:
        known = reader.manifest.setting_fields
        if setting not in known:
            reader.report((index, "settings", setting), f'no setting "{setting}"{did_you_mean(setting, known)}')
    for table, rows in given.items():
        reader.rows(table, rows, (index, "given", table))
    _when(reader, when, (index, "when"))
    _then(reader, then, (index, "then"))
    return AcceptanceTest(reader.file, name, given, chosen, when, then)


def _when(reader: _Reader, when: dict[str, Any], path: Path) -> None:
    actions = [key for key in when if key in _ACTIONS]
    if len(actions) != 1:
        reader.report(path, f"needs one of {', '.join(_ACTIONS)}", "value")
        return
    action, target = actions[0], when[actions[0]]
    known: dict[str, Iterable[str]] = {
        "call": reader.manifest.functions, "submit": reader.manifest.pages, "emit": reader.manifest.own_events
    }  # fmt: skip
    if not isinstance(target, str):
        reader.report((*path, action), "must name what it is about, such as deals/d1", "value")
    elif action in known:
        if target not in known[action]:
            what = {"call": "function", "submit": "page", "emit": "event"}[action]
            reader.report((*path, action), f'no {what} "{target}"{did_you_mean(target, known[action])}')
    else:
        _table_of(reader, target, (*path, action))


def _then(reader: _Reader, then: dict[str, Any], path: Path) -> None:
    for key in then:
        if key not in _THEN:
            _table_of(reader, key, (*path, key))


def _table_of(reader: _Reader, target: str, path: Path) -> None:
    table = target.partition("/")[0]
    if table not in reader.manifest.tables:
        reader.report(path, f'no table "{table}"{did_you_mean(table, reader.manifest.tables)}')


def check_locales(files: dict[str, bytes], manifest: Manifest) -> list[Problem]:
    """Every declared language has its file, every file is declared and is one flat JSON object of texts."""
    problems = []
    found = {path.removeprefix("locales/").removesuffix(".json"): path for path in files if path.startswith("locales/")}
    for index, locale in enumerate(manifest.locales):
        if locale not in found and index:  # the first is the language the manifest itself is written in
            problems.append(Problem(f"locales.{index}", f'no file "locales/{locale}.json"', code="reference"))
    for locale, path in found.items():
        if locale not in manifest.locales:
            problems.append(Problem("", f'the language "{locale}" is not in locales', code="reference", file=path))
        try:
            texts = json.loads(files[path])
        except (ValueError, RecursionError):
            problems.append(Problem("", "is not JSON", code="json", file=path))
            continue
        if not (isinstance(texts, dict) and all(isinstance(text, str) for text in texts.values())):
            problems.append(Problem("", "must be one JSON object of texts", code="json", file=path))
    return problems
