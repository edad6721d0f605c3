"""The checks in their order, each begun, timed and told; for the job of the Studio and the command line alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import transaction
from app.modules.actions import bump_problems
from app.modules.diff import diff_manifests, least_version
from app.modules.manifest import Manifest, Problem
from app.modules.models import Module, Registry, Version
from app.modules.naming import role_name, schema_name
from app.modules.package import Package, check_folder
from app.modules.queries import files_of, latest_published
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.plan import plan
from app.runtime.acceptance.runner import Result, run_tests
from app.runtime.checks import source_problems
from app.runtime.functions.asked import listening
from app.runtime.functions.process import sandbox
from app.studio.publishing.embeds import check_embeds
from app.studio.publishing.footprint import check_footprint
from app.studio.publishing.isolation import check_isolation
from app.studio.publishing.migrations import check_migrations
from app.studio.publishing.plans import check_plans
from app.studio.publishing.rules import static_problems
from app.studio.publishing.work import Outcome, Stopped, Work, count, told

STEPS = {
    "package": "Read its files anew and compile its code",
    "manifest": "Hold it against the version before",
    "rules": "Look for secrets, forbidden calls and foreign addresses",
    "migrations": "Move sample records up, back and up again",
    "footprint": "Install it, use it, remove it",
    "tests": "Run its acceptance tests",
    "isolation": "Ask for its records from another site",
    "plans": "Plan its queries on 1,000,000 records",
    "embeds": "Check its pages as other sites frame them",
    "risk": "Weigh what it risks",
    "publish": "Publish",
}
Check = Callable[[Work], Outcome]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how it goes. begin(step); end(step, outcome, milliseconds); tested(result of an acceptance test)."""

    begin: Callable[[str], None] = lambda key: None
    end: Callable[[str, Outcome, int], None] = lambda key, outcome, took_ms: None
    tested: Callable[[Result], None] = lambda result: None


@dataclass(frozen=True, slots=True)
class Passed:
    """A version that passed. warnings: what does not stop it."""

    package: Package
    before: Package | None
    warnings: Sequence[Problem] = field(default_factory=tuple)


def _rules(work: Work) -> Outcome:
    problems = static_problems(work.package)
    looked = count(len(work.package.files), "file")
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        return Outcome(f"{count(errors, 'finding')} in {looked}.", problems=problems)
    return Outcome(
        f"{looked} looked through; {'nothing found' if not problems else 'only warnings'}.", problems=problems
    )


def _tests(work: Work) -> Outcome:
    with listening(work.asked):
        report = run_tests(work.package, now=work.now, heard=work.tested)
    failed = sum(not result.passed for result in report.results)
    passed = f"{count(len(report.results) - failed, 'test')} passed" + (f", {failed} failed" if failed else "")
    return Outcome(f"{passed}." if report.results else "It has none.", problems=report.problems)


CHECKS: Mapping[str, Check] = {
    "rules": _rules,
    "migrations": check_migrations,
    "footprint": check_footprint,
    "tests": _tests,
    "isolation": check_isolation,
    "plans": check_plans,
    "embeds": check_embeds,
}


def check_version(
    db: Session, *, version_id: UUID, watch: Watch, now: datetime, checks: Mapping[str, Check] = CHECKS
) -> Passed:
    """Every check of a draft. Raises Stopped at the first that refuses it. checks: fewer, where a caller says so.

    No transaction may be open on `db`: each read is one of its own, so that progress is seen while the tests run.
    """
    warnings: list[Problem] = []

    def take(key: str, check: Callable[[], Outcome]) -> None:
        watch.begin(key)
        began = time.perf_counter()
        outcome = check()
        watch.end(key, outcome, round((time.perf_counter() - began) * 1000))
        if outcome.errors:
            raise Stopped(outcome.errors)
        warnings.extend(outcome.problems)

    held: dict[str, Package] = {}
    take("package", lambda: _package(db, version_id, held))
    take("manifest", lambda: _manifest(db, version_id, held))
    before = held.get("before")
    number = before.manifest.version if before else ""
    work = Work(held["package"], now, before, number, watch.tested)
    for key, check in checks.items():
        take(key, lambda check=check: check(work))  # type: ignore[misc]  # mypy does not follow the default
    return Passed(held["package"], before, warnings)


def _package(db: Session, version_id: UUID, held: dict[str, Package]) -> Outcome:
    with transaction(db):
        version = db.get_one(Version, version_id)
        files = files_of(db, version_id=version_id)
        latest = latest_published(db, module_id=version.module_id)
        older = files_of(db, version_id=latest.id) if latest and latest.id != version_id else {}
    checked = check_folder(files.items())
    problems = list(checked.problems)
    if checked.package is not None:
        problems += source_problems(checked.package, sandbox())
        held["package"] = checked.package
    if older and (before := check_folder(older.items()).package) is not None:
        held["before"] = before
    functions = sum(path.startswith("functions/") for path in files)
    templates = sum(path.startswith("templates/") for path in files)
    detail = f"{count(len(files), 'file')}, {count(templates, 'template')} and {count(functions, 'function')} compiled."
    return Outcome(detail, problems=problems)


def _manifest(db: Session, version_id: UUID, held: dict[str, Package]) -> Outcome:
    """The number against what changed, and what upgrading everybody would change in the database."""
    with transaction(db):
        version = db.get_one(Version, version_id)
        low = bump_problems(db, version=version) if version.status == "draft" else []
        tables = storage_plan(db, version=version, package=held["package"])
        latest = latest_published(db, module_id=version.module_id)
        older = Manifest.from_dict(latest.manifest) if latest and latest.id != version_id else None
    storage = f"Tables: {told(tables, none='nothing changes')}."
    if older is None:
        return Outcome("It is the first release.", [storage], low)
    diff = diff_manifests(older, held["package"].manifest)
    least = least_version(older.version, diff)
    reasons = [f"{change.least_bump}: {change.sentence}" for change in diff.changes]
    detail = f"{count(len(diff.changes), 'change')} since {older.version}, which need {least} or higher."
    return Outcome(detail, [*reasons[:40], storage], low)


def storage_plan(db: Session, *, version: Version, package: Package) -> list[str]:
    """What publishing and then upgrading everybody would change in the database, in sentences."""
    module = db.get_one(Module, version.module_id)
    registry = db.get(Registry, module.id)
    current = Layout.from_dict(registry.layout) if registry else None
    short = module.short_id
    wanted = desired_layout(package.manifest)
    return plan(current, wanted, schema=schema_name(short), role=role_name(short)).sentences
