"""Every module of modules/ is a package without fault and passes its own acceptance tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Config
from app.modules.package import Package, check_folder
from app.runtime.acceptance import run_tests
from tests.support.packages import FIRST_PARTY, first_party

MODULES = sorted(path.name for path in FIRST_PARTY.iterdir() if (path / "module.yaml").exists())


@pytest.fixture(params=MODULES)
def package(request: pytest.FixtureRequest, wired: Config) -> Package:
    checked = check_folder(first_party(request.param).items())
    assert [str(problem) for problem in checked.problems] == []
    assert checked.package is not None
    return checked.package


def test_passes_its_own_acceptance_tests(package: Package) -> None:
    assert [f"{problem.file}: {problem.message}" for problem in run_tests(package).problems] == []


def test_has_tests_of_its_own(package: Package) -> None:
    assert len(package.tests) > 0


def test_every_template_and_function_is_well_formed(package: Package) -> None:
    from app.runtime.functions.process import sandbox

    wrong = [found for name in package.templates for found in sandbox().check_template(package.templates, name)]
    wrong += [found for name, text in package.functions.items() for found in sandbox().check_function(text, name)]
    assert wrong == []


def test_modules_are_found() -> None:
    assert Path(FIRST_PARTY).name == "modules"
    assert {"_example", "enquiries"} <= set(MODULES)
