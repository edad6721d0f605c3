"""What the seed publishes past the checks, so that nobody waits for them at the first start, passes every one of them."""

from __future__ import annotations

import pytest

from app.lib.clock import utcnow
from app.modules.package import Package, read_folder
from app.runtime.checks import source_problems
from app.runtime.functions.process import sandbox
from app.seeds.demo import releases
from app.studio.publishing import accessibility
from app.studio.publishing.pipeline import CHECKS
from app.studio.publishing.work import Work
from tests.support.chromium import find_chromium

pytestmark = [pytest.mark.usefixtures("wired", "app_context"), pytest.mark.timeout(240)]


def test_every_version_of_the_demo_world_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessibility, "find_browser", find_chromium)
    before: dict[str, Package] = {}
    wrong: dict[str, list[str]] = {}
    for files, _ in releases():
        package = read_folder(files)
        older = before.get(package.manifest.slug)
        work = Work(package, utcnow(), older, older.manifest.version if older else "")
        problems = [
            *source_problems(package, sandbox()),
            *(one for check in CHECKS.values() for one in check(work).errors),
        ]
        if found := [str(one) for one in problems if one.severity == "error"]:
            wrong[f"{package.manifest.slug} {package.manifest.version}"] = found
        before[package.manifest.slug] = package
    assert wrong == {}
    assert len(before) == 3
