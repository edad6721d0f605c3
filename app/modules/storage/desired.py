"""From a manifest to the layout it needs by itself. Pure."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from app.errors import Invalid
from app.modules.expressions import resolve_formulas
from app.modules.kinds import Column as KindColumn
from app.modules.kinds import Kind
from app.modules.manifest import FieldBase, FieldSpec, Manifest, Table
from app.modules.manifest.fields import (
    KIND_OF_VALUE,
    DecimalField,
    DurationField,
    EnumField,
    FormulaField,
    IntegerField,
    MoneyField,
    PercentField,
    RatingField,
    RefsField,
    RichtextField,
    RollupField,
    SlugField,
    TextField,
)
from app.modules.manifest.views import sort_keys
from app.modules.storage import formulas
from app.modules.storage.layout import (
    Capacity,
    Check,
    Column,
    Index,
    JsonDict,
    Layout,
    Ledger,
    Link,
    NoOverlap,
    Reference,
    Rule,
    TableLayout,
    joined_name,
)
from app.modules.storage.objects import objects_of

SYSTEM = (
    Column("id", "uuid", Kind.UUID, required=True),
    Column("site_id", "uuid", Kind.UUID, required=True),
    Column("created_at", "timestamptz", Kind.DATETIME, required=True),
    Column("updated_at", "timestamptz", Kind.DATETIME, required=True),
    Column("created_by", "text", Kind.TEXT, required=True),
    Column("version", "integer", Kind.INTEGER, required=True),
    Column("custom", "jsonb", Kind.JSON, required=True),
)
SYSTEM_DEFAULTS = {
    "id": "uuidv7()",
    "created_at": "now()",
    "updated_at": "now()",
    "created_by": "''",
    "version": "1",
    "custom": "'{}'::jsonb",
}

TYPES = {
    "text": "text", "slug": "text", "email": "text", "phone": "text", "url": "text", "color": "text", "enum": "text",
    "richtext": "text", "secret": "text", "rrule": "text", "number": "text",
    "integer": "bigint", "duration": "bigint", "money": "bigint", "decimal": "numeric", "percent": "numeric",
    "boolean": "boolean", "date": "date", "time": "time", "datetime": "timestamptz", "tags": "text[]",
    "rating": "smallint", "address": "jsonb", "geo": "jsonb", "json": "jsonb", "hours": "jsonb", "file": "jsonb",
    "files": "jsonb", "user": "uuid", "ref": "uuid",
}  # fmt: skip
TYPE_OF_KIND = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.DURATION: "bigint",
    Kind.DECIMAL: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamptz",
}
_INDEXED = {"text", "bigint", "numeric", "boolean", "date", "time", "timestamptz", "smallint", "uuid", "integer"}
_TEXT_KINDS = (TextField, RichtextField, SlugField)
_NUMBERS = (IntegerField, DecimalField, MoneyField, PercentField, DurationField)


class NameTaken(Invalid):
    """Two parts of the module would have the same name in the database."""

    code = "name_taken"


def desired_layout(manifest: Manifest) -> Layout:
    """What this version needs when it is alone, every column named as its field. Raises NameTaken."""
    layout = Layout(tuple(_table(manifest, name, table) for name, table in manifest.tables.items()))
    _refuse_clashes(layout)
    return layout


def _table(manifest: Manifest, name: str, table: Table) -> TableLayout:
    columns = _columns(table)
    known = {column.name: column for column in columns}
    return TableLayout(
        name=name,
        tables=(name,),
        columns=columns,
        links=tuple(
            Link(joined_name(name, field_name), (field_name,), field.to, field.was or "")
            for field_name, field in table.fields.items()
            if isinstance(field, RefsField)
        ),
        references=tuple(Reference(field_name, field.to, field.on_delete) for field_name, field in table.refs.items()),
        checks=tuple(check for field_name, field in table.fields.items() if (check := _check(field_name, field))),
        rules=tuple(
            Rule(check.when, require)
            for check in table.check
            if _testable(check.when, known) and (require := tuple(one for one in check.require if one in known))
        ),
        indexes=_indexes(manifest, name, table, known),
        no_overlap=_no_overlap(table, known),
        capacity=_capacity(manifest, name, known),
        ledger=(Ledger(table.ledger.balance, table.ledger.group),) if table.ledger else (),
        history=table.audit or table.timeline,
        was=table.was or "",
    )


def _columns(table: Table) -> tuple[Column, ...]:
    columns = list(SYSTEM)
    stored = _formulas(table)
    for name, field in table.fields.items():
        column = stored.get(name) if isinstance(field, FormulaField) else _column(name, field)
        if column is None:
            continue
        columns.append(column)
        if field.search and column.type == "text":
            columns.append(Column(joined_name(name, "lc"), "text", Kind.TEXT, lower_of=name))
    return tuple(columns)


def _column(name: str, field: FieldSpec) -> Column | None:
    if isinstance(field, (RefsField, RollupField, FormulaField)):
        return None
    return Column(
        name,
        TYPES[field.type],
        field.column.kind,
        (name,),
        required=field.required and field.visible_if is None,
        was=field.was or "",
    )


def _formulas(table: Table) -> dict[str, Column]:
    """The formulas that PostgreSQL can store: those over plain columns of the row."""
    texts = {
        name: (field.expr, KIND_OF_VALUE[field.as_] if field.as_ else None) for name, field in table.formulas.items()
    }
    rollups = {name: KindColumn(field.kind) for name, field in table.rollups.items()}
    found, _ = resolve_formulas(texts, {**table.columns, **rollups})
    plain = {column.name for column in SYSTEM if column.name not in ("custom", "site_id")}
    plain |= {name for name, field in table.fields.items() if TYPES.get(field.type, "jsonb") in _INDEXED}
    return {
        name: Column(
            name,
            TYPE_OF_KIND[formula.kind],
            formula.kind,
            (name,),
            formula=formulas.to_json(formula),
            was=table.fields[name].was or "",
        )
        for name, formula in found.items()
        if formula.fields_used <= plain and formula.kind in TYPE_OF_KIND
    }


def _check(name: str, field: FieldBase) -> Check | None:
    if isinstance(field, EnumField):
        return Check(name, "options", values=field.options)
    if isinstance(field, RatingField):
        return Check(name, "range", low=1, high=field.max)
    if isinstance(field, _NUMBERS) and (field.min is not None or field.max is not None):
        return Check(name, "range", low=field.min, high=field.max)
    if isinstance(field, _TEXT_KINDS) and (field.min or field.max is not None):
        return Check(name, "length", low=field.min or None, high=field.max)
    return None


def _testable(condition: JsonDict, columns: dict[str, Column]) -> bool:
    """Whether a condition tests only columns of the row's own table, so that a constraint can."""
    for key, value in condition.items():
        if key in ("any", "all"):
            if not all(_testable(part, columns) for part in value):
                return False
        elif key == "not":
            if not _testable(value, columns):
                return False
        elif key not in columns:
            return False
    return True


