"""Records below each other: the tops of a tree, the way up from some of its records, and that nothing is above itself.

A tree is what a caller may see of a table and a condition holds: who may not see a record, or whose view leaves it out,
finds what is below it at the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from psycopg import sql

from app.modules.conditions import All
from app.runtime.data import keyset
from app.runtime.data.access import Access
from app.runtime.data.compile import Statement, as_json, cached, document, filters
from app.runtime.data.model import TableModel
from app.runtime.data.shapes import shape_of, values_of
from app.runtime.data.sqltext import PARAM, q
from app.runtime.query import Query

MOST_LEVELS = 50
"""How far up lineage_statement() goes. A circle that was there before the rule against it ends there, too."""


def tops_statement(model: TableModel, access: Access, site_id: UUID, query: Query, by: str) -> Statement:
    """Rows as list_statement() gives them: what the query finds that is below nothing, or below what it does not find."""
    keys = keyset.keys_of(model, query.sort)
    # a reference always leads to a record of the site: where all of them are found, only those without one are tops
    all_found = query.where == All(()) and not access.own_only(model.module.manifest, model.name)

    def build() -> sql.Composable:
        above = q(
            "NOT EXISTS (SELECT FROM {table} p WHERE p.id = {by} AND {filters})",
            table=model.sql, by=model.value(by), filters=filters(model, access, query.where, alias="p"),
        )  # fmt: skip
        return q(
            "SELECT {doc}::text, {texts} FROM {table} t WHERE {filters} AND {top} ORDER BY {order} LIMIT {limit}",
            doc=as_json(document(model, access, query.fields, query.expand)),
            texts=keyset.texts_sql(keys),
            table=model.sql,
            filters=filters(model, access, query.where),
            top=q("{} IS NULL", model.value(by)) if all_found else above,
            order=keyset.order_sql(keys),
            limit=sql.Literal(query.limit + 1),
        )

    shape = ("tops", access.view, query.fields, query.expand, shape_of(query.where), query.sort, query.limit, by)
    found = [site_id, *values_of(query.where)]
    return cached(model, shape, build), found if all_found else [*found, *found]


def lineage_statement(
    model: TableModel, access: Access, site_id: UUID, query: Query, by: str, ids: Sequence[UUID]
) -> Statement:
    """Rows (document text) of these records and of all that is above them, as far as the query finds them, in its order."""
    keys = keyset.keys_of(model, query.sort)

    def build() -> sql.Composable:
        found = filters(model, access, query.where)
        return q(
            "WITH RECURSIVE up (id, above, level) AS ("
            "SELECT t.id, {by}, 0 FROM {table} t WHERE {found} AND t.id = ANY({p}::uuid[]) "
            "UNION SELECT t.id, {by}, up.level + 1 FROM up JOIN {table} t ON t.id = up.above "
            "WHERE {found} AND up.level < {most}) "
            "SELECT {doc}::text FROM {table} t WHERE t.site_id = {p}::uuid AND t.id IN (SELECT id FROM up) ORDER BY {order}",
            by=model.value(by),
            table=model.sql,
            found=found,
            p=PARAM,
            most=sql.Literal(MOST_LEVELS),
            doc=as_json(document(model, access, query.fields, query.expand)),
            order=keyset.order_sql(keys),
        )

    shape = ("lineage", access.view, query.fields, query.expand, shape_of(query.where), query.sort, by)
    where = [site_id, *values_of(query.where)]
    return cached(model, shape, build), [*where, list(ids), *where, site_id]


def lock_statement(model: TableModel, site_id: UUID) -> Statement:
    """One change after the other of what is above what: two that are sound each alone can make a circle together."""
    text = "SELECT pg_advisory_xact_lock(hashtextextended('trees:' || $1::text || $2::text, 0))"
    return text, [f"{model.module.schema}.{model.name}:", str(site_id)]


def below_statement(model: TableModel, site_id: UUID, by: str, record_id: UUID, above: UUID) -> Statement:
    """One row: whether a record is itself the one, or above the one, that it is to be put below. Whoever may see them."""

    def build() -> sql.Composable:
        return q(
            "WITH RECURSIVE up (id) AS (SELECT {p}::uuid UNION SELECT {by} FROM up JOIN {table} t ON t.id = up.id "
            "WHERE t.site_id = {p}::uuid AND {by} IS NOT NULL) SELECT EXISTS (SELECT FROM up WHERE id = {p}::uuid)",
            p=PARAM, by=model.value(by), table=model.sql,
        )  # fmt: skip

    return cached(model, ("below", by), build), [above, site_id, record_id]


def circles_statement(model: TableModel, site_id: UUID, by: str, ids: Sequence[UUID]) -> Statement:
    """One row: whether any of these records is above itself."""

    def build() -> sql.Composable:
        return q(
            "WITH RECURSIVE up (id, above) AS ("
            "SELECT t.id, {by} FROM {table} t WHERE t.site_id = {p}::uuid AND t.id = ANY({p}::uuid[]) AND {by} IS NOT NULL "
            "UNION SELECT up.id, {by} FROM up JOIN {table} t ON t.id = up.above "
            "WHERE t.site_id = {p}::uuid AND {by} IS NOT NULL) SELECT EXISTS (SELECT FROM up WHERE id = above)",
            p=PARAM, by=model.value(by), table=model.sql,
        )  # fmt: skip

    return cached(model, ("circles", by), build), [site_id, list(ids), site_id]
