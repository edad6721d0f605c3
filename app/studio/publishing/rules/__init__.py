"""What can be seen of a package without running it; each rule gives problems with their remedy. Pure."""

from __future__ import annotations

from app.modules.manifest import Problem
from app.modules.package import Package
from app.studio.publishing.rules.markup import markup_problems
from app.studio.publishing.rules.scripts import script_problems
from app.studio.publishing.rules.secrets import secret_problems
from app.studio.publishing.rules.sizes import size_problems


def static_problems(package: Package) -> list[Problem]:
    """Every finding of the static rules, errors and warnings, by file and line."""
    found = [
        *secret_problems(package),
        *script_problems(package),
        *markup_problems(package),
        *size_problems(package),
    ]
    return sorted(found, key=lambda one: (one.severity != "error", one.file, one.line, one.column))
