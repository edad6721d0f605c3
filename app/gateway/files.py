"""Files over the API: taken in before the record that will hold them, handed out with the rights on that record."""

from __future__ import annotations

from io import BytesIO
from typing import IO
from uuid import UUID

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from app.errors import BadRequest, Invalid
from app.gateway.http import Answer, Call, FileAnswer, UploadTooLarge, json_answer
from app.runtime.context import InstallContext
from app.runtime.data import Access, Data
from app.runtime.files.actions import MAX_MB, store_file
from app.runtime.files.queries import open_bytes, readable_file, upload_fields
from app.runtime.files.serving import chunks, file_headers

MAX_UPLOAD_BYTES = (MAX_MB << 20) + (1 << 16)  # with what multipart puts around a file
_FORM = "application/x-www-form-urlencoded"


def take_file(call: Call, context: InstallContext, access: Access) -> Answer:
    """201 with the file's id, name, type and size. Raises Invalid, BadRequest and what store_file() does."""
    content, name = _sent(call)
    file = store_file(context, access, content, name=name, fields=upload_fields(context, access))
    where = f"/api/modules/{context.module_slug}/files/{file.id}"
    return json_answer({"data": file.value}, 201, [("Location", where)])


def send_file(call: Call, data: Data, file_id: UUID) -> Answer:
    """The file's bytes, 304 for a caller that has them. Raises NotFound."""
    asked = dict(call.query())
    file = readable_file(data, file_id)
    content, media_type, size = open_bytes(data.context, file, size=asked.get("size", ""))
    headers = file_headers(file, media_type=media_type, attachment="download" in asked, size=size)
    if call.header("If-None-Match").strip() == headers["ETag"]:
        content.close()
        return Answer(304, headers=[("ETag", headers["ETag"])])
    length = content.seek(0, 2)
    content.seek(0)
    return FileAnswer(chunks(content), length, list(headers.items()))


def _sent(call: Call) -> tuple[IO[bytes], str]:
    kind, options = parse_options_header(call.environ.get("CONTENT_TYPE", ""))
    if kind != "multipart/form-data":
        name = dict(call.query()).get("name", "")
        if not name or kind == _FORM:
            raise Invalid("Send multipart/form-data with a part `file`, or the file itself with ?name=plan.pdf.")
        return BytesIO(call.body), name
    parser = FormDataParser(max_form_memory_size=100_000, max_form_parts=20)
    try:
        _, _, files = parser.parse(BytesIO(call.body), kind, len(call.body), options)
    except RequestEntityTooLarge as error:
        raise UploadTooLarge() from error
    except ValueError as error:
        raise BadRequest("The multipart body cannot be read.") from error
    part = files.get("file")
    if part is None or not part.filename:
        raise Invalid("The multipart body has no part `file` with a file name.")
    return part.stream, part.filename
