"""Cron expressions of jobs: five fields, no seconds, no nicknames."""

from __future__ import annotations

import re

from croniter import croniter

# croniter also knows random (R), hashed (H) and last (L) values; a schedule that people read has none of them
_VALUE = r"(?:[0-9]{1,2}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)"
_PART = rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/[0-9]{{1,2}})?"
_FIELD = re.compile(rf"{_PART}(?:,{_PART})*", re.IGNORECASE)


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
