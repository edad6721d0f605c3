"""What is kept about files, asked as the runtime's own role within one site."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Any, Protocol
from uuid import UUID

from app.db.roles import RUNTIME
from app.errors import NotFound
from app.lib.storage import ObjectMissing, storage
from app.modules.manifest.fields import FileField, FilesField
from app.runtime.context import InstallContext
from app.runtime.data.access import CREATE, UPDATE, Access
from app.runtime.data.model import TableModel
from app.runtime.data.results import Record
from app.runtime.data.scoped import Rows, Scope, Statement
from app.runtime.files.images import COPIES, COPY_TYPE

COLUMNS = (
    "id, name, media_type, family, size_bytes, sha256, width, height, small, state, table_name, record_id, created_by,"
    " from_public, created_at"
)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file. size_bytes: as it is kept; small: whether smaller pictures of it are kept; table_name: physical."""

    id: UUID
    name: str
    media_type: str
    family: str
    size_bytes: int
    sha256: str
    width: int | None
    height: int | None
    small: bool
    state: str
    table_name: str
    record_id: UUID | None
    created_by: str
    from_public: bool
    created_at: datetime

    @property
    def value(self) -> dict[str, Any]:
        """What a record holds of it."""
        size = {"width": self.width, "height": self.height} if self.width else {}
        return {"id": str(self.id), "name": self.name, "type": self.media_type, "size": self.size_bytes, **size}


class Asker(Protocol):
    """Data or a Transaction: somebody who reads records of one install."""

    context: InstallContext
    access: Access

    @property
    def model(self) -> Any: ...

    def get(self, name: str, record_id: UUID) -> Record: ...

    def beside_tables(self, *statements: Statement) -> list[Rows]: ...


def own_scope(context: InstallContext, access: Access) -> Scope:
    """The runtime's own role on the rows of the install's site."""
    return replace(Scope.of(context, access.actor), role=RUNTIME)


def object_name(context: InstallContext, file_id: UUID, *, size: str = "") -> str:
    """Where the bytes are kept, or those of a smaller picture: nothing of what people call a file is in it."""
    return f"{folder_of(context.agency_id, context.install_id)}/{file_id}{f'-{size}' if size else ''}"


def folder_of(agency_id: UUID, install_id: UUID) -> str:
    """Where the bytes of all files of an install are."""
    return f"files/{agency_id}/{install_id}"


def find_files(asker: Asker, ids: Iterable[UUID]) -> dict[UUID, StoredFile]:
    """The files of this install among the ids, whoever may see them. One round trip."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    text = f"SELECT {COLUMNS} FROM module_files WHERE install_id = $1 AND id = ANY($2::uuid[])"  # noqa: S608  # ours
    [rows] = asker.beside_tables((text, [asker.context.install_id, wanted]))
    return {row[0]: StoredFile(*row) for row in rows}


def readable_file(asker: Asker, file_id: UUID) -> StoredFile:
    """A file that the caller may read: one of a record it may read, in a field it sees, or its own that waits for one.

    Raises NotFound for every other alike.
    """
    file = find_files(asker, [file_id]).get(file_id)
    if file is None or not (_own_pending(asker, file) or holding_field(asker, file)):
        raise NotFound()
    return file


def _own_pending(asker: Asker, file: StoredFile) -> bool:
    # visitors have no name of their own: what one has sent another may not see
    return file.state == "pending" and not file.from_public and file.created_by == asker.access.actor.ref


def holding_field(asker: Asker, file: StoredFile) -> str | None:
    """The field of a record the caller may read that holds the file; None when there is none."""
    table = table_of(asker, file)
    if table is None or file.record_id is None:
        return None
    try:
        record = asker.get(table.name, file.record_id)
    except NotFound:
        return None
    return field_holding(record.values, table, file.id)


def table_of(asker: Asker, file: StoredFile) -> TableModel | None:
    """The table of the record that holds a file, as this version knows it."""
    tables: Iterable[TableModel] = asker.model.tables.values()
    return next((table for table in tables if table.layout.name == file.table_name), None)


def field_holding(values: dict[str, Any], table: TableModel, file_id: UUID) -> str | None:
    """The field whose value names the file."""
    for name in table.file_fields:
        held = values.get(name) or []
        if str(file_id) in [one.get("id") for one in (held if isinstance(held, list) else [held])]:
            return name
    return None


def upload_fields(context: InstallContext, access: Access) -> list[FileField | FilesField]:
    """The fields of all tables that the caller may fill with files."""
    return [
        field
        for name, table in context.manifest.tables.items()
        if access.allowed(context.manifest, name) & {CREATE, UPDATE}
        for field_name, field in table.fields.items()
        if isinstance(field, (FileField, FilesField)) and access.sees(name, field_name, field)
    ]


def open_bytes(context: InstallContext, file: StoredFile, *, size: str = "") -> tuple[IO[bytes], str, str]:
    """The bytes, to be closed by who asks, their media type, and which size they are: "" for the file itself.

    size: of COPIES, for the smaller picture; of a picture that is too small for it, or came in before there was that
    size, it is the next smaller one. What is no picture has no sizes.
    """
    sizes = list(COPIES) if file.small and size in COPIES else []
    for kept in reversed(sizes[: sizes.index(size) + 1 if sizes else 0]):
        with suppress(ObjectMissing):
            return storage().open(object_name(context, file.id, size=kept)), COPY_TYPE, kept
    return storage().open(object_name(context, file.id)), file.media_type, ""
