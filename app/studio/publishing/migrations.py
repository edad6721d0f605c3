"""Tables from the release before to this one, back, and forward again, on the sample records of the release before.

Upwards and back as the jobs of installs do it. What a version can see of its records must be the same each time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import psycopg
from psycopg import sql

from app.access.actors import SYSTEM
from app.errors import AppError
from app.installs.records import fill_defaults
from app.modules.manifest import Problem
from app.modules.package import Package
from app.modules.storage.export import enter_site
from app.modules.storage.plan import losses
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.acceptance.scratch import Scratch, scratch_install
from app.runtime.data import Access, Surface
from app.studio.publishing.work import Outcome, Work, count, told

Prints = dict[str, str]
"""{table.field: hash over the records' values}."""


def check_migrations(work: Work) -> Outcome:
    """Up, down and up again. Raises nothing: what goes wrong is a problem."""
    before = work.before or work.package
    try:
        with scratch_install(before, now=work.now) as start:
            return _first(start, work) if work.before is None else _both_ways(start, before, work)
    except (psycopg.Error, AppError) as error:
        return Outcome("The tables cannot be moved.", problems=[_failed(error)])


def _first(scratch: Scratch, work: Work) -> Outcome:
    """Without a release before, making the tables once more must change nothing."""
    rows = _sample(scratch, work.package, work)
    kept = prints(scratch)
    again = scratch.at(work.package, needed=[work.package.manifest])
    changed = _differences(kept, prints(again))
    made = f"{count(len(work.package.manifest.tables), 'table')} made, and nothing to change when made again"
    problems = [_changed("making its tables again", name) for name in changed]
    return Outcome(f"{made}; {count(rows, 'sample record')}.", problems=problems)


def _both_ways(old: Scratch, before: Package, work: Work) -> Outcome:
    rows = _sample(old, before, work)
    kept = prints(old)
    both = [before.manifest, work.package.manifest]
    lost = [loss.sentence for loss in losses(old.context.layout, old.at(work.package, needed=both).context.layout)]
    new = old.at(work.package, needed=both)
    _fill(new, before)
    after_up = prints(new)
    seen = prints(new.at(before, needed=both))
    problems = [_changed(f"going up from {work.before_version}", name) for name in _differences(kept, seen)]
    back = new.at(before, needed=[before.manifest])
    problems += [_changed(f"going back to {work.before_version}", name) for name in _differences(kept, prints(back))]
    again = back.at(work.package, needed=both)
    _fill(again, before)
    problems += [_changed("going up a second time", name) for name in _differences(after_up, prints(again))]
    way = f"Up from {work.before_version}, back and up again"
    detail = f"{way}: the values of {count(rows, 'sample record')} are the same each time."
    notes = [f"Hidden on the way up, kept 30 days and back with a rollback: {told(lost, none='')}."] if lost else []
    if not rows:
        notes.append(f"{work.before_version} has no sample records: only tables were moved, no values.")
    return Outcome("Values changed on the way." if problems else detail, notes, problems)


def _sample(scratch: Scratch, package: Package, work: Work) -> int:
    tx = scratch.transaction(Access(Surface.SYSTEM, SYSTEM), now=work.now, hooks=NoHooks())
    Records(tx).insert_all(package.sample)
    return sum(len(rows) for rows in package.sample.values())


def _fill(scratch: Scratch, before: Package) -> None:
    context = scratch.context
    with scratch.owner() as plain:
        fill_defaults(
            plain, schema=context.schema, layout=context.layout, manifest=context.manifest, before=before.manifest,
            site_id=context.site_id,
        )  # fmt: skip


def prints(scratch: Scratch) -> Prints:
    """A hash for each field of the version the scratch install is on, over all its records in the order of their ids."""
    context, found = scratch.context, {}
    with scratch.owner() as plain:
        enter_site(plain, context.site_id)
        for table in context.layout.tables:
            columns = [column for column in table.columns if column.fields and not column.lower_of]
            rows = plain.execute(
                sql.SQL("SELECT id::text, {} FROM {} ORDER BY id").format(
                    sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(one.name)) for one in columns)
                    if columns
                    else sql.SQL("NULL"),
                    sql.Identifier(context.schema, table.name),
                )
            ).fetchall()
            for place, column in enumerate(columns, 1):
                found[f"{table.tables[-1]}.{column.fields[-1]}"] = _hash([[row[0], row[place]] for row in rows])
            for link in table.links:
                pairs = plain.execute(
                    sql.SQL("SELECT record_id::text, target_id::text, position FROM {} ORDER BY 1, 3, 2").format(
                        sql.Identifier(context.schema, link.name)
                    )
                ).fetchall()
                found[f"{table.tables[-1]}.{link.fields[-1]}"] = _hash([list(pair) for pair in pairs])
    return found


def _hash(rows: list[list[object]]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [name for name, value in one.items() if other.get(name) != value]


def _changed(way: str, name: str) -> Problem:
    remedy = f"Keep the type and the rules of {name}, or give the new meaning a field of its own."
    return Problem(f"tables.{name}", f"values of {name} were not the same after {way}", code="migration", remedy=remedy)


def _failed(error: Exception) -> Problem:
    words = error.message if isinstance(error, AppError) else str(error).split("\n")[0]
    remedy = (
        "Let both versions agree: make a new field optional or give it a default, and widen rather than change a type."
    )
    return Problem("tables", f"the tables cannot be moved: {words}", code="migration", remedy=remedy)
