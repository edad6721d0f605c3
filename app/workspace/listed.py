"""Cards that list the first records, as a list of titles or as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.modules.manifest.views import sort_keys
from app.runtime.data.reads import Answers
from app.runtime.query import Query, Sort
from app.workspace.cells import RIGHT, Cell, cell, kind_of, title
from app.workspace.counted import Plan, Titles, where_of
from app.workspace.desk import Desk
from app.workspace.labels import field_label, many
from app.workspace.listing import expandable


@dataclass(frozen=True, slots=True)
class Rows:
    """Records. columns: (label, whether it is a number); rows: (record id, title, cells); nouns: what they are called."""

    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]
    nouns: str
    more: bool


def rows(desk: Desk, card: Any) -> Plan:
    """Asks for the first records; a list says what they are called anyway, a table where its columns do."""
    table, spec = card.of, desk.table(card.of)
    as_table = hasattr(card, "table")
    names = card.table if as_table else tuple(name for name in card.list if name != spec.title_field)
    sort = tuple(map(Sort.of, sort_keys(card.sort)))
    query = Query(
        where=where_of(desk, card),
        sort=sort or (Sort("created_at", descending=True),),
        limit=card.limit,
        expand=expandable(desk, table, names),
    )

    def draw(answers: Answers, titles: Titles) -> Rows:
        page: Any = answers[0]
        return Rows(
            columns=tuple((field_label(spec, name), kind_of(desk, table, name) in RIGHT) for name in names),
            rows=tuple(
                (row["id"], title(desk, table, row), tuple(cell(desk, table, name, row) for name in names))
                for row in page.records
            ),
            nouns=many(desk.manifest, table),
            more=page.has_more,
        )

    return [(table, query)], draw
