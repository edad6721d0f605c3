"""A connection to a real PostgreSQL for the evaluators that must agree with it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest


@pytest.fixture(scope="session")
def postgres(database_url: str) -> Iterator[psycopg.Connection]:
    """One connection that keeps nothing: every statement stands alone."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection
