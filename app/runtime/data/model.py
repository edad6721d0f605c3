"""A table of one version as the data layer uses it: its fields' SQL, JSON and kinds. Built once per version and layout."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import Lock
from typing import Any

from psycopg import sql

from app.modules.conditions import Condition, parse_condition, to_sql_literal
from app.modules.expressions import Formula
from app.modules.kinds import SYSTEM_COLUMNS, Column, Kind
from app.modules.manifest import FieldSpec, Manifest, Table
from app.modules.manifest.computed import all_columns, formulas_of
from app.modules.manifest.fields import RefField, RefsField, RollupField, SecretField, UserField
from app.modules.manifest.views import TreeView
from app.modules.naming import own_events
from app.modules.storage.layout import Layout, TableLayout
from app.runtime.context import InstallContext
from app.runtime.data.access import Access, Surface
from app.runtime.data.sqltext import q
from app.runtime.validation.record import Rules

RFC3339 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
_MAX_MODELS = 200
_MAX_VIEWS = 200
_MAX_KEPT = 1000


class ModuleModel:
    """The tables of one version of a module, in one schema."""

    def __init__(self, context: InstallContext) -> None:
        self.key = f"{context.short_id}:{context.layout_key}"
        self.schema = context.schema
        self.role = context.role
        self.tells = (
            not context.on_trial
        )  # whether changes are events; a trial has a schema, and so a model, of its own
        self.manifest: Manifest = context.manifest
        self.layout: Layout = context.layout
        self.statements: dict[object, str] = {}
        self.tables = {name: TableModel(self, name, spec) for name, spec in self.manifest.tables.items()}

    def __hash__(self) -> int:
        return hash(self.key)


class TableModel:
    """One table: `columns` are what conditions, sorts and aggregates may use, by field name."""

    def __init__(self, module: ModuleModel, name: str, spec: Table) -> None:
        self.module = module
        self.name = name
        self.spec = spec
        self.layout: TableLayout = module.layout.table(name)
        self.sql = self.relation(self.layout.name)
        self.fingerprints: dict[object, str] = {}
        self.kept: dict[object, Any] = {}
        self._filterable: dict[object, dict[str, Column]] = {}
        self.created, self.updated, self.deleted = own_events(name, spec)

    def keep(self, key: object, value: object) -> None:
        """Remember what was worked out from this version's table for a kind of caller; it never goes stale."""
        if len(self.kept) >= _MAX_KEPT:
            self.kept.clear()
        self.kept[key] = value

    def relation(self, physical: str) -> sql.Composable:
        """A table of the schema by its physical name."""
        return sql.Identifier(self.module.schema, physical)

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Every field with its kind; created_by is a text such as usr_…, a file is JSON."""
        found = {**SYSTEM_COLUMNS, **all_columns(self.module.manifest, self.spec), "created_by": Column(Kind.TEXT)}
        for name, field in self.spec.fields.items():
            if field.type in ("file", "files"):
                found[name] = Column(Kind.JSON)
        return found

    @cached_property
    def formulas(self) -> Mapping[str, Formula]:
        return formulas_of(self.module.manifest, self.spec)

    @cached_property
    def rules(self) -> Rules:
        """The table's conditions, for validation."""
        return Rules.of(self.spec, self.columns)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.spec.fields.items() if isinstance(field, SecretField))

    @cached_property
    def user_fields(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.spec.fields.items() if isinstance(field, UserField))

    @cached_property
    def above_fields(self) -> tuple[str, ...]:
        """The fields by which views put records of this table below each other: no record may be above itself."""
        views = self.module.manifest.views.values()
        return tuple({view.parent: None for view in views if isinstance(view, TreeView) and view.table == self.name})

    @cached_property
    def file_fields(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.spec.fields.items() if field.type in ("file", "files"))

    def visible(self, access: Access) -> dict[str, FieldSpec]:
        """The fields a caller may see, in the manifest's order."""
        return {name: field for name, field in self.spec.fields.items() if access.sees(self.name, name, field)}

    def search_fields(self, access: Access) -> tuple[str, ...]:
        """The fields q looks into for this caller; one it may not see must not answer by being found."""
        return tuple(
            name for name, field in self.visible(access).items() if field.search and self.layout.search_column(name)
        )

    def system(self, access: Access) -> tuple[str, ...]:
        """The server's own fields a caller may see; who made a record is not told to visitors."""
        hidden = {"created_by"} if access.surface is Surface.PUBLIC or access.foreign is not None else set()
        return tuple(name for name in SYSTEM_COLUMNS if name not in hidden)

    def filterable(self, access: Access) -> dict[str, Column]:
        """What a caller may filter and sort by: what it sees, and never a secret."""
        found = self._filterable.get(access.view)
        if found is None:
            seen = (name for name, field in self.visible(access).items() if field.type != "secret")
            names = {*self.system(access), *seen}
            found = {name: column for name, column in self.columns.items() if name in names}
            if len(self._filterable) > _MAX_VIEWS:  # a manifest's few roles make few; consents may differ by site
                self._filterable.clear()
            self._filterable[access.view] = found
        return found

    # -- SQL

    def value(self, name: str, alias: str = "t") -> sql.Composable:
        """The value of a field in its own type, of the row called `alias`."""
        column = self.layout.column(name)
        if column is not None:
            return sql.Identifier(alias, column.name)
        field = self.spec.fields[name]
        if isinstance(field, RefsField):
            return self._linked(name, "coalesce(array_agg(l.target_id ORDER BY l.position), '{{}}')", alias)
        if isinstance(field, RollupField):
            return self._rollup(field, alias)
        return q("({})", self.formulas[name].to_sql(lambda used: self.value(used, alias)))

    def json(self, name: str, alias: str = "t") -> sql.Composable:
        """The value of a field as it stands in an answer."""
        field = self.spec.fields.get(name)
        if isinstance(field, RefsField):
            return self._linked(name, "coalesce(json_agg(l.target_id ORDER BY l.position), '[]')", alias)
        value = self.value(name, alias)
        if isinstance(field, SecretField):
            return q("json_build_object('set', {} IS NOT NULL)", value)
        if field is not None and field.type == "tags":
            return q("coalesce({}, '{{}}')", value)
        if field is not None and field.type == "files":
            return q("coalesce({}, '[]'::jsonb)", value)
        if self.columns[name].kind is Kind.DATETIME:
            return q("to_char({} AT TIME ZONE 'UTC', {})", value, sql.Literal(RFC3339))
        return value

    def _linked(self, name: str, body: str, alias: str) -> sql.Composable:
        link = self.layout.link(name)
        assert link is not None
        return q(
            "(SELECT {body} FROM {link} l WHERE l.site_id = {site} AND l.record_id = {id})",
            body=q(body),
            link=self.relation(link.name),
            site=sql.Identifier(alias, "site_id"),
            id=sql.Identifier(alias, "id"),
        )

    def _rollup(self, field: RollupField, alias: str) -> sql.Composable:
        other = self.module.tables[field.of_table]
        inner = f"{alias}r"
        via = field.via or next(name for name, ref in other.spec.refs.items() if ref.to == self.name)
        what = other.value(field.of_field, inner) if field.of_field else None
        where = (
            to_sql_literal(other.condition(field.where), lambda name: other.value(name, inner))
            if field.where
            else sql.SQL("TRUE")
        )
        return q(
            "(SELECT {what} FROM {table} {inner} WHERE {site} = {own_site} AND {via} = {own_id} AND {where})",
            what=_combined(field.fn, what, self.columns_of_rollup(field)),
            table=other.sql,
            inner=sql.Identifier(inner),
            site=sql.Identifier(inner, "site_id"),
            own_site=sql.Identifier(alias, "site_id"),
            via=other.value(via, inner),
            own_id=sql.Identifier(alias, "id"),
            where=where,
        )

    def columns_of_rollup(self, field: RollupField) -> Kind:
        """The kind of what a rollup gives."""
        if field.fn == "count" or field.of_field is None:
            return Kind.INTEGER
        return Kind.DECIMAL if field.fn == "avg" else self.module.tables[field.of_table].columns[field.of_field].kind

    def condition(self, data: Mapping[str, object]) -> Condition:
        """A condition of the manifest over this table's fields."""
        return parse_condition(data, self.columns)

    def expand_target(self, name: str) -> TableModel | None:
        """The table a reference leads to; None when the field is no reference."""
        field = self.spec.fields.get(name)
        return self.module.tables[field.to] if isinstance(field, (RefField, RefsField)) else None


def _combined(fn: str, what: sql.Composable | None, kind: Kind) -> sql.Composable:
    if what is None or fn == "count":
        return sql.SQL("count(*)") if what is None else q("count({})", what)
    if fn == "sum":
        return q("coalesce(sum({}), 0)::{}", what, sql.SQL("numeric" if kind is Kind.DECIMAL else "bigint"))
    if fn == "avg":
        return q("trim_scale(round(avg({}), 10))", what)
    return q("min({})" if fn == "min" else "max({})", what)


_models: dict[str, ModuleModel] = {}
_lock = Lock()


def model_of(context: InstallContext) -> ModuleModel:
    """The model of an install's version; shared by all sites that have the same version."""
    key = f"{context.short_id}:{context.layout_key}"
    found = _models.get(key)
    if found is None:
        found = ModuleModel(context)
        with _lock:
            _models[key] = found
            while len(_models) > _MAX_MODELS:
                _models.pop(next(iter(_models)))
    return found
