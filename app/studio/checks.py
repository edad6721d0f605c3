"""What a version goes through before it is published, step by step; for the job of the Studio and the command line alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import transaction
from app.modules.actions import bump_problems
from app.modules.manifest import Problem
from app.modules.models import Module, Registry, Version
from app.modules.naming import role_name, schema_name
from app.modules.package import Package, check_folder
from app.modules.queries import files_of
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.plan import plan
from app.runtime.acceptance.runner import Result, run_tests
from app.runtime.checks import source_problems
from app.runtime.functions.process import sandbox

STEPS = {
    "package": "Read its files anew and compile its code",
    "manifest": "Hold it against the version before",
    "storage": "Plan its tables",
    "tests": "Run its acceptance tests",
    "publish": "Publish",
}
MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how it goes. begin(step), detail(step, sentence), tested(result)."""

    begin: Callable[[str], None]
    detail: Callable[[str, str], None]
    tested: Callable[[Result], None]


class Stopped(Exception):
    """A step found something that must be mended."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(str(problems[0]))
        self.problems = problems


def check_version(db: Session, *, version_id: UUID, watch: Watch) -> Package:
    """Every check of a draft; the package as it was read. Raises Stopped.

    No transaction may be open on `db`: each read is one of its own, so that progress is seen while the tests run.
    """
    watch.begin("package")
    package = _read(db, version_id)
    watch.detail("package", _count(len(package.files), "file"))
    watch.begin("manifest")
    with transaction(db):
        low = bump_problems(db, version=db.get_one(Version, version_id))
    _stop_for(low)
    watch.begin("storage")
    with transaction(db):
        steps = storage_plan(db, version=db.get_one(Version, version_id), package=package)
    watch.detail("storage", _told(steps))
    watch.begin("tests")
    report = run_tests(package, heard=watch.tested)
    _stop_for(report.problems)
    watch.detail("tests", f"{_count(len(report.results), 'test')} passed" if report.results else "It has none.")
    return package


def storage_plan(db: Session, *, version: Version, package: Package) -> list[str]:
    """What publishing and then upgrading everybody would change in the database, in sentences."""
    module = db.get_one(Module, version.module_id)
    registry = db.get(Registry, module.id)
    current = Layout.from_dict(registry.layout) if registry else None
    short = module.short_id
    wanted = desired_layout(package.manifest)
    return plan(current, wanted, schema=schema_name(short), role=role_name(short)).sentences


def _read(db: Session, version_id: UUID) -> Package:
    with transaction(db):
        files = files_of(db, version_id=version_id)
    checked = check_folder(files.items())
    _stop_for(list(checked.problems))
    assert checked.package is not None
    _stop_for(source_problems(checked.package, sandbox()))
    return checked.package


def _stop_for(problems: list[Problem]) -> None:
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise Stopped(errors)


def _told(sentences: list[str]) -> str:
    if not sentences:
        return "Nothing changes in the database."
    rest = len(sentences) - MOST_SHOWN
    return "; ".join(sentences[:MOST_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
