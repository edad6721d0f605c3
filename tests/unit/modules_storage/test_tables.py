"""What a manifest becomes in PostgreSQL, and that the site's wall stands in each of its tables."""

from __future__ import annotations

import re
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from app.modules.storage.layout import Layout
from tests.support.installed import put_on_site
from tests.support.world import World
from tests.unit.modules_storage.conftest import SITE_A, SITE_B, Stored, manifest

EVERY_TYPE = """
  targets: {fields: {name: {type: text}}}
  things:
    fields:
      text: {type: text, required: true, max: 20, search: true}
      richtext: {type: richtext}
      slug: {type: slug}
      email: {type: email, unique: true}
      phone: {type: phone}
      link: {type: url}
      whole: {type: integer, min: 1, max: 9}
      exact: {type: decimal, scale: 3}
      price: {type: money}
      share: {type: percent}
      yes_no: {type: boolean}
      day: {type: date}
      clock: {type: time}
      moment: {type: datetime}
      span: {type: duration}
      state: {type: enum, options: [open, done]}
      tags: {type: tags}
      color: {type: color}
      stars: {type: rating, max: 5}
      address: {type: address}
      geo: {type: geo}
      one_file: {type: file}
      many_files: {type: files}
      anything: {type: json}
      hours: {type: hours}
      repeats: {type: rrule}
      person: {type: user}
      target: {type: ref, to: targets, on_delete: set_null}
      others: {type: refs, to: targets}
      hidden: {type: secret}
      code: {type: number, prefix: "N-"}
      computed: {type: formula, as: money, expr: "price * share / 100"}
      computed_on: {type: formula, as: money, expr: "computed + 1"}
      counted: {type: rollup, of: parts, fn: count}
    indexes: [[state, price]]
  parts: {fields: {thing: {type: ref, to: things, on_delete: cascade}}}
"""


def columns(stored: Stored, table: str) -> dict[str, str]:
    rows = stored.owner.execute(
        """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod)
          || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
          || CASE WHEN a.attgenerated = 's' THEN ' AS ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
        """,
        [f"{stored.schema}.{table}"],
    )
    return dict(rows.fetchall())


def test_every_field_type_becomes_its_column(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    assert columns(stored, "things") == {
        "id": "uuid NOT NULL",
        "site_id": "uuid NOT NULL",
        "created_at": "timestamp with time zone NOT NULL",
        "updated_at": "timestamp with time zone NOT NULL",
        "created_by": "text NOT NULL",
        "version": "integer NOT NULL",
        "custom": "jsonb NOT NULL",
        "text": "text NOT NULL",
        "text__lc": "text AS lower(text)",
        "richtext": "text",
        "slug": "text",
        "email": "text",
        "phone": "text",
        "link": "text",
        "whole": "bigint",
        "exact": "numeric",
        "price": "bigint",
        "share": "numeric",
        "yes_no": "boolean",
        "day": "date",
        "clock": "time without time zone",
        "moment": "timestamp with time zone",
        "span": "bigint",
        "state": "text",
        "tags": "text[]",
        "color": "text",
        "stars": "smallint",
        "address": "jsonb",
        "geo": "jsonb",
        "one_file": "jsonb",
        "many_files": "jsonb",
        "anything": "jsonb",
        "hours": "jsonb",
        "repeats": "text",
        "person": "uuid",
        "target": "uuid",
        "hidden": "text",
        "code": "text",
        "computed": columns(stored, "things")["computed"],
        "computed_on": columns(stored, "things")["computed_on"],
    }
    assert columns(stored, "things__others") == {
        "site_id": "uuid NOT NULL",
        "record_id": "uuid NOT NULL",
        "target_id": "uuid NOT NULL",
        "position": "integer NOT NULL",
    }


def test_formulas_over_plain_columns_are_stored_and_computed_by_the_database(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "things", text="Ä", price=1999, share=50)
        row = connection.execute("SELECT computed, computed_on, text__lc FROM things").fetchone()
    assert row == (1000, 1001, "ä")
    layout = stored.layout.for_manifest(stored.manifests[0]).table("things")
    assert (layout.column("counted"), layout.column("others")) == (None, None)


def test_a_layout_is_the_same_after_json_and_for_the_same_manifest(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    assert Layout.from_dict(stored.layout.to_dict()) == stored.layout
    assert stored.layout.digest == stored.provision(manifest(EVERY_TYPE)).layout.digest


def test_a_second_run_finds_nothing_to_do(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    assert stored.provision(manifest(EVERY_TYPE)).sentences == []
    assert stored.drift() == []


def test_system_columns_fill_themselves(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    with stored.site(SITE_A) as connection:
        stored.insert(connection, "targets", name="one")
        row = connection.execute(
            "SELECT uuid_extract_version(id), created_at = updated_at, created_by, version, custom FROM targets"
        ).fetchone()
    assert row == (7, True, "", 1, {})


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"text": "x" * 21}, "ck_things__text__length"),
        ({"text": "x", "whole": 0}, "ck_things__whole__range"),
        ({"text": "x", "whole": 10}, "ck_things__whole__range"),
        ({"text": "x", "stars": 6}, "ck_things__stars__range"),
        ({"text": "x", "state": "gone"}, "ck_things__state__options"),
    ],
)
def test_values_outside_the_manifest_are_refused(stored: Stored, values: dict[str, object], constraint: str) -> None:
    stored.provision(manifest(EVERY_TYPE))
    with pytest.raises(psycopg.errors.CheckViolation) as error, stored.site(SITE_A) as connection:
        stored.insert(connection, "things", **values)
    assert error.value.diag.constraint_name == constraint


