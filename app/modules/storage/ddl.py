"""The SQL of tables and of everything on them. Names are always Identifiers, values Literals, types from a closed set."""

from __future__ import annotations

from psycopg import sql

from app.modules.storage.desired import SYSTEM_DEFAULTS, TYPES, number
from app.modules.storage.formulas import from_json
from app.modules.storage.layout import Check, Column, Index, Link, NoOverlap, Reference, Rule, TableLayout
from app.modules.storage.objects import DbObject
from app.modules.storage.triggers import history_trigger, rule_trigger, unless_sql

_TYPES = {"integer", *TYPES.values()}
Statements = tuple[sql.Composed, ...]


def type_sql(name: str) -> sql.SQL:
    """A column's type. Raises ValueError for any that layouts do not have."""
    if name not in _TYPES:
        raise ValueError(f"no column type {name!r}")
    return sql.SQL(name)


def column_sql(column: Column, *, optional: bool = False) -> sql.Composed:
    """`name type …` for CREATE TABLE and ADD COLUMN. optional: without NOT NULL, whatever the column says."""
    parts: list[sql.Composable] = [sql.Identifier(column.name), type_sql(column.type)]
    if column.lower_of:
        parts.append(sql.SQL("GENERATED ALWAYS AS (lower({})) STORED").format(sql.Identifier(column.lower_of)))
    elif column.formula:
        computed = from_json(column.formula).to_sql(sql.Identifier)
        parts.append(sql.SQL("GENERATED ALWAYS AS (({})::{}) STORED").format(computed, type_sql(column.type)))
    if column.required and not optional:
        parts.append(sql.SQL("NOT NULL"))
    if not column.fields and column.name in SYSTEM_DEFAULTS and not column.generated:
        parts.append(sql.SQL("DEFAULT " + SYSTEM_DEFAULTS[column.name]))
    return sql.SQL(" ").join(parts)


def create_schema(schema: str, role: str) -> Statements:
    """The schema and its helper tables _series and _history."""
    series, history = sql.Identifier(schema, "_series"), sql.Identifier(schema, "_history")
    return (
        sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)),
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), sql.Identifier(role)),
        sql.SQL(
            "CREATE TABLE {} (site_id uuid NOT NULL, name text NOT NULL, value bigint NOT NULL, PRIMARY KEY (site_id, name))"
        ).format(series),
        sql.SQL(
            "CREATE TABLE {} (id uuid NOT NULL DEFAULT uuidv7(), site_id uuid NOT NULL, batch uuid NOT NULL,"
            " table_name text NOT NULL, record_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT now(),"
            " actor text NOT NULL DEFAULT '', op text NOT NULL CHECK (op IN ('insert', 'update', 'delete', 'restore')),"
            " before jsonb, after jsonb, PRIMARY KEY (site_id, id))"
        ).format(history),
        sql.SQL("CREATE INDEX ix__history_record ON {} (site_id, table_name, record_id, id)").format(history),
        sql.SQL("CREATE INDEX ix__history_batch ON {} (site_id, batch)").format(history),
        *secure(schema, "_series", role),
        *secure(schema, "_history", role, rights="SELECT, INSERT"),
        history_trigger(schema),
    )


def secure(schema: str, table: str, role: str, *, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> Statements:
    """Forced row-level security by site, and the module role's rights."""
    name = sql.Identifier(schema, table)
    own = sql.SQL("site_id = (SELECT public.current_site_id())")
    return (
        sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY").format(name),
        sql.SQL("CREATE POLICY site ON {} USING ({}) WITH CHECK ({})").format(name, own, own),
        sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), name, sql.Identifier(role)),
    )


def create_table(schema: str, table: TableLayout, role: str) -> Statements:
    """The table with its columns and key; what hangs on it comes later, when all tables are there."""
    columns = sql.SQL(", ").join(column_sql(column) for column in table.columns)
    return (
        sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY (site_id, id))").format(sql.Identifier(schema, table.name), columns),
        *secure(schema, table.name, role),
    )


def create_link(schema: str, table: TableLayout, link: Link, role: str) -> Statements:
    """The table of a refs field, and the index for finding it from the other side."""
    name = sql.Identifier(schema, link.name)
    return (
        sql.SQL(
            "CREATE TABLE {} (site_id uuid NOT NULL, record_id uuid NOT NULL, target_id uuid NOT NULL,"
            " position integer NOT NULL DEFAULT 0, PRIMARY KEY (site_id, record_id, target_id),"
            " CONSTRAINT fk_record FOREIGN KEY (site_id, record_id) REFERENCES {} (site_id, id)"
            " ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,"
            " CONSTRAINT fk_target FOREIGN KEY (site_id, target_id) REFERENCES {} (site_id, id)"
            " ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE)"
        ).format(name, sql.Identifier(schema, table.name), sql.Identifier(schema, link.target)),
        sql.SQL("CREATE INDEX ON {} (site_id, target_id)").format(name),
        *secure(schema, link.name, role),
    )


