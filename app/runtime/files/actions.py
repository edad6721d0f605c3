"""Taking files in and away. A file is kept for a day until a record holds it; the data layer ties the two together."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import IO
from uuid import UUID

from app.errors import Forbidden, PayloadTooLarge
from app.lib.ids import uuid7
from app.lib.storage import storage
from app.modules.manifest.fields import FileField, FilesField
from app.runtime.context import InstallContext
from app.runtime.data.access import Access, Surface
from app.runtime.data.scoped import Rows, Scope, Statement, run_and_commit
from app.runtime.files.images import COPIES, Picture, redraw
from app.runtime.files.kinds import FileKind, FileNotAccepted, clean_name, tell_kind
from app.runtime.files.queries import COLUMNS, StoredFile, object_name, own_scope

log = logging.getLogger(__name__)

MAX_MB = 50  # of one file; max_mb of a field goes no higher
MAX_PENDING_PUBLIC = 100  # of one install: files that visitors' programs sent and no record holds yet
_quota = {"bytes": 1 << 30}

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('files:' || $1::text, 0))"
_KEEP = f"""
INSERT INTO module_files (id, agency_id, site_id, install_id, name, media_type, family, size_bytes, sent_bytes, sha256,
                          width, height, small, from_public, created_by)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
WHERE (SELECT coalesce(sum(size_bytes), 0) FROM module_files WHERE site_id = $3 AND state <> 'released') + $8 <= $16
  AND (NOT $14 OR $17 > (SELECT count(*) FROM module_files WHERE install_id = $4 AND state = 'pending' AND from_public))
RETURNING {COLUMNS}
"""  # noqa: S608  # the columns are ours
_GONE = "DELETE FROM module_files WHERE install_id = $1 AND id = ANY($2::uuid[]) AND state = 'pending' RETURNING id"


class FileTooLarge(PayloadTooLarge):
    """This file is larger than allowed."""

    code = "file_too_large"


class StorageFull(PayloadTooLarge):
    """The site's space for files is full. Delete records with files that nobody needs, or ask for more space."""

    code = "storage_full"


class NoFilesHere(Forbidden):
    """This module has no field that takes files from you."""

    code = "no_files_here"


class NoFilesOnTrial(FileNotAccepted):
    """What is tried out keeps no files. Leave the file out, or install the module."""

    code = "on_trial"


def configure_files(*, quota_mb: int) -> None:
    """Once per process: how much the files of one site may take."""
    _quota["bytes"] = quota_mb << 20


def store_file(
    context: InstallContext,
    access: Access,
    content: IO[bytes],
    *,
    name: str,
    fields: Sequence[FileField | FilesField],
) -> StoredFile:
    """Take a file in for one of the fields; it waits for a record to hold it, at most a day.

    content: can be sought in. Pictures are drawn anew. Raises FileTooLarge, FileNotAccepted, NoFilesHere, StorageFull.
    """
    file, content, picture = prepared(content, name=name, fields=fields)
    public = access.surface is Surface.PUBLIC or access.actor.kind == "visitor"
    statements = insert_statements(context, access, file, content, picture, public=public)
    scope: Scope = own_scope(context, access)
    kept = stored(run_and_commit(scope, statements))
    write_bytes(context, kept.id, content, picture)
    return kept


def prepared(
    content: IO[bytes], *, name: str, fields: Sequence[FileField | FilesField]
) -> tuple[tuple[str, FileKind, int], IO[bytes], Picture | None]:
    """((clean name, kind, bytes as sent), what to keep, the picture if it is one). Raises as store_file()."""
    if not fields:
        raise NoFilesHere()
    size = content.seek(0, io.SEEK_END)
    if size == 0:
        raise FileNotAccepted("The file is empty.")
    if size > max(field.max_mb for field in fields) << 20:
        raise FileTooLarge(f"A file here may have {max(field.max_mb for field in fields)} MiB.")
    kind = tell_kind(content, name)
    if not any(field.takes(kind.family) for field in fields):
        raise FileNotAccepted(f"This is {kind.media_type}; wanted is {fields[0].wanted}.")
    picture = redraw(content, kind) if kind.family == "image" else None
    return (clean_name(name, kind), kind, size), io.BytesIO(picture.content) if picture else content, picture


def insert_statements(
    context: InstallContext,
    access: Access,
    file: tuple[str, FileKind, int],
    content: IO[bytes],
    picture: Picture | None,
    *,
    public: bool,
) -> list[Statement]:
    """The row of a prepared() file, held to the site's quota. stored() reads what they answer. Raises NoFilesOnTrial."""
    if context.on_trial:
        raise NoFilesOnTrial()
    name, kind, sent = file
    size, digest = _measured(content)
    values = [
        uuid7(), context.agency_id, context.site_id, context.install_id, name, kind.media_type, kind.family, size, sent,
        digest, picture.width if picture else None, picture.height if picture else None, picture is not None, public,
        access.actor.ref, _quota["bytes"], MAX_PENDING_PUBLIC,
    ]  # fmt: skip
    return [(_LOCK, [str(context.site_id)]), (_KEEP, values)]


def stored(answers: list[Rows]) -> StoredFile:
    """The file that insert_statements() kept. Raises StorageFull."""
    if not answers[-1]:
        raise StorageFull()
    return StoredFile(*answers[-1][0])


def write_bytes(context: InstallContext, file_id: UUID, content: IO[bytes], picture: Picture | None) -> None:
    """The bytes of a file whose row is there: a row without bytes is swept, bytes without a row would be lost for long."""
    content.seek(0)
    with storage().writing(object_name(context, file_id)) as target:
        while chunk := content.read(1 << 20):
            target.write(chunk)
    for size, copy in (picture.copies if picture is not None else {}).items():
        storage().write(object_name(context, file_id, size=size), copy)


def discard_files(context: InstallContext, access: Access, ids: Iterable[UUID]) -> None:
    """Take away files that no record holds after all; those that one does stay. A failure leaves them to the sweep."""
    wanted_ids = list(ids)
    if not wanted_ids:
        return
    try:
        [gone] = run_and_commit(own_scope(context, access), [(_GONE, [context.install_id, wanted_ids])])
    except Exception as error:
        log.warning("could not discard files of install %s: %s", context.install_id, error)
        return
    for (file_id,) in gone:
        delete_bytes(context.agency_id, context.install_id, file_id)


def delete_bytes(agency_id: UUID, install_id: UUID, file_id: UUID) -> None:
    """The bytes of a file and of its smaller pictures."""
    for end in ("", *(f"-{size}" for size in COPIES)):
        with suppress(OSError):
            storage().delete(f"files/{agency_id}/{install_id}/{file_id}{end}")


def _measured(content: IO[bytes]) -> tuple[int, str]:
    """(bytes, SHA-256 as hex)."""
    content.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(1 << 20):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()
