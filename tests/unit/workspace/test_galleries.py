"""The part of galleries that needs no records: what a picture is said to show, how wide its copies are, what is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.files.images import COPIES
from app.workspace.cards import Card
from app.workspace.galleries import Picture, alt_of, copy_widths, tile_of

CARD = Card("1", "Loft", 1, ())


def file(name: str, kind: str = "image/png", **more: int) -> dict[str, object]:
    return {"id": name, "name": name, "type": kind, "size": 1, **more}


@pytest.mark.parametrize(
    ("name", "alt"),
    [
        ("sea-view_from.the  balcony.jpg", "sea view from the balcony"),
        ("Küche.webp", "Küche"),
        ("Room 12.png", "Room 12"),
        ("no ending", "no ending"),
        ("IMG_2041.JPG", "Picture of Loft"),
        ("DSC00012.jpg", "Picture of Loft"),
        ("P1010203.jpg", "Picture of Loft"),
        ("Screenshot 2026-03-14 12.30.11.png", "Picture of Loft"),
        ("image (3).png", "Picture of Loft"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301.png", "Picture of Loft"),
        ("1.png", "Picture of Loft"),
        (".png", "Picture of Loft"),
    ],
)
def test_a_file_name_of_words_describes_a_picture_one_of_a_camera_does_not(name: str, alt: str) -> None:
    assert alt_of(name, "Loft") == alt


@given(st.text(min_size=1, max_size=300))
def test_a_picture_is_always_said_to_show_something(name: str) -> None:
    assert alt_of(name, "Loft").strip()


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_copies_are_no_wider_than_they_are_kept_and_each_is_wider_than_the_last(width: int, height: int) -> None:
    copies = copy_widths(width, height)
    pixels = [one for _, one in copies]
    assert pixels == sorted(set(pixels))
    assert all(1 <= one <= min(width, COPIES[size]) for size, one in copies)
    assert copies[0][0] == "small"


def test_a_tile_has_the_first_picture_of_several_files_and_counts_pictures_alone() -> None:
    found = tile_of(CARD, [file("a.pdf", "application/pdf"), file("b.png", width=40, height=30), file("c.png")])
    assert found.picture == Picture("b.png", "b", 40, 30, (("small", 40),))
    assert (found.count, found.file) == (2, "")


def test_a_tile_without_a_picture_names_the_file_it_has_instead() -> None:
    assert [(one.picture, one.count, one.file) for one in (tile_of(CARD, None), tile_of(CARD, []))] == [
        (None, 0, "")
    ] * 2
    assert tile_of(CARD, file("a.pdf", "application/pdf")).file == "a.pdf"


@pytest.mark.parametrize(
    ("size", "whole"),
    [((400, 300), False), ((300, 600), False), ((1000, 400), True), ((100, 300), True), ((None, None), False)],
)
def test_a_picture_of_which_a_cut_would_leave_little_is_shown_whole(size: tuple[int, int], whole: bool) -> None:
    assert Picture("1", "", *size, ()).whole is whole
