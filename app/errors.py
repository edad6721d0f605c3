"""Expected failures, as classes. Each says what happened and what to do next; nothing here knows HTTP.

Rules raise these where the rule is; only app/web/errors.py turns them into a page, a fragment or problem+json.
"""

from __future__ import annotations

from dataclasses import dataclass


class AppError(Exception):
    """Base of every expected failure. `code` is stable and machine-readable; the message is for people."""

    code = "error"

    def __init__(self, message: str = "", **facts: object) -> None:
        super().__init__(message or (self.__class__.__doc__ or "").strip().split("\n")[0])
        self.facts = facts

    @property
    def message(self) -> str:
        return str(self)


class NotFound(AppError):
    """There is nothing here, or it is not yours to see."""

    code = "not_found"


class Forbidden(AppError):
    """Your role does not allow this. Ask an owner or administrator of the agency."""

    code = "forbidden"


class Unauthenticated(AppError):
    """Sign in, or send a valid credential."""

    code = "unauthenticated"


class Conflict(AppError):
    """Somebody or something got there first."""

    code = "conflict"


class VersionMismatch(Conflict):
    """The record changed since you read it. Reload it, then apply your change again."""

    code = "version_mismatch"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong value: where it is (RFC 6901 pointer, such as /email or /2/name), a stable code, a sentence."""

    pointer: str
    code: str
    detail: str


class Invalid(AppError):
    """Some values are not acceptable."""

    code = "invalid"

    def __init__(self, message: str = "", *, errors: list[FieldError] | None = None, **facts: object) -> None:
        super().__init__(message, **facts)
        self.errors: list[FieldError] = errors or []

    @classmethod
    def field(cls, name: str, detail: str, code: str = "invalid") -> Invalid:
        """One error on one field."""
        return cls(detail, errors=[FieldError(f"/{name}", code, detail)])


class BadRequest(AppError):
    """The request itself cannot be read."""

    code = "bad_request"


class RateLimited(AppError):
    """Too many requests. Wait, then try again."""

    code = "rate_limited"

    def __init__(self, message: str = "", *, retry_after_s: int = 1, **facts: object) -> None:
        super().__init__(message, **facts)
        self.retry_after_s = retry_after_s


class PayloadTooLarge(AppError):
    """What was sent is larger than allowed."""

    code = "payload_too_large"


class UnsupportedMedia(AppError):
    """This kind of content is not accepted here."""

    code = "unsupported_media_type"


class Unavailable(AppError):
    """A part this needs is not answering right now. Nothing was changed; try again shortly."""

    code = "unavailable"

    def __init__(self, message: str = "", *, retry_after_s: int = 5, **facts: object) -> None:
        super().__init__(message, **facts)
        self.retry_after_s = retry_after_s
