"""ctx.files: what a function may do with the files of its install."""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.errors import NotFound
from app.runtime.files.actions import insert_statements, prepared, stored, write_bytes
from app.runtime.files.queries import StoredFile, find_files, open_bytes, upload_fields
from app.runtime.sandbox.pool import HostError

if TYPE_CHECKING:  # host knows this module
    from app.runtime.functions.host import Session

MAX_BYTES = 256_000  # what passes between a function and the platform in one piece


def get(session: Session, file_id: Any) -> dict[str, Any]:
    """{id, name, type, size} of a file of the module, and width and height of a picture."""
    return _file(session, file_id).value


def read(session: Session, file_id: Any) -> dict[str, Any]:
    """The same with `text` of a text file, with `base64` of any other; at most 256 kB."""
    file = _file(session, file_id)
    if file.size_bytes > MAX_BYTES:
        raise HostError("too_large", None, f"A function reads files of at most {MAX_BYTES // 1000} kB.")
    made = session.made_files.get(file.id)
    if made is None:
        with open_bytes(session.context, file)[0] as content:
            made = content.read()
    if file.media_type.startswith("text/"):
        return {**file.value, "text": made.decode("utf-8", "replace")}
    return {**file.value, "base64": base64.b64encode(made).decode()}


def put(session: Session, given: Any) -> dict[str, Any]:
    """Keep a new file, {name, text | base64}; give what this answers to a record within the same transaction."""
    name, content = _given(given)
    fields = upload_fields(session.context, session.tx.access)
    file, data, picture = prepared(io.BytesIO(content), name=name, fields=fields)
    statements = insert_statements(session.context, session.tx.access, file, data, picture, public=False)
    kept = stored(session.tx.beside_tables(*statements))
    data.seek(0)
    session.made_files[kept.id] = data.read()
    if session.keeps_files:  # a test's transaction is undone, so nothing would ever take the bytes away
        write_bytes(session.context, kept.id, data, picture)
    return kept.value


def _file(session: Session, file_id: Any) -> StoredFile:
    if isinstance(file_id, dict):
        file_id = file_id.get("id")
    try:
        wanted = UUID(file_id)
    except (ValueError, TypeError, AttributeError):
        raise HostError("invalid_argument", None, "Give the id of a file, or a file as a record holds it.") from None
    found = find_files(session.tx, [wanted]).get(wanted)
    if found is None:
        raise NotFound()
    return found


def _given(given: Any) -> tuple[str, bytes]:
    wanted = HostError("invalid_argument", None, "A file is {name, text} or {name, base64}.")
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise wanted
    text, coded = given.get("text"), given.get("base64")
    if isinstance(text, str) and coded is None:
        content = text.encode("utf-8", "replace")
    elif isinstance(coded, str) and text is None:
        try:
            content = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            raise HostError("invalid_argument", None, "base64 is no base64.") from None
    else:
        raise wanted
    if len(content) > MAX_BYTES:
        raise HostError("too_large", None, f"A function makes files of at most {MAX_BYTES // 1000} kB.")
    return given["name"], content
