"""The records a page shows: its declared sources, only their declared or open fields, all in one round trip."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from app.access.actors import Actor
from app.lib.ids import uuid7
from app.modules.conditions import All
from app.modules.manifest.pages import Page, PageData
from app.modules.manifest.views import sort_keys
from app.runtime.context import InstallContext
from app.runtime.data import Access, Surface
from app.runtime.data.compile import list_statement
from app.runtime.data.model import TableModel, model_of
from app.runtime.data.scoped import Rows, Scope, Statement, run
from app.runtime.query import Query, Sort

# The page itself says what visitors see of a table; the rights of the table are for the API and screens.
_ACCESS = Access(Surface.SYSTEM)
_HIDDEN = ("created_by", "version")


Send = Callable[[Scope, Sequence[Statement]], list[Rows]]


def page_data(
    context: InstallContext, page: Page, *, visitor: Actor, send: Send = run
) -> dict[str, list[dict[str, Any]]]:
    """{source name: records}, every source of the page. send: asks within a transaction, where records are on trial."""
    if not page.data:
        return {}
    found = send(Scope.of(context, visitor, uuid7()), page_statements(context, page))
    return {
        name: [json.loads(row[0]) for row in rows[: source.limit]]
        for (name, source), rows in zip(page.data.items(), found, strict=True)
    }


def page_statements(context: InstallContext, page: Page) -> list[Statement]:
    """What a page asks the database, one statement for each of its sources in their order."""
    tables = model_of(context).tables
    return [
        list_statement(tables[source.table], _ACCESS, context.site_id, _query(tables[source.table], source))
        for source in page.data.values()
    ]


def _query(model: TableModel, source: PageData) -> Query:
    return Query(
        where=model.condition(source.where) if source.where else All(()),
        sort=tuple(map(Sort.of, sort_keys(source.sort))),
        limit=source.limit,
        fields=tuple(source.fields) if source.fields is not None else open_fields(model),
    )


def open_fields(model: TableModel) -> tuple[str, ...]:
    """The fields of a table that are neither private nor secret, and the server's own that visitors may see."""
    own = [name for name, field in model.spec.fields.items() if not field.private and field.type != "secret"]
    return (*own, *(name for name in model.system(_ACCESS) if name not in _HIDDEN))
