"""Which request is being worked on: its id goes along into letters, work orders and whatever they cause."""

from __future__ import annotations

from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """`req_…` of the request that this thread works on or works for; '' for none."""
    return _request_id.get()


def set_request_id(request_id: str) -> None:
    """Say which request this thread works on from now; '' ends it."""
    _request_id.set(request_id)
