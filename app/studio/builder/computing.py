"""What a formula or a sum of records comes to: its kind, or what is wrong with it, while it is being written."""

from __future__ import annotations

from typing import Any

from app.modules.manifest import check_manifest
from app.modules.manifest.computed import Computed
from app.studio.builder.manifesttext import at
from app.studio.builder.render import flow
from app.studio.builder.words import TYPE_WORDS

Told = tuple[str, str]
"""(words, tone: ok or bad)"""

_KINDS = {"text": "a text", "integer": "a whole number", "decimal": "a number with decimals", "boolean": "yes or no",
          "date": "a date", "datetime": "a date and time", "time": "a time of day", "duration": "a length of time"}  # fmt: skip


def told_of(values: dict[str, Any], table: str, field: str) -> Told | None:
    """The field of a manifest in words; None for one that is not computed."""
    kind = at(values, "tables", table, "fields", field, "type")
    if kind not in ("formula", "rollup"):
        return None
    checked = check_manifest(flow(values))
    place = f"tables.{table}.fields.{field}"
    wrong = [
        p for p in checked.problems if p.severity == "error" and (p.path == place or p.path.startswith(place + "."))
    ]
    if wrong:
        key = wrong[0].path[len(place) + 1 :]
        return f"{key + ': ' if key and key != 'expr' else ''}{wrong[0].message}", "bad"
    if checked.manifest is None:
        return "It reads. Other parts of the manifest have errors.", "ok"
    computed = Computed(checked.manifest)
    column = computed.all_columns(table).get(field)
    words = at(values, "tables", table, "fields", field, "as")
    shown = TYPE_WORDS.get(words, "").lower() if words else _KINDS.get(column.kind.value, "") if column else ""
    return (f"The result is {shown}." if shown else "It reads."), "ok"
