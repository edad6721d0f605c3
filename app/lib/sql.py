"""Reads the statements kept in sql/queries/<package>/<name>.sql."""

from __future__ import annotations

from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2] / "sql"


@cache
def load_sql(name: str) -> str:
    """The text of sql/queries/<name>.sql, such as load_sql("tenancy/home"); read once."""
    return (ROOT / "queries" / f"{name}.sql").read_text()
