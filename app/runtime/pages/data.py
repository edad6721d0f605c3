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
    module = model_of(context)
    statements = [
        list_statement(
            module.tables[source.table], _ACCESS, context.site_id, _query(module.tables[source.table], source)
        )
        for source in page.data.values()
    ]
    found = send(Scope.of(context, visitor, uuid7()), statements)
    return {
        name: [json.loads(row[0]) for row in rows[: source.limit]]
        for (name, source), rows in zip(page.data.items(), found, strict=True)
    }


def _query(model: TableModel, source: PageData) -> Query:
    keys = sort_keys(source.sort)
    return Query(
        where=model.condition(source.where) if source.where else All(()),
        sort=tuple(Sort(key.removeprefix("-"), key.startswith("-")) for key in keys),
        limit=source.limit,
        fields=tuple(source.fields) if source.fields is not None else open_fields(model),
    )


def open_fields(model: TableModel) -> tuple[str, ...]:
    """The fields of a table that are neither private nor secret, and the server's own that visitors may see."""
    own = [name for name, field in model.spec.fields.items() if not field.private and field.type != "secret"]
    return (*own, *(name for name in model.system(_ACCESS) if name not in _HIDDEN))
