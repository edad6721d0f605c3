"""The part of boards that needs no records: which columns can have cards, where a card may go."""

from __future__ import annotations

from typing import Any

import pytest

from app.modules.conditions import parse_condition
from app.modules.kinds import Column, Kind
from app.modules.manifest import Table
from app.workspace.boards import Place, moves_of, possible

FIELDS = {"state": Column(Kind.TEXT, ("new", "open", "done")), "amount": Column(Kind.INTEGER)}
PLACES = [Place("new", "New"), Place("open", "Open"), Place("done", "Done"), Place("none", "None")]


@pytest.mark.parametrize(
    ("where", "there"),
    [
        ({}, ["new", "open", "done", None]),
        ({"state": {"ne": "done"}}, ["new", "open", None]),
        ({"state": "open", "amount": {"gt": 3}}, ["open"]),
        ({"any": [{"state": "open"}, {"amount": 3}]}, ["new", "open", "done", None]),
        ({"any": [{"state": "open"}, {"state": {"is": "null"}}]}, ["open", None]),
        ({"not": {"state": {"in": ["open", "done"]}}}, ["new", None]),
        ({"not": {"amount": 3}}, ["new", "open", "done", None]),
        ({"all": [{"amount": 3}, {"not": {"state": "new"}}]}, ["open", "done", None]),
    ],
)
def test_a_value_is_possible_unless_the_condition_says_no_whatever_else_holds(
    where: dict[str, Any], there: list[str | None]
) -> None:
    condition = parse_condition(where, FIELDS)
    assert [value for value in ("new", "open", "done", None) if possible(condition, "state", value)] == there


def table(**more: Any) -> Table:
    field = {"type": "enum", "options": ["new", "open", "done"]}
    return Table.model_validate({"fields": {"state": field, "other": field}, **more})


def keys(spec: Table, by: str, key: str) -> list[str]:
    return [place.key for place in moves_of(spec, by, PLACES, key)]


def test_a_card_may_go_anywhere_else_where_no_states_are_declared() -> None:
    assert keys(table(), "state", "open") == ["new", "done", "none"]


def test_states_say_where_a_card_may_go_and_only_for_their_own_field() -> None:
    spec = table(states={"field": "state", "moves": {"new": ["open"], "open": ["done", "new"]}})
    assert keys(spec, "state", "new") == ["open"]
    assert keys(spec, "state", "open") == ["new", "done"]
    assert keys(spec, "state", "done") == []
    assert keys(spec, "state", "none") == ["new", "open", "done"]  # what has no value yet may take any
    assert keys(spec, "other", "new") == ["open", "done", "none"]
