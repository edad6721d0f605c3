"""Several versions in the same tables: what is added, relaxed, renamed and widened, and what drift looks like."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from app.errors import Invalid
from app.modules.storage.apply import StorageDrifted, provision
from app.modules.storage.desired import NameTaken, desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.merge import merge
from app.modules.storage.plan import losses, plan
from tests.unit.modules_storage.conftest import SITE_A, SITE_B, Stored, manifest

V1 = """
  people:
    fields:
      name: {type: text, required: true, max: 20}
      phone: {type: phone, unique: true}
      rating: {type: rating}
      state: {type: enum, options: [new, old]}
"""
V2 = """
  contacts:
    was: people
    fields:
      full_name: {type: text, was: name, required: true, max: 40, search: true}
      email: {type: email, required: true}
      rating: {type: integer}
      state: {type: enum, options: [new, lost]}
      company: {type: ref, to: companies}
  companies: {fields: {name: {type: text}}}
"""


def test_the_union_holds_what_both_need_under_one_name_each(stored: Stored) -> None:
    first, second = manifest(V1), manifest(V2, version="2.0.0")
    stored.provision(first)
    stored.provision(first, second)
    layout = stored.layout
    old, new = layout.for_manifest(first).table("people"), layout.for_manifest(second).table("contacts")
    assert (old.name, new.name) == ("people", "people")
    assert {name: old.column(name).name for name in ("name", "phone", "state")} == {  # type: ignore[union-attr]
        "name": "name",
        "phone": "phone",
        "state": "state",
    }
    assert new.column("full_name").name == "name"  # type: ignore[union-attr]
    assert (new.column("name"), old.column("email")) == (None, None)
    assert new.search_column("full_name").name == "name__lc"  # type: ignore[union-attr]
    union = layout.physical["people"].physical
    assert {name: (column.type, column.required) for name, column in union.items() if column.fields} == {
        "name": ("text", True),
        "phone": ("text", False),
        "rating": ("bigint", False),
        "state": ("text", False),
        "email": ("text", False),
        "company": ("uuid", False),
    }


def test_old_and_new_versions_write_to_the_same_table(stored: Stored) -> None:
    stored.provision(manifest(V1), manifest(V2, version="2.0.0"))
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "people", name="Ann", phone="+3512", rating=5, state="old")
    with stored.site(SITE_B) as connection:
        stored.insert(connection, "people", SITE_B, name="x" * 40, email="b@example.test", rating=500, state="lost")


def test_a_field_is_required_again_once_every_version_requires_it(stored: Stored) -> None:
    first, second = manifest(V1), manifest(V2, version="2.0.0")
    stored.provision(first)
    stored.provision(first, second)
    made = stored.provision(second)
    assert "Require people.email: every version does" in made.sentences
    assert stored.layout.physical["people"].physical["email"].required is True
    assert "phone" in stored.layout.physical["people"].physical


def test_a_requirement_that_rows_contradict_is_left_to_the_data_layer(stored: Stored) -> None:
    first, second = manifest(V1), manifest(V2, version="2.0.0")
    stored.provision(first)
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "people", name="Ann", state="old")
    stored.provision(second)
    table = stored.layout.physical["people"]
    assert table.physical["email"].required is False
    assert [check.column for check in table.checks] == ["name"]
    assert stored.drift() == []
    assert stored.provision(second).layout == stored.layout


def test_the_order_in_which_versions_come_does_not_matter_to_what_each_sees() -> None:
    first, second = manifest(V1), manifest(V2, version="2.0.0")
    union = merge(desired_layout(first), desired_layout(second))
    assert [column.fields for column in union.for_manifest(second).table("contacts").columns if column.fields] == [
        ("full_name",),
        ("email",),
        ("rating",),
        ("state",),
        ("company",),
    ]
    assert merge(union, desired_layout(first)) == merge(union, desired_layout(second)) == union


def test_a_field_of_another_type_gets_a_column_of_its_own(stored: Stored) -> None:
    first = manifest("  notes: {fields: {due: {type: text}}}\n")
    second = manifest("  notes: {fields: {due: {type: date}}}\n", version="2.0.0")
    stored.provision(first)
    stored.provision(first, second)
    layout = stored.layout
    assert layout.for_manifest(first).table("notes").column("due").name == "due"  # type: ignore[union-attr]
    assert layout.for_manifest(second).table("notes").column("due").name == "due__2"  # type: ignore[union-attr]


def test_a_name_that_changed_hands_is_told_apart(stored: Stored) -> None:
    first = manifest("  notes: {fields: {name: {type: text}}}\n")
    second = manifest("  notes: {fields: {title: {type: text, was: name}}}\n", version="2.0.0")
    third = manifest("  notes: {fields: {name: {type: text}, title: {type: text}}}\n", version="2.1.0")
    for versions in ([first], [first, second], [first, second, third]):
        stored.provision(*versions)
    v1, v2, v3 = (stored.layout.for_manifest(one).table("notes") for one in (first, second, third))
    assert (v1.column("name").name, v2.column("title").name) == ("name", "name")  # type: ignore[union-attr]
    assert (v3.column("title").name, v3.column("name").name) == ("name", "name__2")  # type: ignore[union-attr]


def test_widening_a_column_keeps_what_is_computed_from_it(stored: Stored) -> None:
    fields = '{{score: {{type: {kind}}}, double: {{type: formula, as: integer, expr: "score * 2"}}}}'
    first = manifest("  notes: {fields: " + fields.format(kind="rating") + "}\n")
    second = manifest("  notes: {fields: " + fields.format(kind="integer") + "}\n", version="2.0.0")
    stored.provision(first)
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "notes", score=4)
    stored.provision(first, second)
    with stored.site(SITE_A) as connection:
        assert connection.execute("SELECT score, double FROM notes").fetchall() == [(4, 8)]
    assert stored.drift() == []


def test_going_to_a_version_says_what_a_site_would_lose() -> None:
    first, second = manifest(V1), manifest(V2, version="2.0.0")
    union = merge(desired_layout(first), desired_layout(second))
    assert [one.sentence for one in losses(union.for_manifest(first), desired_layout(second))] == [
        'the field "people.phone" and its values would go',
        'the option "old" of "people.state" would go',
    ]
    assert losses(union.for_manifest(first), desired_layout(first)) == []


def test_a_plan_is_data_and_names_every_step() -> None:
    layout = desired_layout(manifest("  notes: {fields: {title: {type: text, required: true}}}\n"))
    made = plan(None, layout, schema="mod_00000000", role="mod_00000000")
    assert made.sentences == [
        "Make the schema and its role",
        "Make the table notes (8 columns)",
        "Add an index of notes (created_at, id)",
        "Add the history of deletions of notes",
    ]
    assert plan(layout, layout, schema="mod_00000000", role="mod_00000000").steps == ()


@pytest.mark.parametrize(
    "tables",
    [
        "  a: {fields: {title: {type: text, search: true}, title__lc: {type: text}}}\n",
        "  a: {fields: {b: {type: refs, to: a}}}\n  a__b: {fields: {title: {type: text}}}\n",
    ],
)
def test_names_that_would_meet_in_the_database_are_refused(tables: str) -> None:
    with pytest.raises(Invalid):  # by the manifest's own rules, or at the latest here
        desired_layout(manifest(tables))
    assert issubclass(NameTaken, Invalid)


# -- drift

DRIFTS = [
    ("ALTER TABLE people DROP COLUMN rating", "the column people.rating is missing or another"),
    ("ALTER TABLE people ALTER COLUMN name DROP NOT NULL", "the column people.name is missing or another"),
    ("ALTER TABLE people ADD COLUMN extra text", "the column people.extra should not be there"),
    ("ALTER TABLE people NO FORCE ROW LEVEL SECURITY", "row-level security of people is not forced"),
    ("DROP POLICY site ON people", "people does not have exactly the one policy by site"),
    ("CREATE POLICY more ON people USING (true)", "people does not have exactly the one policy by site"),
    ("ALTER POLICY site ON people USING (true)", "people does not have exactly the one policy by site"),
    ("GRANT SELECT ON people TO dramac_app", "the rights on people are not those of the module's role alone"),
    ("REVOKE DELETE ON people FROM {role}", "the rights on people are not those of the module's role alone"),
    ("ALTER TABLE people DROP CONSTRAINT uq_people__phone", "uq_people__phone of people is missing"),
    ("DROP INDEX ix_people__created_at__id", "ix_people__created_at__id of people is missing"),
    ("DROP TRIGGER deleted_people ON people", "deleted_people of people is missing"),
    ("CREATE TABLE stray ()", "the table stray should not be there"),
    ("ALTER ROLE {role} LOGIN", "the role {role} has other rights than it should"),
]


@pytest.mark.parametrize(("statement", "said"), DRIFTS)
def test_drift_is_found_and_stops_a_change(stored: Stored, statement: str, said: str) -> None:
    stored.provision(manifest(V1))
    before = stored.layout
    with stored.owner.transaction():
        stored.owner.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(stored.schema)))
        role = sql.Identifier(stored.schema)
        stored.owner.execute(sql.SQL(statement).format(role=role))
    assert said.format(role=stored.schema) in stored.drift()
    with pytest.raises(StorageDrifted):
        stored.provision(manifest(V1), manifest(V2, version="2.0.0"))
    assert stored.layout == before


def test_a_change_is_made_whole_or_not_at_all(stored: Stored) -> None:
    stored.provision(manifest(V1))
    before = stored.layout
    stored.owner.execute(sql.SQL("CREATE TYPE {} AS ENUM ()").format(sql.Identifier(stored.schema, "companies")))
    with pytest.raises(psycopg.Error):
        stored.provision(manifest(V1), manifest(V2, version="2.0.0"))
    assert (stored.layout, stored.drift()) == (before, [])


def test_a_failed_first_provisioning_leaves_neither_schema_nor_role(stored: Stored) -> None:
    with pytest.raises(ZeroDivisionError):
        provision(stored.owner, module_id=stored.id, short_id=stored.short_id, needed=lambda: [1 / 0])  # type: ignore[list-item]
    found = stored.owner.execute("SELECT to_regnamespace(%s), to_regrole(%s)", [stored.schema, stored.schema])
    assert found.fetchone() == (None, None)


def test_the_empty_layout_is_no_tables() -> None:
    assert Layout.from_dict({}) == Layout()
