"""Views, cards, the menu and pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.modules.expressions import FormulaInvalid, parse_aggregate
from app.modules.kinds import NUMBERS, SYSTEM_COLUMNS, Kind
from app.modules.manifest import views as v
from app.modules.manifest.checks.context import Checker, a
from app.modules.manifest.checks.values import check_default
from app.modules.manifest.pages import Page, Param
from app.modules.manifest.problems import did_you_mean
from app.modules.manifest.yamltext import Path

_STEPS = ("enum", "ref")
_GROUPS = ("enum", "ref", "user")
_MOMENTS = ("date", "datetime")
_NUMBERS = ("integer", "decimal", "money", "percent", "rating", "duration", "formula", "rollup")
_UNSHOWN = ("secret", "json")
_UNGROUPED = ("rollup", "secret", "richtext", "file", "files")
_BULK_NEEDS = {"assign": "user", "tag": "tags"}
_PARAM_KINDS = {
    "text": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.DECIMAL, "boolean": Kind.BOOLEAN,
    "color": Kind.TEXT, "date": Kind.DATE, "enum": Kind.TEXT,
}  # fmt: skip


def check_views(checker: Checker) -> None:
    """Every view and the menu."""
    for name, view in checker.manifest.views.items():
        path: Path = ("views", name)
        if isinstance(view, v.DashboardView):
            for index, card in enumerate(view.cards):
                _card(checker, card, (*path, "cards", index))
        elif checker.table(view.table, (*path, "table")) is not None:
            _view(checker, view, path)
    _menu(checker)


def _menu(checker: Checker) -> None:
    manifest = checker.manifest
    checker.duplicates(manifest.menu, ("menu",), "entry")
    for index, entry in enumerate(manifest.menu):
        if entry in manifest.views or entry in manifest.tables or checker.written("tables", entry):
            view = manifest.views.get(entry)
            if isinstance(view, (v.DetailView, v.FormView)):
                checker.report(("menu", index), f'"{entry}" shows one record and cannot be in the menu', "value")
            continue
        checker.known(entry, [*manifest.views, *manifest.tables], ("menu", index), "view", "views")


def _view(checker: Checker, view: Any, path: Path) -> None:
    checker.condition(view.where, view.table, (*path, "where"))
    for key in ("columns", "card", "fields", "filters"):
        _fields(checker, view.table, getattr(view, key, None), (*path, key))
    for key in ("main", "side"):
        _panels(checker, view.table, getattr(view, key, ()), (*path, key))
    _sort(checker, view.table, getattr(view, "sort", None), (*path, "sort"))
    match view:
        case v.BoardView():
            checker.typed_field(view.table, view.by, (*path, "by"), _STEPS)
            if view.sum:
                checker.typed_field(view.table, view.sum, (*path, "sum"), _NUMBERS)
        case v.CalendarView() | v.ResourcesView() | v.TimelineView():
            _times(checker, view, path)
        case v.FormView():
            _writable(checker, view.table, view.fields, (*path, "fields"))
        case v.TreeView():
            parent = checker.typed_field(view.table, view.parent, (*path, "parent"), ("ref",))
            if parent is not None and getattr(parent, "to", None) != view.table:
                checker.report((*path, "parent"), f'"{view.parent}" must be a ref to {view.table} itself', "field_type")
        case v.GalleryView():
            checker.typed_field(view.table, view.image, (*path, "image"), ("file", "files"))
        case v.MapView():
            checker.typed_field(view.table, view.at, (*path, "at"), ("geo",))
        case v.ListView():
            _bulk(checker, view, path)
        case v.ReportView():
            for index, key in enumerate(view.group):
                _group(checker, view.table, key, (*path, "group", index))
            for index, metric in enumerate(view.metrics):
                _aggregate(checker, view.table, metric, (*path, "metrics", index))


def _fields(checker: Checker, table: str, names: Iterable[str] | None, path: Path) -> None:
    names = list(names or ())
    checker.duplicates(names, path, "field")
    for index, name in enumerate(names):
        field = checker.field(table, name, (*path, index), system=True)
        if field is not None and field.type in _UNSHOWN:
            checker.report((*path, index), f'"{name}" is {a(field.type)} field, which is never shown', "field_type")


def _writable(checker: Checker, table: str, names: Iterable[str], path: Path) -> None:
    for index, name in enumerate(names):
        field = checker.manifest.tables[table].fields.get(name)
        if name in SYSTEM_COLUMNS or (field is not None and field.type in ("formula", "rollup", "number")):
            checker.report((*path, index), f'"{name}" is given by the server and cannot be filled in', "field_type")


def _panels(checker: Checker, table_name: str, panels: Iterable[Any], path: Path) -> None:
    table = checker.manifest.tables[table_name]
    for index, panel in enumerate(panels):
        place: Path = (*path, index)
        if isinstance(panel, v.Related):
            other = checker.table(panel.related, (*place, "related"))
            points_here = other and any(getattr(field, "to", None) == table_name for field in other.fields.values())
            if other is not None and not points_here:
                message = f'no ref field of {panel.related} points to "{table_name}"'
                checker.report((*place, "related"), message)
        elif panel == "timeline" and "timeline" not in table.fields:
            if not table.timeline:
                checker.report(place, f"{table_name} has no timeline; add timeline: true to the table")
        else:
            checker.field(table_name, panel, place, system=True)


def _sort(checker: Checker, table_name: str, sort: str | tuple[str, ...] | None, path: Path) -> None:
    for index, key in enumerate(v.sort_keys(sort)):
        place = path if isinstance(sort, str) else (*path, index)
        name = key.removeprefix("-")
        field = checker.field(table_name, name, place, system=True)
        if field is not None and (field.kind in (Kind.LIST, Kind.JSON) or field.type in ("rollup", "secret")):
            checker.report(place, f'"{name}" is {a(field.type)} field, which has no order', "field_type")


def _times(checker: Checker, view: Any, path: Path) -> None:
    start = checker.typed_field(view.table, view.from_, (*path, "from"), _MOMENTS)
    if view.to:
        end = checker.typed_field(view.table, view.to, (*path, "to"), _MOMENTS)
        if start is not None and end is not None and start.type != end.type:
            checker.report(
                (*path, "to"), f'"{view.to}" must be {a(start.type)} field like "{view.from_}"', "field_type"
            )
    if getattr(view, "by", None):
        groups = ("ref", "user") if isinstance(view, v.ResourcesView) else _GROUPS
        checker.typed_field(view.table, view.by, (*path, "by"), groups)
    if view.color:
        checker.typed_field(view.table, view.color, (*path, "color"), ("enum", "color"))


def _bulk(checker: Checker, view: v.ListView, path: Path) -> None:
    checker.duplicates(view.bulk, (*path, "bulk"), "action")
    types = {field.type for field in checker.manifest.tables[view.table].fields.values()}
    for index, action in enumerate(view.bulk):
        needed = _BULK_NEEDS.get(action)
        if needed and needed not in types:
            checker.report((*path, "bulk", index), f'"{action}" needs {a(needed)} field in {view.table}', "field_type")


def _group(checker: Checker, table_name: str, key: str, path: Path) -> None:
    name, _, period = key.partition("/")
    field = checker.field(table_name, name, path, system=True)
    if field is None and name not in SYSTEM_COLUMNS:
        return
    kind = field.kind if field is not None else SYSTEM_COLUMNS[name].kind
    if period and kind not in (Kind.DATE, Kind.DATETIME):
        checker.report(path, f'"{name}" is no date or datetime and has no {period}', "field_type")
    if kind in (Kind.LIST, Kind.JSON) or (field is not None and field.type in _UNGROUPED):
        checker.report(path, f'records cannot be grouped by "{name}"', "field_type")


def _aggregate(checker: Checker, table_name: str, text: str, path: Path, *, drawn: bool = False) -> None:
    """drawn: the figure is the height of something in a chart."""
    try:
        aggregate = parse_aggregate(text, checker.computed.all_columns(table_name))
    except FormulaInvalid as error:
        if not (error.near and checker.written("tables", table_name, "fields", error.near)):
            checker.report(path, error.message, "formula")
        return
    fields = checker.manifest.tables[table_name].fields
    for name in sorted(aggregate.fields_used):
        if name in fields and fields[name].type == "secret":
            checker.report(path, f'"{name}" is a secret field, which is never counted', "field_type")
    if drawn and aggregate.result_type not in (*NUMBERS, Kind.DURATION):
        checker.report(
            path, f"gives {a(aggregate.result_type)}, which cannot be drawn; it must give a number", "formula"
        )


def _card(checker: Checker, card: Any, path: Path) -> None:
    if checker.table(card.of, (*path, "of")) is None:
        return
    checker.condition(card.where, card.of, (*path, "where"))
    for key in ("number", "line", "bar"):
        if text := getattr(card, key, None):
            _aggregate(checker, card.of, text, (*path, key), drawn=key != "number")
    for key in ("list", "table"):
        _fields(checker, card.of, getattr(card, key, None), (*path, key))
    _sort(checker, card.of, getattr(card, "sort", None), (*path, "sort"))
    if by := getattr(card, "by", None):
        _group(checker, card.of, by, (*path, "by"))
        if isinstance(card, v.LineCard) and "/" not in by:
            checker.report((*path, "by"), f"a line needs a period, such as {by}/week", "value")
    if isinstance(card, v.FunnelCard):
        checker.typed_field(card.of, card.funnel, (*path, "funnel"), _STEPS)


def check_pages(checker: Checker) -> None:
    """Every page."""
    for name, page in checker.manifest.pages.items():
        path: Path = ("pages", name)
        endings = (".html", ".txt") if page.kind == "email" else (".html",)
        if not page.template.endswith(endings):
            checker.report(
                (*path, "template"), f'"{page.template}" must be an {" or ".join(endings)} file of templates/', "file"
            )
        _form(checker, page, path)
        for data_name, data in page.data.items():
            place: Path = (*path, "data", data_name)
            if checker.table(data.table, (*place, "table")) is not None:
                checker.condition(data.where, data.table, (*place, "where"))
                _public_fields(checker, data.table, data.fields or (), (*place, "fields"))
                _sort(checker, data.table, data.sort, (*place, "sort"))
        for param_name, param in page.params.items():
            _param(checker, param, (*path, "params", param_name))
        if page.modes and page.kind in ("email", "document"):
            checker.report((*path, "modes"), f"{a(page.kind)} cannot be embedded", "value")
        checker.duplicates(page.modes, (*path, "modes"), "mode")
        _after(checker, page, path)


def _form(checker: Checker, page: Page, path: Path) -> None:
    if page.kind != "form":
        for key, value in (("table", page.table), ("fields", page.fields), ("after", page.after)):
            if value is not None:
                checker.report((*path, key), f"only a page of kind: form has {key}", "value", key=True)
        return
    for key, value in (("table", page.table), ("fields", page.fields)):
        if value is None:
            checker.report((*path, key), "is required for a form", "required", key=True)
    if page.table is None or (table := checker.table(page.table, (*path, "table"))) is None or page.fields is None:
        return
    # a form may take a json field in: its inputs are named field.key
    shown = [name for name in page.fields if getattr(table.fields.get(name), "type", None) != "json"]
    _public_fields(checker, page.table, shown, (*path, "fields"))
    _writable(checker, page.table, page.fields, (*path, "fields"))
    for name, field in table.fields.items():
        if field.required and field.default is None and name not in page.fields:
            message = f"{page.table}.{name} is required but not in the form; add it, or fill it in before_create"
            checker.report((*path, "fields"), message, "required", severity="warning")


def _public_fields(checker: Checker, table: str, names: Iterable[str], path: Path) -> None:
    _fields(checker, table, names, path)
    for index, name in enumerate(names):
        field = checker.manifest.tables[table].fields.get(name)
        if field is not None and field.private:
            checker.report((*path, index), f'"{name}" is private and never on a public page', "field_type")


def _param(checker: Checker, param: Param, path: Path) -> None:
    if (param.type == "enum") != (param.options is not None):
        message = "an enum needs options" if param.type == "enum" else "only an enum has options"
        checker.report(path, message, "value")
    if param.default is not None:
        check_default(
            checker, _PARAM_KINDS[param.type], param.default, None, None, param.options or (), (*path, "default")
        )


def _after(checker: Checker, page: Page, path: Path) -> None:
    if page.after is None:
        return
    manifest = checker.manifest
    if page.after.emit and page.after.emit not in manifest.own_events:
        message = (
            f'no event "{page.after.emit}"{did_you_mean(page.after.emit, manifest.own_events) or "; add it to events"}'
        )
        checker.report((*path, "after", "emit"), message)
    if page.after.call:
        checker.known(page.after.call, manifest.functions, (*path, "after", "call"), "function", "functions")
