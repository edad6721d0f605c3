"""The parts of maps that need no records: what an address says of a place, and what lies in a box."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.config import Config, ConfigInvalid
from app.modules.conditions import Box, matches
from app.runtime.data.shapes import shape_of, values_of
from app.workspace.maps import Look, read_box, read_look

LATS, LNGS = st.floats(-90, 90), st.floats(-180, 180)


@given(LATS, LATS, LNGS, st.floats(0, 359), LATS, LNGS)
def test_a_box_of_any_turn_holds_the_places_between_its_sides(
    one: float, other: float, west: float, wide: float, lat: float, lng: float
) -> None:
    south, north = sorted((one, other))
    for turn in (-360, 0, 360):
        found = read_box(f"{south!r},{west + turn!r},{north!r},{west + wide + turn!r}")
        assert found
        assert (found[0], found[2]) == (south, north)
        assert all(-180 <= side <= 180 for side in (found[1], found[3]))
        # a hair's breadth at an edge is lost in turning around the earth
        off = (lng - west) % 360
        if min(off, abs(off - wide), 360 - off) > 1e-6:
            inside = south <= lat <= north and off < wide
            assert matches(Box("at", *found), {"at": {"lat": lat, "lng": lng}}) == inside


@given(st.text(max_size=40))
def test_any_text_is_a_look_or_none(text: str) -> None:
    look = read_look(MultiDict({"map": text, "box": text, "placed": text}))
    assert read_look(MultiDict({"map": look.at, "box": look.box_text})).at == look.at


@pytest.mark.parametrize(
    ("at", "read"),
    [("38.7,-9.1,12", "38.7,-9.1,12"), ("1,190,3", "1,-170,3"), ("91,0,3", ""), ("1,2", ""), ("1,2,nan", ""), ("", "")],
)
def test_the_middle_of_a_map_is_a_place_and_a_zoom(at: str, read: str) -> None:
    assert read_look(MultiDict({"map": at})) == Look(at=read)


def test_boxes_over_the_180th_meridian_are_another_statement() -> None:
    here, over = Box("at", 1, 2, 3, 4), Box("at", 1, 170, 3, -170)
    assert shape_of(here) != shape_of(over)
    assert values_of(over) == [1, 3, 170, -170]
    assert not matches(here, {"at": None})


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://tiles.example.com/{z}/{x}/{y}.png", True),
        ("http://localhost:8080/{z}/{x}/{y}@2x.png?key=a;b", True),
        ("https://{s}.example.com/{z}/{x}/{y}.png", False),  # its origin could not stand in a policy
        ("https://a.example.com;script-src/{z}/{x}/{y}", False),
        ("https://tiles.example.com/{z}/{x}.png", False),
        ("ftp://tiles.example.com/{z}/{x}/{y}.png", False),
    ],
)
def test_a_tile_server_is_one_origin_with_places_for_the_tile(address: str, taken: bool) -> None:
    environ = {
        "DATABASE_URL": "postgresql://nobody@nowhere/none", "REDIS_URL": "redis://nowhere", "SECRET_KEY": "k" * 40,
        "MAP_TILES_URL": address,
    }  # fmt: skip
    if taken:
        assert Config.from_env(environ).map_tiles == address
    else:
        with pytest.raises(ConfigInvalid, match="MAP_TILES_URL"):
            Config.from_env(environ)
