"""What a module asks of its tables, as statements: by its screens, dashboards, reports and pages, and by functions in its tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.access.actors import SYSTEM, Actor
from app.modules.conditions import All, Condition, Test, fields_of, matches
from app.modules.kinds import Kind
from app.modules.manifest import Manifest
from app.modules.manifest.views import DashboardView, ListCard, ReportView, TableCard, sort_keys
from app.modules.package import Package
from app.runtime.acceptance.scratch import Scratch
from app.runtime.data import Access, Surface
from app.runtime.data.compile import count_statement, list_statement
from app.runtime.data.model import TableModel, model_of
from app.runtime.data.shapes import shape_of
from app.runtime.data.wire import Statement
from app.runtime.functions.asked import Question
from app.runtime.pages.data import page_statements
from app.runtime.pages.view import SERVED
from app.runtime.query import Query, Sort

PER_PAGE = 50
_STAFF = Access(Surface.STAFF, Actor("person", name="Ada"))
_FUNCTION = Access(Surface.FUNCTION, SYSTEM)
_READS = re.compile(r"\bdb\b")
_INDEXABLE = frozenset(Kind) - {Kind.LIST, Kind.JSON}
_EXAMPLES: dict[Kind, Any] = {
    Kind.TEXT: "harbour", Kind.INTEGER: 17, Kind.DECIMAL: "17.5", Kind.BOOLEAN: True, Kind.DATE: "2026-03-04",
    Kind.TIME: "09:30", Kind.DATETIME: "2026-03-04T09:30:00Z", Kind.DURATION: 900,
    Kind.UUID: "019b0000-0000-7000-8000-000000000001",
}  # fmt: skip
_DAYS = {
    Kind.DATE: ("2026-03-01", "2026-04-01"),
    Kind.DATETIME: ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing the module asks. where: in words, for people; equal, then order: the fields that an index would need.

    figures: it counts or adds up what it finds, and so goes through all of that by its nature.
    """

    table: str
    where: str
    path: str
    statement: Statement
    equal: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    figures: bool = False


def questions(scratch: Scratch, heard: Sequence[Question] = ()) -> Iterator[Asked]:
    """All that can be known of it. heard: what its functions asked in its acceptance tests."""
    yield from of_screens(scratch)
    yield from of_dashboards(scratch)
    yield from of_pages(scratch)
    yield from of_functions(scratch, heard)


def of_screens(scratch: Scratch) -> Iterator[Asked]:
    """Lists of staff with their order and each of their filters; the figures of reports, where they are narrowed."""
    manifest, tables = scratch.context.manifest, model_of(scratch.context).tables
    for name, view in manifest.views.items():
        if isinstance(view, DashboardView) or view.type in ("detail", "form"):
            continue
        if isinstance(view, ReportView):
            yield from _of_report(scratch, name, view)
            continue
        model, keys = tables[view.table], sort_keys(getattr(view, "sort", None)) or ("-created_at",)
        base = model.condition(view.where) if view.where else All(())
        yield _list(scratch, model, base, keys, f"the list of the screen {name}", f"views.{name}")
        if begins := getattr(view, "from_", None):
            days = model.condition({begins: dict(zip(("gte", "lt"), _DAYS[model.columns[begins].kind], strict=True))})
            what, both = f"the days of the screen {name}", All((*_parts(base), days))
            yield _list(scratch, model, both, (begins,), what, f"views.{name}.from")
        for field in getattr(view, "filters", ()):
            if (test := _test_of(model, field, base)) is not None:
                both = All((*_parts(base), test))
                what = f"the screen {name} filtered by {field}"
                yield _list(scratch, model, both, keys, what, f"views.{name}.filters")


def _of_report(scratch: Scratch, name: str, view: ReportView) -> Iterator[Asked]:
    model = model_of(scratch.context).tables[view.table]
    base = model.condition(view.where) if view.where else All(())
    if view.where:
        yield _figures(scratch, model, base, f"the report {name}", f"views.{name}.where")
    for field in view.filters:
        if (test := _test_of(model, field, base)) is not None:
            both = All((*_parts(base), test))
            yield _figures(scratch, model, both, f"the report {name} filtered by {field}", f"views.{name}.filters")


