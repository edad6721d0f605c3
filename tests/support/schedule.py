"""Which worker runs what, and in which order: a file is run by one worker, and what takes long begins first.

A file's tests share what is made once for them. The files that look at the running product share it, so one worker runs them
all. (The marks of pytest-xdist for this do nothing under the pytest we have.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

RUNNING = "the running product"
# The files that need it, in the order in which they are run: the demo world is looked at before journeys change it.
LIVE = (
    "tests/e2e/test_demo_world.py",
    "tests/e2e/test_analytics.py",
    "tests/e2e/test_dashboards.py",
    "tests/e2e/test_embed.py",
    "tests/e2e/test_journeys.py",
    "tests/e2e/test_module_life.py",
    "tests/e2e/test_oauth_clients.py",
    "tests/e2e/test_versions.py",
)
# Longer than their number of tests tells; the longest first, so that no worker is left alone with one of them at the end.
LONG = (
    "tests/e2e/test_agency_screens.py",
    "tests/e2e/test_gallery.py",
    "tests/e2e/test_calendars.py",
    "tests/e2e/test_timelines.py",
    "tests/e2e/test_trees.py",
    "tests/e2e/test_inboxes.py",
    "tests/e2e/test_maps.py",
    "tests/unit/dev/test_install.py",
    "tests/web/studio/test_builder_parts.py",
    "tests/unit/dev/test_embedded_servers.py",
    "tests/web/studio/test_editor.py",
    "tests/web/workspace/test_forms.py",
    "tests/contracts/test_outsiders.py",
    "tests/contracts/test_routes.py",
    "tests/unit/rollouts/test_many.py",
    "tests/web/support/test_access.py",
    "tests/unit/sandbox/test_pool.py",
    "tests/contracts/test_starters.py",
)


def unit_of(path: str) -> str:
    """What is run by one worker from its start to its end."""
    return RUNNING if path in LIVE else path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {path: rank for rank, path in enumerate((*LIVE, *LONG))}
    browser = len(ranks)

    def rank(item: pytest.Item) -> int:
        path = item.nodeid.partition("::")[0]
        return ranks.get(path, browser if path.startswith("tests/e2e/") else browser + 1)

    items.sort(key=rank)
    for item in items:
        path = item.nodeid.partition("::")[0]
        if "live" in getattr(item, "fixturenames", ()) and unit_of(path) != RUNNING:
            raise pytest.UsageError(
                f"{path} looks at the running product: name it in LIVE of tests/support/schedule.py"
            )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    from xdist.scheduler import LoadScopeScheduling

    class Units(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid.partition("::")[0])

    config.option.loadscopereorder = False  # the order is that of the collection
    return Units(config, log)
