"""Every starter is a package without fault that passes its own tests, and everything it shows can be looked at."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask

from app.lib.clock import utcnow
from app.modules.package import Package, check_folder
from app.runtime.acceptance import Report, draw_sample, run_tests, show_sample_page
from app.runtime.functions.asked import Question, listening
from app.runtime.functions.process import sandbox
from app.runtime.pages.view import SERVED
from app.studio.editor.starters import FOLDER, STARTERS, starter_files
from app.studio.publishing.pipeline import CHECKS
from app.studio.publishing.rules import static_problems
from app.studio.publishing.work import Work
from app.workspace import samples

KEYS = [starter.key for starter in STARTERS]
CHEAP = ("migrations", "footprint", "isolation", "plans")  # the tests run above; embeds need a browser
WITHOUT_TESTS = {"blank", "widget"}  # nothing of theirs can go wrong that the checks would not find


@cache
def package_of(key: str) -> Package:
    checked = check_folder(starter_files(key).items())
    assert [str(problem) for problem in checked.problems] == []
    assert checked.package is not None
    return checked.package


ASKED: dict[str, list[Question]] = {key: [] for key in KEYS}  # by its functions, in its tests


@cache
def report_of(key: str) -> Report:
    with listening(ASKED[key]):
        return run_tests(package_of(key), coverage=True)


def test_every_folder_is_offered_once() -> None:
    assert sorted(KEYS) == sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
    assert len({package_of(key).manifest.slug for key in KEYS}) == len(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_its_own_tests_pass_and_reach_its_functions(key: str, platform_app: Flask) -> None:
    package, report = package_of(key), report_of(key)
    assert [f"{problem.file}: {problem.message}" for problem in report.problems] == []
    assert bool(package.tests) is (key not in WITHOUT_TESTS)
    least = 25 if key == "integration" else 80  # what the other service answers is no test's to say
    assert {one.path: one.percent for one in report.coverage if not one.measured or one.percent < least} == {}


@pytest.mark.parametrize("key", KEYS)
def test_its_templates_and_functions_are_well_formed(key: str, platform_app: Flask) -> None:
    package, box = package_of(key), sandbox()
    wrong = [found for name in package.templates for found in box.check_template(package.templates, name)]
    assert wrong + [found for name, text in package.functions.items() for found in box.check_function(text, name)] == []


@pytest.mark.parametrize("key", KEYS)
def test_nothing_of_it_stands_in_the_way_of_publishing_it(key: str, platform_app: Flask) -> None:
    package = package_of(key)
    assert [f"{one.file}:{one.line}:{one.column}: {one.message}" for one in static_problems(package)] == []
    report_of(key)
    with platform_app.app_context():
        for step in CHEAP:
            assert [str(one) for one in CHECKS[step](Work(package, utcnow(), asked=ASKED[key])).errors] == [], step


@pytest.mark.parametrize("key", KEYS)
def test_every_page_renders_and_is_sound(key: str, platform_app: Flask) -> None:
    package = package_of(key)
    for name, page in package.manifest.pages.items():
        if page.kind not in SERVED:
            continue
        for sent in (False, True) if page.kind == "form" else (False,):
            shown = show_sample_page(package, name, given={}, now=utcnow(), sent=sent)
            assert faults(shown.html) == [], f"{name}, {'sent' if sent else 'open'}"


@pytest.mark.parametrize("key", KEYS)
def test_every_screen_for_staff_renders_and_is_sound(key: str, platform_app: Flask) -> None:
    package = package_of(key)
    offered = [screen for screen, _ in samples.offered(package.manifest)]
    assert bool(offered) is bool(package.manifest.tables)
    if not offered:
        return
    with platform_app.app_context():
        drawn = draw_sample(
            package,
            role=None,
            now=utcnow(),
            draw=lambda data, actor: {screen: samples.draw(data, actor, screen=screen) for screen in offered},
        )
    for screen, one in drawn.items():
        assert faults(one.html) == [], screen
        assert one.title
        if screen.startswith("record:"):
            assert (len(one.records) > 0, one.chosen) == (True, 1), screen
        if screen.startswith(("calendar:", "resources:", "timeline:")):  # opened on the days of the sample
            assert BeautifulSoup(one.html, "html.parser").select("[data-card], .tl-row"), screen


def faults(html: str) -> list[str]:
    """What a reader or a screen reader would stumble over, of the kind that can be told without a browser."""
    page = BeautifulSoup(html, "html.parser")
    ids = [str(one["id"]) for one in page.select("[id]")]
    found = [f"two of id {one}" for one in {one for one in ids if ids.count(one) > 1}]
    found += [f"no alt: {image}" for image in page.select("img:not([alt])")]
    found += [f"no name: {str(one)[:120]}" for one in page.select("input, select, textarea") if not named(page, one)]
    found += [f"no text: {str(one)[:120]}" for one in page.select("a[href], button") if not worded(one)]
    levels = [int(one.name[1]) for one in page.select("h1, h2, h3, h4")]
    found += [f"h{after} after h{before}" for before, after in pairwise(levels) if after > before + 1]
    return found + ["two h1"] * (levels.count(1) > 1)


def named(page: BeautifulSoup, control: Tag) -> bool:
    if control.get("type") in ("hidden", "submit") or control.get("aria-label") or control.get("aria-labelledby"):
        return True
    label = page.select_one(f'label[for="{control.get("id")}"]') or control.find_parent("label")
    return label is not None and bool(label.get_text(strip=True))


def worded(one: Tag) -> bool:
    return bool(one.get_text(strip=True) or one.get("aria-label") or one.select("[aria-label], img[alt]"))
