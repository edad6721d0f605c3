"""Defaults and limits: of the right kind, and consistent with each other."""

from __future__ import annotations

from typing import Any

from app.modules.kinds import Kind
from app.modules.manifest.checks.context import Checker
from app.modules.manifest.problems import did_you_mean
from app.modules.manifest.yamltext import Path
from app.modules.values import WrongValue, read_value

_SIZED = (Kind.TEXT, Kind.LIST)


def check_limits(checker: Checker, kind: Kind, low: Any, high: Any, path: Path) -> None:
    """min and max: of the kind (whole numbers for lengths), and min not above max."""
    limit_kind = Kind.INTEGER if kind in _SIZED else kind
    read = []
    for name, value in (("min", low), ("max", high)):
        try:
            read.append(read_value(limit_kind, value))
        except WrongValue as error:
            checker.report((*path, name), str(error), "value")
            return
    if None not in read and read[0] > read[1]:
        checker.report((*path, "min"), f"min {low} is above max {high}", "value")


def check_default(
    checker: Checker, kind: Kind, default: Any, low: Any, high: Any, options: tuple[str, ...], path: Path
) -> None:
    """A default: of the kind, an option where there are options, within the limits."""
    try:
        value = read_value(kind, default)
        bounds = [read_value(Kind.INTEGER if kind in _SIZED else kind, limit) for limit in (low, high)]
    except WrongValue as error:
        checker.report(path, str(error), "default")
        return
    for item in value if isinstance(value, tuple) else (value,):
        if options and item not in options:
            checker.report(path, f'"{item}" is not an option{did_you_mean(str(item), options)}', "default")
    size = len(value) if kind in _SIZED else value
    unit = {Kind.TEXT: " characters", Kind.LIST: " entries"}.get(kind, "")
    shown = f"{size}{unit}" if unit else default
    if bounds[0] is not None and size < bounds[0]:
        checker.report(path, f"{shown} is below min {low}", "default")
    if bounds[1] is not None and size > bounds[1]:
        checker.report(path, f"{shown} is above max {high}", "default")
