"""One call and its answer, without Flask: what is on the way of every request stays small (docs/performance.md)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from app.errors import AppError, BadRequest, Invalid, PayloadTooLarge
from app.gateway.credentials import Credential
from app.gateway.limits import QuotaExceeded, Taken
from app.lib.ids import encode, uuid7
from app.runtime.data.scoped import Connection
from app.web.errors import problem_document, status_of
from app.web.headers import plain_headers

Headers = list[tuple[str, str]]
MAX_BODY_BYTES = 1_000_000
JSON = "application/json"
PROBLEM = "application/problem+json"
QUOTA_TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded"

_SHOWN_FACTS = ("position", "scope")  # of an error's facts, what callers may see
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_FIXED = {secure: plain_headers("api", secure=secure) for secure in (False, True)}


class BodyTooLarge(PayloadTooLarge):
    """A body may have 1 MB. Send fewer records per call."""


class UploadTooLarge(PayloadTooLarge):
    """A file may have 50 MiB, and less where its field says so."""

    code = "file_too_large"


class Call:
    """A request to the gateway. The guard fills in who it is; views read it."""

    __slots__ = (
        "_body", "address", "connection", "credential", "environ", "install_id", "max_body_bytes", "method", "origin",
        "query_string", "recording_until", "request_id", "started_ns", "taken",
    )  # fmt: skip

    credential: Credential

    def __init__(self, environ: dict[str, Any]) -> None:
        self.started_ns = time.perf_counter_ns()
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.query_string: str = environ.get("QUERY_STRING", "")
        self.origin: str = environ.get("HTTP_ORIGIN", "")
        self.address = clean_address(environ.get("REMOTE_ADDR", ""))
        self.request_id = encode("req", uuid7())
        self.install_id: UUID | None = None
        self.recording_until: datetime | None = None  # how long bodies of writes to the install are kept
        self.taken: list[Taken] = []
        self.connection: Connection | None = None  # the transaction a repeatable write runs in
        self.max_body_bytes = MAX_BODY_BYTES
        self._body: bytes | None = None

    def header(self, name: str) -> str:
        """A request header, '' when it was not sent. name: as in HTTP, such as If-Match."""
        value: str = self.environ.get("HTTP_" + name.upper().replace("-", "_"), "")
        return value

    @property
    def body(self) -> bytes:
        """The bytes that were sent, read once. Raises BodyTooLarge, BadRequest."""
        if self._body is None:
            self._body = _read(self.environ, self.max_body_bytes)
        return self._body

    @property
    def read_body(self) -> bytes:
        """The body as far as a view has read it: b"" when none has."""
        return self._body or b""

    @property
    def path(self) -> str:
        """The path as text; WSGI carries its bytes as Latin-1."""
        raw: str = self.environ.get("PATH_INFO", "")
        return raw if raw.isascii() else raw.encode("latin-1", "replace").decode("utf-8", "replace")

    def query(self) -> list[tuple[str, str]]:
        """The query parameters in order, empty values included. Raises Invalid for more than 200."""
        if not self.query_string:
            return []
        try:
            return parse_qsl(self.query_string, keep_blank_values=True, max_num_fields=200, errors="strict")
        except UnicodeDecodeError as error:
            raise Invalid("The address is not UTF-8.") from error
        except ValueError as error:
            raise Invalid("At most 200 query parameters.") from error


class Answer:
    """A response; itself a WSGI application, so that both Flask and a bare server can send it."""

    __slots__ = ("body", "content_type", "error_code", "headers", "status")

    def __init__(
        self,
        status: int,
        body: bytes = b"",
        headers: Headers | None = None,
        *,
        content_type: str = JSON,
        error_code: str = "",
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers if headers is not None else []
        self.content_type = content_type
        self.error_code = error_code

    @property
    def size_bytes(self) -> int:
        return len(self.body)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [*_FIXED[environ.get("wsgi.url_scheme") == "https"], *self.headers]
        if self.status not in (204, 304):
            headers.append(("Content-Type", self.content_type))
            headers.append(("Content-Length", str(len(self.body))))
        start_response(_STATUS_LINES[self.status], headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" or not self.body else [self.body]


class FileAnswer(Answer):
    """A file in pieces. headers: as runtime.files.serving.file_headers() says, which go before the fixed ones."""

    __slots__ = ("content", "length")

    def __init__(self, content: Iterable[bytes], length: int, headers: Headers) -> None:
        super().__init__(200, headers=headers)
        self.content, self.length = content, length

    @property
    def size_bytes(self) -> int:
        return self.length

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = {name.lower() for name, _ in self.headers}
        fixed = [pair for pair in _FIXED[environ.get("wsgi.url_scheme") == "https"] if pair[0].lower() not in said]
        start_response(_STATUS_LINES[200], [*fixed, *self.headers, ("Content-Length", str(self.length))])
        return self.content


def _read(environ: dict[str, Any], most: int) -> bytes:
    try:
        return get_input_stream(environ, max_content_length=most).read()
    except RequestEntityTooLarge as error:
        raise (BodyTooLarge() if most == MAX_BODY_BYTES else UploadTooLarge()) from error
    except (ClientDisconnected, OSError) as error:
        raise BadRequest("The body ended before it was complete.") from error


def json_answer(value: Any, status: int = 200, headers: Headers | None = None) -> Answer:
    """A value of ours as JSON."""
    return Answer(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), headers)


def problem_answer(call: Call, error: AppError) -> Answer:
    """An expected failure as problem+json (RFC 9457), with the headers it calls for."""
    status = status_of(error)
    extra = {name: error.facts[name] for name in _SHOWN_FACTS if name in error.facts}
    headers: Headers = []
    if isinstance(error, QuotaExceeded):
        extra.update({"type": QUOTA_TYPE, "violated-policies": [error.taken.policy.name]})
        call.taken.append(error.taken)
    if (retry_after_s := getattr(error, "retry_after_s", None)) is not None:
        headers.append(("Retry-After", str(max(1, retry_after_s))))
    if (challenge := _challenge(error, status)) is not None:
        headers.append(("WWW-Authenticate", challenge))
    items = [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in getattr(error, "errors", [])]
    return problem(call, status, error.code, error.message, items=items, headers=headers, **extra)


def problem(
    call: Call,
    status: int,
    code: str,
    detail: str,
    *,
    items: list[dict[str, str]] | None = None,
    headers: Headers | None = None,
    **extra: Any,
) -> Answer:
    """A problem+json answer of any kind."""
    document = problem_document(status, code, detail, request_id=call.request_id, items=items, **extra)
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Answer(status, body, headers, content_type=PROBLEM, error_code=code)


def _challenge(error: AppError, status: int) -> str | None:
    """RFC 6750 3: what was wrong with the credential, machine-readable."""
    if error.code == "insufficient_scope":
        return f'Bearer realm="Dramac", error="insufficient_scope", scope="{error.facts["scope"]}"'
    if status != 401:
        return None
    return 'Bearer realm="Dramac"' if error.code == "no_credential" else 'Bearer realm="Dramac", error="invalid_token"'


@lru_cache(maxsize=4096)
def clean_address(text: str) -> str:
    """The caller's address, '' for what is none (a socket file, an odd proxy), so that the log can keep it."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return ""
