"""Which views have a screen."""

from __future__ import annotations

from app.runtime.checks import SHOWN_VIEWS
from app.workspace.screens import DRAWN


def test_the_checks_warn_of_just_those_views_that_have_no_screen() -> None:
    assert {*DRAWN, "detail", "form"} == SHOWN_VIEWS
