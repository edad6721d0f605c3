"""What the documentation lists is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.config import Config
from app.queue.registry import JOBS
from tests.support.reference import FOLDER, PAGES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_reference_pages_are_made_from_the_code(name: str, wired: Config) -> None:
    assert (FOLDER / name).read_text() == PAGES[name]()


def test_every_job_that_is_ordered_exists(wired: Config) -> None:
    call = re.compile(r"\b(?:enqueue\(\s*[\w.()]+,|wake\()\s*\"([a-z_]+\.[a-z_]+)\"")
    ordered = {name for path in (ROOT / "app").rglob("*.py") for name in call.findall(path.read_text())}
    assert ordered - set(JOBS) == set()


def test_every_environment_variable_is_documented() -> None:
    read = set(re.findall(r'"([A-Z][A-Z_]{3,})"', (ROOT / "app" / "config.py").read_text()))
    page = (FOLDER / "environment.md").read_text()
    assert {name for name in read if f"`{name}`" not in page} == set()


def test_nothing_else_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text()) and not path.is_relative_to(ROOT / "app" / "dev")
    }
    # the probe is what tests ask whether a sandbox worker's environment is empty
    assert readers == {"app/config.py", "app/runtime/sandbox/worker/probe.py"}
