"""What a job needs to know of its install; plain values, read in one short transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import transaction
from app.installs.models import Install, Move
from app.installs.queries import ordered_move
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.tenancy.models import Site


@dataclass(frozen=True, slots=True)
class Work:
    """previous: the version before. move: what an upgrade or rollback was ordered as; records: of a rollback, keep or
    put_back; copy: of a rollback, the move whose copy of records there is.
    """

    install_id: UUID
    agency_id: UUID
    site_id: UUID
    module_id: UUID
    short_id: str
    task: str
    manifest: Manifest
    previous: Manifest | None
    site_zone: str
    move_id: UUID | None = None
    records: str = "keep"
    copy: Move | None = None

    @property
    def schema(self) -> str:
        return f"mod_{self.short_id}"


def work_of(db: Session, install_id: UUID, *, status: str) -> Work | None:
    """What to do; None when somebody else has done it."""
    with transaction(db):
        install = db.get(Install, install_id)
        if install is None or install.status != status:
            return None
        previous = db.get(Version, install.previous_version_id) if install.previous_version_id else None
        move = ordered_move(db, install=install) if install.task in ("upgrade", "rollback") else None
        copy = db.get(Move, move.undoes_id) if move is not None and move.undoes_id else None
        if copy is not None:
            db.expunge(copy)
        return Work(
            install_id=install.id,
            agency_id=install.agency_id,
            site_id=install.site_id,
            module_id=install.module_id,
            short_id=db.get_one(Module, install.module_id).short_id,
            task=install.task,
            manifest=Manifest.from_dict(db.get_one(Version, install.version_id).manifest),
            previous=Manifest.from_dict(previous.manifest) if previous else None,
            site_zone=db.get_one(Site, install.site_id).time_zone,
            move_id=move.id if move else None,
            records=move.records if move else "keep",
            copy=copy,
        )