def of_dashboards(scratch: Scratch) -> Iterator[Asked]:
    """Lists on cards, and figures that are narrowed."""
    tables = model_of(scratch.context).tables
    for name, view in scratch.context.manifest.views.items():
        for number, card in enumerate(view.cards if isinstance(view, DashboardView) else ()):
            model, path = tables[card.of], f"views.{name}.cards[{number}]"
            where = model.condition(card.where) if card.where else All(())
            what = f"card {number + 1} of the dashboard {name}"
            if isinstance(card, ListCard | TableCard):
                keys = sort_keys(card.sort) or ("-created_at",)
                yield _list(scratch, model, where, keys, what, path, limit=card.limit)
            elif card.where:
                yield _figures(scratch, model, where, what, path)


def of_pages(scratch: Scratch) -> Iterator[Asked]:
    """The sources of pages."""
    manifest, tables = scratch.context.manifest, model_of(scratch.context).tables
    for name, page in manifest.pages.items():
        if page.kind not in SERVED:
            continue
        for (source, spec), statement in zip(page.data.items(), page_statements(scratch.context, page), strict=True):
            equal = _equal(tables[spec.table].condition(spec.where)) if spec.where else ()
            order = tuple(key.removeprefix("-") for key in sort_keys(spec.sort))
            yield Asked(
                spec.table, f"the data of the page {name}", f"pages.{name}.data.{source}", statement, equal, order
            )


def of_functions(scratch: Scratch, heard: Sequence[Question]) -> Iterator[Asked]:
    """What functions asked in the tests, each shape of a question once."""
    tables, told = model_of(scratch.context).tables, set[object]()
    for one in heard:
        shape = (one.function, one.call == "find", one.table, shape_of(one.where), one.sort)
        if shape in told or (one.call != "find" and one.where == All(())):
            continue
        told.add(shape)
        model, what = tables[one.table], f"a {one.call} of the function {one.function}"
        path = f"functions.{one.function}"
        if one.call == "find":
            keys = [f"-{key.field}" if key.descending else key.field for key in one.sort]
            yield _list(scratch, model, one.where, keys, what, path, access=_FUNCTION, limit=one.limit)
        else:
            yield _figures(scratch, model, one.where, what, path)


def figures_over_all(manifest: Manifest) -> int:
    """How many reports and cards go through all records: nothing narrows them."""
    cards = [card for view in manifest.views.values() if isinstance(view, DashboardView) for card in view.cards]
    whole = [card for card in cards if not isinstance(card, ListCard | TableCard) and not card.where]
    reports = [view for view in manifest.views.values() if isinstance(view, ReportView) and not view.where]
    return len(whole) + len(reports)


def unheard(package: Package, heard: Sequence[Question]) -> list[str]:
    """Functions whose source reads records and that asked nothing in the tests."""
    spoke = {one.function for one in heard}
    return [
        name
        for name, function in package.manifest.functions.items()
        if name not in spoke and _READS.search(package.functions.get(function.file, ""))
    ]


def _list(
    scratch: Scratch, model: TableModel, where: Condition, keys: Sequence[str], what: str, path: str, *,
    access: Access = _STAFF, limit: int = PER_PAGE,
) -> Asked:  # fmt: skip
    sort = tuple(map(Sort.of, keys))
    statement = list_statement(model, access, scratch.context.site_id, Query(where=where, sort=sort, limit=limit))
    return Asked(model.name, what, path, statement, _equal(where), tuple(key.field for key in sort))


def _figures(scratch: Scratch, model: TableModel, where: Condition, what: str, path: str) -> Asked:
    statement = count_statement(model, _FUNCTION, scratch.context.site_id, where)
    return Asked(model.name, what, path, statement, _equal(where), figures=True)


def _test_of(model: TableModel, field: str, base: Condition) -> Condition | None:
    """`field` equal to some value that the screen itself lets in; None where nothing could lead to it (a list, JSON)."""
    column = model.columns.get(field)
    if column is None or column.kind not in _INDEXABLE or model.layout.column(field) is None:
        return None
    own = [part for part in _parts(base) if fields_of(part) == {field}]
    options = [one for one in column.options if all(matches(part, {field: one}) for part in own)]
    value = options[0] if options else _EXAMPLES[column.kind]
    return None if column.options and not options else model.condition({field: value})


def _parts(where: Condition) -> tuple[Condition, ...]:
    return where.parts if isinstance(where, All) else (where,)


def _equal(where: Condition) -> tuple[str, ...]:
    """The fields that must have one value: they come first in an index."""
    return tuple(part.field for part in _parts(where) if isinstance(part, Test) and part.op == "eq")
