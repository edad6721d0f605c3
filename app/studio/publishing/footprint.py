"""Installed, used and removed, a module leaves nothing: neither an object in the catalogue nor a row of its own.

In one transaction that sees nothing of what others do meanwhile. What it made in the catalogue is told by the number of
the transaction that made it; what it took away, by how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from app.access.actors import SYSTEM
from app.errors import AppError
from app.modules.manifest import Problem
from app.modules.storage.apply import drop_schema, lock_module
from app.modules.storage.export import drop_site_rows
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.acceptance.scratch import Scratch, scratch_install
from app.runtime.data import Access, Surface, Transaction
from app.studio.publishing.work import Outcome, Work, count

# Of each catalogue: how its rows are called for people. What the transaction left there is told by these names.
CATALOGUES: Mapping[str, str] = {
    "pg_namespace": "nspname::text",
    "pg_class": "relname::text",
    "pg_attribute": "attrelid::text || '.' || attname",
    "pg_attrdef": "adrelid::text || '.' || adnum",
    "pg_constraint": "conname::text",
    "pg_index": "indexrelid::text",
    "pg_proc": "proname::text",
    "pg_trigger": "tgname::text",
    "pg_policy": "polname::text",
    "pg_type": "typname::text",
    "pg_auth_members": "roleid::text || ' of ' || member",
    "pg_depend": "classid::text || '.' || objid",
    "pg_shdepend": "classid::text || '.' || objid",
    "pg_description": "objoid::text",
    "pg_default_acl": "oid::text",
    "pg_statistic_ext": "stxname::text",
}
# What happened on a site stays told after the module is gone: events, letters, runs, uploads that a sweep collects.
TRACES = frozenset(
    [
        *("events", "event_deliveries", "mails", "module_function_runs", "audit_log", "audit_heads", "site_files"),
        "module_done",
    ]
)
_ROWS = "SELECT relname, n_tup_ins - n_tup_del FROM pg_stat_xact_user_tables WHERE schemaname = 'public' AND n_tup_ins <> n_tup_del"


@dataclass
class _Before:
    catalogue: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def check_footprint(work: Work) -> Outcome:
    """Install, use, remove; then compare."""
    before = _Before()

    def look(plain: psycopg.Connection) -> None:
        before.catalogue, before.rows = _counts(plain), _rows(plain)

    try:
        with scratch_install(work.package, now=work.now, before=look) as scratch:
            objects = sum(_counts(scratch.plain).values()) - sum(before.catalogue.values())
            used = _use(scratch, work)
            _remove(scratch)
            with scratch.owner() as plain:
                left = _left(plain)
                gone = {name: number for name, number in _counts(plain).items() if number != before.catalogue[name]}
                rows = {
                    name: n for name, n in _rows(plain).items() if n != before.rows.get(name, 0) and name not in TRACES
                }
    except (psycopg.Error, AppError) as error:
        words = error.message if isinstance(error, AppError) else str(error).split("\n")[0]
        return Outcome(
            "It cannot be removed.", problems=[_problem(f"installing, using or removing it failed: {words}")]
        )
    problems = [
        _problem(f"after it was removed, {name} still has {', '.join(names[:4])}") for name, names in left.items()
    ]
    problems += [_problem(f"{name} has another number of entries than before") for name in gone if name not in left]
    problems += [
        _problem(f"after it was removed, {count(n, 'row')} of it stayed in {name}") for name, n in rows.items()
    ]
    if problems:
        return Outcome("Something of it stays.", problems=problems)
    return Outcome(
        f"{count(objects, 'catalogue entry')} made, {used}, and all of it gone again; nothing else was touched."
    )


def _use(scratch: Scratch, work: Work) -> str:
    """Sample records in, one of each table deleted again."""
    tx = scratch.transaction(Access(Surface.SYSTEM, SYSTEM), now=work.now, hooks=NoHooks())
    Records(tx).insert_all(work.package.sample)
    made = deleted = 0
    for name in work.package.manifest.tables:
        records = tx.list(name).records
        made += len(records)
        deleted += sum(_tried(tx, name, record["id"]) for record in records[:1])
    return f"{count(made, 'record')} kept, {deleted} of them deleted"


def _tried(tx: Transaction, name: str, record_id: str) -> bool:
    """Delete one record, where the module's own rules allow it."""
    try:
        with tx.savepoint():
            tx.delete(name, UUID(record_id))
    except (AppError, psycopg.Error):
        return False
    return True


def _remove(scratch: Scratch) -> None:
    context = scratch.context
    with scratch.owner() as plain:
        lock_module(plain, context.module_id)
        drop_site_rows(plain, schema=context.schema, layout=context.physical, site_id=context.site_id)
        drop_schema(plain, module_id=context.module_id, short_id=context.short_id)


def _counts(plain: psycopg.Connection) -> dict[str, int]:
    found = {}
    for name in CATALOGUES:
        row = plain.execute(f"SELECT count(*) FROM pg_catalog.{name}").fetchone()  # noqa: S608  # names from above
        found[name] = row[0] if row else 0
    return found


def _left(plain: psycopg.Connection) -> dict[str, list[str]]:
    """Of each catalogue, what this transaction made and did not take away: rows no older than its own number."""
    found = {}
    for name, words in CATALOGUES.items():
        rows = plain.execute(
            f"SELECT {words} FROM pg_catalog.{name} WHERE age(xmin) <= 0 ORDER BY 1 LIMIT 20"  # noqa: S608  # names from above
        ).fetchall()
        if rows:
            found[name] = [row[0] for row in rows]
    return found


def _rows(plain: psycopg.Connection) -> dict[str, int]:
    """{table of the platform: rows this transaction has added, less those it took away}."""
    return dict(plain.execute(_ROWS).fetchall())


def _problem(message: str) -> Problem:
    remedy = "A module's tables are made from its manifest alone, so this is the platform's fault: tell its support."
    return Problem("", message, code="footprint", file="", remedy=remedy)
