"""The triggers of history, capacity and ledger: fixed texts, filled with identifiers and checked conditions."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from app.modules.conditions import parse_condition, to_sql_literal
from app.modules.kinds import Column as KindColumn
from app.modules.kinds import Kind
from app.modules.storage.layout import Capacity, Ledger, TableLayout
from app.modules.storage.objects import DbObject

# Moving a site's rows out or in is no change to record or refuse. Only the owner of the tables can do that.
_MAINTENANCE = sql.SQL(
    "(coalesce(current_setting('app.maintenance', true), '') = 'on'"
    " AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE'))"
)

_HISTORY = """
DECLARE
  old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
  one jsonb := coalesce(new_row, old_row);
BEGIN
  IF {maintenance} OR old_row - '{{version,updated_at}}'::text[] = new_row - '{{version,updated_at}}'::text[] THEN
    RETURN NULL;
  END IF;
  INSERT INTO {history} (site_id, batch, table_name, record_id, actor, op, before, after) VALUES (
    (one ->> 'site_id')::uuid, coalesce(nullif(current_setting('app.batch', true), '')::uuid, uuidv7()), TG_TABLE_NAME,
    coalesce(one ->> 'id', one ->> 'record_id')::uuid, coalesce(current_setting('app.actor', true), ''),
    CASE WHEN TG_OP = 'INSERT' AND coalesce(current_setting('app.restoring', true), '') = 'on' THEN 'restore'
         ELSE lower(TG_OP) END,
    old_row, new_row);
  RETURN NULL;
END"""

_CAPACITY = """
DECLARE
  allowed numeric;
  taken bigint;
BEGIN
  IF NEW.{column} IS NULL OR NOT {new_counts} OR {maintenance} THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.{column} IS NOT DISTINCT FROM NEW.{column} AND {old_counts} THEN
    RETURN NEW;
  END IF;
  SELECT t.{limit} INTO allowed FROM {target} t WHERE t.site_id = NEW.site_id AND t.id = NEW.{column} FOR NO KEY UPDATE;
  SELECT count(*) INTO taken FROM {table} t
  WHERE t.site_id = NEW.site_id AND t.{column} = NEW.{column} AND t.id <> NEW.id AND {row_counts};
  IF taken >= allowed THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {name}, SCHEMA = TG_TABLE_SCHEMA,
      TABLE = TG_TABLE_NAME, COLUMN = {column_text}, MESSAGE = 'all ' || allowed || ' places are taken';
  END IF;
  RETURN NEW;
END"""

_CAPACITY_OF = """
DECLARE
  taken bigint;
BEGIN
  IF NEW.{limit} IS NULL OR {maintenance} THEN
    RETURN NEW;
  END IF;
  SELECT count(*) INTO taken FROM {table} t
  WHERE t.site_id = NEW.site_id AND t.{column} = NEW.id AND {row_counts};
  IF taken > NEW.{limit} THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {name}, SCHEMA = TG_TABLE_SCHEMA,
      TABLE = TG_TABLE_NAME, COLUMN = {limit_text}, MESSAGE = taken || ' places are taken already';
  END IF;
  RETURN NEW;
END"""

_LEDGER = """
BEGIN
  IF {maintenance} THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {name}, SCHEMA = TG_TABLE_SCHEMA,
    TABLE = TG_TABLE_NAME, MESSAGE = 'records of this table are only added; enter a correction instead';
END"""

_BALANCE = """
DECLARE
  one numeric;
  other numeric;
BEGIN
  IF {maintenance} THEN
    RETURN NULL;
  END IF;
  SELECT coalesce(sum(t.{left}), 0), coalesce(sum(t.{right}), 0) INTO one, other FROM {table} t
  WHERE t.site_id = NEW.site_id AND t.{group} IS NOT DISTINCT FROM NEW.{group};
  IF one <> other THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {name}, SCHEMA = TG_TABLE_SCHEMA,
      TABLE = TG_TABLE_NAME, MESSAGE = 'not balanced: ' || one || ' on one side, ' || other || ' on the other';
  END IF;
  RETURN NULL;
