"""Reads as statements: text cached per shape, parameters beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import sql

from app.modules.conditions import Condition, to_sql
from app.modules.kinds import SQL_TYPES, Kind
from app.modules.manifest.fields import RefsField
from app.runtime.data import keyset
from app.runtime.data.access import READ, Access
from app.runtime.data.model import RFC3339, TableModel
from app.runtime.data.shapes import shape_of, values_of
from app.runtime.data.sqltext import PARAM, commas, q, render
from app.runtime.query import GROUPS_OF, Aggregation, Figure, Group, Metric, Query

Statement = tuple[str, list[Any]]
MAX_SHAPES = 2000


def cached(model: TableModel, key: object, build: Callable[[], sql.Composable]) -> str:
    """The text of a shape, built when first asked for."""
    statements = model.module.statements
    found = statements.get((model.name, key))
    if found is None:
        found = render(build())
        if len(statements) >= MAX_SHAPES:
            statements.clear()
        statements[(model.name, key)] = found
    return found


# -- documents


def document(
    model: TableModel,
    access: Access,
    fields: tuple[str, ...] | None = None,
    expand: tuple[str, ...] = (),
    alias: str = "t",
    given: Mapping[str, sql.Composable] | None = None,
) -> sql.Composable:
    """The select list of a record as this caller sees it, under its names. given: other SQL for some fields."""
    parts: list[sql.Composable] = []
    system = model.system(access)
    visible = model.visible(access)
    names = ["id", *visible, *(name for name in system if name != "id")]
    for name in names:
        if fields is not None and name not in fields and name != "id":
            continue
        if given and name in given:
            value = given[name]
        else:
            value = _value(model, access, name, alias, expand)
        parts.append(q("{} AS {}", value, sql.Identifier(name)))
    return commas(parts)


def _value(model: TableModel, access: Access, name: str, alias: str, expand: tuple[str, ...]) -> sql.Composable:
    if name in expand:
        return expanded(model, access, name, alias)
    sealed = access.opens_secrets and alias == "t" and name in model.secrets
    return model.value(name, alias) if sealed else model.json(name, alias)


def as_json(select: sql.Composable) -> sql.Composable:
    """One record of a select list without FROM."""
    return q("(SELECT row_to_json(d) FROM (SELECT {}) d)", select)


def expanded(model: TableModel, access: Access, name: str, alias: str) -> sql.Composable:
    """The record, or list of records, in the place of a reference; null when the caller may not see that one."""
    target = model.expand_target(name)
    assert target is not None
    inner = f"{alias}e"
    fields = document(target, access, alias=inner)
    rows = own_rows(target, access, inner)
    here = {
        "site": sql.Identifier(alias, "site_id"),
        "inner": sql.Identifier(inner),
        "target": target.sql,
        "rows": rows,
    }
    there = {"there": sql.Identifier(inner, "site_id"), "id": sql.Identifier(inner, "id"), "fields": fields}
    if not isinstance(model.spec.fields[name], RefsField):
        return q(
            "(SELECT row_to_json(d) FROM (SELECT {fields} FROM {target} {inner} "
            "WHERE {there} = {site} AND {id} = {ref} AND {rows}) d)",
            ref=model.value(name, alias), **here, **there,
        )  # fmt: skip
    link = model.layout.link(name)
    assert link is not None
    return q(
        "(SELECT coalesce(json_agg(row_to_json(d)), '[]') FROM (SELECT {fields} FROM {link} l JOIN {target} {inner} "
        "ON {there} = l.site_id AND {id} = l.target_id WHERE l.site_id = {site} AND l.record_id = {own} AND {rows} "
        "ORDER BY l.position) d)",
        link=model.relation(link.name), own=sql.Identifier(alias, "id"), **here, **there,
    )  # fmt: skip


def own_rows(model: TableModel, access: Access, alias: str = "t") -> sql.Composable:
    """Which records the caller may touch at all: every one, or those it made or is a user of."""
    if not access.own_only(model.module.manifest, model.name):
        return sql.SQL("TRUE")
    mine = [q("{} = current_setting('app.actor', true)", sql.Identifier(alias, "created_by"))]
    mine += [
        q("{} = nullif(current_setting('app.person', true), '')::uuid", model.value(name, alias))
        for name in model.user_fields
    ]
    return q("({})", sql.SQL(" OR ").join(mine))


# -- statements


def get_statement(model: TableModel, access: Access, record_id: UUID, site_id: UUID, query: Query) -> Statement:
    """One row (document text, version), or none."""

    def build() -> sql.Composable:
        return q(
            "SELECT {doc}::text, t.version FROM {table} t WHERE t.site_id = {p}::uuid AND t.id = {p}::uuid AND {rows}",
            doc=as_json(document(model, access, query.fields, query.expand)),
            table=model.sql, p=PARAM, rows=own_rows(model, access),
        )  # fmt: skip

    key = ("get", access.view, query.fields, query.expand)
    return cached(model, key, build), [site_id, record_id]


def list_statement(model: TableModel, access: Access, site_id: UUID, query: Query) -> Statement:
    """Rows (document text, each sort key as text) in order: one more than the limit when there are more."""
    keys = keyset.keys_of(model, query.sort)
    after = keyset.decode_cursor(query.cursor, keys, keyset.fingerprint(model, query)) if query.cursor else None
    nulls = tuple(value is None for value in after) if after is not None else None

    def build() -> sql.Composable:
        return q(
            "SELECT {doc}::text, {texts} FROM {table} t WHERE {filters} AND {after} ORDER BY {order} LIMIT {limit}",
            doc=as_json(document(model, access, query.fields, query.expand)),
            texts=keyset.texts_sql(keys),
            table=model.sql,
            filters=filters(model, access, query.where, len(query.q.split())),
            after=keyset.after_sql(keys, nulls) if nulls is not None else sql.SQL("TRUE"),
            order=keyset.order_sql(keys),
            limit=sql.Literal(query.limit + 1),  # a parameter would keep PostgreSQL planning at every call
        )

    words = query.q.split()
    shape = (
        "list",
        access.view,
        query.fields,
        query.expand,
        shape_of(query.where),
        len(words),
        query.sort,
        nulls,
        query.limit,
    )
    values = [site_id, *values_of(query.where), *_word_values(model, access, words)]
    if after is not None:
        values += keyset.after_values(keys, after)
    return cached(model, shape, build), values


def groups_statement(
    model: TableModel, access: Access, site_id: UUID, query: Query, by: str, values: Sequence[Any]
) -> Statement:
    """Rows (place in `values` from 1, document text, each sort key as text): those of each value of `by` in order, one more
    than the limit when there are more. An index over (site, by, order) answers each value by itself."""
    keys, words = keyset.keys_of(model, query.sort), query.q.split()

    def build() -> sql.Composable:
        texts = [q("{}::text AS {}", key.value, sql.Identifier(f"k{n}")) for n, key in enumerate(keys)]
        return q(
            "SELECT g.place, d.doc, {shown} FROM unnest({p}::{kind}[]) WITH ORDINALITY AS g(value, place) CROSS JOIN LATERAL "
            "(SELECT {doc}::text AS doc, row_number() OVER (ORDER BY {order}) AS n, {texts} FROM {table} t "
            "WHERE {filters} AND {by} = g.value ORDER BY {order} LIMIT {limit}) d ORDER BY g.place, d.n",
            shown=commas([sql.Identifier("d", f"k{n}") for n in range(len(keys))]),
            p=PARAM,
            kind=sql.SQL(SQL_TYPES[model.columns[by].kind]),
            doc=as_json(document(model, access, query.fields, query.expand)),
            texts=commas(texts),
            table=model.sql,
            filters=filters(model, access, query.where, len(words)),
            by=model.value(by),
            order=keyset.order_sql(keys),
            limit=sql.Literal(query.limit + 1),
        )

    shape = (
        "groups",
        access.view,
        query.fields,
        query.expand,
        shape_of(query.where),
        len(words),
        query.sort,
        query.limit,
        by,
    )
    given = [list(values), site_id, *values_of(query.where), *_word_values(model, access, words)]
    return cached(model, shape, build), given


def count_statement(model: TableModel, access: Access, site_id: UUID, where: Condition, text: str = "") -> Statement:
    """One row with the exact number of records."""
    words = text.split()

    def build() -> sql.Composable:
        return q("SELECT count(*) FROM {} t WHERE {}", model.sql, filters(model, access, where, len(words)))

    key = ("count", access.view, shape_of(where), len(words))
    return cached(model, key, build), [site_id, *values_of(where), *_word_values(model, access, words)]


def aggregate_statement(
    model: TableModel, access: Access, site_id: UUID, query: Aggregation, time_zone: str
) -> Statement:
    """One row: the JSON array of the groups, in the order of their keys or as `query.first` says."""
    words = query.q.split()
    zoned = sum(1 for group in query.group if _zoned(model, group))

    def build() -> sql.Composable:
        groups = [q("{} AS {}", _group_sql(model, one), sql.Identifier(one.key)) for one in query.group]
        metrics = [q("{} AS {}", _metric_sql(model, one), sql.Identifier(one.key)) for one in query.metrics]
        keys = [sql.Identifier(one.key) for one in query.group]
        found = q(
            "SELECT {columns} FROM {table} t WHERE {filters}{grouped}",
            columns=commas([*groups, *metrics]),
            table=model.sql,
            filters=filters(model, access, query.where, len(words)),
            grouped=q(" GROUP BY " + ", ".join(str(number + 1) for number in range(len(keys))))
            if keys
            else sql.SQL(""),
        )
        ordered = _first_of_each(query, keys, found) if query.each else q("SELECT * FROM ({}) g", found)
        places = [q(str(number + 1)) for number in range(len(keys) + 1)]  # a field may be called as a number is
        order = q(" ORDER BY {}", _group_order(query, places[:-1], places[-1])) if keys else sql.SQL("")
        return q(
            "SELECT coalesce(json_agg(row_to_json(d)), '[]')::text FROM ({}{} LIMIT {}) d",
            ordered, order, sql.Literal(query.limit),
        )  # fmt: skip

    how = (query.group, query.metrics, query.limit, query.first, query.each)
    key = ("aggregate", access.view, how, shape_of(query.where), len(words))
    values = [*[time_zone] * zoned, site_id, *values_of(query.where), *_word_values(model, access, words)]
    return cached(model, key, build), values


def _group_order(query: Aggregation, keys: Sequence[sql.Composable], number: sql.Composable) -> sql.Composable:
    """The order of groups. number: their first one."""
    leading = {
        "largest": [q("{} DESC NULLS LAST", number)],
        "smallest": [q("{} NULLS LAST", number)],
        "latest": [q("{} DESC NULLS LAST", keys[-1])],
    }
    return commas([*leading.get(query.first, []), *keys])


def _first_of_each(query: Aggregation, keys: Sequence[sql.Composable], found: sql.Composable) -> sql.Composable:
    """The first groups of the last key for each group of the keys before it."""
    within = q("PARTITION BY {} ", commas(keys[:-1])) if keys[1:] else sql.SQL("")
    names = [*keys, *(sql.Identifier(metric.key) for metric in query.metrics), sql.Identifier(GROUPS_OF)]
    return q(
        'SELECT {names} FROM (SELECT g.*, count(*) OVER ({within}) AS {groups}, row_number() OVER ({within}ORDER BY {order}) AS '
        '"/place" FROM ({found}) g) g WHERE "/place" <= {each}',
        names=commas(names), within=within, groups=sql.Identifier(GROUPS_OF), found=found,
        order=_group_order(query, keys, sql.Identifier(query.metrics[0].key)),
        each=sql.Literal(query.each),
    )  # fmt: skip


def filters(model: TableModel, access: Access, where: Condition, words: int = 0, *, alias: str = "t") -> sql.Composable:
    """Which records a query finds for this caller. words: of its text, each looked for in the table called t."""
    condition, _ = to_sql(where, lambda name: model.value(name, alias))
    parts: list[sql.Composable] = [q(f"{alias}.site_id = {{}}::uuid", PARAM), condition]
    # every word somewhere in a search field, in any case; row security has already narrowed the rows to the site
    parts += [_word_sql(model, access)] * words
    parts.append(own_rows(model, access, alias))
    return sql.SQL(" AND ").join(parts)


def _word_sql(model: TableModel, access: Access) -> sql.Composable:
    found = []
    for name in model.search_fields(access):
        column = model.layout.search_column(name)
        assert column is not None
        found.append(q("strpos({}, lower({}::text)) > 0", sql.Identifier("t", column.name), PARAM))
    return q("({})", sql.SQL(" OR ").join(found))


def _word_values(model: TableModel, access: Access, words: list[str]) -> list[str]:
    return [word for word in words for _ in model.search_fields(access)]


def _zoned(model: TableModel, group: Group) -> bool:
    return group.bucket not in ("", "hour") and model.columns[group.field].kind is Kind.DATETIME


def _group_sql(model: TableModel, group: Group) -> sql.Composable:
    if group.currency:
        own = q("nullif(btrim({}), '')", model.value(group.field))
        return q("upper(coalesce({}, {}))", own, sql.Literal(group.currency))
    if not group.bucket:
        return model.json(group.field)
    value = model.value(group.field)
    if _zoned(model, group):
        local = q("({} AT TIME ZONE {}::text)", value, PARAM)
    elif model.columns[group.field].kind is Kind.DATETIME:
        return q("to_char(date_trunc('hour', {} AT TIME ZONE 'UTC'), {})", value, sql.Literal(RFC3339))
    else:
        local = q("{}::timestamp", value)
    return q("date_trunc({}, {})::date", sql.Literal(group.bucket), local)


def _metric_sql(model: TableModel, metric: Metric | Figure) -> sql.Composable:
    if isinstance(metric, Figure):
        value = metric.aggregate.to_sql(lambda name: model.value(name))
        if metric.aggregate.result_type is Kind.DATETIME:
            return q("to_char({} AT TIME ZONE 'UTC', {})", value, sql.Literal(RFC3339))
        return value
    if not metric.field:
        return sql.SQL("count(*)")
    value = model.value(metric.field)
    if metric.fn == "sum":
        return q("coalesce(sum({}), 0)", value)
    if metric.fn == "avg":
        return q("trim_scale(round(avg({}), 10))", value)
    if metric.fn in ("min", "max") and model.columns[metric.field].kind is Kind.DATETIME:
        return q("to_char(" + metric.fn + "({}) AT TIME ZONE 'UTC', {})", value, sql.Literal(RFC3339))
    return q(metric.fn + "({})", value)


def readable_references(model: TableModel, access: Access) -> frozenset[str]:
    """The references a caller may expand: those to tables it may read."""
    manifest = model.module.manifest
    return frozenset(
        name
        for name in model.visible(access)
        if (target := model.expand_target(name)) is not None and access.can(manifest, target.name, READ)
    )