def test_a_required_field_cannot_be_empty(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    with pytest.raises(psycopg.errors.NotNullViolation) as error, stored.site(SITE_A) as connection:
        stored.insert(connection, "things", slug="no-text")
    assert error.value.diag.column_name == "text"


def test_unique_holds_within_a_site_and_not_between_sites(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    for site in (SITE_A, SITE_B):
        with stored.site(site) as connection:
            stored.insert(connection, "things", site, text="x", email="ada@example.test")
    with pytest.raises(psycopg.errors.UniqueViolation) as error, stored.site(SITE_A) as connection:
        stored.insert(connection, "things", text="x", email="ada@example.test")
    assert error.value.diag.constraint_name == "uq_things__email"


# -- isolation


def _filled(stored: Stored) -> None:
    stored.provision(manifest(EVERY_TYPE))
    for site in (SITE_A, SITE_B):
        with stored.site(site) as connection:
            target = stored.insert(connection, "targets", site, name=str(site))
            thing = stored.insert(connection, "things", site, text="x", target=target)
            connection.execute(
                "INSERT INTO things__others (site_id, record_id, target_id) VALUES (%s, %s, %s)", [site, thing, target]
            )
            connection.execute("INSERT INTO _series VALUES (%s, 'code', 1)", [site])
            stored.insert(connection, "parts", site, thing=thing)
            connection.execute("DELETE FROM parts")


TABLES = ["targets", "things", "things__others", "_series", "_history"]


@pytest.mark.parametrize("table", TABLES)
def test_a_site_sees_its_own_rows_only(stored: Stored, table: str) -> None:
    _filled(stored)
    statement = sql.SQL("SELECT DISTINCT site_id FROM {}").format(sql.Identifier(table))
    for site in (SITE_A, SITE_B):
        with stored.site(site) as connection:
            assert connection.execute(statement).fetchall() == [(site,)]


@pytest.mark.parametrize("table", TABLES)
def test_without_a_site_there_is_nothing(stored: Stored, table: str) -> None:
    _filled(stored)
    with stored.site(None) as connection:
        found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert found == (0,)


@pytest.mark.parametrize("table", ["targets", "things", "things__others", "_series"])
def test_another_sites_rows_can_neither_be_changed_nor_deleted(stored: Stored, table: str) -> None:
    _filled(stored)
    name = sql.Identifier(table)
    with stored.site(SITE_A) as connection:
        changed = connection.execute(
            sql.SQL("UPDATE {} SET site_id = site_id WHERE site_id = %s").format(name), [SITE_B]
        )
        deleted = connection.execute(sql.SQL("DELETE FROM {} WHERE site_id = %s").format(name), [SITE_B])
        assert (changed.rowcount, deleted.rowcount) == (0, 0)


def test_rows_cannot_be_put_into_or_moved_to_another_site(stored: Stored) -> None:
    _filled(stored)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), stored.site(SITE_A) as connection:
        stored.insert(connection, "targets", SITE_B, name="mine")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), stored.site(SITE_A) as connection:
        connection.execute("UPDATE targets SET site_id = %s", [SITE_B])


