"""What every visual editor shows: the manifest's values, what the checks say of each part, what the last release had."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.modules.manifest import Problem
from app.modules.queries import latest_published, module_by_slug
from app.studio.builder.changes import Values
from app.studio.builder.manifesttext import Unreadable, mapping, read_values
from app.studio.builder.saving import FILE
from app.studio.editor.checks import Checked, check_project
from app.studio.editor.models import Project
from app.studio.editor.queries import file_now, files


@dataclass
class Sheet:
    """One project's manifest on screen. values: {} where the text does not read, and `unreadable` says why."""

    project: Project
    revision: int
    values: Values
    checked: Checked
    unreadable: Unreadable | None = None
    released: Values = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, Any]:
        """The tables that are mappings, in order."""
        return {name: body for name, body in mapping(self.values, "tables").items() if isinstance(body, dict)}

    @cached_property
    def problems(self) -> dict[str, list[Problem]]:
        """What the checks found in module.yaml, by dotted path."""
        found: dict[str, list[Problem]] = {}
        for one in self.checked.found:
            if one.problem.file == FILE:
                found.setdefault(one.problem.path, []).append(one.problem)
        return found

    def said(self, *path: str | int) -> list[str]:
        """What is wrong exactly at a path."""
        return [problem.message for problem in self.problems.get(dotted(*path), ())]

    def below(self, *path: str | int) -> list[str]:
        """What is wrong at a path or anywhere within it; each with where, unless it is the path itself."""
        start = dotted(*path)
        found = []
        for place, problems in self.problems.items():
            if place == start or place.startswith(start + "."):
                inner = place[len(start) + 1 :]
                found += [f"{inner}: {problem.message}" if inner else problem.message for problem in problems]
        return found


def dotted(*path: str | int) -> str:
    """A path as problems name it."""
    return ".".join(str(step) for step in path)


def sheet_of(db: Session, *, project: Project, agency_id: Any) -> Sheet:
    """The manifest of a project as it is now, checked with the rest of it. Raises NotFound without a module.yaml."""
    contents = files(db, project=project)
    state = file_now(db, project=project, path=FILE)
    if state is None or state.content is None:
        raise NotFound()
    read = read_values(state.content.decode(errors="replace"))
    checked = check_project(contents)
    if isinstance(read, Unreadable):
        return Sheet(project, state.revision, {}, checked, read)
    return Sheet(project, state.revision, read, checked, None, released_values(db, read, agency_id))


def released_values(db: Session, values: Values, agency_id: Any) -> Values:
    """The manifest of the agency's last release of this module; {} where it has none."""
    slug = values.get("slug")
    module = module_by_slug(db, slug) if isinstance(slug, str) else None
    if module is None or module.agency_id != agency_id:
        return {}
    before = latest_published(db, module_id=module.id)
    return dict(before.manifest) if before is not None else {}
