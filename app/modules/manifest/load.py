"""Text to Manifest: reads the YAML, then the models, then everything that spans several parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.errors import FieldError, Invalid
from app.modules.manifest.checks import check_whole
from app.modules.manifest.messages import plain_path, problems_of
from app.modules.manifest.model import Manifest
from app.modules.manifest.problems import Problem, errors_of
from app.modules.manifest.yamltext import Document, Path, read_yaml


class ManifestInvalid(Invalid):
    """The module's manifest has errors."""

    code = "manifest_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        errors = errors_of(self.problems)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(
            f"{errors[0]}{more}" if errors else "",
            errors=[
                FieldError("/" + problem.path.replace(".", "/"), problem.code, problem.message) for problem in errors
            ],
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of reading a manifest: the manifest unless it has errors, and all findings in the file's order."""

    manifest: Manifest | None
    problems: list[Problem]


def load_manifest(text: str | bytes) -> Manifest:
    """The manifest of a module.yaml. Raises ManifestInvalid, whose .problems lists every error and warning."""
    checked = check_manifest(text)
    if checked.manifest is None:
        raise ManifestInvalid(checked.problems)
    return checked.manifest


def check_manifest(text: str | bytes, *, file: str = "module.yaml") -> Checked:
    """Like load_manifest, but never raises, and gives the warnings of a good manifest too."""
    document = read_yaml(text, file=file)
    problems = list(document.problems)
    if document.value is None and problems:
        return Checked(None, problems)
    if not isinstance(document.value, dict):
        problems.append(
            Problem("", "the file must be a mapping that starts with manifest: 1", 1, 1, "value", file=file)
        )
        return Checked(None, problems)
    manifest, shape_problems, cut = _validate(document, file)
    refused = {problem.path for problem in problems}
    problems += [problem for problem in shape_problems if problem.path not in refused]
    if manifest is not None:
        problems += check_whole(manifest, document=document, cut=cut, file=file)
    problems = sorted(set(problems), key=lambda problem: (problem.line, problem.column, problem.path, problem.message))
    return Checked(None if errors_of(problems) else manifest, problems)


def _validate(document: Document, file: str) -> tuple[Manifest | None, list[Problem], set[Path]]:
    """The manifest without its bad parts, so that the rest can be checked too; None when too much is bad.

    Returns also the paths that were cut out: what refers to them is not reported as missing.
    """
    problems: list[Problem] = []
    cut: set[Path] = set()
    value = document.value
    for _ in range(4):
        try:
            return Manifest.model_validate(value), problems, cut
        except ValidationError as error:
            if not cut:  # later rounds see only what the cuts themselves broke
                problems = problems_of(error, model=Manifest, document=document, file=file)
            for item in error.errors(include_url=False, include_input=False):
                cut.add(_cut_at(plain_path(item["loc"]), item["type"]))
            value = _without(document.value, (), cut)
    return None, problems, cut


# How many steps down a bad part is cut out: tables.deals.fields.stage, settings.0.fields.name, views.pipeline …
_DEPTHS = {"tables": 4, "settings": 4, "pages": 2, "views": 2, "functions": 2, "jobs": 2, "roles": 2, "inbound": 2}
_HEAD_DEFAULTS: dict[str, Any] = {
    "manifest": 1,
    "slug": "unnamed-module",
    "name": "Unnamed",
    "summary": "Unnamed",
    "version": "0.0.0",
    "type": "custom",
}


def _cut_at(path: Path, kind: str) -> Path:
    if kind == "extra_forbidden":
        return path
    if len(path) > 2 and path[0] in ("tables", "settings") and path[2] != "fields":
        return path[:3]
    return path[: _DEPTHS.get(str(path[0]), 1)] if path else path


def _without(value: Any, path: Path, cut: set[Path]) -> Any:
    if isinstance(value, dict):
        kept = {key: _without(child, (*path, key), cut) for key, child in value.items() if (*path, key) not in cut}
        return {**_HEAD_DEFAULTS, **kept} if not path else kept
    if isinstance(value, list):
        return [_without(child, (*path, index), cut) for index, child in enumerate(value) if (*path, index) not in cut]
    return value
