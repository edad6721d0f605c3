"""Counts SQL statements, so that a list that asks once per row is found out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from app.db.base import db
from app.runtime.data import scoped


class Statements:
    """Every statement sent since the start; begin, commit and rollback are not counted."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    @classmethod
    @contextmanager
    def watching(cls, app: Flask) -> Iterator[Statements]:
        counter = cls()

        def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
            counter.sent.append(statement)

        with app.app_context():
            engines = list(db.engines.values())
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield counter
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements sent inside the block, filled when it ends."""
        start = len(self.sent)
        found: list[str] = []
        yield found
        found.extend(self.sent[start:])

    @contextmanager
    def of_modules(self) -> Iterator[list[str]]:
        """The statements sent to the tables of modules inside the block, without those that set the scope."""
        found: list[str] = []
        through = scoped.exchange

        def noting(connection: Any, statements: Any) -> Any:
            found.extend(text for text, _ in statements if "set_config" not in text)
            return through(connection, statements)

        through_apart = scoped.exchange_apart

        def noting_apart(connection: Any, before: Any, groups: Any) -> Any:
            found.extend(text for group in groups for text, _ in group)
            return through_apart(connection, before, groups)

        scoped.exchange, scoped.exchange_apart = noting, noting_apart
        try:
            yield found
        finally:
            scoped.exchange, scoped.exchange_apart = through, through_apart

    @contextmanager
    def exactly(self, number: int) -> Iterator[None]:
        with self.counted() as found:
            yield
        assert len(found) == number, "\n\n".join([f"{len(found)} statements, expected {number}:", *found])

    @contextmanager
    def at_most(self, number: int) -> Iterator[None]:
        with self.counted() as found:
            yield
        assert len(found) <= number, "\n\n".join([f"{len(found)} statements, at most {number} expected:", *found])
