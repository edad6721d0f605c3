"""Functions, jobs, inbound webhooks, events, roles and settings."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from app.modules.cron import cron_problem
from app.modules.kinds import Column, Kind
from app.modules.manifest.checks.context import Checker
from app.modules.manifest.checks.inbound import check_inbound
from app.modules.manifest.checks.values import check_default, check_limits
from app.modules.manifest.pages import TableHook
from app.modules.manifest.problems import did_you_mean
from app.modules.manifest.settings import RangeSetting, RepeaterSetting, SettingBase
from app.modules.manifest.yamltext import Path
from app.modules.naming import RESERVED_WORDS, own_events

# What visible_if may test; secrets, hours and repeaters have no value to compare.
SETTING_KINDS = {
    "text": Kind.TEXT, "number": Kind.DECIMAL, "range": Kind.DECIMAL, "boolean": Kind.BOOLEAN, "enum": Kind.TEXT,
    "color": Kind.TEXT, "money": Kind.INTEGER, "user": Kind.TEXT, "page": Kind.TEXT, "module": Kind.TEXT,
}  # fmt: skip


def check_code(checker: Checker) -> None:
    """Functions, jobs, inbound webhooks, events and roles."""
    _events(checker)
    _functions(checker)
    for name, job in checker.manifest.jobs.items():
        path: Path = ("jobs", name)
        checker.known(job.call, checker.manifest.functions, (*path, "call"), "function", "functions")
        if fault := cron_problem(job.cron):
            checker.report((*path, "cron"), fault, "cron")
        if job.tz != "site" and job.tz not in available_timezones():
            hint = did_you_mean(job.tz, available_timezones()) or "; write site or a zone such as Europe/Lisbon"
            checker.report((*path, "tz"), f'no time zone "{job.tz}"{hint}', "timezone")
    check_inbound(checker)
    _roles(checker)


def _events(checker: Checker) -> None:
    manifest = checker.manifest
    checker.duplicates(manifest.events, ("events",), "event")
    implied = {event: name for name, table in manifest.tables.items() for event in own_events(name, table)}
    for index, event in enumerate(manifest.events):
        if event in implied:
            message = f'"{event}" comes by itself with the table {implied[event]}; remove it here'
            checker.report(("events", index), message, "duplicate")


def _functions(checker: Checker) -> None:
    routes: dict[tuple[str, str], str] = {}
    for name, function in checker.manifest.functions.items():
        path: Path = ("functions", name)
        if not function.file.endswith(".js"):
            checker.report((*path, "file"), f'"{function.file}" must be a .js file of functions/', "file")
        if function.route is not None:
            route = (function.route.method, function.route.path)
            if route in routes:
                message = f'{" ".join(route)} is the route of "{routes[route]}" already'
                checker.report((*path, "route", "path"), message, "duplicate")
            routes.setdefault(route, name)
        if isinstance(function.on, TableHook):
            checker.table(function.on.table, (*path, "on", "table"))
        elif function.on is not None:
            _event(checker, function.on.event, (*path, "on", "event"))


def _event(checker: Checker, event: str, path: Path) -> None:
    events = checker.manifest.own_events
    if event not in events:
        hint = did_you_mean(event, events) or "; add it to events"
        checker.report(path, f'no event "{event}"{hint}')


def _roles(checker: Checker) -> None:
    for name, role in checker.manifest.roles.items():
        path: Path = ("roles", name)
        for table_name, rights in role.tables.items():
            if checker.table(table_name, (*path, "tables", table_name)) is not None:
                checker.duplicates(rights, (*path, "tables", table_name), "right")
        for table_name in role.rows:
            if table_name not in role.tables:
                message = f'the role has no right to "{table_name}"; add it to tables'
                checker.report((*path, "rows", table_name), message, key=True)


def check_settings(checker: Checker) -> None:
    """Every group and setting."""
    columns = _columns(checker)
    seen: set[str] = set()
    for index, group in enumerate(checker.manifest.settings):
        path: Path = ("settings", index)
        if group.visible_if is not None:
            _visible(checker, group.visible_if, columns, (*path, "visible_if"))
        for name, field in group.fields.items():
            place: Path = (*path, "fields", name)
            if name in seen:
                checker.report(place, f'the setting "{name}" is in two groups; names are shared', "duplicate", key=True)
            seen.add(name)
            _setting(checker, name, field, columns, place)


def _columns(checker: Checker) -> dict[str, Column]:
    return {
        name: Column(SETTING_KINDS[field.type], getattr(field, "options", ()))
        for name, field in checker.manifest.setting_fields.items()
        if field.type in SETTING_KINDS
    }


def _setting(checker: Checker, name: str, field: Any, columns: dict[str, Column], path: Path) -> None:
    if name in RESERVED_WORDS & {"any", "all", "not"}:
        checker.report(path, f'"{name}" has a meaning in conditions; choose another name', "name", key=True)
    if field.visible_if is not None:
        _visible(checker, field.visible_if, columns, (*path, "visible_if"))
        if name in field.visible_if:
            checker.report((*path, "visible_if", name), "a setting cannot depend on itself", "cycle")
    if field.test:
        checker.known(field.test, checker.manifest.functions, (*path, "test"), "function", "functions")
    if isinstance(field, RepeaterSetting):
        _repeater(checker, field, path)
    else:
        _value(checker, field, path)


def _repeater(checker: Checker, field: RepeaterSetting, path: Path) -> None:
    if field.min > field.max:
        checker.report((*path, "min"), f"min {field.min} is above max {field.max}", "value")
    columns = {name: Column(SETTING_KINDS[row.type], getattr(row, "options", ())) for name, row in field.fields.items()}
    for name, row in field.fields.items():
        _setting(checker, name, row, columns, (*path, "fields", name))
    if field.default is not None and not isinstance(field.default, list):
        checker.report((*path, "default"), "must be a list of rows", "default")


def _value(checker: Checker, field: SettingBase, path: Path) -> None:
    type_name: str = field.type  # type: ignore[attr-defined]  # every setting has one; the base leaves it to them
    kind = SETTING_KINDS.get(type_name)
    low, high = getattr(field, "min", None), getattr(field, "max", None)
    if kind is not None:
        check_limits(checker, kind, low, high, path)
    if isinstance(field, RangeSetting) and field.step <= 0:
        checker.report((*path, "step"), "must be more than 0", "value")
    if hasattr(field, "options"):
        checker.duplicates(field.options, (*path, "options"), "option")
        for option in field.labels or ():  # type: ignore[attr-defined]  # an enum, the only one with options
            checker.known(option, field.options, (*path, "labels", option), "option")
    if field.default is None:
        return
    if type_name in ("secret", "user", "page", "module"):
        checker.report((*path, "default"), f"a {type_name} takes no default", "default")
    elif kind is not None:
        check_default(checker, kind, field.default, low, high, getattr(field, "options", ()), (*path, "default"))


def _visible(checker: Checker, data: dict[str, Any], columns: dict[str, Column], path: Path) -> None:
    written = _all_names(checker)
    untestable = {name for name, field in checker.manifest.setting_fields.items() if field.type not in SETTING_KINDS}
    present = {key: value for key, value in data.items() if key in columns or key not in written or key in untestable}
    if present or not data:
        checker.condition_over(present, columns, path, "in settings", untestable)


def _all_names(checker: Checker) -> set[str]:
    """Every setting that is written, those with errors of their own too."""
    value = checker.document.value
    groups = value.get("settings") if isinstance(value, dict) else None
    fields = [group.get("fields") for group in groups or () if isinstance(group, dict)]
    return {name for names in fields if isinstance(names, dict) for name in names}
