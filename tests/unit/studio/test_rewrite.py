"""Visual edits of YAML text: what was not changed keeps every letter, and the text always says what was wanted."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.manifest import check_manifest
from app.modules.manifest.yamltext import read_yaml
from app.studio.builder.keys import FIELDS
from app.studio.builder.manifesttext import read_values, write_values
from app.studio.builder.render import scalar
from app.studio.builder.rewrite import NotEditable, same

ROOT = Path(__file__).parents[3]
COMMENT = re.compile(r"# [A-Za-z .]+$", re.M)
EXAMPLE = (ROOT / "modules" / "_example" / "module.yaml").read_text()  # a field of every type
TEXT = """\
# The head of the file.
manifest: 1
name: "My module"   # what people read
tables:
  # Who works here.
  people:
    fields:
      name:   {type: text, required: true}   # as on the door
      # In hours.
      worked: {type: decimal, scale: 1}

      left:   {type: date}
  rooms:
    fields:
      title:
        type: text
        max: 80  # fits the sign
menu:
  - people
  - rooms  # last

# The end.
"""
LONGER = TEXT.replace(
    "menu:\n",
    """settings:
  - label: Look
    # What visitors see first.
    fields:
      accent: {type: color, default: "#3b46c8"}
  # Kept apart.
  - label: Times
    fields:
      hours: {type: hours}
permissions: {network: [{host: api.example.com, methods: [GET], reason: "To ask."}], email: true}
views:
  home: {type: dashboard, cards: [
    {number: count, of: people},  # how many
    {list: [name], of: people}
  ]}
  text: {type: list, table: people, columns: [name]}
