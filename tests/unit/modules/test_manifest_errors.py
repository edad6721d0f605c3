"""What a manifest may not say: one case for each class of error, with the exact message and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from app.modules.manifest import ManifestInvalid, check_manifest, load_manifest

HEAD = """manifest: 1
slug: crm
name: CRM
summary: Deals.
version: 1.0.0
type: app
"""
# Ends inside tables.deals.fields, on line 11.
DEALS = """tables:
  stages: {fields: {name: {type: text}}}
  deals:
    fields:
      name: {type: text, max: 160}
"""

BEFORE = {"nothing": "", "head": HEAD, "deals": HEAD + DEALS}
CASES = YAML(typ="safe").load((Path(__file__).parents[2] / "vectors" / "manifest_errors.yaml").read_text())


@pytest.mark.parametrize("case", CASES)
def test_every_error_names_its_line_its_path_and_the_fix(case: str) -> None:
    checked = check_manifest(BEFORE[CASES[case]["after"]] + CASES[case]["text"])

    assert [str(problem).removeprefix("module.yaml:") for problem in checked.problems] == CASES[case]["problems"]
    assert checked.manifest is None


def test_load_manifest_raises_with_every_problem_of_the_file() -> None:
    text = HEAD + DEALS + "      stage: {type: ref, to: stagess}\n      total: {type: mony}\nmenu: [dels]\n"

    with pytest.raises(ManifestInvalid) as refused:
        load_manifest(text)

    assert [(problem.path, problem.line, problem.column, problem.code) for problem in refused.value.problems] == [
        ("tables.deals.fields.stage.to", 12, 30, "reference"),
        ("tables.deals.fields.total", 13, 14, "value"),
        ("menu.0", 14, 8, "reference"),
    ]
    assert str(refused.value) == (
        'module.yaml:12: tables.deals.fields.stage.to: no table "stagess"; did you mean "stages"? (and 2 more)'
    )
    assert [error.pointer for error in refused.value.errors] == [
        "/tables/deals/fields/stage/to",
        "/tables/deals/fields/total",
        "/menu/0",
    ]


def test_what_refers_to_a_part_with_an_error_of_its_own_is_not_reported_again() -> None:
    text = (
        HEAD
        + DEALS
        + "      amount: {type: mony}\n      tax: {type: formula, expr: 'amount * 2'}\n    indexes: [[amount]]\n"
    )

    problems = check_manifest(text).problems

    assert [str(problem) for problem in problems] == [
        'module.yaml:12: tables.deals.fields.amount: no type "mony"; did you mean "money"?'
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            DEALS + "      mail: {type: email, pii: true}\n",
            "12: tables.deals.fields.mail.pii: the field is personal data; "
            "say so with permissions: {personal_data: true}",
        ),
        (
            DEALS
            + "      mail: {type: email, required: true}\n"
            + "pages: {a: {template: a.html, kind: form, table: deals, fields: [name]}}\n",
            "13: pages.a.fields: deals.mail is required but not in the form; add it, or fill it in before_create",
        ),
    ],
)
def test_a_warning_does_not_refuse_the_file(body: str, expected: str) -> None:
    checked = check_manifest(HEAD + body)

    assert [(str(problem), problem.severity) for problem in checked.problems] == [
        (f"module.yaml:{expected}", "warning")
    ]
    assert checked.manifest == load_manifest(HEAD + body)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: \xff", "module.yaml: the file is not UTF-8 (byte 3); save it as UTF-8"),
        (b"a" * 262145, "module.yaml: the file has 262145 bytes; at most 262144 (256 KB) are allowed"),
        (b"", "module.yaml:1: the file is empty"),
        (b"- 1", "module.yaml:1: the file must be a mapping that starts with manifest: 1"),
        (b"%YAML 1.1\n---\nmanifest: 1\n", "module.yaml:2: directives (%YAML, %TAG) are not allowed; remove the line"),
    ],
    ids=["encoding", "size", "empty", "list", "directive"],
)
def test_a_file_that_cannot_be_read_is_one_clear_problem(data: bytes, message: str) -> None:
    assert str(check_manifest(data).problems[0]) == message


def test_a_file_of_many_values_is_refused_before_they_are_built() -> None:
    problems = check_manifest("menu: [" + "a," * 30_000 + "]").problems

    assert [str(problem) for problem in problems] == ["module.yaml:1: more than 30000 values in one file"]
