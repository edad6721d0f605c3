"""The reconciliation file: what was written to an install's records since an upgrade, made when it is gone back from.

JSON Lines. The first line says of what it is, and which settings the newer version had that were others before
({setting, before, value, stays, why}); each further one is a record that was created, changed or deleted, under the
names of the version that wrote it, with what of it the older version has no place for. Secrets are not in it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads

from app.lib.storage import storage
from app.modules.manifest import Manifest
from app.modules.storage.census import Contradiction, contradictions
from app.modules.storage.export import enter_site, snapshot
from app.modules.storage.layout import Layout, TableLayout

FORMAT = 1
_DIGITS = re.compile(r'"\\u0000([^"\\]+)\\u0000"')  # what _exactly() makes of a number
WORDS = {
    "unknown": "the older version has no such field", "options": "an option the older version does not know",
    "range": "outside the limits of the older version", "length": "longer or shorter than the older version takes",
    "required": "the older version needs a value", "rule": "against a rule of the older version",
}  # fmt: skip


def file_name(agency_id: UUID, move_id: UUID) -> str:
    """Where the file of a rollback is kept."""
    return f"moves/{agency_id}/{move_id}/since.jsonl"


@dataclass(frozen=True, slots=True)
class Since:
    """Which install's records, between which versions. newer wrote them, older is gone back to; both the union's view."""

    schema: str
    site_id: UUID
    union: Layout
    newer: Layout
    older: Layout
    newer_manifest: Manifest
    moved_at: datetime
    copied: Layout  # the tables of which there is a copy
    copy_name: str
    put_back: bool


def write_file(owner: psycopg.Connection, since: Since, *, name: str, head: dict[str, Any]) -> None:
    """Write the file, all tables as they are at one moment; it appears whole or not at all."""
    with snapshot(owner), storage().writing(name) as file:
        enter_site(owner, since.site_id)
        _line(file, {"format": FORMAT, **head})
        with ExitStack() as stack:
            copy = None
            if since.copied.tables:
                copy = stack.enter_context(zipfile.ZipFile(stack.enter_context(storage().reading(since.copy_name))))
            for table in since.union.tables:
                for line in _table(owner, since, table, copy):
                    _line(file, line)


def counts_of(name: str) -> dict[str, Any]:
    """{created, changed, deleted, not_held, settings_left} of a file, the last one names of settings. Raises ObjectMissing."""
    counts: dict[str, Any] = {"created": 0, "changed": 0, "deleted": 0, "not_held": 0}
    with storage().reading(name) as file:
        settings = json.loads(next(file)).get("settings", [])
        counts["settings_left"] = [one["setting"] for one in settings if not one["stays"]]
        for line in file:
            one = json.loads(line)
            counts[one["change"]] += 1
            counts["not_held"] += bool(one["not_held"])
    return counts


def _table(
    owner: psycopg.Connection, since: Since, table: TableLayout, copy: zipfile.ZipFile | None
) -> Iterator[dict[str, Any]]:
    newer, older = since.newer.physical.get(table.name), since.older.physical.get(table.name)
    if newer is None and older is None:
        return
    copied = table.name in since.copied.physical
    tests = contradictions(newer, older) if newer and older else []
    if copied and copy is not None:
        _load(owner, copy, table.name)
        statement, values = _against_copy(since, table, older, newer, tests)
    else:
        statement, values = _by_moment(since, table, newer, tests)
    shown = newer or older
    assert shown is not None
    secret = _secrets(since.newer_manifest, shown)
    with owner.cursor(name="since") as cursor:
        set_json_loads(_exactly, cursor)
        cursor.execute(statement, values)
        for record_id, change, now, before, links, broken in cursor:
            yield {
                "table": shown.tables[-1],
                "id": str(record_id),
                "change": change,
                "stays": change != "deleted" and not (copied and since.put_back),
                "values": {**_values(shown, now, secret), **(links or {})} if now else None,
                "before": _values(older or shown, before, secret) if before else None,
                "not_held": _not_held(newer, older, now, links or {}, tests, broken or []) if now else [],
            }


def _load(owner: psycopg.Connection, copy: zipfile.ZipFile, table: str) -> None:
    owner.execute("DROP TABLE IF EXISTS pg_temp.before")
    owner.execute("CREATE TEMP TABLE before (id uuid PRIMARY KEY, old jsonb NOT NULL) ON COMMIT DROP")
    copied = sql.SQL("COPY pg_temp.before (id, old) FROM STDIN")
    with copy.open(f"{table}.jsonl") as lines, owner.cursor() as cursor, cursor.copy(copied) as into:
        for line in lines:
            text = line.decode().rstrip("\n")
            into.write_row((json.loads(text)["id"], text))
    owner.execute("ANALYZE pg_temp.before")


def _against_copy(
    since: Since, table: TableLayout, older: TableLayout | None, newer: TableLayout | None, tests: list[Contradiction]
) -> tuple[sql.Composed, list[Any]]:
    # only what the older version sees can have changed by the upgrade itself without anybody writing
    seen = set(older.physical) if older else set()
    unseen = [name for name in table.physical if name not in seen]
    statement = sql.SQL(
        "SELECT coalesce(t.id, b.id), CASE WHEN b.id IS NULL THEN 'created' WHEN t.id IS NULL THEN 'deleted' ELSE 'changed' END,"
        " to_jsonb(t), b.old, {links}, {broken}"
        " FROM (SELECT * FROM {table} WHERE site_id = %s) t FULL JOIN pg_temp.before b ON b.id = t.id"
        " WHERE b.id IS NULL OR t.id IS NULL OR to_jsonb(t) - %s::text[] <> b.old - %s::text[]"
    ).format(links=_links(since, newer), broken=_broken(tests), table=sql.Identifier(since.schema, table.name))
    return statement, [since.site_id, unseen, unseen]


def _by_moment(
    since: Since, table: TableLayout, newer: TableLayout | None, tests: list[Contradiction]
) -> tuple[sql.Composed, list[Any]]:
    statement = sql.SQL(
        "SELECT t.id, CASE WHEN t.created_at >= %s THEN 'created' ELSE 'changed' END, to_jsonb(t), NULL::jsonb, {links}, {broken}"
        " FROM {table} t WHERE t.site_id = %s AND t.updated_at >= %s"
        " UNION ALL SELECT h.record_id, 'deleted', NULL, h.before, NULL, NULL FROM {history} h WHERE h.site_id = %s"
        " AND h.table_name = %s AND h.op = 'delete' AND h.at >= %s"
        " AND NOT EXISTS (SELECT FROM {table} t WHERE t.site_id = h.site_id AND t.id = h.record_id)"
    ).format(
        links=_links(since, newer),
        broken=_broken(tests),
        table=sql.Identifier(since.schema, table.name),
        history=sql.Identifier(since.schema, "_history"),
    )
    site, moment = since.site_id, since.moved_at
    return statement, [moment, site, moment, site, table.name, moment]


def _links(since: Since, table: TableLayout | None) -> sql.Composable:
    """{refs field: [ids]} of the row t, as jsonb."""
    if table is None or not table.links:
        return sql.SQL("NULL::jsonb")
    parts = [
        sql.SQL(
            "{}::text, (SELECT coalesce(jsonb_agg(l.target_id ORDER BY l.position), '[]') FROM {} l"
            " WHERE l.site_id = t.site_id AND l.record_id = t.id)"
        ).format(sql.Literal(link.fields[-1]), sql.Identifier(since.schema, link.name))
        for link in table.links
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(parts))


def _broken(tests: list[Contradiction]) -> sql.Composable:
    """For each test whether the row t is against it."""
    if not tests:
        return sql.SQL("NULL::boolean[]")
    return sql.SQL("ARRAY[{}]").format(
        sql.SQL(", ").join(sql.SQL("coalesce({}, false)").format(one.test) for one in tests)
    )


def _secrets(manifest: Manifest, table: TableLayout) -> frozenset[str]:
    spec = next((manifest.tables[name] for name in table.tables if name in manifest.tables), None)
    return frozenset(name for name, one in spec.fields.items() if one.type == "secret") if spec else frozenset()


def _values(table: TableLayout, row: dict[str, Any], secret: frozenset[str]) -> dict[str, Any]:
    """A row by the names of the fields; of a secret only whether there is one."""
    found = {}
    for column in table.columns:
        if column.fields and not column.generated and column.name in row:
            name = column.fields[-1]
            value = row[column.name]
            found[name] = {"set": value is not None} if name in secret else value
    return found


def _not_held(
    newer: TableLayout | None,
    older: TableLayout | None,
    row: dict[str, Any],
    links: dict[str, Any],
    tests: list[Contradiction],
    broken: list[bool],
) -> list[dict[str, str]]:
    if newer is None:
        return []
    known = set(older.physical) if older else set()
    linked = {link.name for link in older.links} if older else set()
    found = {
        column.fields[-1]: "unknown"
        for column in newer.columns
        if column.fields and not column.generated and column.name not in known and row.get(column.name) is not None
    }
    found |= {
        link.fields[-1]: "unknown" for link in newer.links if link.name not in linked and links.get(link.fields[-1])
    }
    for test, failed in zip(tests, broken, strict=True):
        if failed:
            column = older.physical.get(test.column) if older else None
            found.setdefault(column.fields[-1] if column and column.fields else test.column, test.kind)
    return [{"field": name, "why": WORDS[why]} for name, why in found.items()]


def _exactly(text: str | bytes) -> Any:
    """JSON with every digit of its numbers, which floats would drop."""
    return json.loads(text, parse_float=lambda digits: f"\x00{digits}\x00")  # no text of PostgreSQL has a NUL


def _line(file: IO[bytes], value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    file.write(_DIGITS.sub(r"\1", text).encode() + b"\n")


def csv_of(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The file as CSV, a record per line: its values as one JSON text. Settings come first, as of a table "(settings)"."""
    yield "\ufefftable,id,change,stays,not_held,values,before\r\n".encode()
    for one in json.loads(next(lines, b"{}")).get("settings", []):
        yield _row(["(settings)", one["setting"], "changed", one["stays"], one["why"]], one["value"], one["before"])
    for line in lines:
        one = _exactly(line)
        held = "; ".join(f"{item['field']}: {item['why']}" for item in one["not_held"])
        yield _row(
            [one["table"], one["id"], one["change"], one["stays"], held], one["values"] or None, one["before"] or None
        )


def _row(cells: list[Any], *values: Any) -> bytes:
    texts = ("" if value is None else _DIGITS.sub(r"\1", json.dumps(value, ensure_ascii=False)) for value in values)
    out = io.StringIO()
    csv.writer(out).writerow([*("yes" if c is True else "no" if c is False else c for c in cells), *texts])
    return out.getvalue().encode()
