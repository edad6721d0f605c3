"""before_* functions see a change first: they alter it, refuse it, or break it, and what they give is checked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.errors import Invalid
from app.runtime.functions.errors import FunctionFailed
from tests.support.modules import Installed


def _errors(caught: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [error.pointer for error in caught.value.errors]


def test_a_refusal_is_an_error_of_the_field_and_nothing_is_stored(tools: Installed) -> None:
    with pytest.raises(Invalid) as caught:
        tools.data().insert("items", {"name": "forbidden"})
    assert _errors(caught) == ["/name"]
    assert (tools.records("items"), tools.events()) == ([], [])
    [run] = tools.runs()
    assert (run["function"], run["trigger"], run["cause"], run["outcome"]) == (
        "before", "hook", "items.before_create", "refused",
    )  # fmt: skip


def test_what_it_returns_is_what_is_stored(tools: Installed) -> None:
    assert tools.data().insert("items", {"name": "twice", "amount": 21}).values["amount"] == 42
    assert tools.data().insert("items", {"name": "untold", "amount": 1}).values["amount"] == 1


def test_what_it_returns_is_held_to_the_manifest_again(tools: Installed) -> None:
    with pytest.raises(Invalid) as caught:
        tools.data().insert("items", {"name": "negative"})
    assert _errors(caught) == ["/amount"]
    assert tools.records("items") == []


def test_an_error_of_the_author_undoes_the_change_and_is_told(tools: Installed) -> None:
    with pytest.raises(FunctionFailed):
        tools.data().insert("items", {"name": "broken"})
    assert tools.records("items") == []
    [run] = tools.runs()
    assert (run["outcome"], run["error"].splitlines()[0]) == ("error", "functions/before.js:4: The author erred.")


def test_one_refused_record_refuses_the_batch(tools: Installed) -> None:
    with pytest.raises(Invalid):
        tools.data().insert_many("items", [{"name": "fine"}, {"name": "forbidden"}])
    assert (tools.records("items"), tools.events()) == ([], [])


@pytest.mark.parametrize("action", ["update", "delete"])
def test_changes_and_deletes_are_refused_as_well(tools: Installed, action: str) -> None:
    record = tools.data().insert("items", {"name": "a", "state": "shut"})
    change: Any = {
        "update": lambda: tools.data().update("items", record.id, {"name": "b"}),
        "delete": lambda: tools.data().delete("items", record.id),
    }[action]
    with pytest.raises(Invalid) as caught:
        change()
    assert _errors(caught) == ["/state"]
    assert [(item["name"], item["version"]) for item in tools.records("items")] == [("a", 1)]


def test_open_ones_change_and_go(tools: Installed) -> None:
    record = tools.data().insert("items", {"name": "a"})
    assert tools.data().update("items", UUID(str(record.id)), {"name": "b"}).values["name"] == "b"
    tools.data().delete("items", record.id)
    assert tools.records("items") == []