def create_object(schema: str, one: DbObject, table: TableLayout) -> Statements:
    """What makes one constraint, index or trigger of `table`."""
    part = one.part
    if isinstance(part, Index) and not part.unique:
        return (_index(schema, one, part),)
    if one.kind in ("deleted", "changed", "unlinked", "capacity", "capacity_of", "ledger", "balance"):
        return rule_trigger(schema, one, table)
    return (
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
            sql.Identifier(schema, one.table), sql.Identifier(one.name), _constraint(schema, one, table)
        ),
    )


def drop_object(schema: str, one: DbObject) -> Statements:
    """What takes one constraint, index or trigger away."""
    table, name = sql.Identifier(schema, one.table), sql.Identifier(one.name)
    if one.kind == "index":
        return (sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, one.name)),)
    if one.kind in ("deleted", "changed", "unlinked"):
        return (sql.SQL("DROP TRIGGER {} ON {}").format(name, table),)
    if one.kind in ("capacity", "capacity_of", "ledger", "balance"):
        function = sql.SQL("DROP FUNCTION {}()").format(sql.Identifier(schema, one.name))
        return sql.SQL("DROP TRIGGER {} ON {}").format(name, table), function
    return (sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, name),)


def _columns(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _index(schema: str, one: DbObject, index: Index) -> sql.Composed:
    operators = sql.SQL(" text_pattern_ops" if index.search else "")
    return sql.SQL("CREATE INDEX {} ON {} (site_id, {}{})").format(
        sql.Identifier(one.name), sql.Identifier(schema, one.table), _columns(index.columns), operators
    )


def _constraint(schema: str, one: DbObject, table: TableLayout) -> sql.Composed:
    part = one.part
    if isinstance(part, Reference):
        return _reference(schema, part)
    if isinstance(part, Index):
        return sql.SQL("UNIQUE (site_id, {})").format(_columns(part.columns))
    if isinstance(part, NoOverlap):
        return _order(part) if one.kind == "order" else _no_overlap(part, table)
    return sql.SQL("CHECK ({})").format(rule_sql(part, table) if isinstance(part, Rule) else check_sql(part))


def _reference(schema: str, one: Reference) -> sql.Composed:
    column = sql.Identifier(one.column)
    # the list keeps site_id: without it SET NULL would clear both columns of the key
    actions = {
        "restrict": sql.SQL(""),
        "cascade": sql.SQL(" ON DELETE CASCADE"),
        "set_null": sql.SQL(" ON DELETE SET NULL ({})").format(column),
    }
    return sql.SQL("FOREIGN KEY (site_id, {}) REFERENCES {} (site_id, id){} DEFERRABLE INITIALLY IMMEDIATE").format(
        column, sql.Identifier(schema, one.target), actions[one.on_delete]
    )


def check_sql(check: Check) -> sql.Composed:
    """What a row must be for its value to be allowed; unknown (NULL) for an empty one, which passes."""
    column: sql.Composable = sql.Identifier(check.column)
    if check.kind == "options":
        return sql.SQL("{} = ANY ({}::text[])").format(column, sql.Literal(list(check.values)))
    if check.kind == "length":
        column = sql.SQL("length({})").format(column)
    bounds = [(">=", check.low), ("<=", check.high)]
    tests = [
        sql.SQL("{} {} {}").format(column, sql.SQL(symbol), sql.Literal(number(bound)))
        for symbol, bound in bounds
        if bound is not None
    ]
    return sql.SQL(" AND ").join(tests)


def rule_sql(rule: Rule, table: TableLayout) -> sql.Composed:
    """What a row must be for a rule that requires fields under a condition."""
    present = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in rule.require)
    return sql.SQL("({}) OR ({})").format(unless_sql(rule.when, table), present)


def _order(rule: NoOverlap) -> sql.Composed:
    return sql.SQL("CHECK ({} <= {})").format(sql.Identifier(rule.start), sql.Identifier(rule.end))


def _no_overlap(rule: NoOverlap, table: TableLayout) -> sql.Composed:
    ranges = {"timestamptz": "tstzrange", "date": "daterange"}
    start, end = sql.Identifier(rule.start), sql.Identifier(rule.end)
    kind = sql.SQL(ranges[table.physical[rule.start].type])
    by = [sql.SQL("{} WITH =").format(sql.Identifier(name)) for name in rule.by]
    return sql.SQL(
        "EXCLUDE USING gist (site_id WITH =, {}, {}({}, {}) WITH &&) WHERE ({} IS NOT NULL AND {} IS NOT NULL AND {})"
    ).format(sql.SQL(", ").join(by), kind, start, end, start, end, unless_sql(rule.unless, table))
