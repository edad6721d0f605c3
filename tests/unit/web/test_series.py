"""Charts of one figure: gaps, values below zero, the table under them."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from app.web.series import ends, series

LABELS = ("Jan", "Feb", "Mar", "Apr")


def drawn(values: list[float | None], *, bars: bool = False) -> BeautifulSoup:
    shown = ["" if value is None else f"<{value:g}>" for value in values]
    chart = series("c", title="A & B", labels=LABELS, values=values, shown=shown, column="Month", of="Sum", bars=bars)
    return BeautifulSoup(chart, "html.parser")


@pytest.mark.parametrize(
    ("values", "top", "bottom"),
    [([], 4, 0), ([0, 0], 4, 0), ([5], 8, 0),  ([19], 20, 0), ([2300], 2400, 0),
     ([0.3], 0.4, 0), ([-3, 9], 12, -4), ([-50], 0, -60)],
)  # fmt: skip
def test_an_axis_holds_all_values_and_zero(values: list[float], top: float, bottom: float) -> None:
    assert ends(values) == (pytest.approx(top), pytest.approx(bottom))


def test_a_line_has_a_gap_where_there_is_no_figure_and_a_dot_for_a_figure_alone() -> None:
    chart = drawn([1, 2, None, 3])
    assert len(chart.select("path.ch-area")) == 1
    assert [path["d"] for path in chart.select("path.ch-dot")] == ["M100.00,25.00 h0"]
    assert [cell.text for cell in chart.select("tbody td")] == ["<1>", "<2>", "–", "<3>"]
    assert chart.select_one("svg title").text == "A & B"


def test_bars_below_zero_hang_from_it() -> None:
    [up, down] = drawn([4, -4, None, None], bars=True).select("rect")
    assert (up["y"], up["height"], down["y"], down["height"]) == ("0.00", "50.00", "50.00", "50.00")
    assert down.title.text == "Feb: <-4>"
