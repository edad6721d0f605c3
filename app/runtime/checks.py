"""Checks of a package that need the sandbox: templates and functions are compiled where they would run."""

from __future__ import annotations

from semantic_version import NpmSpec
from semantic_version import Version as Semver

from app.modules.manifest import Manifest, Problem
from app.modules.package import Package
from app.runtime.sandbox.pool import Sandbox
from app.version import VERSION

# Screens that the workspace can show in this version of the platform.
SHOWN_VIEWS = frozenset(
    {
        "list",
        "board",
        "calendar",
        "resources",
        "map",
        "report",
        "dashboard",
        "gallery",
        "inbox",
        "tree",
        "timeline",
        "detail",
        "form",
    }
)


def source_problems(package: Package, sandbox: Sandbox) -> list[Problem]:
    """Syntax of every template and function, and what this version of the platform does not show yet."""
    templates = package.templates
    found = [
        Problem("", message, line, column, "syntax", file=f"templates/{name}")
        for name in templates
        for line, column, message in sandbox.check_template(templates, name)
    ]
    found += [
        Problem("", message, line, column, "syntax", file=f"functions/{name}")
        for name, source in package.functions.items()
        for line, column, message in sandbox.check_function(source, name)
    ]
    return found + _not_shown(package.manifest) + _runs_elsewhere(package.manifest)


def _runs_elsewhere(manifest: Manifest) -> list[Problem]:
    if NpmSpec(manifest.platform).match(Semver(VERSION)):
        return []
    return [Problem("platform", f"{manifest.platform} leaves this platform out, which is {VERSION}", code="platform")]


def _not_shown(manifest: Manifest) -> list[Problem]:
    return [
        Problem(
            f"views.{name}.type",
            f"this version of the platform shows no {view.type} screens; the view is left out of the menu",
            code="not_shown",
            severity="warning",
        )
        for name, view in manifest.views.items()
        if view.type not in SHOWN_VIEWS
    ]
