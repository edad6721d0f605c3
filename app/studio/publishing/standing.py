"""What weighing a release needs of the database: the publisher's record, the last release that others could get."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.modules.models import Module, Version
from app.modules.package import Package, check_folder
from app.modules.queries import files_of
from app.studio.models import Publication
from app.studio.publishing.risk import Publisher
from app.tenancy.models import Agency


def record_of(db: Session, *, version: Version) -> Publisher:
    """The publisher's record, this version aside."""
    own = (Version.agency_id == version.agency_id, Version.id != version.id)
    released = db.scalar(
        select(func.count()).select_from(Version).join(Module, Module.id == Version.module_id)
        .where(*own, Version.status != "draft", Version.cleared_at.is_not(None), Module.tier != "internal")
    )  # fmt: skip
    withdrawn = db.scalar(select(func.count()).select_from(Version).where(*own, Version.status == "yanked"))
    refused = db.scalar(
        select(func.count()).select_from(Publication)
        .where(Publication.agency_id == version.agency_id, Publication.status == "refused")
    )  # fmt: skip
    since = db.get_one(Agency, version.agency_id).created_at
    return Publisher(since, released or 0, withdrawn or 0, refused or 0)


def cleared_before(db: Session, *, version: Version) -> Version | None:
    """The last release of the module that others could get."""
    query = select(Version).where(
        Version.module_id == version.module_id, Version.id != version.id, Version.cleared_at.is_not(None)
    )
    return db.scalars(query.order_by(Version.published_at.desc(), Version.id.desc()).limit(1)).one_or_none()


def cleared_package(db: Session, *, version: Version) -> Package | None:
    """The same with its files, read anew."""
    before = cleared_before(db, version=version)
    return check_folder(files_of(db, version_id=before.id).items()).package if before else None
