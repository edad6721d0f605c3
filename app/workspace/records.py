"""Acts on records from the screens: one or many at a time, each in one transaction, through the data layer alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from app.errors import AppError, Conflict, Invalid, NotFound
from app.modules.manifest.fields import EnumField, TagsField
from app.runtime.data import Transaction
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.labels import field_label, option_label

MOST_AT_ONCE = 200
Choices = dict[str, list[tuple[str, str]]]


class NothingChosen(Conflict):
    """No record was chosen. Tick at least one, then try again."""

    code = "nothing_chosen"


class BulkRefused(Conflict):
    """Nothing was changed: one of the records stands in the way."""

    code = "bulk_refused"

    def __init__(self, message: str, *, lines: tuple[str, ...]) -> None:
        super().__init__(message)
        self.lines = lines


def bulk_choices(desk: Desk, table: str, *, assign: bool, edit: bool) -> Choices:
    """{field label: [(`field=value`, label)]} of what many records can be set to at once."""
    found: Choices = {}
    spec = desk.table(table)
    for name, field in spec.fields.items():
        none = [] if field.required else [(f"{name}=", "None")]
        if isinstance(field, EnumField) and edit:
            options = [(f"{name}={one}", option_label(field, one)) for one in field.options]
        elif field.type == "user" and assign:
            options = [(f"{name}={one.id}", one.name) for one in desk.colleagues.values()][:200]
        elif field.type == "boolean" and edit:
            options, none = [(f"{name}=true", "Yes"), (f"{name}=false", "No")], []
        else:
            continue
        found[field_label(spec, name)] = options + none
    return found


def read_choice(desk: Desk, table: str, text: str) -> dict[str, Any]:
    """The values of one of bulk_choices(). Raises Invalid for anything else."""
    name, _, value = text.partition("=")
    field = desk.table(table).fields.get(name)
    if field is None or field.type not in ("enum", "user", "boolean"):
        raise Invalid.field("set", "Choose what to change.", "required")
    if field.type == "boolean":
        return {name: value == "true"}
    return {name: value or None}


def chosen_ids(texts: Sequence[str]) -> list[UUID]:
    """The ids of ticked rows, at most 200. Raises NothingChosen."""
    found = []
    for text in dict.fromkeys(texts):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    if not found:
        raise NothingChosen()
    return found[:MOST_AT_ONCE]


def set_many(desk: Desk, table: str, ids: Sequence[UUID], values: dict[str, Any]) -> UUID:
    """Give many records the same values, all or none; returns the batch that can be undone. Raises BulkRefused."""
    with desk.data.transaction() as tx:
        for record_id in ids:
            with _naming(desk, tx, table, record_id):
                tx.update(table, record_id, values)
        return tx.batch


def tag_many(desk: Desk, table: str, ids: Sequence[UUID], field: str, tag: str) -> UUID:
    """Add a tag to many records, all or none. Raises Invalid (no tag, not a field of tags), BulkRefused."""
    if not isinstance(desk.table(table).fields.get(field), TagsField):
        raise NotFound()
    if not tag.strip():
        raise Invalid.field("tag", "Write a tag first.", "required")
    with desk.data.transaction() as tx:
        for record_id in ids:
            with _naming(desk, tx, table, record_id):
                had = tx.lock(table, record_id).values[field]
                tx.update(table, record_id, {field: [*had, tag.strip()]})
        return tx.batch


def delete_many(desk: Desk, table: str, ids: Sequence[UUID]) -> UUID:
    """Delete many records, all or none; returns the batch that brings them back. Raises BulkRefused."""
    with desk.data.transaction() as tx:
        for record_id in ids:
            with _naming(desk, tx, table, record_id):
                tx.delete(table, record_id)
        return tx.batch


@contextmanager
def _naming(desk: Desk, tx: Transaction, table: str, record_id: UUID) -> Iterator[None]:
    """A failure with the name of the record it is about. A record that is gone stops everything, too."""
    try:
        yield
    except NotFound as error:
        raise BulkRefused(
            "Nothing was changed.", lines=("One of the records is gone, or is not yours to change.",)
        ) from error
    except (Invalid, Conflict) as error:
        name = _title(desk, table, record_id)
        raise BulkRefused("Nothing was changed.", lines=(f"{name}: {error.message}",)) from error


def _title(desk: Desk, table: str, record_id: UUID) -> str:
    try:
        return title(desk, table, desk.data.get(table, record_id).values)
    except AppError:
        return "A record"