END"""


def history_trigger(schema: str) -> sql.Composed:
    """The function _record(), which writes a row of _history."""
    body = sql.SQL(_HISTORY).format(maintenance=_MAINTENANCE, history=sql.Identifier(schema, "_history"))
    return _function(schema, "_record", body)


def rule_trigger(schema: str, one: DbObject, table: TableLayout) -> tuple[sql.Composed, ...]:
    """The function, where it needs one of its own, and the trigger of one rule. `table`: the one the rule is of."""
    if one.kind in ("deleted", "changed", "unlinked"):
        return (_trigger(schema, one, _moment(one), function="_record"),)
    names: dict[str, sql.Composable] = {
        "maintenance": _MAINTENANCE,
        "name": sql.Literal(one.name),
        "table": sql.Identifier(schema, table.name),
    }
    if isinstance(one.part, Capacity):
        body = _capacity(schema, one, table, names)
    else:
        body = _ledger(one, names)
    return _function(schema, one.name, body), _trigger(schema, one, _moment(one), function=one.name)


def unless_sql(condition: dict[str, Any] | None, table: TableLayout, row: str = "") -> sql.Composed:
    """SQL that is true unless the condition matches; for constraints, or with `row` for a record of a trigger."""
    if not condition:
        return sql.SQL("TRUE").format()

    def column(name: str) -> sql.Composable:
        return sql.SQL("{}.{}").format(sql.SQL(row), sql.Identifier(name)) if row else sql.Identifier(name)

    return sql.SQL("(({}) IS NOT TRUE)").format(to_sql_literal(_parsed(condition, table), column))


def _parsed(condition: dict[str, Any], table: TableLayout) -> Any:
    return parse_condition(condition, {column.name: KindColumn(Kind(column.kind)) for column in table.columns})


def _capacity(schema: str, one: DbObject, table: TableLayout, names: dict[str, sql.Composable]) -> sql.Composed:
    rule = one.part
    names |= {
        "column": sql.Identifier(rule.column),
        "column_text": sql.Literal(rule.column),
        "limit": sql.Identifier(rule.limit),
        "limit_text": sql.Literal(rule.limit),
        "row_counts": unless_sql(rule.unless, table, "t"),
    }
    if one.kind == "capacity_of":
        return sql.SQL(_CAPACITY_OF).format(**names)
    names |= {
        "target": sql.Identifier(schema, rule.target),
        "new_counts": unless_sql(rule.unless, table, "NEW"),
        "old_counts": unless_sql(rule.unless, table, "OLD"),
    }
    return sql.SQL(_CAPACITY).format(**names)


def _ledger(one: DbObject, names: dict[str, sql.Composable]) -> sql.Composed:
    rule: Ledger = one.part
    if one.kind == "ledger":
        return sql.SQL(_LEDGER).format(**names)
    left, right = rule.balance
    names |= {"left": sql.Identifier(left), "right": sql.Identifier(right), "group": sql.Identifier(rule.group)}
    return sql.SQL(_BALANCE).format(**names)


def _moment(one: DbObject) -> sql.Composed:
    """When the trigger of a rule fires."""
    column = sql.Identifier(one.columns[0]) if one.columns else sql.SQL("")
    moments = {
        "deleted": sql.SQL("AFTER DELETE").format(),
        "changed": sql.SQL("AFTER INSERT OR UPDATE").format(),
        "unlinked": sql.SQL("AFTER UPDATE OF {}").format(column),
        "capacity": sql.SQL("BEFORE INSERT OR UPDATE OF {}").format(_watched(one)),
        "capacity_of": sql.SQL("BEFORE UPDATE OF {}").format(column),
        "ledger": sql.SQL("BEFORE UPDATE OR DELETE").format(),
        "balance": sql.SQL("AFTER INSERT").format(),
    }
    return moments[one.kind]


def _watched(one: DbObject) -> sql.Composable:
    """The columns whose change can make a row count against a capacity."""
    if not isinstance(one.part, Capacity):
        return sql.SQL("")
    names = {one.part.column, *_tested(one.part.unless or {})}
    return sql.SQL(", ").join(sql.Identifier(name) for name in sorted(names))


def _tested(condition: Any) -> set[str]:
    if isinstance(condition, (list, tuple)):
        return set().union(*(_tested(part) for part in condition))
    found: set[str] = set()
    for key, value in condition.items():
        found |= _tested(value) if key in ("any", "all", "not") else {key}
    return found


def _function(schema: str, name: str, body: sql.Composed) -> sql.Composed:
    return sql.SQL("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {}").format(
        sql.Identifier(schema, name), sql.Literal(body.as_string(None))
    )


def _trigger(schema: str, one: DbObject, moment: sql.Composed, *, function: str) -> sql.Composed:
    kind, when = sql.SQL("TRIGGER"), sql.SQL("FOR EACH ROW")
    if one.kind == "balance":
        kind, when = sql.SQL("CONSTRAINT TRIGGER"), sql.SQL("DEFERRABLE INITIALLY DEFERRED FOR EACH ROW")
    condition = sql.SQL("")
    if one.kind == "unlinked":
        column = sql.Identifier(one.columns[0])
        condition = sql.SQL("WHEN (OLD.{} IS NOT NULL AND NEW.{} IS NULL)").format(column, column)  # type: ignore[assignment]  # Composed is as good as SQL here
    return sql.SQL("CREATE {} {} {} ON {} {} {} EXECUTE FUNCTION {}()").format(
        kind,
        sql.Identifier(one.name),
        moment,
        sql.Identifier(schema, one.table),
        when,
        condition,
        sql.Identifier(schema, function),
    )
