"""What functions ask of their tables while `listening` holds, for the check of query plans. Only test runs listen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from app.modules.conditions import Condition
from app.runtime.query import Sort


@dataclass(frozen=True, slots=True)
class Question:
    """One find, count or sum of a function over a table of its own module. limit: of a find, else 0."""

    function: str
    call: Literal["find", "count", "sum"]
    table: str
    where: Condition
    sort: tuple[Sort, ...] = ()
    limit: int = 0


_current: ContextVar[list[Question] | None] = ContextVar("asked", default=None)


@contextmanager
def listening(heard: list[Question]) -> Iterator[None]:
    """Questions of functions that run in this thread go into `heard` while this holds."""
    token = _current.set(heard)
    try:
        yield
    finally:
        _current.reset(token)


def note(question: Question) -> None:
    """Tell whoever listens."""
    heard = _current.get()
    if heard is not None:
        heard.append(question)
