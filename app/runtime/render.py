"""Renders a template of an installed version in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.runtime.context import InstallContext, version_files
from app.runtime.functions import process

_FOLDER = "templates/"


def render_template(context: InstallContext, name: str, data: Mapping[str, Any]) -> str:
    """The page, text when name ends in .txt and HTML with everything escaped otherwise.

    data: plain JSON under the names templates know. Raises TemplateError and the other SandboxErrors.
    """
    files = version_files(context)
    templates = {
        path.removeprefix(_FOLDER): content.decode() for path, content in files.items() if path.startswith(_FOLDER)
    }
    return process.sandbox().render(templates=templates, digest=context.digest, name=name, context=data)
