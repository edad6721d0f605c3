"""Files and visitors: those they send with a form, and those that a page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from uuid import UUID

from app.access.actors import Actor
from app.errors import FieldError, Invalid, NotFound
from app.modules.conditions import All, Test
from app.modules.kinds import Kind
from app.modules.manifest.fields import FileField, FilesField
from app.modules.manifest.pages import Page
from app.runtime.context import InstallContext
from app.runtime.data import Access, Data, Surface
from app.runtime.data.model import TableModel
from app.runtime.files.actions import FileTooLarge, discard_files, store_file
from app.runtime.files.kinds import FileNotAccepted
from app.runtime.files.queries import StoredFile, field_holding, find_files, holding_field, table_of
from app.runtime.pages.data import open_fields
from app.runtime.query import Query

MOST_FILES = 5  # of one form, from somebody nobody knows
MOST_BYTES = 64 << 20

Sent = tuple[str, str, IO[bytes]]
"""(input, file name, content)."""


@dataclass
class Kept:
    """The files of one form that are kept so far. values: for the record."""

    ids: list[UUID] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


def upload_bytes(context: InstallContext, page: Page) -> int:
    """How much the files of a form may have together; 0 for one that takes none."""
    fields = upload_inputs(context, page).values()
    each = [
        one.max_mb * (min(one.max or MOST_FILES, MOST_FILES) if isinstance(one, FilesField) else 1) for one in fields
    ]
    return min(sum(each) << 20, MOST_BYTES) + (1 << 16 if each else 0)


def upload_inputs(context: InstallContext, page: Page) -> dict[str, FileField | FilesField]:
    """The inputs of a form that take files."""
    if page.table is None:
        return {}
    fields = context.manifest.tables[page.table].fields
    found = {name: fields[name] for name in page.fields or ()}
    return {name: one for name, one in found.items() if isinstance(one, (FileField, FilesField))}


def keep_files(context: InstallContext, page: Page, files: Sequence[Sent], *, visitor: Actor, kept: Kept) -> None:
    """Keep what was sent, noting each in `kept` at once. Raises Invalid with the input, and what store_file() does."""
    inputs = upload_inputs(context, page)
    wanted = [one for one in files if one[0] in inputs]
    if len(wanted) > MOST_FILES:
        raise Invalid(f"At most {MOST_FILES} files can be sent at once.")
    for name, file_name, content in wanted:
        one = inputs[name]
        try:
            file = store_file(context, _access(visitor), content, name=file_name, fields=[one])
        except (FileNotAccepted, FileTooLarge) as error:
            raise Invalid(error.message, errors=[FieldError(f"/{name}", error.code, error.message)]) from error
        kept.ids.append(file.id)
        if isinstance(one, FilesField):
            kept.values.setdefault(name, []).append(str(file.id))
        else:
            kept.values[name] = str(file.id)


def discard(context: InstallContext, kept: Kept, *, visitor: Actor) -> None:
    """The form was refused: nothing of it stays."""
    discard_files(context, _access(visitor), kept.ids)


def _access(visitor: Actor) -> Access:
    return Access(Surface.SYSTEM, visitor)


def shown_file(context: InstallContext, file_id: UUID, *, visitor: Actor) -> StoredFile:
    """A file that visitors may see: of a table they may read, or in a record that a page of the module shows.

    Raises NotFound for every other alike.
    """
    data = Data(context, Access(Surface.PUBLIC, visitor))
    file = find_files(data, [file_id]).get(file_id)
    if file is None or file.record_id is None:
        raise NotFound()
    table = table_of(data, file)
    if holding_field(data, file) is None and (table is None or not _on_a_page(context, table, file)):
        raise NotFound()
    return file


def _on_a_page(context: InstallContext, table: TableModel, file: StoredFile) -> bool:
    system = Data(context, Access(Surface.SYSTEM))
    for page in context.manifest.pages.values():
        for source in page.data.values() if page.data else ():
            shown = source.fields if source.fields is not None else open_fields(table)
            names = tuple(name for name in table.file_fields if name in shown)
            if source.table != table.name or not names:
                continue
            here = Test("id", "eq", file.record_id, Kind.UUID)
            where = All((here, table.condition(source.where))) if source.where else here
            found = system.list(table.name, Query(where=where, limit=1, fields=names)).records
            if found and field_holding(found[0], table, file.id):
                return True
    return False
