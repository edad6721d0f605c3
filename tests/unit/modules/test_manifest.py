"""A good manifest: what it becomes, how it is kept, and the schema made from it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app.modules.kinds import Column, Kind
from app.modules.manifest import (
    Capability,
    Manifest,
    all_columns,
    check_manifest,
    formulas_of,
    json_schema,
    load_manifest,
)
from app.modules.manifest.messages import _PATTERNS
from tests.unit.modules.examples import MANIFEST


@pytest.fixture(scope="module")
def crm() -> Manifest:
    return load_manifest(MANIFEST)


def test_a_good_manifest_has_no_problems_at_all() -> None:
    assert check_manifest(MANIFEST).problems == []


def test_capabilities_come_from_what_the_module_holds(crm: Manifest) -> None:
    assert crm.capabilities == set(Capability) - {Capability.EMAIL, Capability.CONNECTIONS, Capability.INBOUND}


def test_the_events_of_a_table_come_by_themselves(crm: Manifest) -> None:
    own = [f"{noun}.{what}" for noun in ("stage", "contact", "deal") for what in ("created", "updated", "deleted")]

    assert crm.own_events == (*own, "deal.won", "form.submitted")


def test_formulas_and_rollups_have_the_kind_of_what_they_compute(crm: Manifest) -> None:
    columns = all_columns(crm, crm.tables["contacts"])

    assert columns["worth"] == Column(Kind.INTEGER)
    assert (
        formulas_of(crm, crm.tables["deals"])["expected"].evaluate({"amount": 250, "probability": Decimal(50)}) == 125
    )


def test_a_table_says_what_its_records_are_called(crm: Manifest) -> None:
    assert {name: table.title_field for name, table in crm.tables.items()} == {
        "stages": "name",
        "contacts": "name",
        "deals": "name",
    }


def test_a_manifest_comes_back_from_jsonb_as_it_was_its_fields_in_order(
    crm: Manifest, postgres: psycopg.Connection
) -> None:
    row = postgres.execute("SELECT %s::jsonb", [Jsonb(crm.to_dict())]).fetchone()
    assert row is not None

    back = Manifest.from_dict(row[0])

    assert back == crm
    assert list(back.tables["deals"].fields) == list(crm.tables["deals"].fields)
    assert list(back.views) == list(crm.views)
    assert back.to_dict() == crm.to_dict()


def test_a_manifest_cannot_be_changed(crm: Manifest) -> None:
    with pytest.raises(ValueError, match="frozen"):
        crm.version = "2.0.0"


def parts_of(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for child in schema.values():
            yield from parts_of(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from parts_of(child)


def test_the_schema_names_itself_and_is_the_same_every_time() -> None:
    schema = json_schema()

    assert (schema["$schema"], schema["$id"]) == (
        "https://json-schema.org/draft/2020-12/schema",
        "/schemas/module-v1.json",
    )
    assert json.dumps(schema) == json.dumps(json_schema())


def test_the_schema_describes_every_part_and_closes_every_object() -> None:
    schema = json_schema()

    assert [name for name, part in schema["$defs"].items() if not part.get("description")] == []
    assert [part for part in parts_of(schema) if "properties" in part and part.get("additionalProperties") is not False
            and part.get("type") == "object"] == []  # fmt: skip
    assert schema["$defs"]["RefField"]["properties"]["on_delete"]["description"] == (
        "What happens here when the other record is deleted."
    )


def test_every_pattern_of_the_schema_has_words_for_people() -> None:
    patterns = {part["pattern"] for part in parts_of(json_schema()) if isinstance(part.get("pattern"), str)}
    patterns |= {key for part in parts_of(json_schema()) for key in part.get("patternProperties", {})}

    assert patterns - _PATTERNS.keys() == set()


def test_the_field_types_are_those_of_the_design() -> None:
    """The design lists the types of fields; the models have exactly those."""
    listed = (
        "text richtext slug email phone url integer decimal money percent boolean date time datetime duration enum tags"
        " color rating address geo file files json hours rrule user ref refs secret number formula rollup"
    )
    types = [
        part["properties"]["type"]["const"]
        for name, part in json_schema()["$defs"].items()
        if name.endswith("Field") and "type" in part.get("properties", {})
    ]

    assert sorted(types) == sorted(listed.split())


def test_the_module_code_knows_no_web_and_no_orm() -> None:
    spec = importlib.util.find_spec("app.modules")
    assert spec is not None
    folder = Path(next(iter(spec.submodule_search_locations or ())))
    pure = [*folder.glob("manifest/**/*.py"), *folder.glob("package/*.py"), *folder.glob("expressions/*.py")]
    pure += [folder / f"{name}.py" for name in ("conditions", "cron", "diff", "kinds", "naming", "values")]

    importing = [
        path.name
        for path in pure
        for line in path.read_text().splitlines()
        if line.startswith(("import ", "from ")) and any(name in line for name in ("flask", "sqlalchemy", "app.db"))
    ]

    assert importing == []
