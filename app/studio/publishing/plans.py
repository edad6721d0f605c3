"""How PostgreSQL would answer what the module's screens and pages ask, if a site had 1,000,000 records of each table.

The planner is given the figures of such tables instead of the rows (pg_restore_relation_stats): plans in a fraction of a
second. How that compares with a million real rows stands in docs/adr/0022-plans-from-statistics.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from app.errors import AppError
from app.lib.ids import uuid7
from app.modules.manifest import Manifest, Problem
from app.modules.manifest.fields import EnumField, RefField
from app.modules.storage.layout import TableLayout
from app.runtime.acceptance.scratch import Scratch, scratch_install
from app.runtime.data.scoped import Scope
from app.runtime.data.wire import Statement
from app.studio.publishing.questions import Asked, figures_over_all, questions, unheard
from app.studio.publishing.work import Outcome, Work, count

ROWS = 1_000_000
MOST_READ = 50_000  # records that one answer may go through
# How many values a column has among a million: what real modules show, on the coarse side.
_DISTINCT = {"boolean": 2, "smallint": 5, "date": 3_650, "time": 96, "uuid": 2_000, "bigint": 20_000, "numeric": 20_000}


def check_plans(work: Work) -> Outcome:
    """Refuse what would go through a site's whole table, and name the index."""
    manifest = work.package.manifest
    if not manifest.tables:
        return Outcome("It has no tables.")
    try:
        with scratch_install(work.package, now=work.now) as scratch:
            pretend(scratch)
            asked = list(questions(scratch, work.asked))
            problems = [problem for one in asked if (problem := _judged(scratch, one))]
    except (psycopg.Error, AppError) as error:
        words = error.message if isinstance(error, AppError) else str(error).split("\n")[0]
        problem = Problem("tables", f"its queries cannot be planned: {words}", code="plans")
        return Outcome("Its queries cannot be planned.", problems=[problem])
    notes = _not_judged(manifest, unheard(work.package, work.asked))
    if any(problem.severity == "error" for problem in problems):
        return Outcome(f"Of {count(len(asked), 'query')} some would go through a whole table.", notes, problems)
    if not asked:
        return Outcome("No screen, page or function of it asked for a list.", notes)
    planned = f"{count(len(asked), 'query')} planned on {ROWS:,} records of each table"
    how = f"{len(problems)} could be led better" if problems else "each is led by an index"
    return Outcome(f"{planned}: {how}.", notes, problems)


def _not_judged(manifest: Manifest, silent: Sequence[str]) -> list[str]:
    """What of it is not known, or is so by its nature. silent: functions that read records and asked nothing in a test."""
    notes = []
    if any(getattr(view, "search", False) for view in manifest.views.values()):
        notes.append("Looking for words goes through the records of a site by its nature, and was not judged.")
    if whole := figures_over_all(manifest):
        notes.append(f"{count(whole, 'figure')} over all records of a table, of reports and dashboards: not judged.")
    if silent:
        notes.append(
            f"What these functions ask was not judged, since no acceptance test has them ask: {', '.join(silent[:10])}"
            + (f" and {len(silent) - 10} more." if len(silent) > 10 else ".")
        )
    return notes


# -- tables with the figures of a million records


def pretend(scratch: Scratch) -> None:
    """Give each table of the scratch install one row and the planner the figures of a million, all of them this site's.

    The row is there since PostgreSQL takes an empty file for an empty table, whatever its figures say.
    """
    context = scratch.context
    with scratch.owner() as plain:
        plain.execute("SELECT set_config('app.site_id', %s, true)", [str(context.site_id)])
        plain.execute("SET LOCAL jit = off")
        for table in context.physical.tables:
            _one_row(plain, context.schema, table, str(context.site_id))
            _figures(plain, context.schema, table, str(context.site_id), _facts(scratch, table))


def _one_row(plain: psycopg.Connection, schema: str, table: TableLayout, site_id: str) -> None:
    name = sql.Identifier(schema, table.name)
    rows = plain.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = format('%%I.%%I', %s::text, %s::text)::regclass "
        "AND contype IN ('c', 'f', 'x')",
        [schema, table.name],
    )
    for (constraint,) in rows.fetchall():  # nothing but the shape of the table and its indexes counts here
        plain.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(name, sql.Identifier(constraint)))
    for column in table.columns:
        if column.required and column.fields:
            plain.execute(sql.SQL("ALTER TABLE {} ALTER {} DROP NOT NULL").format(name, sql.Identifier(column.name)))
    plain.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    plain.execute(sql.SQL("INSERT INTO {} (site_id) VALUES (%s)").format(name), [site_id])


def _figures(
    plain: psycopg.Connection, schema: str, table: TableLayout, site_id: str, facts: dict[str, tuple[float, list[str]]]
) -> None:
    plain.execute(
        "SELECT pg_restore_relation_stats('schemaname', %s::text, 'relname', %s::text, 'relpages', 1::integer,"
        " 'reltuples', %s::real, 'relallvisible', 1::integer)",
        [schema, table.name, ROWS],
    )
    for column in table.columns:
        distinct, common = (
            (1.0, [site_id]) if column.name == "site_id" else facts.get(column.name, _by_type(column.type))
        )
        text = (
            "SELECT pg_restore_attribute_stats('schemaname', %s::text, 'relname', %s::text, 'attname', %s::text,"
            " 'inherited', false, 'null_frac', 0::real, 'avg_width', 16::integer, 'n_distinct', %s::real"
        )
        values: list[Any] = [schema, table.name, column.name, distinct]
        if common:
            text += ", 'most_common_vals', %s::text, 'most_common_freqs', %s::real[]"
            values += ["{" + ",".join(json.dumps(one) for one in common) + "}", [1 / len(common)] * len(common)]
        plain.execute(text + ")", values)


