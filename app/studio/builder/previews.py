"""What comes of settings and permissions: the form an installer sees, what a person is asked; errors elsewhere hide neither."""

from __future__ import annotations

from typing import Any

from app.installs.forms import Choices, Group, settings_groups
from app.modules.consent import Ask, asks_of
from app.modules.manifest import Manifest, check_manifest
from app.studio.builder.changes import Values
from app.studio.builder.manifesttext import mapping, sequence
from app.studio.builder.render import flow

_HEAD: Values = {
    "manifest": 1, "slug": "preview-module", "name": "Preview", "summary": "Preview", "version": "1.0.0", "type": "custom",
}  # fmt: skip
_SAMPLE = Choices(
    people=[("", "Ada Bright"), ("", "Bo Kim")],
    modules=[("", "Another module of the site")],
    pages=[("", "Home")],
    currency="EUR",
)


def settings_preview(values: Values) -> list[Group] | None:
    """The groups of the form with their defaults; None while the settings have errors."""
    manifest = _manifest({"settings": _without_tests(sequence(values, "settings"))})
    return settings_groups(manifest, values={}, choices=_SAMPLE) if manifest is not None else None


def asks_preview(values: Values) -> list[Ask] | None:
    """What consent is asked for; None while the permissions have errors. Parts that have errors of their own are left out."""
    asked: Values = {key: values[key] for key in ("permissions", "requires", "connections") if key in values}
    for more in (("tables", "pages", "functions", "jobs"), ("tables",), ()):
        manifest = _manifest({**asked, **{key: values[key] for key in more if mapping(values, key)}})
        if manifest is not None:
            return asks_of(manifest)
    return None


def _manifest(parts: Values) -> Manifest | None:
    return check_manifest(flow({**_HEAD, **parts})).manifest


def _without_tests(groups: list[Any]) -> list[Any]:
    """The settings without the functions that try them out, which are not there in a preview."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(child) for key, child in value.items() if not (key == "test" and isinstance(child, str))}
        return [plain(child) for child in value] if isinstance(value, list) else value

    return [plain(group) for group in groups]
