"""Reading projects: the list, the files as they are or were, history and differences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import desc, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.modules.diff import Change as ManifestChange
from app.modules.diff import check_bump, diff_manifests, least_version
from app.modules.kinds import SYSTEM_COLUMNS
from app.modules.manifest import Manifest, Problem
from app.modules.models import Version
from app.modules.queries import latest_published, module_by_slug
from app.studio.editor.models import FileState, Project, Trial
from app.studio.models import Publication

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of a project. revision: of the change that made it what it is."""

    path: str
    size_bytes: int
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history. deleted: the change took the file away."""

    path: str
    revision: int
    note: str
    author_name: str
    at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class Release:
    """The published version before, what changed since, the least number that allows, and whether the manifest's is enough."""

    before: str
    changes: tuple[ManifestChange, ...]
    least: str
    high_enough: bool


def projects(db: Session, *, agency_id: UUID, text: str = "", limit: int = 200) -> list[Project]:
    """The agency's live projects, last changed first."""
    query = select(Project).where(Project.agency_id == agency_id, Project.deleted_at.is_(None))
    if text:
        query = query.where(func.lower(Project.name).contains(text.lower(), autoescape=True))
    return list(db.scalars(query.order_by(desc(Project.updated_at), Project.id).limit(limit)))


def file_infos(db: Session, *, project: Project) -> list[FileInfo]:
    """The files of a project by path."""
    newest = (
        select(FileState.path, FileState.revision, func.length(FileState.content).label("size"))
        .where(FileState.project_id == project.id, FileState.agency_id == project.agency_id)
        .ext(distinct_on(FileState.path))
        .order_by(FileState.path, desc(FileState.revision))
        .subquery()
    )
    rows = db.execute(select(newest).where(newest.c.size.is_not(None)).order_by(newest.c.path))
    return [FileInfo(row.path, row.size, row.revision) for row in rows]


def files(db: Session, *, project: Project, until: int | None = None) -> dict[str, bytes]:
    """{path: content} now, or as it was after the change `until`."""
    query = select(FileState.path, FileState.content).where(
        FileState.project_id == project.id, FileState.agency_id == project.agency_id
    )
    if until is not None:
        query = query.where(FileState.revision <= until)
    rows = db.execute(query.ext(distinct_on(FileState.path)).order_by(FileState.path, desc(FileState.revision)))
    return {row.path: row.content for row in rows if row.content is not None}


def file_now(db: Session, *, project: Project, path: str) -> FileState | None:
    """The newest state of a path, None when there is no such file."""
    found = db.scalars(
        select(FileState)
        .where(FileState.project_id == project.id, FileState.agency_id == project.agency_id, FileState.path == path)
        .order_by(desc(FileState.revision))
        .limit(1)
    ).one_or_none()
    return found if found is not None and found.content is not None else None


def file_at(db: Session, *, project: Project, path: str, revision: int) -> FileState | None:
    """A path as the change `revision` left it; its content is None when that change deleted it."""
    return db.get(FileState, (project.id, path, revision))


def history(db: Session, *, project: Project, path: str = "", page: int = 1) -> tuple[list[Change], bool]:
    """(changes, newest first; whether there are more), of one file or all of them."""
    query = select(
        FileState.path, FileState.revision, FileState.note, FileState.author_name, FileState.at,
        FileState.content.is_(None).label("deleted"),
    ).where(FileState.project_id == project.id, FileState.agency_id == project.agency_id)  # fmt: skip
    if path:
        query = query.where(FileState.path == path)
    rows = db.execute(
        query.order_by(desc(FileState.revision), FileState.path).limit(PER_PAGE + 1).offset((page - 1) * PER_PAGE)
    ).all()
    return [Change(*row) for row in rows[:PER_PAGE]], len(rows) > PER_PAGE


def release_of(db: Session, *, manifest: Manifest, agency_id: UUID) -> Release | None:
    """How the project stands to the release before it; None for a module that has none yet, or is another agency's."""
    module = module_by_slug(db, manifest.slug)
    before = latest_published(db, module_id=module.id) if module is not None and module.agency_id == agency_id else None
    if before is None:
        return None
    diff = diff_manifests(Manifest.from_dict(before.manifest), manifest)
    high_enough = not check_bump(before.version, manifest.version, diff)
    return Release(before.version, diff.changes, least_version(before.version, diff), high_enough)


def plan_findings(db: Session, *, manifest: Manifest, agency_id: UUID) -> list[Problem]:
    """What the last try to publish this module said of its queries and an index would mend, as far as it is not there yet."""
    module = module_by_slug(db, manifest.slug)
    if module is None or module.agency_id != agency_id:
        return []
    query = select(Publication.steps).join(Version, Version.id == Publication.version_id)
    steps = db.scalar(query.where(Version.module_id == module.id).order_by(desc(Publication.created_at)).limit(1))
    found = [Problem(**item) for step in steps or () if step["key"] == "plans" for item in step.get("problems", ())]
    return list({one.index: one for raw in found if (one := _lacking(raw, manifest)) is not None}.values())


def _lacking(problem: Problem, manifest: Manifest) -> Problem | None:
    """The finding, if the table and fields of its index exist and no index begins with them."""
    table, *fields = problem.index or ("",)
    spec = manifest.tables.get(table)
    known = {*spec.fields, *SYSTEM_COLUMNS} if spec is not None else set()
    if spec is None or not known >= set(fields) or any([*one[: len(fields)]] == fields for one in spec.indexes):
        return None
    said = f"{problem.message} (found when it was last published)"
    return replace(problem, severity="warning", index=(table, *fields), message=said)  # no error of what is here now


def last_tests(db: Session, *, project: Project) -> Trial | None:
    """The newest run of the tests that has ended."""
    return db.scalars(
        select(Trial)
        .where(
            Trial.project_id == project.id,
            Trial.agency_id == project.agency_id,
            Trial.kind == "tests",
            Trial.status == "done",
        )
        .order_by(desc(Trial.created_at))
        .limit(1)
    ).one_or_none()