@pytest.mark.parametrize("statement", ["SELECT * FROM {}", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
def test_another_modules_role_is_refused(stored: Stored, another: Stored, statement: str) -> None:
    _filled(stored)
    another.provision(manifest("  notes: {fields: {title: {type: text}}}\n"))
    table = sql.Identifier(stored.schema, "things")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), another.site(SITE_A) as connection:
        connection.execute(sql.SQL(statement).format(table))


def test_the_runtime_itself_has_no_right_until_it_enters_the_modules_role(stored: Stored) -> None:
    _filled(stored)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(stored.runtime_url) as connection:
        connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(stored.schema, "things")))


@pytest.mark.parametrize("statement", ["TRUNCATE things", "ALTER TABLE things ADD COLUMN x int", "CREATE TABLE x ()"])
def test_a_modules_role_changes_rows_and_nothing_else(stored: Stored, statement: str) -> None:
    _filled(stored)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), stored.site(SITE_A) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("statement", ["UPDATE _history SET op = 'insert'", "DELETE FROM _history"])
def test_history_is_only_added_to(stored: Stored, statement: str) -> None:
    _filled(stored)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), stored.site(SITE_A) as connection:
        connection.execute(statement.encode())


def test_a_reference_to_another_sites_record_is_one_to_nothing(stored: Stored) -> None:
    _filled(stored)
    with stored.site(SITE_B) as connection:
        foreign = connection.execute("SELECT id FROM targets").fetchone()
    assert foreign is not None
    said = []
    for target in (foreign[0], uuid4()):
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as error, stored.site(SITE_A) as connection:
            stored.insert(connection, "things", text="x", target=target)
        said.append(re.sub(r"[0-9a-f-]{36}", "ID", error.value.diag.message_detail or ""))
    assert said[0] == said[1]


def test_events_are_written_by_a_module_for_its_own_site_only(stored: Stored, world: World) -> None:
    """Which install speaks is held to the same role; tests/security has the other lies."""
    agency = world.agency()
    here, elsewhere = world.site(agency), world.site(agency)
    plain = "manifest: 1\nslug: told\nname: Told\nsummary: A test.\nversion: 1.0.0\ntype: app\ntables:\n"
    told = put_on_site(agency, here, f"{plain}  things:\n    fields:\n      name: {{type: text}}\n")
    insert = "INSERT INTO public.events (agency_id, site_id, install_id, type) VALUES (%s, %s, %s, 'thing.created')"
    with stored.site(here.id, role=told.data.context.role) as connection:
        connection.execute("SELECT set_config('app.agency_id', %s, true)", [str(agency.id)])
        connection.execute(insert, [agency.id, here.id, told.install.id])
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(insert, [agency.id, elsewhere.id, told.install.id])


def test_deleting_a_target_empties_the_reference_and_keeps_the_site(stored: Stored) -> None:
    _filled(stored)
    with stored.site(SITE_A) as connection:
        connection.execute("DELETE FROM targets")
        assert connection.execute("SELECT site_id, target FROM things").fetchall() == [(SITE_A, None)]
        assert connection.execute("SELECT * FROM things__others").fetchall() == []