def _indexes(manifest: Manifest, name: str, table: Table, columns: dict[str, Column]) -> tuple[Index, ...]:
    """Unique constraints first, then indexes; none that another one already serves."""
    unique: list[tuple[str, ...]] = [
        (field,) for field, spec in table.fields.items() if spec.unique or spec.type == "number"
    ]
    unique += list(table.unique)
    wanted: list[tuple[str, ...]] = [("created_at", "id"), *table.indexes, *((ref,) for ref in table.refs)]
    for view in manifest.views.values():
        if getattr(view, "table", None) != name:
            continue
        wanted += [(one,) for one in getattr(view, "filters", ())]
        keys = tuple(key.removeprefix("-") for key in sort_keys(getattr(view, "sort", None)))
        wanted += [(*keys, "id")] if keys else []
        begins, ends = getattr(view, "from_", None), getattr(view, "to", None)
        wanted += [(begins, "id")] if begins else []
        wanted += [(ends,)] if ends else []
    found = [Index(fields, unique=True) for fields in dict.fromkeys(unique) if all(one in columns for one in fields)]
    taken = [index.columns for index in found]
    for fields in sorted(dict.fromkeys(wanted), key=len, reverse=True):
        usable = all(one in columns and columns[one].type in _INDEXED for one in fields)
        if usable and not any(other[: len(fields)] == fields for other in taken):
            taken.append(fields)
            found.append(Index(fields))
    found += [Index((column.name,), search=True) for column in columns.values() if column.lower_of]
    return tuple(found)


def _no_overlap(table: Table, columns: dict[str, Column]) -> tuple[NoOverlap, ...]:
    rule = table.no_overlap
    if rule is None:
        return ()
    _must_be_testable(rule.unless, columns, "no_overlap")
    return (NoOverlap(rule.by, rule.from_, rule.to, rule.unless),)


def _must_be_testable(condition: JsonDict | None, columns: dict[str, Column], rule: str) -> None:
    if condition and not _testable(condition, columns):
        raise Invalid(f"{rule}: `unless` may test only fields that are columns of the record itself")


def _capacity(manifest: Manifest, name: str, columns: dict[str, Column]) -> tuple[Capacity, ...]:
    """The limits on this table's rows; a manifest may state them on any table."""
    found = []
    for table in manifest.tables.values():
        rule = table.capacity
        if rule is None or rule.count != name:
            continue
        _must_be_testable(rule.unless, columns, "capacity")
        column = next(ref for ref, field in manifest.tables[name].refs.items() if field.to == rule.of_table)
        found.append(Capacity(column, rule.of_table, rule.of_field, rule.unless))
    return tuple(found)


def _refuse_clashes(layout: Layout) -> None:
    for table in layout.tables:
        _refuse_twice([column.name for column in table.columns], f"tables/{table.name}/fields")
    names = [name for table in layout.tables for name in (table.name, *(link.name for link in table.links))]
    # indexes, and the functions of triggers, share one schema
    _refuse_twice([*names, *(name for table in layout.tables for name in objects_of(table))], "tables")


def _refuse_twice(names: list[str], pointer: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise NameTaken.field(pointer, f'"{name}" is needed twice; rename one table or field', "name_taken")


def number(value: int | float) -> int | Decimal:
    """A bound for SQL, exact: 12.5 is written 12.5 and not as a binary fraction."""
    return value if isinstance(value, int) else Decimal(str(value))
