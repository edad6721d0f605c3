"""Cron expressions of jobs: five fields, no seconds, no nicknames."""

from __future__ import annotations

import re

from croniter import croniter

_FIELD = re.compile(r"(\*|[0-9a-z]+(-[0-9a-z]+)?)(/[0-9]+)?(,(\*|[0-9a-z]+(-[0-9a-z]+)?)(/[0-9]+)?)*", re.IGNORECASE)


def cron_problem(expression: str) -> str | None:
    """Why this is no cron expression, or None when it is."""
    fields = expression.split()
    if len(fields) != 5:
        return (
            f'"{expression}" has {len(fields)} fields; write five: minute, hour, day of month, month, day of week, '
            'such as "0 6 * * *"'
        )
    for field, name in zip(fields, ("minute", "hour", "day of month", "month", "day of week"), strict=True):
        if not _FIELD.fullmatch(field):
            return f'"{field}" is not a {name}'
    if not croniter.is_valid(expression):
        return f'"{expression}" is not a cron expression: a field is out of its range'
    return None
