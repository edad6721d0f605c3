"""Forms of records, filled in as a browser without scripts would send them."""

from __future__ import annotations

from typing import Any

from bs4 import Tag

from app.workspace.forms.raw import control_name
from tests.support.browser import Page


def sent_by(page: Page, **changes: Any) -> dict[str, Any]:
    """What a browser without scripts would send for the form on the page, with some controls filled in."""
    sent: dict[str, list[str]] = {}
    for control in page.one("#record-form").select("input[name], select[name], textarea[name]"):
        for value in _values(control):
            sent.setdefault(str(control["name"]), []).append(value)
    sent.pop("csrf_token")
    for name, value in changes.items():
        sent[name if name.startswith("_") else control_name(name)] = value if isinstance(value, list) else [value]
    return {name: values for name, values in sent.items() if values}


def _values(control: Tag) -> list[str]:
    if control.name == "select":
        options = control.select("option")
        chosen = [option for option in options if option.has_attr("selected")]
        if not chosen and not control.has_attr("multiple"):
            chosen = options[:1]
        return [str(option["value"]) for option in chosen]
    if control.name == "textarea":
        return [control.get_text().removeprefix("\n")]
    if control.get("type") in ("checkbox", "radio") and not control.has_attr("checked"):
        return []
    return [str(control.get("value", ""))]
