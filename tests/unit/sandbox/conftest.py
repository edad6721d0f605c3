"""One pool for all tests of the sandbox, and one with eyes inside. Real worker processes, real locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.runtime.sandbox.pool import CallResult, Limits, Sandbox

NOW = "2026-03-01T09:30:00+00:00"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    pool = Sandbox(workers=2)
    pool.start()
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def probed() -> Iterator[Sandbox]:
    pool = Sandbox(workers=1, _probe=True)
    pool.start()
    yield pool
    pool.stop()


def no_host(name: str, args: list[Any]) -> Any:
    raise AssertionError(f"{name} was not expected")


Run = Callable[..., CallResult]


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """Call one function: run(source, input, host=…, ctx=…, ms=…)."""

    def call(source: str, given: Any = None, *, host: Any = no_host, ctx: Any = None, **limits: Any) -> CallResult:
        return sandbox.call(
            source=source,
            digest="d",
            filename="functions/f.js",
            ctx={"now": NOW} | (ctx or {}),
            input=given,
            host=host,
            limits=Limits(**limits),
        )

    return call


@pytest.fixture
def render(sandbox: Sandbox) -> Callable[..., str]:
    """Render one template with a context: render("{{ x }}", {"x": 1}, others={name: source})."""

    def page(
        source: str, context: Any = None, *, name: str = "page.html", others: Any = None, busy_s: float = 0.5
    ) -> str:
        templates = {name: source} | (others or {})
        return sandbox.render(
            templates=templates, digest=repr(templates), name=name, context=context or {}, busy_s=busy_s
        )

    return page
