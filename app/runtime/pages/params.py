"""Parameters of a page: what the embedding page may set, read by type. A wrong value counts as none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.modules.kinds import Kind
from app.modules.manifest.pages import Page, Param
from app.modules.values import WrongValue, read_text
from app.runtime.validation.problems import Wrong
from app.runtime.validation.texts import color

MAX_TEXT = 200
THEMES = ("light", "dark", "auto")
_KINDS = {
    "text": Kind.TEXT, "enum": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.DECIMAL, "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
}  # fmt: skip


def read_params(page: Page, given: Mapping[str, str]) -> dict[str, Any]:
    """Every parameter the page declares, as plain JSON: the given value, else the default, else None."""
    return {name: _read(spec, given.get(name)) for name, spec in page.params.items()}


def read_theme(given: str | None) -> str:
    return given if given in THEMES else "auto"


def read_color(given: Any) -> str | None:
    """A colour such as #1a2b3c, or None."""
    try:
        return color(given) or None if isinstance(given, str) else None
    except Wrong:
        return None


def _read(spec: Param, given: str | None) -> Any:
    if given is None or len(given) > MAX_TEXT or not given.isprintable():
        return spec.default
    if spec.type == "color":
        return read_color(given) or spec.default
    if spec.type == "boolean":
        given = {"1": "true", "0": "false", "yes": "true", "no": "false"}.get(given, given)
    try:
        value = read_text(_KINDS[spec.type], given)
    except WrongValue:
        return spec.default
    if spec.type == "enum" and value not in (spec.options or ()):
        return spec.default
    if spec.type == "number":
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
