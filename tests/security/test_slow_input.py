"""Texts made to take long: the time of every reader grows with the length of what it reads, not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from app.modules.manifest import check_manifest
from app.runtime.functions import letters
from app.runtime.pages.markup import link_assets, protect_forms
from app.runtime.validation import texts
from app.runtime.validation.problems import Wrong
from app.web.markdown import to_html

PATIENCE_S = 3.0  # of processor time, so that a busy machine does not matter


def _within(patience_s: float, read: Callable[[], Any]) -> None:
    started = time.process_time()
    read()
    assert time.process_time() - started < patience_s


def _long(piece: str, size: int) -> str:
    return (piece * (size // len(piece) + 1))[:size]


@pytest.mark.parametrize("piece", ["<", "<script>", "<script", "<style>", "<a", "</script"])
def test_U5_a_letter_of_html_alone_gets_its_words_in_time(piece: str) -> None:
    _within(PATIENCE_S, lambda: letters._body(None, {"html": _long(piece, letters.MAX_TEXT)}))  # type: ignore[arg-type]  # no template is asked for


@pytest.mark.parametrize(
    "piece", ["<form method=post>", "<form ", "<form method=post ", "<form method ", "<script", "<script "]
)
def test_U5_a_page_is_finished_in_time(piece: str) -> None:
    html = _long(piece, 1_000_000)
    _within(PATIENCE_S, lambda: link_assets(protect_forms(html, "stamp"), version="v", nonce="n"))


@pytest.mark.parametrize("piece", ["<ul><li>", "<b><i>", "<p><table><tr><td>"])
def test_U5_rich_text_of_nothing_but_tags_is_refused(piece: str) -> None:
    def read() -> None:
        with pytest.raises(Wrong):
            texts.richtext(None, _long(piece, texts.MAX_TEXT), None)  # type: ignore[arg-type]  # only the text is looked at

    _within(PATIENCE_S, read)


def test_rich_text_takes_as_many_tags_as_it_says() -> None:
    assert texts.richtext(None, "<p>a</p>" * (texts.MAX_TAGS // 2), None).count("<p>") == texts.MAX_TAGS // 2  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("piece", ["[", "![", "a**b"])
def test_U5_a_readme_is_shown_in_time(piece: str) -> None:
    _within(PATIENCE_S, lambda: to_html(_long(piece, 100_000)))


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{number}: 1\n" for number in range(14_000)),
        "tables:\n  t:\n    fields:\n" + "".join(f"      f{number}: {{type: txet}}\n" for number in range(7_000)),
    ],
    ids=["unknown keys", "misspelt types"],
)
def test_U5_a_manifest_with_thousands_of_faults_is_answered_in_time(text: str) -> None:
    _within(20.0, lambda: check_manifest(text))
