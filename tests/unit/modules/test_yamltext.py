"""A text that was read before is not read again, and no reader sees what another did with its values."""

from __future__ import annotations

from app.modules.manifest.yamltext import KEPT_BYTES, read_yaml


def test_each_reader_gets_values_of_its_own() -> None:
    text = "tables:\n  notes: {fields: [title]}\nbad: *other\n"
    first = read_yaml(text)
    assert first.value == {"tables": {"notes": {"fields": ["title"]}}, "bad": None}
    assert len(first.problems) == 1
    first.value["tables"]["notes"]["fields"].append("mine")
    first.problems.clear()
    first.positions.clear()
    second = read_yaml(text.encode())
    assert second.value == {"tables": {"notes": {"fields": ["title"]}}, "bad": None}
    assert [problem.code for problem in second.problems] == ["alias"]
    assert second.where(("tables", "notes")) == (2, 10)


def test_the_same_text_in_another_file_has_its_problems_there() -> None:
    places = [read_yaml("a: *b", file=file).problems[0].file for file in ("module.yaml", "listing.yaml")]
    assert places == ["module.yaml", "listing.yaml"]


def test_a_long_text_is_read_as_a_short_one() -> None:
    text = f"words: {'x' * KEPT_BYTES}\nbad: *other\n"
    for _ in range(2):
        found = read_yaml(text)
        assert (len(found.value["words"]), [problem.code for problem in found.problems]) == (KEPT_BYTES, ["alias"])
