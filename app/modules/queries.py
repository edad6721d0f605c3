"""Reads of modules and versions: the Studio, one module, one version's files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile, islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, desc, func, or_, select
from sqlalchemy.orm import Session

from app.lib.ids import encode
from app.modules.models import Blob, Module, Version, VersionFile

PER_PAGE = 24


@dataclass(frozen=True, slots=True)
class ModuleCard:
    """A module as lists show it. version: the latest published; None while there are drafts only."""

    id: UUID
    slug: str
    name: str
    summary: str
    category: str
    icon: str
    type: str
    tier: str
    publisher: str
    version: str | None
    published_at: datetime | None

    @property
    def public_id(self) -> str:
        return encode("mod", self.id)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. number and pages count from 1."""

    items: list[ModuleCard]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def own_modules(db: Session, *, agency_id: UUID, text: str = "", sort: str = "-updated_at", page: int = 1) -> Page:
    """What the agency publishes, drafts included. sort: "name" or "-updated_at"."""
    query = _cards().where(Module.agency_id == agency_id)
    if text:
        query = query.where(_matches(text))
    order = [func.lower(Module.name), Module.id] if sort == "name" else [desc(Module.updated_at), Module.id]
    return _page(db, query, order, page)


def module_by_slug(db: Session, slug: str) -> Module | None:
    """The module, when the agency may see it."""
    return db.scalar(select(Module).where(Module.slug == slug))


def publisher_name(db: Session, module: Module) -> str:
    """The publishing agency's name; public with the module."""
    return _publisher_names(db, [module.agency_id]).get(module.agency_id, "")


def versions_of(db: Session, *, module_id: UUID, drafts: bool = False) -> list[Version]:
    """Versions from highest to lowest; drafts only for their publisher."""
    query = select(Version).where(Version.module_id == module_id).order_by(*_highest_first())
    if not drafts:
        query = query.where(Version.status != "draft")
    return list(db.scalars(query))


def latest_published(db: Session, *, module_id: UUID) -> Version | None:
    """The highest published version that is neither withdrawn nor a pre-release; else the highest pre-release."""
    query = select(Version).where(Version.module_id == module_id, Version.status == "published")
    return db.scalar(query.order_by(case((Version.prerelease == "", 0), else_=1), *_highest_first()).limit(1))


def released_before(db: Session, *, version: Version) -> Version | None:
    """The highest published version below one that was published."""
    query = select(Version.id, Version.status).where(Version.module_id == version.module_id)
    below = dropwhile(lambda one: one.id != version.id, db.execute(query.order_by(*_highest_first())))
    found = next((one.id for one in islice(below, 1, None) if one.status == "published"), None)
    return db.get(Version, found) if found else None


def files_of(db: Session, *, version_id: UUID, under: str = "") -> dict[str, bytes]:
    """{path: content} of a version. under: only of a folder, such as `sample/`."""
    query = select(VersionFile.path, Blob.content).join(Blob, Blob.sha256 == VersionFile.sha256)
    query = query.where(VersionFile.version_id == version_id)
    if under:
        query = query.where(VersionFile.path.startswith(under, autoescape=True))
    return {row.path: row.content for row in db.execute(query)}


def file_list(db: Session, *, version_id: UUID) -> list[tuple[str, int]]:
    """(path, size in bytes) of a version's files, by path."""
    query = select(VersionFile.path, VersionFile.size_bytes).where(VersionFile.version_id == version_id)
    return [(row.path, row.size_bytes) for row in db.execute(query.order_by(VersionFile.path))]


def _cards() -> Select[Module, str, datetime | None]:
    return select(Module, Version.version, Version.published_at).outerjoin(
        Version, and_(Version.id == Module.latest_version_id)
    )


def _matches(text: str) -> ColumnElement[bool]:
    haystack = func.lower(Module.name + " " + Module.summary)
    words = [haystack.contains(word, autoescape=True) for word in text.lower().split()[:8]]
    return or_(and_(*words), Module.slug == text.lower())


def _page(db: Session, query: Select[Module, str, datetime | None], order: list[Any], page: int) -> Page:
    total = db.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    rows = db.execute(query.order_by(*order).limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    names = _publisher_names(db, [row.Module.agency_id for row in rows])
    return Page([_card(row, names) for row in rows], total, page)


def _card(row: Row[Module, str, datetime | None], names: dict[UUID, str]) -> ModuleCard:
    module: Module = row.Module
    return ModuleCard(
        id=module.id,
        slug=module.slug,
        name=module.name,
        summary=module.summary,
        category=module.category,
        icon=module.icon,
        type=module.type,
        tier=module.tier,
        publisher=names.get(module.agency_id, ""),
        version=row.version,
        published_at=row.published_at,
    )


def _publisher_names(db: Session, agency_ids: list[UUID]) -> dict[UUID, str]:
    """Names of publishers: an agency's own rows are hidden from others, its name as a publisher is not."""
    query = select(func.publisher_names(list(set(agency_ids))).table_valued("id", "name"))
    return {row.id: row.name for row in db.execute(query)}


def _highest_first() -> list[Any]:
    # a pre-release comes before its release (semver 11.3); between pre-releases their text decides well enough for a list
    stable_first = case((Version.prerelease == "", 0), else_=1)
    return [Version.major.desc(), Version.minor.desc(), Version.patch.desc(), stable_first, Version.prerelease.desc()]


def file_content(db: Session, *, version_id: UUID | None, path: str) -> bytes | None:
    """The content of one file of a version."""
    query = select(Blob.content).join(VersionFile, VersionFile.sha256 == Blob.sha256)
    return db.scalar(query.where(VersionFile.version_id == version_id, VersionFile.path == path))