menu:
""",
)


def changed(text: str, change: Any, renamed: Any = None) -> str:
    values = read_values(text)
    assert isinstance(values, dict)
    wanted = copy.deepcopy(values)
    change(wanted)
    return write_values(text, wanted, renamed)


def fields(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = values["tables"]["people"]["fields"]
    return found


def test_nothing_wanted_is_nothing_changed() -> None:
    assert changed(TEXT, lambda values: None) == TEXT


def test_one_value_changes_one_place() -> None:
    made = changed(TEXT, lambda values: fields(values)["worked"].update(scale=2))
    assert made == TEXT.replace("scale: 1", "scale: 2")


def test_a_new_field_stands_at_the_end_in_the_hand_of_the_file() -> None:
    made = changed(TEXT, lambda values: fields(values).update(note={"type": "text", "help": "Why: say it"}))
    assert made == TEXT.replace(
        "      left:   {type: date}\n",
        '      left:   {type: date}\n      note: {type: text, help: "Why: say it"}\n',
    )


def test_what_is_deleted_takes_the_comment_above_it_and_no_other() -> None:
    made = changed(TEXT, lambda values: fields(values).pop("worked"))
    assert made == TEXT.replace("      # In hours.\n      worked: {type: decimal, scale: 1}\n", "")
    made = changed(TEXT, lambda values: fields(values).pop("name"))
    assert "# In hours." in made
    assert "# as on the door" not in made


def test_what_is_moved_takes_its_comment_along() -> None:
    def first(values: dict[str, Any]) -> None:
        one = fields(values)
        worked = one.pop("worked")
        rest = dict(one)
        one.clear()
        one.update({"worked": worked, **rest})

    made = changed(TEXT, first)
    assert (
        made.index("# In hours.") < made.index("worked:") < made.index("name:   {type") < made.index("# as on the door")
    )


def test_a_rename_changes_the_name_and_keeps_what_stands_around_it() -> None:
    def rename(values: dict[str, Any]) -> None:
        one = fields(values)
        values["tables"]["people"]["fields"] = {
            ("full_name" if key == "name" else key): spec for key, spec in one.items()
        }

    made = changed(TEXT, rename, {("tables", "people", "fields", "name"): "full_name"})
    assert made == TEXT.replace("      name:   {", "      full_name:   {")


def test_quotes_stay_as_they_were_and_come_where_they_are_needed() -> None:
    made = changed(TEXT, lambda values: values.update(name="Yours"))
    assert 'name: "Yours"   # what people read\n' in made
    made = changed(TEXT, lambda values: fields(values)["name"].update(help="yes", default="2026-01-02", label="a # b"))
    assert 'help: "yes", default: "2026-01-02", label: "a # b"}' in made


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain words", "plain words"), ("null", '"null"'), ("3", '"3"'), ("", '""'), ("a: b", '"a: b"'), ("é", '"é"'),
        ("two\nlines", '"two\\nlines"'), ("ends ", '"ends "'), (True, "true"), (None, "null"), (2.5, "2.5"),
        ("\u2028", '"\\u2028"'), ("- x", '"- x"'), ("No", '"No"'),
    ],
)  # fmt: skip
def test_a_scalar_reads_back_as_it_was(value: Any, written: str) -> None:
    assert scalar(value) == written
    assert same(read_yaml(f"key: {written}").value, {"key": value})


def test_a_table_of_several_lines_grows_in_lines() -> None:
    made = changed(TEXT, lambda values: values["tables"].update(logs={"fields": {"at": {"type": "date"}}}))
    assert "  logs:\n    fields:\n      at: {type: date}\nmenu:" in made


def test_comments_in_brackets_over_several_lines_stay() -> None:
    text = "manifest: 1\nviews:\n  a: {type: list, columns: [\n    name,  # first\n    worked,\n    # the day\n    left\n  ]}\n"
    made = changed(text, lambda values: values["views"]["a"]["columns"].remove("worked"))
    assert "# first" in made
    assert "# the day" in made
    assert read_yaml(made).value["views"]["a"]["columns"] == ["name", "left"]


def test_windows_line_ends_stay() -> None:
    made = changed(TEXT.replace("\n", "\r\n"), lambda values: values.update(name="Yours"))
    assert made == TEXT.replace("My module", "Yours").replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: 1\na: 2\n",
        "%YAML 1.1\n---\na: 1\n",
        "a: [1\n",
    ],
)
def test_anchors_tags_and_what_does_not_read_are_refused(text: str) -> None:
    with pytest.raises(NotEditable):
        write_values(text, {"a": 3})


def test_a_control_character_is_refused_and_never_written() -> None:
    with pytest.raises(NotEditable):
        changed(TEXT, lambda values: values.update(name="a\x07b"))


# -- any change of any manifest

_KEYS = st.sampled_from(["new_key", "another one", "z"])
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(-1e6, 1e6).map(lambda n: round(n, 3)),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20),
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        found += _places(child, (*path, key))
    return found


def _mutated(draw: st.DrawFn, values: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """(the values after some changes, whether nothing was taken away or replaced)."""
    wanted, kept = copy.deepcopy(values), True
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_places(wanted)))
        here: Any = wanted
        for step in path[:-1]:
            here = here[step]
        part = here[path[-1]] if path else wanted
        how = draw(st.sampled_from(["add", "remove", "move", "set"]))
        if isinstance(part, dict) and how == "add":
            part[draw(_KEYS)] = draw(_VALUES)
        elif isinstance(part, dict) and len(part) > 1 and how in ("remove", "move"):
            key = draw(st.sampled_from(list(part)))
            value = part.pop(key)
            kept = kept and how == "move"
            if how == "move":
                rest = list(part.items())
                rest.insert(draw(st.integers(0, len(rest))), (key, value))
                part.clear()
                part.update(rest)
        elif isinstance(part, list) and how == "add":
            part.insert(draw(st.integers(0, len(part))), draw(_VALUES))
        elif isinstance(part, list) and len(part) > 1 and how == "move":
            item = part.pop(draw(st.integers(0, len(part) - 1)))
            part.insert(draw(st.integers(0, len(part))), item)
        elif path and how == "set":
            here[path[-1]], kept = draw(_VALUES), False
    return wanted, kept


@st.composite
def edits(draw: st.DrawFn) -> tuple[dict[str, Any], bool]:
    values = read_values(LONGER)
    assert isinstance(values, dict)
    return _mutated(draw, values)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits())
def test_the_text_says_what_was_wanted_whatever_was_changed(edit: tuple[dict[str, Any], bool]) -> None:
    wanted, kept = edit
    made = write_values(LONGER, wanted)
    assert same(read_yaml(made).value, wanted)
    if kept:
        assert set(COMMENT.findall(LONGER)) <= set(COMMENT.findall(made))


def test_an_entry_of_a_list_that_loses_everything_leaves_nothing_behind() -> None:
    made = changed(LONGER, lambda values: values["settings"].__setitem__(0, {}))
    assert "  - {}\n" in made
    assert read_yaml(made).value["settings"][0] == {}


def test_the_example_takes_an_edit_of_every_type_of_field() -> None:
    def helped(values: dict[str, Any]) -> None:
        for body in values["tables"].values():
            for spec in body["fields"].values():
                spec["help"] = "It's: new"

    made = changed(EXAMPLE, helped)
    checked = check_manifest(made)
    assert checked.manifest is not None
    specs = [spec for table in checked.manifest.tables.values() for spec in table.fields.values()]
    assert {spec.help for spec in specs} == {"It's: new"}
    assert {spec.type for spec in specs} == set(FIELDS)
