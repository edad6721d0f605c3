"""Addresses of lists keep their filters; charts draw what they are given and nothing else."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.web.charts import bars, spark
from app.web.links import sort_url, url_with, url_without


def test_a_change_keeps_the_filters_and_drops_the_position(in_request: Flask) -> None:
    assert url_with(q="a b") == "/list?status=live&status=draft&sort=name&q=a+b"
    assert url_with(status=None) == "/list?sort=name"
    assert url_with(status=["x", "y"], sort=None) == "/list?status=x&status=y"
    assert url_with(cursor="def") == "/list?status=live&status=draft&sort=name&cursor=def"


def test_one_value_of_several_can_go(in_request: Flask) -> None:
    assert url_without("status", "live") == "/list?sort=name&status=draft"
    assert url_without("status", "other") == "/list?sort=name&status=live&status=draft"


def test_a_heading_sorts_up_then_down(in_request: Flask) -> None:
    assert sort_url("name", "name").endswith("sort=-name")
    assert sort_url("name", "-name").endswith("sort=name")
    assert sort_url("views", "name").endswith("sort=views")


def test_a_page_without_a_query_has_a_bare_address(gallery: Flask) -> None:
    with gallery.test_request_context("/list?cursor=a"):
        assert url_with() == "/list"


def test_a_trend_starts_and_ends_at_its_values() -> None:
    drawn = str(spark([0, 10, 5]))
    line = re.findall(r'<path class="ch-line"[^>]* d="([^"]+)"', drawn)[0]
    assert line.startswith("M0.00,31.00 ")
    assert line.endswith("100.00,17.00")


@pytest.mark.parametrize("values", [[], [4]])
def test_one_value_is_no_trend(values: list[float]) -> None:
    assert spark(values) == ""


def test_equal_values_are_a_level_line() -> None:
    assert set(re.findall(r"[\d.]+,([\d.]+)", re.findall(r'ch-line"[^>]* d="([^"]+)"', str(spark([7, 7, 7])))[0])) == {
        "31.00"
    }


def test_bars_come_with_their_table_and_escape_labels() -> None:
    drawn = str(bars("b", title="<Sales>", labels=["Mon", "<b>"], values=[0, 2000], every=2))
    assert re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', drawn) == [
        ("Mon", "0"),
        ("&lt;b&gt;", "2,000"),
    ]
    assert drawn.count("ch-tick") == 1
    assert "<Sales>" not in drawn
    assert "style=" not in drawn


def test_no_bars_are_an_empty_chart() -> None:
    assert str(bars("b", title="None yet", labels=[], values=[])).count("<rect") == 0