def _facts(scratch: Scratch, table: TableLayout) -> dict[str, tuple[float, list[str]]]:
    """{column: (distinct values, the common ones)} where the manifest says more than the type."""
    spec, found = scratch.context.manifest.tables[table.tables[-1]], {}
    for name, field in spec.fields.items():
        column = table.column(name)
        if column is None:
            continue
        if isinstance(field, EnumField):
            found[column.name] = (float(len(field.options)), list(field.options))
        elif isinstance(field, RefField):
            found[column.name] = (2_000.0, [])
        elif field.unique or field.type == "number":
            found[column.name] = (-1.0, [])
    return found


def _by_type(kind: str) -> tuple[float, list[str]]:
    if kind == "boolean":
        return 2.0, ["t", "f"]
    return float(_DISTINCT.get(kind, -0.5)), []


# -- the verdict


def plan_of(scratch: Scratch, statement: Statement) -> dict[str, Any]:
    """The plan of a statement as the module's own role would get it, under row-level security."""
    text, values = statement
    scope = Scope.of(scratch.context, scratch.person, uuid7())
    [rows] = scratch.connection.run(scope, (f"EXPLAIN (FORMAT JSON) {text}", values))
    found = rows[0][0]
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str | bytes) else found)[0]["Plan"]
    return plan


def _judged(scratch: Scratch, asked: Asked) -> Problem | None:
    """None while an index leads. What reads everything refuses the version when an index would help, which is tried."""
    table = scratch.context.layout.table(asked.table).name
    through = read(plan_of(scratch, asked.statement), table)
    if through <= MOST_READ:
        return None
    fields = [name for name in dict.fromkeys((*asked.equal, *asked.order)) if _is_plain(scratch, asked.table, name)]
    led = _with_index(scratch, asked, table, fields) if fields else through
    if asked.figures and led > MOST_READ:
        return None  # it counts that many, whatever leads it there
    helps = led < through / 2
    whole = through >= 0.9 * ROWS
    if not helps and not whole:
        return None
    many = f"all {ROWS:,}" if whole else f"{round(through):,} of {ROWS:,}"
    remedy = (
        f"Add [{', '.join(fields)}] to the indexes of tables.{asked.table}." if helps else _otherwise(scratch, asked)
    )
    return Problem(
        asked.path, f"{asked.where} would go through {many} records of {asked.table}", code="no_index",
        severity="error" if helps and whole else "warning", remedy=remedy, index=(asked.table, *fields) if helps else (),
    )  # fmt: skip


def _otherwise(scratch: Scratch, asked: Asked) -> str:
    spec = scratch.context.manifest.tables[asked.table]
    loose = [name for name in asked.order if name in spec.fields and not spec.fields[name].required]
    if loose:
        return (
            f"Records without a {loose[0]} come last, which no index gives: make it required, or sort by another field."
        )
    return "Ask for fewer records, or by a field that is a column of the table."


class _Undo(Exception):
    """Takes a tried index back."""


def _with_index(scratch: Scratch, asked: Asked, table: str, fields: Sequence[str]) -> float:
    """How many records would be gone through if there were an index over these fields."""
    layout, through = scratch.context.layout.table(asked.table), float(ROWS)
    columns = [column.name for name in fields if (column := layout.column(name)) is not None]
    try:
        with scratch.connection.savepoint():
            with scratch.owner() as plain:
                plain.execute(
                    sql.SQL("CREATE INDEX ON {} (site_id, {})").format(
                        sql.Identifier(scratch.context.schema, table), sql.SQL(", ").join(map(sql.Identifier, columns))
                    )
                )
            through = read(plan_of(scratch, asked.statement), table)
            raise _Undo
    except _Undo:
        return through


def _is_plain(scratch: Scratch, table: str, name: str) -> bool:
    layout = scratch.context.layout.table(table)
    column = layout.column(name)
    return name != "id" and column is not None and column.type not in ("jsonb", "text[]")


def read(plan: dict[str, Any], table: str) -> float:
    """How many records of a table a plan goes through at most, as the planner thinks.

    A scan without an index, or by an index on nothing but the site, goes through all. One that filters on the way to a limit
    goes through as many as give it the rows it needs.
    """
    return max(_read(plan, table, wanted=None), default=0.0)


def _read(node: dict[str, Any], table: str, *, wanted: float | None) -> Iterator[float]:
    kind, below = node["Node Type"], wanted
    if kind == "Limit":
        below = float(node["Plan Rows"])
    elif kind in ("Sort", "Aggregate", "Hash", "Materialize", "WindowAgg"):
        below = None  # takes all its input before it gives anything
    if node.get("Relation Name") == table or (kind == "Bitmap Index Scan"):
        yield _scanned(node, kind, below)
    for child in node.get("Plans", ()):
        if child.get("Parent Relationship") in ("SubPlan", "InitPlan"):
            continue  # per row that is shown: a rollup, a record referred to
        yield from _read(child, table, wanted=below)


def _scanned(node: dict[str, Any], kind: str, wanted: float | None) -> float:
    rows = max(float(node["Plan Rows"]), 1.0)
    if kind == "Bitmap Heap Scan":
        return 0.0  # its index scan below says it
    by_index = node.get("Index Cond", "")
    only_site = by_index.count("(") <= 2 and "site_id" in by_index and " AND " not in by_index
    all_of_it = kind == "Seq Scan" or not by_index or only_site
    if kind == "Seq Scan" and not node.get("Filter"):
        return ROWS if wanted is None else wanted
    through = ROWS if all_of_it else rows
    if wanted is None:
        return through
    share = rows / ROWS if all_of_it else 1.0  # what of it passes the filter
    return min(through, wanted / max(share, 1e-9)) if kind != "Seq Scan" else ROWS
